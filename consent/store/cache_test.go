package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestCacheNeverAnswersAWithdrawalAsGranted has many more visitors than a cache of 1 MiB holds grant, be
// asked for, and withdraw. CONSENT_WITHDRAWALS=1000000 is the full size; the default has half a MiB.
func TestCacheNeverAnswersAWithdrawalAsGranted(t *testing.T) {
	t.Parallel()
	visitors, size := 7_000, 512<<10
	if n, err := strconv.Atoi(os.Getenv("CONSENT_WITHDRAWALS")); err == nil {
		visitors, size = n, 1<<20
	}
	c := store.NewCache(newBolt(t), size)
	ids := make([]consent.ID, visitors)
	each := func(f func(batch []*consent.Record, i int, id consent.ID) []*consent.Record) {
		var batch []*consent.Record
		for i, id := range ids {
			if batch = f(batch, i, id); len(batch) == 500 || i == len(ids)-1 {
				storetest.MustAppend(t, c, batch...)
				batch = nil
			}
		}
	}
	each(func(b []*consent.Record, i int, _ consent.ID) []*consent.Record {
		ids[i] = consent.NewID()
		return append(b, storetest.Record(site, ids[i], 1, storetest.All))
	})
	ask := func() (granted int) {
		for _, id := range ids {
			st, err := c.Latest(ctx, site, id)
			if err != nil {
				t.Fatal(err)
			}
			if st.Grants() {
				granted++
			}
		}
		return granted
	}
	if n := ask(); n != visitors {
		t.Fatalf("%d of %d grants are known", n, visitors)
	}
	each(func(b []*consent.Record, _ int, id consent.ID) []*consent.Record {
		return append(b, storetest.Withdrawal(site, id, 2))
	})
	for range 2 {
		if n := ask(); n != 0 {
			t.Errorf("%d of %d withdrawals are answered as granted", n, visitors)
		}
	}
}

// TestCacheRace has readers and a writer of the same few keys: once an append has returned, nobody may be
// answered with what was there before.
func TestCacheRace(t *testing.T) {
	c := store.NewCache(newBolt(t), 1<<20)
	ids := []consent.ID{consent.NewID(), consent.NewID()}
	var done [2]atomic.Uint32
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				for i, id := range ids {
					least := done[i].Load()
					st, err := c.Latest(ctx, site, id)
					if err != nil && !errors.Is(err, store.ErrNotFound) || st.Seq < least {
						t.Errorf("answered %d, acknowledged was %d, %v", st.Seq, least, err)
						return
					}
				}
			}
		}()
	}
	for seq := uint32(1); seq <= 150; seq++ {
		for i, id := range ids {
			storetest.MustAppend(t, c, storetest.Record(site, id, seq, 0))
			done[i].Store(seq)
		}
	}
	close(stop)
	wg.Wait()
}

// paused is a real store whose answers are held up on the way.
type paused struct {
	store.Store
	read, release chan struct{}
}

func (p *paused) Latest(ctx context.Context, site string, id consent.ID) (store.State, error) {
	st, err := p.Store.Latest(ctx, site, id)
	p.read <- struct{}{}
	<-p.release
	return st, err
}

// TestCacheDoesNotPutBackOldAnswers has an answer that was read before a withdrawal arrive after it.
func TestCacheDoesNotPutBackOldAnswers(t *testing.T) {
	p := &paused{newBolt(t), make(chan struct{}, 1), make(chan struct{})}
	c := store.NewCache(p, 1<<20)
	id := consent.NewID()
	for name, change := range map[string]func(){
		"withdrawal": func() { storetest.MustAppend(t, c, storetest.Withdrawal(site, id, 9)) },
		"erasure": func() {
			if err := c.Erase(ctx, site, id); err != nil {
				t.Fatal(err)
			}
		},
	} {
		_ = c.Erase(ctx, site, id)
		storetest.MustAppend(t, c, storetest.Record(site, id, 1, storetest.All))
		done := make(chan struct{})
		go func() { _, _ = c.Latest(ctx, site, id); close(done) }()
		<-p.read // the grant
		change()
		p.release <- struct{}{}
		<-done
		asked := make(chan struct{})
		go func() {
			select {
			case <-p.read:
				p.release <- struct{}{}
			case <-asked: // from the cache
			}
		}()
		if st, err := c.Latest(ctx, site, id); err == nil && st.Grants() {
			t.Errorf("%s: answered as granted", name)
		}
		close(asked)
	}
}

// followed is a real store that another process could write to: the test plays that process.
type followed struct {
	store.Store
	changed chan func(func(string, consent.ID), func(time.Time))
}

func (f *followed) Follow(ctx context.Context, changed func(string, consent.ID), synced func(time.Time)) {
	for {
		select {
		case <-ctx.Done():
			return
		case do := <-f.changed:
			do(changed, synced)
		}
	}
}

func TestCacheFollows(t *testing.T) {
	inner := newBolt(t)
	f := &followed{inner, make(chan func(func(string, consent.ID), func(time.Time)))}
	c := store.NewCache(f, 1<<20)
	id := consent.NewID()
	seq := func() uint32 {
		t.Helper()
		st, err := c.Latest(ctx, site, id)
		if err != nil {
			t.Fatal(err)
		}
		return st.Seq
	}
	elsewhere := func(n uint32) { t.Helper(); storetest.MustAppend(t, inner, storetest.Record(site, id, n, 0)) }
	elsewhere(1)
	if seq() != 1 {
		t.Fatal("not found")
	}
	elsewhere(2)
	if seq() != 2 {
		t.Error("cached although nobody follows")
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { c.Run(run); close(ended) }()
	say := func(do func(func(string, consent.ID), func(time.Time))) {
		f.changed <- do
		f.changed <- func(func(string, consent.ID), func(time.Time)) {} // the first is through
	}
	now := func(_ func(string, consent.ID), synced func(time.Time)) { synced(time.Now().Add(time.Hour)) }
	say(now)
	_ = seq()
	elsewhere(3)
	if seq() != 2 {
		t.Error("not cached while in step")
	}
	say(func(changed func(string, consent.ID), _ func(time.Time)) { changed(site, id) })
	if seq() != 3 {
		t.Error("a change was not heard")
	}
	elsewhere(4)
	say(func(changed func(string, consent.ID), _ func(time.Time)) { changed("", consent.ID{}) })
	if seq() != 4 {
		t.Error("a change of everything was not heard")
	}
	elsewhere(5)
	say(func(_ func(string, consent.ID), synced func(time.Time)) { synced(time.Now().Add(-2 * time.Second)) })
	if seq() != 5 {
		t.Error("answered from the cache two seconds behind")
	}
	say(now)
	_ = seq()
	elsewhere(6)
	stop()
	<-ended
	if seq() != 6 {
		t.Error("answered from the cache when nobody follows any more")
	}
}

func TestLedgerOf(t *testing.T) {
	b := newBolt(t)
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"), store.NewCache(b, 0), store.SpoolOptions{})
	if l := store.LedgerOf(sp); l != store.Ledger(b) {
		t.Errorf("got %T", l)
	}
	if l := store.LedgerOf(noClose{b}); l != nil {
		t.Errorf("got %T", l)
	}
}

func BenchmarkCachedLatest(b *testing.B) {
	c := store.NewCache(newBolt(b), 1<<20)
	sp := openSpool(b, filepath.Join(b.TempDir(), "spool"), c, store.SpoolOptions{})
	id := consent.NewID()
	storetest.MustAppend(b, sp, storetest.Record(site, id, 1, storetest.All))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := sp.Latest(ctx, site, id); err != nil {
			b.Fatal(err)
		}
	}
}
