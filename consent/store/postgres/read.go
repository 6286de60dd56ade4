package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// chunk bounds the entries that one query returns.
const chunk = 512

// Latest implements [store.Store].
func (s *Store) Latest(ctx context.Context, site string, id consent.ID) (latest store.State, err error) {
	if site == "" || len(site) > store.MaxSite {
		return latest, store.ErrNotFound
	}
	err = s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.sql.latest, []byte(site), id[:])
		if err != nil {
			return err
		}
		found := false
		var b []byte
		if _, err := pgx.ForEachRow(rows, []any{&b}, func() error {
			var state store.State
			if err := state.UnmarshalBinary(b); err != nil {
				return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
			}
			if found {
				state = store.Merge(latest, state)
			}
			latest, found = state, true
			return nil
		}); err != nil {
			return err
		}
		if !found {
			return store.ErrNotFound
		}
		return nil
	})
	if err != nil {
		latest = store.State{}
	}
	return latest, err
}

// Scan implements [store.Store].
func (s *Store) Scan(ctx context.Context, f store.Filter, fn func(store.Entry) error) error {
	if !f.Whole && len(f.Site) > store.MaxSite {
		return nil
	}
	return f.Each(func(after uint64) ([]store.Entry, error) { return s.page(ctx, &f, after) }, fn)
}

func (s *Store) page(ctx context.Context, f *store.Filter, after uint64) (entries []store.Entry, err error) {
	if after > 1<<62 {
		return nil, ctx.Err()
	}
	err = s.do(ctx, func(ctx context.Context) (err error) {
		var rows pgx.Rows
		if f.ID.IsZero() || f.Whole {
			rows, err = s.pool.Query(ctx, s.sql.entries, int64(after), chunk)
		} else {
			rows, err = s.pool.Query(ctx, s.sql.entriesOf, int64(after), chunk, []byte(f.Site), f.ID[:])
		}
		if err != nil {
			return err
		}
		var r row
		_, err = pgx.ForEachRow(rows, r.fields(), func() error {
			e, err := r.entry()
			entries = append(entries, e)
			return err
		})
		return err
	})
	return entries, err
}

// row is an entry as the database returns it.
type row struct {
	idx                          int64
	kind                         int16
	commitment, hash, salt, body []byte
}

func (r *row) fields() []any {
	return []any{&r.idx, &r.kind, &r.commitment, &r.hash, &r.salt, &r.body}
}

func (r *row) entry() (e store.Entry, err error) {
	if r.idx < 1 || r.kind < 0 || r.kind > 255 || len(r.commitment) != len(e.Commitment) || len(r.hash) != len(e.Hash) ||
		r.body != nil && len(r.salt) != len(e.Salt) {
		return e, fmt.Errorf("%w: entry %d cannot be read", store.ErrTampered, r.idx)
	}
	e.Index, e.Kind = uint64(r.idx), store.Kind(r.kind)
	copy(e.Commitment[:], r.commitment)
	copy(e.Hash[:], r.hash)
	if r.body != nil {
		copy(e.Salt[:], r.salt)
		e.Body = append([]byte{}, r.body...)
	}
	return e, nil
}

// Verify implements [store.Store]. It reads one snapshot of the database, however long that takes.
func (s *Store) Verify(ctx context.Context, anchors ...store.Head) (report store.Report, err error) {
	err = s.run(ctx, ctx, func(ctx context.Context) error {
		o := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		return s.transact(ctx, o, func(tx pgx.Tx) error {
			heads, err := s.checkpoints(ctx, tx)
			if err != nil {
				return err
			}
			v := store.NewVerifier(s.opts.Signer, append(heads, anchors...)...)
			indexErr := s.verifyEntries(ctx, tx, v)
			if indexErr != nil && !errors.Is(indexErr, store.ErrTampered) && !errors.Is(indexErr, consent.ErrNewer) {
				return indexErr
			}
			head, err := s.readHead(ctx, tx)
			if err != nil {
				return err
			}
			report, err = v.Finish(head)
			return errors.Join(err, indexErr)
		})
	})
	return report, err
}

func (s *Store) readHead(ctx context.Context, tx pgx.Tx) (h store.Head, err error) {
	var idx int64
	var hash, head []byte
	if err := tx.QueryRow(ctx, s.sql.head).Scan(&idx, &hash, &head); err != nil || idx == 0 {
		return h, err
	}
	if err := json.Unmarshal(head, &h); err != nil {
		return h, fmt.Errorf("%w: head cannot be read: %w", store.ErrTampered, err)
	}
	if h.Index != uint64(idx) || !bytes.Equal(h.Hash[:], hash) {
		return h, fmt.Errorf("%w: the signed head is %d, the chain's end %d", store.ErrTampered, h.Index, idx)
	}
	return h, nil
}

func (s *Store) checkpoints(ctx context.Context, tx pgx.Tx) (heads []store.Head, err error) {
	rows, err := tx.Query(ctx, s.sql.checkpoints)
	if err != nil {
		return nil, err
	}
	var b []byte
	_, err = pgx.ForEachRow(rows, []any{&b}, func() error {
		var h store.Head
		if err := json.Unmarshal(b, &h); err != nil {
			return fmt.Errorf("%w: head cannot be read: %w", store.ErrTampered, err)
		}
		heads = append(heads, h)
		return nil
	})
	return heads, err
}

// verifyEntries hands every entry to v and checks that what Latest answers from agrees with it.
func (s *Store) verifyEntries(ctx context.Context, tx pgx.Tx, v *store.Verifier) error {
	var first error
	for after := uint64(0); ; {
		rows, err := tx.Query(ctx, s.sql.verify, int64(after), chunk)
		if err != nil {
			return err
		}
		var r row
		var st stateRow
		n := 0
		_, err = pgx.ForEachRow(rows, append(r.fields(), &st.site, &st.principal, &st.seq, &st.state), func() error {
			e, err := r.entry()
			if err != nil {
				return err
			}
			v.Add(e.Link, e.Salt, e.Body)
			if err := st.check(&e); err != nil && (first == nil || errors.Is(first, consent.ErrNewer)) {
				first = err
			}
			after = e.Index
			n++
			return nil
		})
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	var orphans int64
	if err := tx.QueryRow(ctx, s.sql.orphans).Scan(&orphans); err != nil {
		return err
	}
	if orphans > 0 {
		first = errors.Join(first, fmt.Errorf("%w: the index holds %d states without a record", store.ErrTampered, orphans))
	}
	return first
}

// stateRow is the state beside an entry, empty where there is none.
type stateRow struct {
	site, principal []byte
	seq             *int64
	state           []byte
}

func (st *stateRow) check(e *store.Entry) error {
	err := e.Open()
	if errors.Is(err, consent.ErrNewer) {
		return err
	}
	if read := new(store.State).UnmarshalBinary(st.state); e.Body != nil && errors.Is(read, consent.ErrNewer) {
		return read
	}
	if err != nil || e.Record == nil {
		return nil //nolint:nilerr // the verifier tells what cannot be opened, verifyEntries which states have no record
	}
	want := store.StateOf(e.Record)
	want.Index = e.Index
	b, err := want.MarshalBinary()
	if err != nil || st.seq == nil || *st.seq != int64(want.Seq) || !bytes.Equal(st.state, b) ||
		string(st.site) != e.Record.Site || !bytes.Equal(st.principal, e.Record.PrincipalID[:]) {
		return fmt.Errorf("%w: entry %d: the index holds another state than the record", store.ErrTampered, e.Index)
	}
	return nil
}

// Follow implements [store.Follower].
func (s *Store) Follow(ctx context.Context, changed func(string, consent.ID), synced func(time.Time)) {
	var last int64 = -1 // not known: everything may have changed
	var conn *pgx.Conn
	defer func() { closeConn(conn) }()
	for ctx.Err() == nil {
		if conn == nil {
			conn = s.listen(ctx)
		}
		start := time.Now()
		if next, err := s.poll(ctx, last, changed); err == nil {
			last = next
			synced(start)
		} else if errors.Is(err, store.ErrClosed) {
			return
		}
		conn = s.wait(ctx, conn)
	}
}

func closeConn(c *pgx.Conn) {
	if c != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	}
}

// listen returns a connection that is told about changes, nil where that is not to be had.
func (s *Store) listen(ctx context.Context) *pgx.Conn {
	var conn *pgx.Conn
	_ = s.do(ctx, func(ctx context.Context) error {
		if !s.notifies() {
			return nil
		}
		c, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "LISTEN "+pgx.Identifier{s.opts.Prefix}.Sanitize()); err != nil {
			closeConn(c)
			return err
		}
		conn = c
		return nil
	})
	return conn
}

// wait returns when there is news or when it is time to ask, and nil if the connection broke.
func (s *Store) wait(ctx context.Context, conn *pgx.Conn) *pgx.Conn {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Poll)
	defer cancel()
	if conn == nil {
		<-ctx.Done()
		return nil
	}
	if _, err := conn.WaitForNotification(ctx); err != nil && conn.IsClosed() {
		<-ctx.Done()
		return nil
	}
	return conn
}

// poll hands over what changed after an entry and returns the last one. Entries become visible in order,
// because every writer holds the row of the head.
func (s *Store) poll(ctx context.Context, last int64, changed func(string, consent.ID)) (int64, error) {
	if last < 0 {
		err := s.do(ctx, func(ctx context.Context) error {
			var hash, head []byte
			return s.pool.QueryRow(ctx, s.sql.head).Scan(&last, &hash, &head)
		})
		if err != nil {
			return -1, err
		}
		changed("", consent.ID{})
	}
	for {
		n := 0
		err := s.do(ctx, func(ctx context.Context) error {
			rows, err := s.pool.Query(ctx, s.sql.changes, last, chunk)
			if err != nil {
				return err
			}
			var site, principal []byte
			_, err = pgx.ForEachRow(rows, []any{&last, &site, &principal}, func() error {
				var id consent.ID
				copy(id[:], principal)
				changed(string(site), id) // an erasure has no state: the site is empty
				n++
				return nil
			})
			return err
		})
		if err != nil || n < chunk {
			return last, err
		}
	}
}
