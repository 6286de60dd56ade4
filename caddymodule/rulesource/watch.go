package rulesource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// WatchEvery is how often files are looked at for changes, and publishers whose time has come are asked.
const WatchEvery = 2 * time.Second

// look returns a text that changes when a vendor file or the cookie database does.
func (s *Source) look() string {
	paths := []string{s.cookies}
	for _, glob := range s.vendors {
		matches, _ := filepath.Glob(glob)
		paths = append(paths, matches...)
	}
	var b strings.Builder
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", p, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// Watch compiles the rules anew when something has changed, and hands them to changed. Rules that cannot be loaded leave
// the old ones in force.
func (s *Source) Watch(ctx context.Context, changed func(Rules)) {
	t := time.NewTicker(WatchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !s.renewed(ctx) {
			continue
		}
		c, err := s.reload(ctx)
		if err != nil {
			if err = untold(err); err != nil && ctx.Err() == nil {
				s.log.Error("the changed rules cannot be used; the old ones stay in force", zap.Error(err))
			}
			continue
		}
		s.log.Info("rules reloaded")
		s.Keep()
		changed(c)
	}
}

// untold returns what of err fail has not logged: all but what is wrong with lists.
func untold(err error) error {
	return errors.Join(slices.DeleteFunc(problem.Each(err), func(e error) bool {
		return errors.As(e, new(*listError)) || errors.As(e, new(*filterlist.Refusal))
	})...)
}

// renewed reports whether anything has changed, and rests: half a file would come into force while it is written. A list that
// was missing and is there now counts again.
func (s *Source) renewed(ctx context.Context) (renewed bool) {
	now := s.look()
	if now == s.looked && now != s.loaded {
		s.loaded, renewed = now, true
	}
	s.looked = now
	for _, l := range s.lists {
		changed, err := l.Changed(ctx)
		if err != nil && ctx.Err() == nil {
			s.fail(l, err)
		}
		renewed = renewed || changed
		l.noteChecked()
	}
	return renewed
}

// reload loads the rules with the lists that were missing, if they are there now, and without those that still are.
func (s *Source) reload(ctx context.Context) (Rules, error) {
	var missing []*list
	for _, l := range s.lists {
		if l.missing {
			missing = append(missing, l)
			_, _, err := l.Load(expired(ctx)) // what was fetched needs no network now
			l.missing = err != nil
		}
	}
	c, err := s.load(ctx)
	refusal := (*filterlist.Refusal)(nil)
	if errors.As(err, &refusal) {
		for _, l := range s.lists {
			if l.Name() == refusal.List {
				s.fail(l, fmt.Errorf("list %q is refused: %w", l.Name(), err))
			}
		}
	}
	if err != nil {
		for _, l := range missing {
			l.missing = true
		}
	}
	return c, err
}

// expired is a context under which nothing is fetched.
func expired(ctx context.Context) context.Context {
	c, cancel := context.WithCancel(ctx)
	cancel()
	return c
}
