package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestDeferredRefusals: a crowd's refusals are durable and count at once, and go to the store at their pace; they take no
// more than half of the file, and an outage's refusals do not wait behind them.
func TestDeferredRefusals(t *testing.T) {
	inner := &switched{Store: newBolt(t)}
	path := filepath.Join(t.TempDir(), "spool")
	sp := openSpool(t, path, inner, store.SpoolOptions{MaxSize: 64 << 10, Reserve: 4 << 10, Pace: 2, Retry: time.Hour})
	taken := 0
	for ; taken < 1000; taken++ {
		r := storetest.Record(site, consent.NewID(), 1, 0)
		if err := sp.Defer(ctx, r); errors.Is(err, store.ErrUnavailable) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if st, err := sp.Latest(ctx, site, r.PrincipalID); err != nil || st.Grants() {
			t.Fatalf("a refusal that was deferred: %+v, %v", st, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 40<<10 || taken < 20 || taken == 1000 {
		t.Errorf("%d deferred refusals take %d of 64 KiB: %v", taken, info.Size(), err)
	}
	if err := sp.Defer(ctx, storetest.Record(site, consent.NewID(), 1, storetest.All)); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a grant was deferred: %v", err)
	}
	stored := func() (n int) {
		if err := inner.Scan(ctx, store.Filter{}, func(store.Entry) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := stored(); n != 0 {
		t.Errorf("%d of them went to the store at once", n)
	}
	// The other half is for an outage, and all of it is there after a restart.
	inner.down.Store(true)
	storetest.MustAppend(t, sp, storetest.Record(site, consent.NewID(), 1, 0))
	inner.down.Store(false)
	if err := sp.Close(); err != nil {
		t.Fatal(err)
	}
	inner.Store = newBolt(t)
	again := openSpool(t, path, inner, store.SpoolOptions{Pace: 2})
	if st := again.Stats(); st.Pending != taken+1 {
		t.Fatalf("%d wait after a restart, want %d", st.Pending, taken+1)
	}
	if err := again.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if n := stored(); n != taken+1 {
		t.Errorf("%d were recorded, want %d", n, taken+1)
	}
}

// TestDeferredPace: Run hands over what was deferred a little at a time, until all of it is recorded; once something waits
// that was not deferred, all of it.
func TestDeferredPace(t *testing.T) {
	inner := &switched{Store: newBolt(t)}
	batches := make(chan int, 100)
	counted := &counting{Store: inner, batches: batches}
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), counted, store.SpoolOptions{Pace: 3})
	for range 10 {
		if err := sp.Defer(ctx, storetest.Record(site, consent.NewID(), 1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	running, stop := context.WithCancel(ctx)
	defer func() { stop() }()
	var wg sync.WaitGroup
	wg.Go(func() { sp.Run(running) })
	for _, want := range []int{3, 3, 3, 1} {
		if got := next(t, batches); got != want {
			t.Fatalf("a batch of %d, want %d", got, want)
		}
	}
	stop()
	wg.Wait()
	inner.down.Store(true)
	for range 10 {
		if err := sp.Defer(ctx, storetest.Record(site, consent.NewID(), 1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	storetest.MustAppend(t, sp, storetest.Record(site, consent.NewID(), 1, 0))
	inner.down.Store(false)
	for len(batches) > 0 {
		<-batches // that failed
	}
	running, stop = context.WithCancel(ctx)
	defer stop()
	wg.Go(func() { sp.Run(running) })
	if got := next(t, batches); got != 11 {
		t.Errorf("after an outage a batch of %d, want all 11", got)
	}
	stop()
	wg.Wait()
}

// picky calls every batch invalid that holds a record of one site.
type picky struct{ store.Store }

func (p picky) Append(ctx context.Context, records ...*consent.Record) error {
	for _, r := range records {
		if r.Site == "bad.example" {
			return store.ErrInvalid
		}
	}
	return p.Store.Append(ctx, records...)
}

// TestDrainLeavesOutWhatIsInvalid: a record that the store will never take keeps no other waiting, and is counted.
func TestDrainLeavesOutWhatIsInvalid(t *testing.T) {
	inner := newBolt(t)
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), picky{inner}, store.SpoolOptions{})
	for _, name := range []string{site, "bad.example", site} {
		if err := sp.Defer(ctx, storetest.Record(name, consent.NewID(), 1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sp.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := inner.Scan(ctx, store.Filter{}, func(store.Entry) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d were recorded, %v", n, err)
	}
	if st := sp.Stats(); st != (store.SpoolStats{Dropped: 1}) {
		t.Errorf("%+v", st)
	}
}

// TestWaitingAnswersAreMerged: of answers that wait, whatever their order, only what all of the newest permit counts.
func TestWaitingAnswersAreMerged(t *testing.T) {
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), newBolt(t), store.SpoolOptions{Retry: time.Hour})
	refusal := func(id consent.ID, seq uint32, denied consent.Purposes) *consent.Record {
		r := storetest.Record(site, id, seq, 0)
		r.Denied = denied
		return r
	}
	const analytics, marketing = consent.Purposes(consent.Analytics), consent.Purposes(consent.Marketing)
	twoTabs, old := consent.NewID(), consent.NewID()
	for _, r := range []*consent.Record{refusal(twoTabs, 1, analytics), refusal(twoTabs, 1, marketing), refusal(old, 2, storetest.All), refusal(old, 1, analytics)} {
		if err := sp.Defer(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := sp.Latest(ctx, site, twoTabs); err != nil || st.Denied != analytics|marketing {
		t.Errorf("of two tabs: %v, %v", st.Denied, err)
	}
	if st, err := sp.Latest(ctx, site, old); err != nil || st.Seq != 2 || st.Denied != storetest.All {
		t.Errorf("after an older answer: %d, %v, %v", st.Seq, st.Denied, err)
	}
}

// next returns the size of the next batch.
func next(t *testing.T, batches <-chan int) int {
	t.Helper()
	select {
	case n := <-batches:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("nothing more is handed over")
		return 0
	}
}

// counting tells how many records are appended at once.
type counting struct {
	store.Store
	batches chan int
}

func (c *counting) Append(ctx context.Context, r ...*consent.Record) error {
	err := c.Store.Append(ctx, r...)
	c.batches <- len(r)
	return err
}
