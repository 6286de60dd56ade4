package group_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent/store/internal/group"
)

func TestEveryItemIsCommittedOnce(t *testing.T) {
	const callers, each = 32, 50
	var got []int
	var batches int
	g := group.New(1024, func(items []int) error {
		batches++
		got = append(got, items...)
		time.Sleep(50 * time.Microsecond)
		return nil
	})
	var wg sync.WaitGroup
	for c := range callers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				n := (c*each + i) * 2
				if err := g.Do(context.Background(), n, n+1); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	seen := map[int]int{}
	for i, n := range got {
		seen[n]++
		if n%2 == 0 && (i+1 == len(got) || got[i+1] != n+1) {
			t.Fatalf("items of one call were torn apart at %d", i)
		}
	}
	if len(seen) != 2*callers*each || len(got) != len(seen) {
		t.Fatalf("%d items, %d different; want %d of each", len(got), len(seen), 2*callers*each)
	}
	if batches >= callers*each {
		t.Errorf("%d batches for %d calls: nothing was grouped", batches, callers*each)
	}
}

func TestErrorsReachEveryCallerOfTheBatch(t *testing.T) {
	boom := errors.New("boom")
	for name, commit := range map[string]func([]int) error{
		"error": func([]int) error { return boom },
		"panic": func([]int) error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			g := group.New(8, commit)
			var wg sync.WaitGroup
			for range 20 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					if err := g.Do(context.Background(), 1); err == nil || !strings.Contains(err.Error(), "boom") {
						t.Errorf("got %v", err)
					}
				}()
			}
			wg.Wait()
		})
	}
}

// joining is a context that tells when a Do that was given it has joined a batch: then Do asks when it is to give up.
type joining struct {
	context.Context
	joined chan<- struct{}
}

func (j joining) Done() <-chan struct{} {
	j.joined <- struct{}{}
	return j.Context.Done()
}

func TestBatchesAreBounded(t *testing.T) {
	release, joined := make(chan struct{}), make(chan struct{})
	var largest int
	g := group.New(4, func(items []int) error {
		<-release
		largest = max(largest, len(items))
		return nil
	})
	var wg sync.WaitGroup
	for range 40 {
		wg.Add(1)
		go func() { defer wg.Done(); _ = g.Do(joining{context.Background(), joined}, 1) }()
	}
	for range 40 {
		<-joined
	}
	close(release)
	wg.Wait()
	if largest > 4 {
		t.Errorf("a batch of %d items, limit 4", largest)
	}
}

func TestACallerMayGiveUp(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{})
	var once sync.Once
	g := group.New(8, func([]int) error { once.Do(func() { close(entered) }); <-release; return nil })
	short, stop := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer stop()
	if err := g.Do(short, 0); !errors.Is(err, context.DeadlineExceeded) { // the first of a batch may, too
		t.Errorf("got %v", err)
	}
	lead := make(chan error, 1)
	go func() { lead <- g.Do(context.Background(), 1) }()
	<-entered
	next, joined := make(chan error, 1), make(chan struct{})
	go func() { next <- g.Do(joining{context.Background(), joined}, 2) }() // in the second batch
	<-joined
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if err := g.Do(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := errors.Join(<-lead, <-next); err != nil {
		t.Error(err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if err := g.Do(ended, 4); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestExcludeRunsBetweenBatches(t *testing.T) {
	var inside bool
	g := group.New(8, func([]int) error {
		if inside {
			t.Error("commit ran during Exclude")
		}
		return nil
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(2)
		go func() { defer wg.Done(); _ = g.Do(context.Background(), 1) }()
		go func() {
			defer wg.Done()
			_ = g.Exclude(func() error { inside = true; time.Sleep(time.Microsecond); inside = false; return nil })
		}()
	}
	wg.Wait()
}

func ExampleGroup() {
	g := group.New(128, func(lines []string) error {
		fmt.Println(lines) // one fsync for all of them
		return nil
	})
	_ = g.Do(context.Background(), "first", "second")
	// Output: [first second]
}
