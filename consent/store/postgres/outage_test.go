//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres/pgtest"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

var ctx = context.Background()

const site = "a.example"

// node is what a gateway has: store, cache, spool.
type node struct {
	*store.Spool
	db *postgres.Store
}

func newNode(t *testing.T, prefix string, run context.Context, wg *sync.WaitGroup) node {
	t.Helper()
	db := open(t, postgres.Options{Prefix: prefix, Signer: storetest.Signer(t, 1), Timeout: 10 * time.Second})
	cache := store.NewCache(db, 1<<20)
	sp, err := store.OpenSpool(filepath.Join(t.TempDir(), "spool"), cache, store.SpoolOptions{Retry: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sp.Close() })
	for _, f := range []func(context.Context){cache.Run, sp.Run} {
		wg.Add(1)
		go func() { defer wg.Done(); f(run) }()
	}
	return node{sp, db}
}

// TestWithdrawalHoldsOnEveryNode has one node cache a grant and the other record its withdrawal.
func TestWithdrawalHoldsOnEveryNode(t *testing.T) {
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	prefix := fresh(t)
	a, b := newNode(t, prefix, run, &wg), newNode(t, prefix, run, &wg)
	var slowest time.Duration
	for range 10 {
		id := consent.NewID()
		storetest.MustAppend(t, a, storetest.Record(site, id, 1, storetest.All))
		for range 3 { // now it is in b's cache
			if st, err := b.Latest(ctx, site, id); err != nil || !st.Grants() {
				t.Fatalf("%+v, %v", st, err)
			}
		}
		storetest.MustAppend(t, a, storetest.Withdrawal(site, id, 2))
		start := time.Now()
		for {
			st, err := b.Latest(ctx, site, id)
			if err != nil {
				t.Fatal(err)
			}
			if !st.Grants() {
				break
			}
			if time.Since(start) > time.Minute {
				t.Fatal("long after the withdrawal, the other node still answers granted")
			}
			time.Sleep(time.Millisecond)
		}
		slowest = max(slowest, time.Since(start))
		// And an erasure.
		if err := a.Erase(ctx, site, id); err != nil {
			t.Fatal(err)
		}
		for start = time.Now(); ; time.Sleep(time.Millisecond) {
			if _, err := b.Latest(ctx, site, id); errors.Is(err, store.ErrNotFound) {
				break
			}
			if time.Since(start) > time.Minute {
				t.Fatal("long after the erasure, the other node still answers")
			}
		}
	}
	t.Logf("slowest: %v", slowest)
}

// TestOutage stops the server under load on two nodes. CONSENT_OUTAGE=60s is the full size.
func TestOutage(t *testing.T) {
	pgtest.Need(t, serverErr)
	outage := 100 * time.Millisecond
	if d, err := time.ParseDuration(os.Getenv("CONSENT_OUTAGE")); err == nil {
		outage = d
	}
	own, err := pgtest.Start()
	pgtest.Need(t, err)
	shared := server
	server = own
	defer func() { server = shared; _ = own.Close() }()

	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	nodes := []node{newNode(t, "outage", run, &wg), newNode(t, "outage", run, &wg)}
	l := newLoad(t, nodes)
	l.grows("answers are recorded", func() int { return min(l.grants, l.withdrawals) })
	for _, mode := range []string{"fast", "immediate"} {
		if err := own.Stop(mode); err != nil {
			t.Fatal(err)
		}
		time.Sleep(outage)
		l.grows("the outage is felt", func() int { return min(l.refused, l.spooled) })
		if err := own.Restart(); err != nil {
			t.Fatal(err)
		}
		l.grows("grants are accepted again", func() int { return l.grants })
	}
	l.stop()
	stop()
	wg.Wait()
	for _, n := range nodes {
		deadline := time.Now().Add(time.Minute)
		for n.Drain(ctx) != nil && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
		}
	}
	l.check(nodes[0])
	storetest.MustVerify(t, nodes[0])
	t.Logf("%d grants, %d refused grants, %d withdrawals (slowest %v), %d of them spooled", l.grants, l.refused, l.withdrawals, l.slowest, l.spooled)
}

// load is visitors who grant and withdraw in turn, each on a node of their own choice.
type load struct {
	t    *testing.T
	quit chan struct{}
	wg   sync.WaitGroup
	ids  []consent.ID

	mu                                    sync.Mutex
	last                                  map[consent.ID]store.State
	grants, refused, withdrawals, spooled int
	slowest                               time.Duration
}

func newLoad(t *testing.T, nodes []node) *load {
	l := &load{t: t, quit: make(chan struct{}), last: map[consent.ID]store.State{}}
	for c := range 8 {
		id := consent.NewID()
		l.ids = append(l.ids, id)
		l.wg.Add(1)
		go func() {
			defer l.wg.Done()
			for seq := uint32(1); ; seq++ {
				select {
				case <-l.quit:
					return
				case <-time.After(3 * time.Millisecond):
					l.visit(nodes[c%len(nodes)], id, seq)
				}
			}
		}()
	}
	return l
}

func (l *load) visit(n node, id consent.ID, seq uint32) {
	r := storetest.Withdrawal(site, id, seq)
	if seq%2 == 1 {
		r = storetest.Record(site, id, seq, storetest.All)
	}
	start := time.Now()
	err := n.Append(ctx, r)
	took := time.Since(start)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch st := store.StateOf(r); {
	case err == nil && st.Grants():
		l.grants++
		l.last[id] = st
	case err == nil:
		l.withdrawals++
		l.slowest = max(l.slowest, took)
		if n.Stats().Pending > 0 {
			l.spooled++
		}
		l.last[id] = st
	case st.Grants() && errors.Is(err, store.ErrUnavailable):
		l.refused++
	default:
		l.t.Errorf("%s: %v", r.Event, err)
	}
	// On the node where it happened it holds at once, server or not.
	got, err := n.Latest(ctx, site, id)
	if want := l.last[id]; err == nil && got.Grants() && got.RecordID != want.RecordID && !want.Grants() {
		l.t.Errorf("withdrawn with %d, answered as granted with %d", want.Seq, got.Seq)
	}
}

// grows waits until a count is higher by a visit of each visitor's.
func (l *load) grows(what string, count func() int) {
	l.t.Helper()
	now := func() int { l.mu.Lock(); defer l.mu.Unlock(); return count() }
	for enough, end := now()+len(l.ids), time.Now().Add(time.Minute); now() < enough; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Errorf("in vain waited that %s", what)
			return
		}
	}
}

func (l *load) stop() { close(l.quit); l.wg.Wait() }

// check demands that all that was acknowledged is there, in the order in which it was said.
func (l *load) check(n node) {
	last := map[consent.ID]uint32{}
	if err := n.Scan(ctx, store.Filter{}, func(e store.Entry) error {
		if e.Record.Seq <= last[e.Record.PrincipalID] {
			return fmt.Errorf("sequence number %d after %d", e.Record.Seq, last[e.Record.PrincipalID])
		}
		last[e.Record.PrincipalID] = e.Record.Seq
		return nil
	}); err != nil {
		l.t.Error(err)
	}
	for _, id := range l.ids {
		got, err := n.db.Latest(ctx, site, id)
		want := l.last[id]
		// A grant whose commit was cut off may have been stored without being acknowledged.
		if err != nil || got.Seq < want.Seq || got.Seq == want.Seq && got.RecordID != want.RecordID || got.Seq > want.Seq && !got.Grants() {
			l.t.Errorf("acknowledged %+v, found %+v, %v", want, got, err)
		}
	}
}

// TestPolling takes pg_notify away, as servers that only speak the protocol do not have it.
func TestPolling(t *testing.T) {
	prefix := fresh(t)
	exec(t, "CREATE ROLE poller LOGIN")
	exec(t, "GRANT ALL ON SCHEMA public TO poller")
	exec(t, "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) FROM PUBLIC")
	defer exec(t, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) TO PUBLIC")
	node := func() *postgres.Store {
		s, err := postgres.Open(ctx, strings.Replace(server.DSN(), "user=postgres", "user=poller", 1), postgres.Options{Prefix: prefix, Poll: 20 * time.Millisecond, Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	a, b := node(), node()
	heard := make(chan consent.ID, 10)
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		b.Follow(run, func(_ string, id consent.ID) { heard <- id }, func(time.Time) {})
		close(done)
	}()
	if id := <-heard; !id.IsZero() {
		t.Errorf("at first %v, want everything", id)
	}
	want := consent.NewID()
	storetest.MustAppend(t, a, storetest.Record(site, want, 1, 0))
	select {
	case id := <-heard:
		if id != want {
			t.Errorf("heard %v, want %v", id, want)
		}
	case <-time.After(time.Minute):
		t.Error("not heard")
	}
	stop()
	<-done
}

func TestFollowMissesNothing(t *testing.T) {
	prefix := fresh(t)
	writers := []*postgres.Store{open(t, postgres.Options{Prefix: prefix}), open(t, postgres.Options{Prefix: prefix})}
	follower := open(t, postgres.Options{Prefix: prefix, Poll: 5 * time.Millisecond})
	run, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	heard := map[consent.ID]bool{}
	ready := make(chan struct{})
	var once sync.Once
	go follower.Follow(run, func(_ string, id consent.ID) { mu.Lock(); heard[id] = true; mu.Unlock() }, func(time.Time) { once.Do(func() { close(ready) }) })
	<-ready
	var wg sync.WaitGroup
	var all sync.Map
	for _, w := range writers {
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 40 {
					id := consent.NewID()
					all.Store(id, true)
					if err := w.Append(ctx, storetest.Record(site, id, 1, 0)); err != nil {
						t.Error(err)
					}
				}
			}()
		}
	}
	wg.Wait()
	deadline := time.Now().Add(time.Minute)
	for missing := 1; missing > 0; time.Sleep(5 * time.Millisecond) {
		missing = 0
		mu.Lock()
		all.Range(func(id, _ any) bool {
			if !heard[id.(consent.ID)] {
				missing++
			}
			return true
		})
		mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatalf("%d changes were not heard", missing)
		}
	}
	storetest.MustVerify(t, follower)
}
