package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store/internal/group"
)

// SpoolOptions of a spool. The zero value is safe.
type SpoolOptions struct {
	Reserve int64         // bytes of disk taken in advance, so that a full disk does not matter; 0 is 1 MiB
	MaxSize int64         // bytes the spool may grow to, at most 1 GiB; 0 is 64 MiB
	Retry   time.Duration // how long a store that was unavailable is left alone; 0 is a second
	Pace    int           // records that were deferred and are handed over in each Retry; 0 is 64

	// OpenFile opens or makes the file, for tests of faults; nil uses package os and locks the file.
	OpenFile func(path string) (SpoolFile, error)
}

// Spool lets refusals and withdrawals be recorded while the store behind it is unavailable: they go to a
// local file, fsynced, and to the store when it is back, in order. Until then Latest counts them. What
// grants anything is refused with [ErrUnavailable] meanwhile.
type Spool struct {
	Store
	options SpoolOptions
	log     *spoolLog
	writes  *group.Group[*spooled]
	drains  chan struct{} // of capacity one: filled by whoever hands records to the store

	reads, appends breaker

	mu      sync.RWMutex // guards what follows
	pending []*spooled   // in the order of the file
	states  map[principal]waiting
	hurried int   // how many of pending were not deferred
	taken   int64 // bytes of the file
	dropped int
}

// spooled is a record in the file.
type spooled struct {
	*consent.Record
	deferred bool // it came by Defer
	stored   bool // the store has it already
}

type principal struct {
	site string
	id   consent.ID
}

// waiting is what those records of one consent id come to that the store has not.
type waiting struct {
	state State
	n     int
}

// breaker spares callers the wait for a store that was unavailable a moment ago.
type breaker struct{ last atomic.Pointer[outage] }

// outage is why the store was unavailable, and how long it is left alone: a time with a monotonic reading, as a clock that
// is set back must not keep the store away.
type outage struct {
	until time.Time
	err   error
}

// open returns what the store's last error was, if it is left alone for that.
func (b *breaker) open() error {
	if o := b.last.Load(); o != nil && time.Now().Before(o.until) {
		return fmt.Errorf("a moment ago: %w", o.err)
	}
	return nil
}

func (b *breaker) trip(d time.Duration, err error) { b.last.Store(&outage{time.Now().Add(d), err}) }
func (b *breaker) reset()                          { b.last.Store(nil) }

// OpenSpool opens the spool at path, makes it if it is not there, and reads what an earlier process left.
// It owns the store from then on: Close closes both. Records wait until Drain or Run hands them over.
func OpenSpool(path string, s Store, o SpoolOptions) (*Spool, error) {
	if o.Reserve <= 0 {
		o.Reserve = 1 << 20
	}
	if o.MaxSize <= 0 {
		o.MaxSize = 64 << 20
	}
	o.MaxSize = min(o.MaxSize, maxSpool)
	if o.Retry <= 0 {
		o.Retry = time.Second
	}
	if o.Pace <= 0 {
		o.Pace = 64
	}
	if o.OpenFile == nil {
		o.OpenFile = openSpoolFile
	}
	log, bodies, err := openSpoolLog(path, o)
	if err != nil {
		return nil, err
	}
	sp := &Spool{Store: s, options: o, log: log, drains: make(chan struct{}, 1), states: map[principal]waiting{}}
	sp.writes = group.New(maxSpoolBatch, sp.commit)
	for _, b := range bodies {
		r := new(consent.Record)
		if err := r.UnmarshalJSON(b); err != nil {
			return nil, errors.Join(fmt.Errorf("consent spool %s: a waiting record cannot be read: %w: use the version of the program that wrote it", path, err), log.close())
		}
		if st := StateOf(r); st.Grants() {
			return nil, errors.Join(fmt.Errorf("consent spool %s: %w: a waiting record grants something", path, ErrTampered), log.close())
		}
		sp.enqueue(&spooled{Record: r}, len(b))
	}
	return sp, nil
}

const (
	// maxSpoolBatch bounds the records of one fsync, and of one append to the store.
	maxSpoolBatch = 256
	// patience is how long a refusal waits for the store before it goes to the file.
	patience = 500 * time.Millisecond
)

// Unwrap returns the store behind the spool.
func (s *Spool) Unwrap() Store { return s.Store }

// SpoolStats tells how a spool is doing.
type SpoolStats struct {
	Pending int // records in the file
	Waiting int // consent ids of which the store has not everything
	Dropped int // records that the store called invalid, since OpenSpool
}

// Stats returns how the spool is doing.
func (s *Spool) Stats() SpoolStats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return SpoolStats{Pending: len(s.pending), Waiting: len(s.states), Dropped: s.dropped}
}

// Append implements [Store]. Records go past the spool while the store can take them, those of a consent
// id that waits in it together with what waits. ErrUnavailable for a refusal means that the spool is full or its disk
// fails: the refusal MUST take effect all the same, only its record is missing.
func (s *Spool) Append(ctx context.Context, records ...*consent.Record) error {
	if _, err := SealAll(records); err != nil {
		return err
	}
	for _, r := range records {
		if st := StateOf(r); st.Grants() {
			err := s.direct(ctx, records)
			if errors.Is(err, ErrUnavailable) {
				return fmt.Errorf("grants are not accepted while they cannot be recorded: %w", err)
			}
			return err
		}
	}
	// A refusal whose wait ended may be stored all the same; the store knows it again by its id.
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.direct(patient, records)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return s.writes.Do(ctx, waitingRecords(records, false)...)
	}
	return err
}

func waitingRecords(records []*consent.Record, deferred bool) []*spooled {
	waiting := make([]*spooled, len(records))
	for i, r := range records {
		waiting[i] = &spooled{Record: r, deferred: deferred}
	}
	return waiting
}

// direct appends to the store itself, after what waits of the same consent ids: their order is kept
// without waiting for everybody else's.
func (s *Spool) direct(ctx context.Context, records []*consent.Record) error {
	if err := s.appends.open(); err != nil {
		return err
	}
	before := s.before(records)
	all := make([]*consent.Record, 0, len(before)+len(records))
	for _, w := range before {
		all = append(all, w.Record)
	}
	err := s.note(&s.appends, s.Store.Append(ctx, append(all, records...)...))
	if err == nil {
		s.settle(before, 0)
	}
	return err
}

// before returns what waits of the records' consent ids.
func (s *Spool) before(records []*consent.Record) (own []*spooled) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.states) == 0 {
		return nil
	}
	var waits map[principal]bool
	for _, r := range records {
		p := principal{r.Site, r.PrincipalID}
		if _, ok := s.states[p]; ok {
			if waits == nil {
				waits = map[principal]bool{}
			}
			waits[p] = true
		}
	}
	if waits == nil {
		return nil
	}
	for _, w := range s.pending {
		if !w.stored && waits[principal{w.Site, w.PrincipalID}] {
			own = append(own, w)
		}
	}
	return own
}

// note trips the breaker if err says that the store is unavailable.
func (s *Spool) note(b *breaker, err error) error {
	switch {
	case err == nil:
		b.reset()
	case errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrTampered): // one damaged record is not the store
		b.trip(s.options.Retry, err)
	}
	return err
}

// commit makes a batch durable in the file.
func (s *Spool) commit(batch []*spooled) error {
	bodies := make([][]byte, len(batch))
	for i, r := range batch {
		var err error
		if bodies[i], err = r.MarshalJSON(); err != nil {
			return err
		}
	}
	if err := s.log.append(bodies); err != nil {
		return fmt.Errorf("consent spool %s: %w: %w", s.log.path, ErrUnavailable, err)
	}
	for i, r := range batch {
		c := *r.Record // the caller may change its own
		c.Vendors = maps.Clone(r.Vendors)
		s.enqueue(&spooled{Record: &c, deferred: r.deferred}, len(bodies[i]))
	}
	return nil
}

// enqueue takes in what is in the file, with a body of size bytes.
func (s *Spool) enqueue(r *spooled, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, r)
	s.taken += frameHeader + int64(size)
	if !r.deferred {
		s.hurried++
	}
	p := principal{r.Site, r.PrincipalID}
	w, ok := s.states[p]
	if st := StateOf(r.Record); ok {
		w.state = Merge(w.state, st)
	} else {
		w.state = st
	}
	w.n++
	s.states[p] = w
}

func (s *Spool) waiting(site string, id consent.ID) (State, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w, ok := s.states[principal{site, id}]
	return w.state, ok
}

// Latest implements [Store]. What waits counts: while the store is down, a consent id that waits is
// answered from the spool, any other with ErrUnavailable.
func (s *Spool) Latest(ctx context.Context, site string, id consent.ID) (State, error) {
	mine, waits := s.waiting(site, id)
	st, err := State{}, s.reads.open()
	if err == nil {
		st, err = s.Store.Latest(ctx, site, id)
		_ = s.note(&s.reads, err)
	}
	switch {
	case !waits:
		return st, err
	case err == nil:
		return Merge(mine, st), nil
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnavailable):
		return mine, nil
	}
	return State{}, err
}

// Erase implements [Store]. What waits is recorded first: an erasure must not be undone by the spool.
func (s *Spool) Erase(ctx context.Context, site string, id consent.ID) error {
	if err := s.Drain(ctx); err != nil {
		return err
	}
	return s.Store.Erase(ctx, site, id)
}

// Close implements [Store]. What waits stays in the file for the next OpenSpool.
func (s *Spool) Close() error {
	return s.writes.Exclude(func() error { return errors.Join(s.log.close(), s.Store.Close()) })
}
