// Package rulesource keeps the rules current: the vendor catalogue, the operator's own vendor files, filter lists and a cookie
// database.
//
// What cannot be read, fetched or trusted leaves the last good rules in force, and the log says so once. A list that would
// block what sites cannot do without is refused. Loading writes nothing; Keep does.
package rulesource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
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

// Rules are the catalogue and the filter lists at one moment.
type Rules struct {
	Catalogue *catalogue.Catalogue
	Engine    *filterlist.Engine    // nil without lists
	Purposes  []consent.Purpose     // of the lists
	Cookies   *rules.CookieDatabase // nil without one
	Sum       uint64                // the same for the same rules, in other processes too

	cookieSum [sha256.Size]byte // of the database's file
}

// content returns a number that is the same for the same catalogue and lists, in other processes too. It takes milliseconds.
func (c *Rules) content() (uint64, error) {
	f := fnv.New64a()
	if c.Engine != nil {
		for _, l := range c.Engine.Lists() {
			_, _ = f.Write(l.SHA256[:])
		}
	}
	_, _ = f.Write(c.cookieSum[:])
	err := json.NewEncoder(f).Encode([]any{c.Purposes, c.Catalogue.Vendors})
	return f.Sum64(), err
}

// Source keeps the rules current.
type Source struct {
	log     *zap.Logger
	places  map[string]string // see Options.Places
	vendors []string          // globs
	cookies string            // a cookie database's path, "" for none
	dir     string
	loaded  string // what look returned when the rules were loaded
	looked  string // what it returned last
	samples func() Samples

	mu    sync.Mutex
	lists []*list
}

// list is a filter list and how it is doing.
type list struct {
	*source.Source
	purpose consent.Purpose
	status  ListStatus
	missing bool // not in force: never fetched, or refused when there was no older one
}

// ListStatus is how a filter list is doing.
type ListStatus struct {
	Source  string    `json:"source"`
	Purpose string    `json:"purpose"`
	Rules   int       `json:"rules,omitempty"`   // of this list
	Dropped int       `json:"dropped,omitempty"` // lines that are not in force, where the text was read since the start
	Checked time.Time `json:"checked,omitzero"`  // when its publisher last said that this is it; when its file was written
	Since   time.Time `json:"since,omitzero"`    // when the rules in force were loaded
	Error   string    `json:"error,omitempty"`
}

// startTimeout is how long a start waits for lists that were never fetched before.
const startTimeout = 8 * time.Second

// Config says where the rules come from.
type Config struct {
	Lists          []List
	VendorFiles    []string          // globs
	CookieDatabase string            // a path, "" for none
	Places         map[string]string // where these are named: see package problem
	Dir            string            // the folder of the lists' last good copies and compiled forms
	Samples        func() Samples    // by which lists are tried
	Log            *zap.Logger
}

// Open loads catalogue and lists. All that is wrong is reported together. A list whose publisher does not answer is no error:
// the gateway starts without it and tries again. Nothing is written: see Keep.
func Open(c Config) (*Source, Rules, error) {
	s := &Source{log: c.Log, places: c.Places, vendors: c.VendorFiles, cookies: c.CookieDatabase, dir: c.Dir, samples: c.Samples}
	var errs []error
	for _, l := range c.Lists {
		one, err := newList(l, c.Dir)
		if err != nil {
			errs = append(errs, problem.At(c.Places, l.Source, err))
			continue
		}
		s.lists = append(s.lists, one)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, Rules{}, err
	}
	metrics.ForgetLists()
	s.loaded = s.look()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	compiled, err := s.start(ctx)
	return s, compiled, err
}

// Check returns what is wrong with how a list is described.
func Check(l List) error {
	_, err := newList(l, "")
	return err
}

func newList(l List, dir string) (*list, error) {
	p := consent.Marketing
	var err error
	if l.Purpose != "" {
		if p, err = consent.ParsePurpose(l.Purpose); err != nil {
			return nil, fmt.Errorf("rules list %s: %w", l.Source, err)
		}
	}
	src, err := source.New(l.Source, source.Options{Dir: dir, Refresh: time.Duration(l.Refresh)})
	if err != nil {
		return nil, fmt.Errorf("rules list %s: %w", l.Source, err)
	}
	return &list{Source: src, purpose: p, status: ListStatus{Source: l.Source, Purpose: p.String()}}, nil
}

// remote reports whether the list comes from its publisher.
func (l *list) remote() bool {
	return strings.Contains(l.Name(), "://") || slices.Contains(source.Names(), l.Name())
}

// start loads what can be loaded. Lists that cannot be fetched, or that would do damage, are left out and named in the log.
func (s *Source) start(ctx context.Context) (c Rules, err error) {
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
func (s *Source) leaveOut(ctx context.Context, err error) (found bool) {
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
func (s *Source) fail(l *list, err error) {
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
func (s *Source) load(ctx context.Context) (Rules, error) {
	c, err := s.compile(ctx)
	if err == nil {
		c.Sum, err = c.content()
	}
	return c, err
}

func (s *Source) compile(ctx context.Context) (c Rules, err error) {
	c.Catalogue, err = Vendors(s.places, s.vendors)
	return c, errors.Join(err, s.loadCookies(&c), s.loadLists(ctx, &c))
}

// loadLists reads the filter lists but those that are missing.
func (s *Source) loadLists(ctx context.Context, c *Rules) error {
	var sources []*source.Source
	var loaded []*list
	for _, l := range s.lists {
		if !l.missing {
			sources, loaded = append(sources, l.Source), append(loaded, l)
			c.Purposes = append(c.Purposes, l.purpose)
		}
	}
	if len(sources) == 0 {
		return nil
	}
	lists, err := source.Compile(ctx, sources...)
	if err != nil {
		var files []error
		for i, wrong := range lists.Errors {
			// A file that is missing at the start ends it, with this error.
			switch {
			case wrong == nil:
			case loaded[i].remote() || !loaded[i].status.Since.IsZero():
				s.fail(loaded[i], wrong)
			default:
				files = append(files, problem.At(s.places, loaded[i].Name(), fmt.Errorf("rules list: %w", wrong)))
			}
		}
		if len(files) > 0 {
			return errors.Join(files...)
		}
		return &listError{err}
	}
	if err := s.samples().Refuse(lists.Engine); err != nil {
		return err
	}
	c.Engine = lists.Engine
	s.note(loaded, lists)
	return nil
}

// listError is what is wrong with lists of which each was noted by fail.
type listError struct{ err error }

func (e *listError) Error() string { return "rules list: " + e.err.Error() }

func (e *listError) Unwrap() error { return e.err }

// Keep writes down what was fetched, for the next start. Loading does not: who validates a configuration is
// often another user than the one that the files must belong to.
func (s *Source) Keep() {
	for _, l := range s.lists {
		if err := l.Keep(); err != nil {
			s.log.Error("a filter list is in force, but could not be kept for the next start; make the folder writable", zap.String("folder", s.dir), zap.Error(err))
		}
	}
}

// note keeps the counts of the lists that are in force now.
func (s *Source) note(loaded []*list, c source.Compiled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := c.Lists()
	for i, l := range loaded {
		l.status.Since, l.status.Error = time.Now(), ""
		l.status.Rules = infos[i].Rules
		l.noteChecked()
		metrics.SetListRules(l.Name(), infos[i].Rules)
		r := c.Reports[i]
		l.status.Dropped = r.Dropped
		s.log.Info("filter list loaded", zap.String("list", l.Name()), zap.Int("rules", r.Rules), zap.Int("dropped", r.Dropped))
	}
}

// noteChecked puts into the metrics how fresh the list is.
func (l *list) noteChecked() {
	if at := l.Checked(); !at.IsZero() {
		metrics.SetListChecked(l.Name(), at)
	}
}

// Status tells how the lists are doing.
func (s *Source) Status() []ListStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []ListStatus{}
	for _, l := range s.lists {
		one := l.status
		one.Checked = l.Checked()
		list = append(list, one)
	}
	return list
}

// loadCookies reads the operator's cookie database, if there is one.
func (s *Source) loadCookies(c *Rules) error {
	if s.cookies == "" {
		return nil
	}
	data, err := os.ReadFile(s.cookies)
	if err == nil {
		c.cookieSum = sha256.Sum256(data)
		c.Cookies, err = rules.ParseCookieDatabase(s.cookies, bytes.NewReader(data))
	}
	if err != nil {
		return problem.At(s.places, s.cookies, fmt.Errorf("rules cookies: %w; give a CSV file in the format of the Open Cookie Database", err))
	}
	return nil
}
