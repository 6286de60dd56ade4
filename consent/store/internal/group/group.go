// Package group commits concurrent writes together, so that many callers share one fsync.
package group

import (
	"context"
	"fmt"
	"sync"
)

// Group collects items of concurrent callers into batches and commits one batch at a time. There is no
// timer: a batch is committed as soon as the one before it is done, and everybody who arrives in between
// shares that commit. It runs in a goroutine of its own, which ends with it, so that no caller has to wait
// longer than it wants to.
type Group[T any] struct {
	max    int
	commit func([]T) error
	turn   sync.Mutex // held while a batch is committed
	mu     sync.Mutex // guards next
	next   *batch[T]
}

type batch[T any] struct {
	items []T
	err   error
	done  chan struct{}
}

// New returns a group whose batches are closed to newcomers at max items. The commit is atomic from the
// caller's view: its error, or its panic turned into an error, is returned to every caller of the batch.
func New[T any](max int, commit func([]T) error) *Group[T] {
	return &Group[T]{max: max, commit: commit}
}

// Do commits the items, in order and next to each other, and returns when that is done. When ctx ends
// first, its error is returned and the items may or may not have been committed.
func (g *Group[T]) Do(ctx context.Context, items ...T) error {
	if err := ctx.Err(); err != nil || len(items) == 0 {
		return err
	}
	b, leads := g.join(items)
	if leads {
		go g.lead(b)
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *Group[T]) join(items []T) (b *batch[T], leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil || len(g.next.items) >= g.max {
		g.next, leads = &batch[T]{done: make(chan struct{})}, true
	}
	g.next.items = append(g.next.items, items...)
	return g.next, leads
}

func (g *Group[T]) lead(b *batch[T]) {
	g.turn.Lock()
	defer g.turn.Unlock()
	g.mu.Lock()
	if g.next == b {
		g.next = nil
	}
	g.mu.Unlock()
	defer close(b.done)
	defer func() {
		if p := recover(); p != nil {
			b.err = fmt.Errorf("commit: %v", p)
		}
	}()
	b.err = g.commit(b.items)
}

// Exclude runs f while no batch is being committed.
func (g *Group[T]) Exclude(f func() error) error {
	g.turn.Lock()
	defer g.turn.Unlock()
	return f()
}
