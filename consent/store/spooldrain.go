package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Defer records refusals that come in such numbers that they may be an attack: they are durable in the file when it
// returns, count in Latest from then on, and go to the store by [Spool.Run] at a pace of their own ([SpoolOptions.Pace]),
// or by Drain. So a crowd behind one address is recorded, a little later, and who invents refusals fills neither the store
// nor more than half of the file, of which the rest is for an outage.
//
// ErrUnavailable means that this half is full or the disk fails, ErrInvalid that a record grants something: neither is
// recorded then.
func (s *Spool) Defer(ctx context.Context, records ...*consent.Record) error {
	if _, err := SealAll(records); err != nil {
		return err
	}
	for _, r := range records {
		if st := StateOf(r); st.Grants() {
			return fmt.Errorf("%w: what grants something cannot wait", ErrInvalid)
		}
	}
	s.mu.RLock()
	full := s.taken > s.options.MaxSize/2
	s.mu.RUnlock()
	if full {
		return fmt.Errorf("consent spool %s: %w: half of it is full of refusals that wait", s.log.path, ErrUnavailable)
	}
	return s.writes.Do(ctx, waitingRecords(records, true)...)
}

// Run hands over what waits, again and again until ctx ends: what was deferred at its pace, all else at once.
func (s *Spool) Run(ctx context.Context) {
	tick := time.NewTicker(s.options.Retry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.drain(ctx, s.options.Pace) // tried again at the next tick
		}
	}
}

// Drain hands what waits to the store, in order, and returns nil when nothing waits any more.
func (s *Spool) Drain(ctx context.Context) error { return s.drain(ctx, 0) }

// drain ends after pace records, unless that is 0, once only deferred ones wait.
func (s *Spool) drain(ctx context.Context, pace int) error {
	select {
	case s.drains <- struct{}{}:
		defer func() { <-s.drains }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		s.mu.RLock()
		paced := pace > 0 && s.hurried == 0
		batch := s.pending[:min(len(s.pending), maxSpoolBatch)]
		if paced {
			batch = batch[:min(len(batch), pace)]
		}
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
		s.settle(batch, invalid)
		s.dequeue(len(batch))
		if paced {
			if pace -= len(batch); pace == 0 {
				return nil
			}
		}
	}
}

// hand appends to the store what it has not. One record that the store will never take must not keep the
// others waiting: then they go one by one, and it is counted and left out.
func (s *Spool) hand(ctx context.Context, batch []*spooled) (invalid int, err error) {
	records := make([]*consent.Record, 0, len(batch))
	s.mu.RLock()
	for _, w := range batch {
		if !w.stored {
			records = append(records, w.Record)
		}
	}
	s.mu.RUnlock()
	if err := s.Store.Append(ctx, records...); !errors.Is(err, ErrInvalid) {
		return 0, err
	}
	for _, r := range records {
		switch err := s.Store.Append(ctx, r); {
		case errors.Is(err, ErrInvalid):
			invalid++
		case err != nil:
			return invalid, err
		}
	}
	return invalid, nil
}

// settle notes that the store has the records, or will never have them.
func (s *Spool) settle(records []*spooled, invalid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped += invalid
	for _, r := range records {
		if r.stored {
			continue
		}
		r.stored = true
		p := principal{r.Site, r.PrincipalID}
		w := s.states[p]
		if w.n--; w.n == 0 {
			delete(s.states, p)
		} else {
			s.states[p] = w
		}
	}
}

func (s *Spool) dequeue(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.pending[:n] {
		if !w.deferred {
			s.hurried--
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
		s.mu.Lock()
		s.taken = 0
		s.mu.Unlock()
		return nil
	})
	return done, err
}
