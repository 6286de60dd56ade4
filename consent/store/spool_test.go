package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

var ctx = context.Background()

const site = "a.example"

// switched is a real store that can be switched off.
type switched struct {
	store.Store
	down atomic.Bool
	left atomic.Int64 // appended batches before it goes down by itself, if positive
}

func (s *switched) err() error {
	if s.down.Load() {
		return fmt.Errorf("%w: switched off", store.ErrUnavailable)
	}
	return nil
}

func (s *switched) Append(ctx context.Context, r ...*consent.Record) error {
	if s.left.Load() > 0 && s.left.Add(-1) == 0 {
		s.down.Store(true)
	}
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.Append(ctx, r...)
}

func (s *switched) Latest(ctx context.Context, site string, id consent.ID) (store.State, error) {
	if err := s.err(); err != nil {
		return store.State{}, err
	}
	return s.Store.Latest(ctx, site, id)
}

func newBolt(t testing.TB) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "consent.db"), bolt.Options{Signer: storetest.Signer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openSpool(t testing.TB, path string, s store.Store, o store.SpoolOptions) *store.Spool {
	t.Helper()
	if o.Retry == 0 {
		o.Retry = time.Millisecond
	}
	sp, err := store.OpenSpool(path, s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sp.Close() })
	return sp
}

func TestSpoolConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, signer *store.Signer, now func() time.Time) store.Store {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "consent.db"), bolt.Options{Signer: signer, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return openSpool(t, filepath.Join(t.TempDir(), "spool"), store.NewCache(s, 1<<20), store.SpoolOptions{})
	})
}

func TestRefusalsGoOnWhileTheStoreIsDown(t *testing.T) {
	inner := &switched{Store: newBolt(t)}
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), inner, store.SpoolOptions{})
	granted, waits, never := consent.NewID(), consent.NewID(), consent.NewID()
	storetest.MustAppend(t, sp, storetest.Record(site, granted, 1, storetest.All), storetest.Record(site, waits, 1, storetest.All))

	inner.down.Store(true)
	storetest.MustAppend(t, sp, storetest.Withdrawal(site, waits, 2))
	if st, err := sp.Latest(ctx, site, waits); err != nil || st.Grants() || st.Event != consent.EventWithdrawn {
		t.Errorf("withdrawal that waits: %+v, %v", st, err)
	}
	for _, id := range []consent.ID{granted, never} {
		if _, err := sp.Latest(ctx, site, id); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("no answer must be an error: %v", err)
		}
	}
	// Of the store's last error the log shows what is worth knowing, whoever was the first to meet it.
	if err := sp.Append(ctx, storetest.Record(site, never, 1, storetest.All)); err == nil || !strings.Contains(err.Error(), inner.err().Error()) {
		t.Errorf("a grant just after another error of the store: %v, want its cause %v", err, inner.err())
	}
	for name, r := range map[string]*consent.Record{
		"purpose": storetest.Record(site, never, 1, consent.Purposes(consent.Functional)),
		"vendor": func() *consent.Record {
			r := storetest.Record(site, never, 1, 0)
			r.Vendors = map[string]bool{"youtube": true}
			return r
		}(),
	} {
		err := sp.Append(ctx, r)
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "grants are not accepted") {
			t.Errorf("%s: a grant that cannot be recorded: %v", name, err)
		}
	}
	if err := sp.Erase(ctx, site, waits); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("erasure: %v", err)
	}
	if n := sp.Stats().Pending; n != 1 {
		t.Errorf("%d wait, want 1", n)
	}

	inner.down.Store(false)
	time.Sleep(5 * time.Millisecond) // the breaker
	storetest.MustAppend(t, sp, storetest.Record(site, waits, 3, storetest.All))
	if n := sp.Stats().Waiting; n != 0 {
		t.Errorf("%d wait after the store came back", n)
	}
	if err := sp.Drain(ctx); err != nil || sp.Stats().Pending != 0 {
		t.Errorf("%+v, %v", sp.Stats(), err)
	}
	var seqs []uint32
	_ = sp.Scan(ctx, store.Filter{Site: site, ID: waits}, func(e store.Entry) error { seqs = append(seqs, e.Record.Seq); return nil })
	if fmt.Sprint(seqs) != "[1 2 3]" {
		t.Errorf("recorded in order %v", seqs)
	}
	if st, err := sp.Latest(ctx, site, waits); err != nil || !st.Grants() {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestSpoolOutageUnderLoad(t *testing.T) {
	inner := &switched{Store: newBolt(t)}
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), inner, store.SpoolOptions{Retry: 5 * time.Millisecond})
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); sp.Run(run) }()
	const clients, each = 16, 40
	ids := make([]consent.ID, clients)
	last := make([]store.State, clients)
	var load sync.WaitGroup
	for c := range clients {
		ids[c] = consent.NewID()
		load.Add(1)
		go func() {
			defer load.Done()
			for i := range uint32(each) {
				r := storetest.Withdrawal(site, ids[c], i+1)
				if i%2 == 0 {
					r = storetest.Record(site, ids[c], i+1, storetest.All)
				}
				err := sp.Append(ctx, r)
				st := store.StateOf(r)
				if err == nil {
					last[c] = st
				} else if !st.Grants() || !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%v: %v", r.Event, err)
				}
				// What was acknowledged last is what counts, or there is no answer.
				got, err := sp.Latest(ctx, site, ids[c])
				if err == nil && got.RecordID != last[c].RecordID {
					t.Errorf("answered with sequence number %d, acknowledged was %d", got.Seq, last[c].Seq)
				}
			}
		}()
	}
	for range 5 {
		time.Sleep(10 * time.Millisecond)
		inner.down.Store(true)
		time.Sleep(10 * time.Millisecond)
		inner.down.Store(false)
	}
	load.Wait()
	stop()
	wg.Wait()
	time.Sleep(6 * time.Millisecond)
	if err := sp.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	for c, id := range ids {
		if st, err := inner.Latest(ctx, site, id); err != nil || st.RecordID != last[c].RecordID {
			t.Errorf("client %d: %+v, %v", c, st, err)
		}
	}
	storetest.MustVerify(t, sp)
}

func TestSpoolSurvivesARestart(t *testing.T) {
	t.Parallel()
	inner := &switched{Store: newBolt(t)}
	path := filepath.Join(t.TempDir(), "folder", "spool")
	sp, err := store.OpenSpool(path, inner, store.SpoolOptions{Reserve: 4096})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSpool(path, inner, store.SpoolOptions{}); err == nil || !strings.Contains(err.Error(), "another process holds") {
		t.Errorf("second opening: %v", err)
	}
	inner.down.Store(true)
	var ids []consent.ID
	for i := range 600 { // grows beyond what is reserved
		ids = append(ids, consent.NewID())
		storetest.MustAppend(t, sp, storetest.Withdrawal(site, ids[i], 9))
	}
	_ = closeFile(sp, inner)
	inner.left.Store(2) // the store goes down again after one batch was handed over
	inner.down.Store(false)
	sp = openSpool(t, path, inner, store.SpoolOptions{Reserve: 4096})
	if n := sp.Stats().Pending; n != 600 {
		t.Fatalf("%d wait after the restart, want 600", n)
	}
	if err := sp.Drain(ctx); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("drained into a store that is down: %v", err)
	}
	if n := sp.Stats().Pending; n != 600-256 {
		t.Errorf("%d wait, want %d", n, 600-256)
	}
	_ = closeFile(sp, inner)
	inner.down.Store(false)
	sp = openSpool(t, path, inner, store.SpoolOptions{Reserve: 4096})
	if err := sp.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	i := 0
	_ = inner.Scan(ctx, store.Filter{}, func(e store.Entry) error {
		if e.Record.PrincipalID != ids[i] {
			t.Fatalf("entry %d is out of order", i)
		}
		i++
		return nil
	})
	if i != len(ids) {
		t.Errorf("%d records, want %d, each once", i, len(ids))
	}
	content, err := os.ReadFile(path)
	if err != nil || len(content) != 4096 || len(bytes.Trim(content[16:], "\x00")) != 0 {
		t.Errorf("what was recorded is still in the spool: %d bytes, %v", len(content), err)
	}
}

// closeFile closes a spool but not the store behind it.
func closeFile(sp *store.Spool, inner *switched) error {
	s := inner.Store
	inner.Store = noClose{s}
	defer func() { inner.Store = s }()
	return sp.Close()
}

type noClose struct{ store.Store }

func (noClose) Close() error { return nil }

func TestSpoolIsBounded(t *testing.T) {
	inner := &switched{Store: newBolt(t)}
	inner.down.Store(true)
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), inner, store.SpoolOptions{Reserve: 4096, MaxSize: 10 << 10})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = sp.Append(ctx, storetest.Withdrawal(site, consent.NewID(), 1))
	}
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "full") || n < 5 || n > 20 {
		t.Errorf("after %d records: %v", n, err)
	}
	inner.down.Store(false)
	if err := sp.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	inner.down.Store(true)
	storetest.MustAppend(t, sp, storetest.Withdrawal(site, consent.NewID(), 1)) // room again
}

func TestSpoolOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, c := range map[string]struct{ path, want string }{
		"another file":  {write("other", []byte("hello, this is some text")), "not a spool"},
		"below a file":  {filepath.Join(write("file", nil), "spool"), "cannot open"},
		"a folder":      {dir, "cannot open"},
		"cut-off magic": {write("cut", []byte("consent sp")), ""},
		"zeros":         {write("zeros", make([]byte, 5000)), ""},
		"empty":         {write("empty", nil), ""},
	} {
		sp, err := store.OpenSpool(c.path, noClose{newBolt(t)}, store.SpoolOptions{Reserve: 4096})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_ = sp.Close()
			if sp, err = store.OpenSpool(c.path, noClose{newBolt(t)}, store.SpoolOptions{}); err != nil {
				t.Errorf("%s, again: %v", name, err)
			}
			_ = sp.Close()
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
