package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// disk is a file whose unsynced bytes are lost in a crash, or some of their sectors, and whose n-th
// operation fails.
type disk struct {
	seen, durable []byte
	failAt        int
	fault         string
	ops           int
}

const sector = 512

func (d *disk) fails() bool { d.ops++; return d.ops == d.failAt }

func (d *disk) ReadAt(b []byte, at int64) (int, error) { return bytes.NewReader(d.seen).ReadAt(b, at) }

func (d *disk) WriteAt(b []byte, at int64) (int, error) {
	n := len(b)
	var err error
	if d.fails() {
		switch d.fault {
		case "ENOSPC":
			n, err = 0, syscall.ENOSPC
		case "EIO":
			n, err = 0, syscall.EIO
		case "short":
			n, err = n/2, io.ErrShortWrite
		case "silent short":
			n /= 2
		}
	}
	if need := int(at) + n; need > len(d.seen) {
		d.seen = append(d.seen, make([]byte, need-len(d.seen))...)
	}
	copy(d.seen[at:], b[:n])
	return n, err
}

func (d *disk) Sync() error {
	if d.fails() {
		return syscall.EIO
	}
	d.durable = bytes.Clone(d.seen)
	return nil
}

func (d *disk) Truncate(size int64) error {
	if d.fails() {
		return syscall.EIO
	}
	d.seen = d.seen[:size]
	return nil
}

func (d *disk) Close() error { return nil }

// crash returns the disk after power was lost: each sector that was not synced is old or new.
func (d *disk) crash(rnd *rand.Rand) *disk {
	b := bytes.Clone(d.durable)
	if rnd != nil {
		for at := 0; at < len(d.seen); at += sector {
			if rnd.IntN(2) == 0 {
				continue
			}
			end := min(at+sector, len(d.seen))
			if end > len(b) {
				b = append(b, make([]byte, end-len(b))...)
			}
			copy(b[at:end], d.seen[at:end])
		}
	}
	return &disk{seen: b, durable: bytes.Clone(b)}
}

// TestSpoolFaults lets every operation of a small life fail, then loses power, and expects every record
// that was acknowledged, and none that is torn.
func TestSpoolFaults(t *testing.T) {
	t.Parallel()
	shared := newBolt(t)
	for _, fault := range []string{"none", "ENOSPC", "EIO", "short", "silent short"} {
		for failAt := 1; failAt < 60; failAt++ {
			d := &disk{fault: fault, failAt: failAt}
			acked := spoolLife(t, shared, d)
			for try := range 3 {
				var rnd *rand.Rand
				if try > 0 {
					rnd = rand.New(rand.NewPCG(uint64(failAt), uint64(try)))
				}
				checkAfterCrash(t, fmt.Sprintf("%s at %d, crash %d", fault, failAt, try), shared, d.crash(rnd), acked)
			}
			if d.ops < failAt {
				break
			}
		}
	}
}

// spoolLife spools, drains a part, spools again, and returns what was acknowledged.
func spoolLife(t *testing.T, shared store.Store, d *disk) (acked []*consent.Record) {
	t.Helper()
	inner := &switched{Store: noClose{shared}}
	inner.down.Store(true)
	sp, err := store.OpenSpool("disk", inner, store.SpoolOptions{Reserve: 2048, Retry: time.Nanosecond,
		OpenFile: func(string) (store.SpoolFile, error) { return d, nil }})
	if err != nil {
		return nil // it never opened: nothing was acknowledged
	}
	for i := range 12 {
		r := storetest.Withdrawal(site, consent.NewID(), uint32(i+1))
		switch err := sp.Append(ctx, r); {
		case err == nil:
			acked = append(acked, r)
		case !errors.Is(err, store.ErrUnavailable):
			t.Errorf("append: %v", err)
		}
		if i == 5 {
			inner.down.Store(false)
			_ = sp.Drain(ctx)
			inner.down.Store(true)
		}
	}
	return acked
}

func checkAfterCrash(t *testing.T, name string, shared store.Store, d *disk, acked []*consent.Record) {
	t.Helper()
	sp, err := store.OpenSpool("disk", noClose{shared}, store.SpoolOptions{Reserve: 2048,
		OpenFile: func(string) (store.SpoolFile, error) { return d, nil }})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := sp.Drain(ctx); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if n := sp.Stats().Dropped; n != 0 {
		t.Errorf("%s: %d torn records were accepted", name, n)
	}
	for _, r := range acked {
		if st, err := shared.Latest(ctx, site, r.PrincipalID); err != nil || st.RecordID != r.RecordID {
			t.Fatalf("%s: an acknowledged record is lost: %v", name, err)
		}
	}
}

func FuzzSpoolFile(f *testing.F) {
	d := &disk{}
	inner := &switched{Store: noClose{newBolt(f)}}
	inner.down.Store(true)
	open := func(d *disk) (*store.Spool, error) {
		return store.OpenSpool("disk", inner, store.SpoolOptions{Reserve: 1024, OpenFile: func(string) (store.SpoolFile, error) { return d, nil }})
	}
	sp, err := open(d)
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		storetest.MustAppend(f, sp, storetest.Withdrawal(site, consent.NewID(), uint32(i)))
	}
	f.Add(d.durable)
	f.Add(d.durable[:len(d.durable)-700])
	f.Add([]byte("consent spool 1\n\x00\x00\x00\x05\xff\xff\xff\xffhello"))
	f.Add([]byte("consent spool 1\n\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, content []byte) {
		d := &disk{seen: bytes.Clone(content), durable: bytes.Clone(content)}
		sp, err := open(d)
		if err != nil {
			return
		}
		// Whatever it took for its own, it takes again.
		n := sp.Stats().Pending
		again, err := open(d)
		if err != nil || again.Stats().Pending != n {
			t.Errorf("%d records, then %v", n, err)
		}
	})
}

// TestFullDiskRefusesGrantsOnly has store and spool on one disk that fills up.
func TestFullDiskRefusesGrantsOnly(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount a small tmpfs: %v %s", err, out)
	}
	defer func() { _ = exec.Command("umount", "-l", dir).Run() }()
	db, err := bolt.Open(filepath.Join(dir, "consent.db"), bolt.Options{Signer: storetest.Signer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	sp := openSpool(t, filepath.Join(dir, "spool"), db, store.SpoolOptions{Reserve: 256 << 10})
	granted := consent.NewID()
	storetest.MustAppend(t, sp, storetest.Record(site, granted, 1, storetest.All))
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	for err = nil; err == nil; { // until the store's own free pages are used up
		err = sp.Append(ctx, storetest.Record(site, consent.NewID(), 1, storetest.All))
	}
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a grant on a full disk: %v", err)
	}
	var refusals []*consent.Record
	for range 100 {
		r := storetest.Withdrawal(site, consent.NewID(), 1)
		storetest.MustAppend(t, sp, r)
		refusals = append(refusals, r)
	}
	w := storetest.Withdrawal(site, granted, 2)
	storetest.MustAppend(t, sp, w)
	if st, err := sp.Latest(ctx, site, granted); err != nil || st.Grants() {
		t.Errorf("withdrawn on a full disk: %+v, %v", st, err)
	}
	if sp.Stats().Pending == 0 {
		t.Error("the refusals did not need the spool: the test shows nothing")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // the breaker
	if err := sp.Drain(ctx); err != nil {
		t.Fatalf("after there was room again: %v", err)
	}
	storetest.MustAppend(t, sp, storetest.Record(site, consent.NewID(), 1, storetest.All))
	for _, r := range append(refusals, w) {
		if st, err := db.Latest(ctx, site, r.PrincipalID); err != nil || st.RecordID != r.RecordID {
			t.Errorf("%+v, %v", st, err)
		}
	}
	storetest.MustVerify(t, sp)
}
