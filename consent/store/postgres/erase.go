package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Erase implements [store.Store]. The bytes are gone from the server's disk after its next vacuum and
// from its backups when those are.
func (s *Store) Erase(ctx context.Context, site string, id consent.ID) error {
	if site == "" || len(site) > store.MaxSite {
		return store.ErrNotFound
	}
	return s.do(ctx, func(ctx context.Context) error {
		return s.transact(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			w, err := s.newWriter(ctx, tx)
			if err != nil {
				return err
			}
			rows, err := tx.Query(ctx, s.sql.statesOf, []byte(site), id[:])
			if err != nil {
				return err
			}
			indexes, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil {
				return err
			}
			if len(indexes) == 0 {
				return store.ErrNotFound
			}
			_, err = w.destroy(store.OnRequest, indexes)
			return err
		})
	})
}

// destroy removes the records of the indexes and returns how many were still there.
func (w *writer) destroy(why store.Reason, indexes []int64) (int, error) {
	rows, err := w.tx.Query(w.ctx, w.s.sql.deleteStates, indexes)
	if err != nil {
		return 0, err
	}
	indexes, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(indexes) == 0 {
		return 0, err
	}
	if _, err := w.tx.Exec(w.ctx, w.s.sql.wipe, indexes); err != nil {
		return 0, err
	}
	gone := make([]uint64, len(indexes))
	for i, idx := range indexes {
		gone[i] = uint64(idx)
	}
	salt, body, commitment, err := store.SealErasure(w.s.opts.Now(), why, store.Spans(gone))
	if err != nil {
		return 0, err
	}
	w.extend(store.KindErasure, commitment, salt, body)
	return len(indexes), w.finish()
}

// Sweep implements [store.Store].
func (s *Store) Sweep(ctx context.Context, now time.Time, r store.Retention) (n int, err error) {
	var past []int64
	if err := s.run(ctx, ctx, func(ctx context.Context) error {
		var b []byte
		if err := s.pool.QueryRow(ctx, s.sql.sweep).Scan(&b); err != nil {
			return err
		}
		var last time.Time
		if b != nil {
			if err := last.UnmarshalBinary(b); err != nil {
				return fmt.Errorf("%w: time of the last sweep cannot be read: %w", store.ErrTampered, err)
			}
		}
		if err := r.CheckClock(now, last); err != nil {
			return err
		}
		past, err = s.past(ctx, now, &r)
		return err
	}); err != nil {
		return 0, err
	}
	for len(past) > 0 {
		part := past[:min(len(past), maxBatch)]
		past = past[len(part):]
		destroyed := 0
		if err := s.do(ctx, func(ctx context.Context) error {
			return s.transact(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
				w, err := s.newWriter(ctx, tx)
				if err != nil {
					return err
				}
				destroyed, err = w.destroy(store.OnRetention, part)
				return err
			})
		}); err != nil {
			return n, err
		}
		n += destroyed
	}
	err = s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, s.sql.sweepDisclosure, []byte(r.FirstMonth(now)))
		if err != nil {
			return err
		}
		n += int(tag.RowsAffected())
		b, err := now.UTC().MarshalBinary()
		if err != nil {
			return err
		}
		_, err = s.pool.Exec(ctx, s.sql.sweepUpdate, b)
		return err
	})
	return n, err
}

// past returns the indexes of all records that are past their retention.
func (s *Store) past(ctx context.Context, now time.Time, r *store.Retention) (past []int64, err error) {
	rows, err := s.pool.Query(ctx, s.sql.states)
	if err != nil {
		return nil, err
	}
	var (
		owner   string
		indexes []int64
		states  []store.State
	)
	flush := func() {
		for i, over := range r.Past(now, states) {
			if over {
				past = append(past, indexes[i])
			}
		}
		indexes, states = indexes[:0], states[:0]
	}
	var site, principal, b []byte
	var idx int64
	_, err = pgx.ForEachRow(rows, []any{&site, &principal, &idx, &b}, func() error {
		if o := string(principal) + string(site); o != owner {
			flush()
			owner = o
		}
		var st store.State
		if err := st.UnmarshalBinary(b); err != nil {
			return err
		}
		indexes, states = append(indexes, idx), append(states, st)
		return nil
	})
	flush()
	return past, err
}

// Disclose implements [store.Ledger].
func (s *Store) Disclose(ctx context.Context, lines ...store.Disclosure) error {
	for i := range lines {
		if err := lines[i].Check(); err != nil {
			return err
		}
	}
	return s.do(ctx, func(ctx context.Context) error {
		news := false
		for _, d := range lines {
			_, more, err := s.union(ctx, s.pool, d)
			if err != nil {
				return err
			}
			news = news || more
		}
		if !news {
			return nil
		}
		return s.transact(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			// The row of the head keeps two nodes from overwriting each other's new line.
			if _, err := s.newWriter(ctx, tx); err != nil {
				return err
			}
			for _, d := range lines {
				all, more, err := s.union(ctx, tx, d)
				if err != nil {
					return err
				}
				if !more {
					continue
				}
				b, err := json.Marshal(all)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, s.sql.disclose, []byte(d.Month), []byte(d.Site), []byte(d.Vendor), b); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// union returns a line's categories with those that the ledger holds, and whether the ledger lacks any.
func (s *Store) union(ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, d store.Disclosure) (all []string, more bool, err error) {
	var b []byte
	var have []string
	err = db.QueryRow(ctx, s.sql.disclosure, []byte(d.Month), []byte(d.Site), []byte(d.Vendor)).Scan(&b)
	if errors.Is(err, pgx.ErrNoRows) {
		all, _ = store.MergeCategories(nil, d.Categories)
		return all, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	if err := json.Unmarshal(b, &have); err != nil {
		return nil, false, fmt.Errorf("%w: ledger line: %w", store.ErrTampered, err)
	}
	all, more = store.MergeCategories(have, d.Categories)
	return all, more, nil
}

// Disclosures implements [store.Ledger].
func (s *Store) Disclosures(ctx context.Context, site string) (lines []store.Disclosure, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.sql.disclosures)
		if err != nil {
			return err
		}
		var m, h, v, c []byte
		_, err = pgx.ForEachRow(rows, []any{&m, &h, &v, &c}, func() error {
			if site != "" && site != string(h) {
				return nil
			}
			d := store.Disclosure{Month: string(m), Site: string(h), Vendor: string(v)}
			if err := json.Unmarshal(c, &d.Categories); err != nil {
				return fmt.Errorf("%w: ledger line: %w", store.ErrTampered, err)
			}
			lines = append(lines, d)
			return nil
		})
		return err
	})
	return lines, err
}
