package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, records ...*consent.Record) error {
	sealed, err := store.SealAll(records)
	if err != nil {
		return err
	}
	return s.writes.Do(ctx, sealed...)
}

// commit does not end with the context of the caller that happens to lead the batch.
func (s *Store) commit(batch []store.Sealed) error {
	return s.do(context.Background(), func(ctx context.Context) error {
		return s.transact(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			w, err := s.newWriter(ctx, tx)
			if err != nil {
				return err
			}
			fresh, err := w.unknown(batch)
			if err != nil {
				return err
			}
			for i := range fresh {
				w.add(&fresh[i])
			}
			return w.finish()
		})
	})
}

// writer extends the chain within one transaction, which holds the row of the head.
type writer struct {
	s           *Store
	ctx         context.Context
	tx          pgx.Tx
	first, last store.Link
	marks       []store.Link // those at which a head is kept

	idx                            []int64
	kind                           []int16
	commitment, hash, salt, body   [][]byte
	site, principal, record, state [][]byte
	seq, stateIdx                  []int64
	err                            error
}

func (s *Store) newWriter(ctx context.Context, tx pgx.Tx) (*writer, error) {
	w := &writer{s: s, ctx: ctx, tx: tx}
	var idx int64
	var hash, head []byte
	if err := tx.QueryRow(ctx, s.sql.head+" FOR UPDATE").Scan(&idx, &hash, &head); err != nil {
		return nil, err
	}
	if idx < 0 || idx > 0 && len(hash) != len(w.last.Hash) {
		return nil, fmt.Errorf("%w: %w: head %d cannot be read", store.ErrUnavailable, store.ErrTampered, idx)
	}
	w.last.Index = uint64(idx)
	copy(w.last.Hash[:], hash)
	w.first = w.last
	return w, nil
}

// unknown returns those of the batch that are not stored yet, each once.
func (w *writer) unknown(batch []store.Sealed) ([]store.Sealed, error) {
	type key struct {
		site       string
		id, record consent.ID
		seq        uint32
	}
	records := make([][]byte, len(batch))
	for i := range batch {
		records[i] = batch[i].State.RecordID[:]
	}
	rows, err := w.tx.Query(w.ctx, w.s.sql.known, records)
	if err != nil {
		return nil, err
	}
	known := map[key]bool{}
	var site, principal, record []byte
	var seq int64
	if _, err := pgx.ForEachRow(rows, []any{&site, &principal, &seq, &record}, func() error {
		k := key{site: string(site), seq: uint32(seq)}
		copy(k.id[:], principal)
		copy(k.record[:], record)
		known[k] = true
		return nil
	}); err != nil {
		return nil, err
	}
	fresh := make([]store.Sealed, 0, len(batch))
	for _, r := range batch {
		k := key{r.Site, r.ID, r.State.RecordID, r.State.Seq}
		if !known[k] {
			fresh = append(fresh, r)
		}
		known[k] = true
	}
	return fresh, nil
}

func (w *writer) add(r *store.Sealed) {
	w.extend(store.KindRecord, r.Commitment, r.Salt, r.Body)
	r.State.Index = w.last.Index
	state, err := r.State.MarshalBinary()
	if err != nil {
		w.err = err
		return
	}
	w.site = append(w.site, []byte(r.Site))
	w.principal = append(w.principal, r.ID[:])
	w.seq = append(w.seq, int64(r.State.Seq))
	w.stateIdx = append(w.stateIdx, int64(w.last.Index))
	w.record = append(w.record, r.State.RecordID[:])
	w.state = append(w.state, state)
}

func (w *writer) extend(kind store.Kind, commitment consent.Hash, salt store.Salt, body []byte) {
	w.last = w.last.Next(kind, commitment)
	w.idx = append(w.idx, int64(w.last.Index))
	w.kind = append(w.kind, int16(kind))
	w.commitment = append(w.commitment, commitment[:])
	w.hash = append(w.hash, bytes.Clone(w.last.Hash[:]))
	w.salt = append(w.salt, salt[:])
	w.body = append(w.body, body)
	if w.last.Index%store.Checkpoint == 0 {
		w.marks = append(w.marks, w.last)
	}
}

// finish writes what was collected, and the signed head.
func (w *writer) finish() error {
	if w.err != nil || w.last == w.first {
		return w.err
	}
	b := &pgx.Batch{}
	b.Queue(w.s.sql.insertEntries, w.idx, w.kind, w.commitment, w.hash, w.salt, w.body)
	if len(w.stateIdx) > 0 {
		b.Queue(w.s.sql.insertStates, w.site, w.principal, w.seq, w.stateIdx, w.record, w.state)
	}
	for _, l := range w.marks {
		head, err := json.Marshal(w.s.opts.Signer.Sign(l, w.s.opts.Now()))
		if err != nil {
			return err
		}
		b.Queue(w.s.sql.insertHead, int64(l.Index), head)
	}
	head, err := json.Marshal(w.s.opts.Signer.Sign(w.last, w.s.opts.Now()))
	if err != nil {
		return err
	}
	b.Queue(w.s.sql.headUpdate, int64(w.last.Index), w.last.Hash[:], head)
	if w.s.notifies() {
		b.Queue("SELECT pg_notify($1, '')", w.s.opts.Prefix)
	}
	return w.tx.SendBatch(w.ctx, b).Close()
}
