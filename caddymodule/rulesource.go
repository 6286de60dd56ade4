package caddymodule

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
	"github.com/caddy-consent/caddy-consent/rules/filterlist/source"
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
	cookies   *rules.CookieDatabase // nil without one
	cookieSum [sha256.Size]byte     // of its file
	sum       uint64                // of all this, once for all sites: see content
}

// build tells this program from an older one, which may have left more in a page.
var build = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.String()
})

// content returns a number that is the same for the same catalogue and lists, in other processes too. It takes milliseconds.
func (c *compiledRules) content() (uint64, error) {
	f := fnv.New64a()
	if c.engine != nil {
		for _, l := range c.engine.Lists() {
			_, _ = f.Write(l.SHA256[:])
		}
	}
	_, _ = f.Write(c.cookieSum[:])
	err := json.NewEncoder(f).Encode([]any{c.purposes, c.catalogue.Vendors})
	return f.Sum64(), err
}

// sumWith returns a number that is the same for the same program, rules and options, in other processes too.
func (c *compiledRules) sumWith(build string, m mode, o *Options) (uint64, error) {
	f, content := fnv.New64a(), *o
	content.Places = nil
	err := json.NewEncoder(f).Encode([]any{build, c.sum, m, &content})
	return f.Sum64(), err
}

// ruleSource keeps the rules current.
type ruleSource struct {
	log      *zap.Logger
	places   map[string]string // see Options.Places
	vendors  []string          // globs
	cookies  string            // a cookie database's path, "" for none
	compiled compiledRules
	stamp    string
	samples  func() samples
	made     source.Compiled // of the lists in force

	mu    sync.Mutex
	lists []*ruleList
}

// ruleList is a filter list and how it is doing.
type ruleList struct {
	*source.Source
	purpose consent.Purpose
	status  listStatus
	missing bool // not in force: never fetched, or refused when there was no older one
}

// startTimeout is how long a start waits for lists that were never fetched before.
const startTimeout = 8 * time.Second

// provisionRules loads catalogue and lists. All that is wrong is reported together. A list whose publisher does not answer
// is no error: the gateway starts without it and tries again.
func (a *App) provisionRules() error {
	s := &ruleSource{log: a.log, places: a.Places, vendors: a.VendorFiles, cookies: a.CookieDatabase, samples: a.samples}
	var errs []error
	for _, l := range a.Lists {
		one, err := newRuleList(l)
		if err != nil {
			errs = append(errs, placed(a.Places, l.Source, fmt.Errorf("rules list %s: %w", l.Source, err)))
			continue
		}
		s.lists = append(s.lists, one)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	a.rules = s
	metrics.ForgetLists()
	s.stamp = s.look()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var err error
	s.compiled, err = s.start(ctx)
	return err
}

func newRuleList(l List) (*ruleList, error) {
	p := consent.Marketing
	var err error
	if l.Purpose != "" {
		if p, err = consent.ParsePurpose(l.Purpose); err != nil {
			return nil, err
		}
	}
	src, err := source.New(l.Source, source.Options{Dir: listsDir(), Refresh: time.Duration(l.Refresh)})
	if err != nil {
		return nil, err
	}
	return &ruleList{Source: src, purpose: p, status: listStatus{Source: l.Source, Purpose: p.String()}}, nil
}

// remote reports whether the list comes from its publisher.
func (l *ruleList) remote() bool {
	return strings.Contains(l.Name(), "://") || slices.Contains(source.Names(), l.Name())
}

// start loads what can be loaded. Lists that cannot be fetched, or that would do damage, are left out and named in the log.
func (s *ruleSource) start(ctx context.Context) (c compiledRules, err error) {
	for range len(s.lists) + 1 {
		if c, err = s.load(ctx); err == nil {
			return c, nil
		}
		if !s.leaveOut(ctx, err) {
			return c, err
		}
	}
	return c, err
}

// leaveOut marks the lists that err is about as missing, and reports whether there is one.
func (s *ruleSource) leaveOut(ctx context.Context, err error) (found bool) {
	refusal := (*filterlist.Refusal)(nil)
	for _, l := range s.lists {
		if l.missing {
			continue
		}
		if errors.As(err, &refusal) {
			if refusal.List == l.Name() {
				s.fail(l, fmt.Errorf("list %q is refused: %w", l.Name(), err))
				l.missing, found = true, true
			}
			continue
		}
		if !l.remote() {
			continue
		}
		if _, _, problem := l.Load(ctx); problem != nil {
			s.fail(l, problem)
			l.missing, found = true, true
		}
	}
	return found
}

// fail notes what is wrong with a list, and logs it unless it is still the same.
func (s *ruleSource) fail(l *ruleList, err error) {
	s.mu.Lock()
	same := l.status.Error == err.Error()
	l.status.Error = err.Error()
	s.mu.Unlock()
	metrics.CountError(metrics.ErrorList)
	switch {
	case same:
	case l.status.Since.IsZero():
		s.log.Error("a filter list is not in force; the gateway works with the catalogue and the other lists, and tries again", anonymize.Own("list", l.Name()), zap.Error(err))
	default:
		s.log.Error("a filter list cannot be renewed; the last good one stays in force", anonymize.Own("list", l.Name()), zap.Error(err))
	}
}

// load reads and compiles everything but the lists that are missing.
func (s *ruleSource) load(ctx context.Context) (compiledRules, error) {
	c, err := s.compile(ctx)
	if err == nil {
		c.sum, err = c.content()
	}
	return c, err
}

func (s *ruleSource) compile(ctx context.Context) (c compiledRules, err error) {
	c.catalogue, err = s.loadCatalogue()
	return c, errors.Join(err, s.loadCookies(&c), s.loadLists(ctx, &c))
}

// loadLists reads the filter lists but those that are missing.
func (s *ruleSource) loadLists(ctx context.Context, c *compiledRules) error {
	var sources []*source.Source
	var loaded []*ruleList
	for _, l := range s.lists {
		if !l.missing {
			sources, loaded = append(sources, l.Source), append(loaded, l)
			c.purposes = append(c.purposes, l.purpose)
		}
	}
	if len(sources) == 0 {
		return nil
	}
	lists, err := source.Compile(ctx, listsDir(), sources...)
	if err != nil {
		var files []error
		for i, problem := range lists.Errors {
			// A file that is missing at the start ends it, with this error.
			switch {
			case problem == nil:
			case loaded[i].remote() || !loaded[i].status.Since.IsZero():
				s.fail(loaded[i], problem)
			default:
				files = append(files, placed(s.places, loaded[i].Name(), fmt.Errorf("rules list: %w", problem)))
			}
		}
		if len(files) > 0 {
			return errors.Join(files...)
		}
		return &listError{err}
	}
	if err := s.samples().refuse(lists.Engine); err != nil {
		return err
	}
	c.engine, s.made = lists.Engine, lists
	s.note(loaded, lists)
	return nil
}

// listError is what is wrong with lists of which each was noted by fail.
type listError struct{ err error }

func (e *listError) Error() string { return "rules list: " + e.err.Error() }

func (e *listError) Unwrap() error { return e.err }

// keep writes down what was fetched and compiled, for the next start. Loading does not: who validates a configuration is
// often another user than the one that the files must belong to.
func (s *ruleSource) keep() {
	for _, l := range s.lists {
		if err := l.Keep(); err != nil {
			s.log.Error("a filter list is in force, but could not be kept for the next start; make the folder writable", zap.String("folder", listsDir()), zap.Error(err))
		}
	}
	s.made.Keep()
}

// listsDir is the folder of the lists' last good copies and compiled forms.
func listsDir() string { return filepath.Join(dataDir(), "lists") }

// note keeps the counts of the lists that are in force now.
func (s *ruleSource) note(loaded []*ruleList, c source.Compiled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := c.Lists()
	for i, l := range loaded {
		l.status.Since, l.status.Error = time.Now(), ""
		l.status.Rules = infos[i].Rules
		l.noteChecked()
		metrics.SetListRules(l.Name(), infos[i].Rules)
		if i < len(c.Reports) {
			r := c.Reports[i]
			l.status.Dropped = r.Dropped
			s.log.Info("filter list loaded", zap.String("list", l.Name()), zap.Int("rules", r.Rules), zap.Int("dropped", r.Dropped))
		}
	}
}

// noteChecked puts into the metrics how fresh the list is.
func (l *ruleList) noteChecked() {
	if at := l.Checked(); !at.IsZero() {
		metrics.SetListChecked(l.Name(), at)
	}
}

// status tells how the lists are doing.
func (s *ruleSource) status() []listStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []listStatus{}
	for _, l := range s.lists {
		one := l.status
		one.Checked = l.Checked()
		list = append(list, one)
	}
	return list
}

// builtinVendors is the built-in catalogue. Nobody changes it, so all configurations share it.
var builtinVendors = sync.OnceValues(catalogue.Builtin)

// loadCatalogue reads the built-in vendors and the operator's own files, which replace built-in ones of the same name.
func (s *ruleSource) loadCatalogue() (*catalogue.Catalogue, error) {
	if len(s.vendors) == 0 {
		return builtinVendors()
	}
	systems := []fs.FS{catalogue.BuiltinFS()}
	var errs []error
	for _, glob := range s.vendors {
		dir, pattern := filepath.Split(glob)
		if matches, err := filepath.Glob(glob); err != nil || len(matches) == 0 {
			errs = append(errs, placed(s.places, glob, fmt.Errorf("rules file %s: no file matches (a vendor file is JSON: rules/catalogue/README.md)", glob)))
			continue
		}
		systems = append(systems, placedFS{matching{os.DirFS(dir), pattern}, glob})
	}
	c, err := catalogue.Load(systems...)
	if err == nil && len(errs) == 0 {
		return c, nil
	}
	if err != nil { // which of them is it?
		for _, one := range systems[1:] {
			glob := one.(placedFS).glob
			if _, wrong := catalogue.Load(systems[0], one); wrong != nil {
				err, errs = nil, append(errs, placed(s.places, glob, fmt.Errorf("rules file %s: %w", glob, wrong)))
			}
		}
	}
	return nil, errors.Join(append(errs, err)...)
}

// placedFS knows what it was named by.
type placedFS struct {
	matching
	glob string
}

// loadCookies reads the operator's cookie database, if there is one.
func (s *ruleSource) loadCookies(c *compiledRules) error {
	if s.cookies == "" {
		return nil
	}
	data, err := os.ReadFile(s.cookies)
	if err == nil {
		c.cookieSum = sha256.Sum256(data)
		c.cookies, err = rules.ParseCookieDatabase(s.cookies, bytes.NewReader(data))
	}
	if err != nil {
		return placed(s.places, s.cookies, fmt.Errorf("rules cookies: %w; give a CSV file in the format of the Open Cookie Database", err))
	}
	return nil
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
