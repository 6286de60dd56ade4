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

	// Patience is how long a refusal waits for the store before it goes to the file; 0 is half a second.
	Patience time.Duration

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
	writes  *group.Group[*consent.Record]
	drains  chan struct{} // of capacity one: filled by whoever hands records to the store

	reads, appends breaker

	mu      sync.RWMutex // guards what follows
	pending []*consent.Record
	states  map[principal]waiting
	dropped int
}

type principal struct {
	site string
	id   consent.ID
}

// waiting is what the pending records of one consent id come to.
type waiting struct {
	state State
	n     int
}

// breaker spares callers the wait for a store that was unavailable a moment ago.
type breaker struct{ until atomic.Int64 }

func (b *breaker) open() bool           { return time.Now().UnixNano() < b.until.Load() }
func (b *breaker) trip(d time.Duration) { b.until.Store(time.Now().Add(d).UnixNano()) }
func (b *breaker) reset()               { b.until.Store(0) }

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
	if o.Patience <= 0 {
		o.Patience = 500 * time.Millisecond
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
		sp.enqueue(r)
	}
	return sp, nil
}

// maxSpoolBatch bounds the records of one fsync, and of one append to the store.
const maxSpoolBatch = 256

// Unwrap returns the store behind the spool.
func (s *Spool) Unwrap() Store { return s.Store }

// SpoolStats tells how a spool is doing.
type SpoolStats struct {
	Pending int // records that wait for the store
	Dropped int // records that the store called invalid, since OpenSpool
}

// Stats returns how the spool is doing.
func (s *Spool) Stats() SpoolStats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return SpoolStats{Pending: len(s.pending), Dropped: s.dropped}
}

// Append implements [Store]. Records go past the spool while the store can take them, but for those of a
// consent id that waits in it. ErrUnavailable for a refusal means that the spool is full or its disk
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
	patient, cancel := context.WithTimeout(ctx, s.options.Patience)
	defer cancel()
	err := s.direct(patient, records)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return s.writes.Do(ctx, records...)
	}
	return err
}

// direct appends to the store itself.
func (s *Spool) direct(ctx context.Context, records []*consent.Record) error {
	if s.appends.open() {
		return fmt.Errorf("%w: it was a moment ago", ErrUnavailable)
	}
	for _, r := range records {
		if _, waits := s.waiting(r.Site, r.PrincipalID); waits {
			if err := s.Drain(ctx); err != nil {
				return err
			}
			break
		}
	}
	return s.note(&s.appends, s.Store.Append(ctx, records...))
}

// note trips the breaker if err says that the store is unavailable.
func (s *Spool) note(b *breaker, err error) error {
	switch {
	case err == nil:
		b.reset()
	case errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrTampered): // one damaged record is not the store
		b.trip(s.options.Retry)
	}
	return err
}

// commit makes a batch durable in the file.
func (s *Spool) commit(batch []*consent.Record) error {
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
	for _, r := range batch {
		c := *r // the caller may change its own
		c.Vendors = maps.Clone(r.Vendors)
		s.enqueue(&c)
	}
	return nil
}

func (s *Spool) enqueue(r *consent.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, r)
	p := principal{r.Site, r.PrincipalID}
	w, ok := s.states[p]
	if st := StateOf(r); ok {
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
	if len(s.pending) == 0 {
		return State{}, false
	}
	w, ok := s.states[principal{site, id}]
	return w.state, ok
}

// Latest implements [Store]. What waits counts: while the store is down, a consent id that waits is
// answered from the spool, any other with ErrUnavailable.
func (s *Spool) Latest(ctx context.Context, site string, id consent.ID) (State, error) {
	mine, waits := s.waiting(site, id)
	st, err := State{}, error(nil)
	if s.reads.open() {
		err = fmt.Errorf("%w: it was a moment ago", ErrUnavailable)
	} else {
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

// Run calls Drain again and again until ctx ends.
func (s *Spool) Run(ctx context.Context) {
	tick := time.NewTicker(s.options.Retry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.Drain(ctx) // tried again at the next tick
		}
	}
}

// Drain hands what waits to the store, in order, and returns nil when nothing waits any more.
func (s *Spool) Drain(ctx context.Context) error {
	select {
	case s.drains <- struct{}{}:
		defer func() { <-s.drains }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		s.mu.RLock()
		batch := s.pending[:min(len(s.pending), maxSpoolBatch)]
		s.mu.RUnlock()
		if len(batch) == 0 {
			if done, err := s.clean(); done || err != nil {
				return err
			}
			continue
		}
		invalid, err := s.hand(ctx, batch)
		if err != nil {
			return s.note(&s.appends, err)
		}
		s.dequeue(len(batch), invalid)
	}
}

// hand appends the batch to the store. One record that the store will never take must not keep the others
// waiting: then they go one by one, and it is counted and left out.
func (s *Spool) hand(ctx context.Context, batch []*consent.Record) (invalid int, err error) {
	if err := s.Store.Append(ctx, batch...); !errors.Is(err, ErrInvalid) {
		return 0, err
	}
	for _, r := range batch {
		switch err := s.Store.Append(ctx, r); {
		case errors.Is(err, ErrInvalid):
			invalid++
		case err != nil:
			return invalid, err
		}
	}
	return invalid, nil
}

func (s *Spool) dequeue(n, invalid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped += invalid
	for _, r := range s.pending[:n] {
		p := principal{r.Site, r.PrincipalID}
		w := s.states[p]
		if w.n--; w.n == 0 {
			delete(s.states, p)
		} else {
			s.states[p] = w
		}
	}
	if s.pending = s.pending[n:]; len(s.pending) == 0 {
		s.pending = nil
	}
	s.appends.reset()
}

// clean empties the file once everything in it was recorded, and is done unless something came in
// meanwhile. Should it fail, the records are handed over again after a restart, and the store knows them
// by their ids.
func (s *Spool) clean() (done bool, err error) {
	err = s.writes.Exclude(func() error {
		s.mu.RLock()
		done = len(s.pending) == 0
		s.mu.RUnlock()
		if !done {
			return nil
		}
		if err := s.log.empty(); err != nil {
			return fmt.Errorf("consent spool %s: %w: %w", s.log.path, ErrUnavailable, err)
		}
		return nil
	})
	return done, err
}

// Close implements [Store]. What waits stays in the file for the next OpenSpool.
func (s *Spool) Close() error {
	return s.writes.Exclude(func() error { return errors.Join(s.log.close(), s.Store.Close()) })
}
