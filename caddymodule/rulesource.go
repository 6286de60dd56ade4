package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// List is a filter list that the operator named.
type List struct {
	// Source is a path, an https URL, or the name of a list whose publisher's address is known: easyprivacy, easylist,
	// fanboy-social, adguard-tracking.
	Source string `json:"source"`
	// Purpose is the purpose of what only this list recognises. Default: marketing.
	Purpose string `json:"purpose,omitempty"`
	// Refresh is how often a URL is asked for a newer version. Default: 24h. Files are watched.
	Refresh caddy.Duration `json:"refresh,omitempty"`
}

// compiledRules are the catalogue and the filter lists at one moment.
type compiledRules struct {
	catalogue *catalogue.Catalogue
	engine    *filterlist.Engine // nil without lists
	purposes  []consent.Purpose
}

// ruleSource keeps the rules current.
type ruleSource struct {
	log      *zap.Logger
	vendors  []string // globs
	lists    []List
	purposes []consent.Purpose
	compiled compiledRules
	stamp    string
}

// watchEvery is how often files are looked at for changes.
const watchEvery = 5 * time.Second

// provisionRules loads catalogue and lists. All that is wrong is reported together.
func (a *App) provisionRules() error {
	s := &ruleSource{log: a.log, vendors: a.VendorFiles, lists: a.Lists}
	var errs []error
	for _, l := range a.Lists {
		p := consent.Marketing
		if l.Purpose != "" {
			var err error
			if p, err = consent.ParsePurpose(l.Purpose); err != nil {
				errs = append(errs, fmt.Errorf("rules list %s: %w", l.Source, err))
			}
		}
		s.purposes = append(s.purposes, p)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	a.rules = s
	s.stamp = s.look()
	var err error
	s.compiled, err = s.load()
	return err
}

// load reads and compiles everything.
func (s *ruleSource) load() (c compiledRules, err error) {
	if c.catalogue, err = s.loadCatalogue(); err != nil {
		return c, err
	}
	var lists []*filterlist.List
	var errs []error
	for _, l := range s.lists {
		f, err := os.Open(l.Source)
		if err != nil {
			errs = append(errs, fmt.Errorf("rules list: %w", err))
			continue
		}
		list, report, err := filterlist.Parse(l.Source, f, filterlist.Limits{})
		_ = f.Close()
		if err != nil {
			errs = append(errs, fmt.Errorf("rules list: %w", err))
			continue
		}
		s.log.Info("filter list loaded", zap.String("list", l.Source), zap.Int("rules", report.Rules), zap.Int("dropped", report.Dropped))
		lists = append(lists, list)
	}
	if err := errors.Join(errs...); err != nil || len(lists) == 0 {
		return c, err
	}
	c.purposes = s.purposes
	c.engine, err = filterlist.Compile(lists...)
	if err != nil {
		return c, fmt.Errorf("rules list: %w", err)
	}
	return c, nil
}

// loadCatalogue reads the built-in vendors and the operator's own files, which replace built-in ones of the same name.
func (s *ruleSource) loadCatalogue() (*catalogue.Catalogue, error) {
	if len(s.vendors) == 0 {
		return catalogue.Builtin()
	}
	systems := []fs.FS{catalogue.BuiltinFS()}
	for _, glob := range s.vendors {
		dir, pattern := filepath.Split(glob)
		if matches, err := filepath.Glob(glob); err != nil || len(matches) == 0 {
			return nil, fmt.Errorf("rules file %s: no file matches (a vendor file is JSON: rules/catalogue/README.md)", glob)
		}
		systems = append(systems, matching{os.DirFS(dir), pattern})
	}
	return catalogue.Load(systems...)
}

// matching shows only the files of a folder that match a pattern.
type matching struct {
	fs.FS
	pattern string
}

// ReadDir lists the matching files.
func (m matching) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(m.FS, name)
	kept := entries[:0]
	for _, e := range entries {
		if ok, _ := filepath.Match(m.pattern, e.Name()); ok {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// look returns a text that changes when a watched file does.
func (s *ruleSource) look() string {
	var b strings.Builder
	paths := []string{}
	for _, l := range s.lists {
		paths = append(paths, l.Source)
	}
	for _, glob := range s.vendors {
		matches, _ := filepath.Glob(glob)
		paths = append(paths, matches...)
	}
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", p, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// watch compiles the rules anew when a file has changed, and hands them to changed. Rules that cannot be loaded leave the
// old ones in force.
func (s *ruleSource) watch(ctx context.Context, changed func(compiledRules)) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		stamp := s.look()
		if stamp == s.stamp {
			continue
		}
		s.stamp = stamp
		c, err := s.load()
		if err != nil {
			s.log.Error("the changed rules cannot be used; the old ones stay in force", zap.Error(err))
			continue
		}
		s.log.Info("rules reloaded")
		changed(c)
	}
}
