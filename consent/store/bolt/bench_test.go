package bolt_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// BenchmarkAppend64 has 64 clients append; BenchmarkFsync beside it is the limit of the disk: a commit
// needs two of them, so records/s should be near 64/2 times the fsyncs/s until the processor is busy.
func BenchmarkAppend64(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "consent.db"), bolt.Options{Signer: storetest.Signer(b, 1)})
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Append(context.Background(), storetest.Record("a.example", consent.NewID(), 1, storetest.All)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4096)
	if _, err := f.WriteAt(page, 0); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		page[0] = byte(i)
		if _, err := f.WriteAt(page, 0); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fsyncs/s")
}

func BenchmarkLatest(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "consent.db"), bolt.Options{})
	ids := make([]consent.ID, 1000)
	records := make([]*consent.Record, len(ids))
	for i := range ids {
		ids[i] = consent.NewID()
		records[i] = storetest.Record("a.example", ids[i], 1, storetest.All)
	}
	storetest.MustAppend(b, s, records...)
	b.ReportAllocs()
	b.ResetTimer()
	var n atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Latest(context.Background(), "a.example", ids[n.Add(1)%1000]); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "consent.db"), bolt.Options{Now: time.Now})
	for range 10 {
		records := make([]*consent.Record, 1000)
		for i := range records {
			records[i] = storetest.Record("a.example", consent.NewID(), 1, storetest.All)
		}
		storetest.MustAppend(b, s, records...)
	}
	b.ResetTimer()
	for range b.N {
		storetest.MustVerify(b, s)
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "records/s")
}
