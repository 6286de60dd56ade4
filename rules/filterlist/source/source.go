// Package source gets filter lists from files and from their publishers, keeps the last good copy on disk, and says when
// a list has changed. It starts no goroutine: the caller asks Changed from time to time.
package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// names are the lists that have a short name, at their publishers' own addresses. The lists are copyleft and therefore
// never part of this program: a gateway fetches what its operator names.
var names = map[string]string{
	"easylist":         "https://easylist.to/easylist/easylist.txt",
	"easyprivacy":      "https://easylist.to/easylist/easyprivacy.txt",
	"fanboy-social":    "https://easylist.to/easylist/fanboy-social.txt",
	"adguard-tracking": "https://filters.adtidy.org/extension/ublock/filters/3.txt",
}

// Names returns the short names that New knows, sorted.
func Names() []string {
	l := make([]string, 0, len(names))
	for n := range names {
		l = append(l, n)
	}
	slices.Sort(l)
	return l
}

// Options say how lists are fetched and kept. The zero value of each field means its default.
type Options struct {
	Dir     string           // folder for the last good copies; "" keeps copies in memory only
	Client  *http.Client     // default: one with a timeout of a minute
	Refresh time.Duration    // age at which a URL is asked again, at least a minute; default 24 h
	Now     func() time.Time // default time.Now
}

// Source is one list. Its methods are safe for concurrent use.
type Source struct {
	name    string
	options Options
	origin  origin

	mu       sync.Mutex
	included map[string]*Source // what the list included when it was loaded
}

// origin is a file or a URL.
type origin interface {
	// open returns the list's bytes, of a URL those of the last good copy, which it fetches only if there is none.
	open(ctx context.Context) ([]byte, error)
	// changed reports whether open would return other bytes than it did last.
	changed(ctx context.Context) (bool, error)
	// checked returns when the publisher last said that the copy is its list, or when the file was written; zero if unknown.
	checked() time.Time
	// keep puts the last good copy on disk, if it is not there.
	keep() error
	// sibling returns the origin of a file that the list includes.
	sibling(path string) (origin, error)
}

// New returns the source for a short name, an https URL or a path. It does not read anything yet. The error says what
// can be written instead.
func New(name string, o Options) (*Source, error) {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: time.Minute}
	}
	if o.Refresh == 0 {
		o.Refresh = 24 * time.Hour
	}
	o.Refresh = max(o.Refresh, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Source{name: name, options: o}
	address := name
	if a, ok := names[name]; ok {
		address = a
	}
	switch u, err := url.Parse(address); {
	case err == nil && (u.Scheme == "https" || u.Scheme == "http"):
		if u.Host == "" || u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return nil, fmt.Errorf("list %q: use https, so that nobody can change the list on its way", name)
		}
		s.origin = newRemote(u, o)
	case name == "" || strings.Contains(name, "://"):
		return nil, fmt.Errorf("list %q: use a path, an https URL or one of %s", name, strings.Join(Names(), ", "))
	default:
		s.origin = &file{path: name}
	}
	return s, nil
}

// Name returns the name that New was given.
func (s *Source) Name() string { return s.name }

// Checked returns when the list's publisher last said that the copy in use is current; for a file, when it was written as
// it was read. It is zero before the first Load.
func (s *Source) Checked() time.Time { return s.origin.checked() }

// Load returns the list. For a URL that was fetched before, this is the last good copy, without any network: Changed
// fetches newer ones. It writes nothing: see Keep. The error of a file that does not exist names the short names there are.
func (s *Source) Load(ctx context.Context) (*filterlist.List, *filterlist.Report, error) {
	text, err := s.text(ctx)
	if err != nil {
		return nil, &filterlist.Report{List: s.name}, err
	}
	return s.parse(ctx, text)
}

func (s *Source) text(ctx context.Context) ([]byte, error) {
	text, err := s.origin.open(ctx)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(s.name, "/.") {
		err = fmt.Errorf("%w, nor is it one of the names %s", err, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", s.name, err)
	}
	return text, nil
}

func (s *Source) parse(ctx context.Context, text []byte) (*filterlist.List, *filterlist.Report, error) {
	included := make(map[string]*Source)
	include := func(path string) (io.ReadCloser, error) {
		o, err := s.origin.sibling(path)
		if err != nil {
			return nil, err
		}
		text, err := o.open(ctx)
		if err != nil {
			return nil, err
		}
		included[path] = &Source{name: path, options: s.options, origin: o}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	l, rep, err := filterlist.Parse(s.name, bytes.NewReader(text), filterlist.Limits{Include: include})
	s.mu.Lock()
	s.included = included
	s.mu.Unlock()
	return l, rep, err
}

// Keep puts the last good copy of what Load fetched, and of what that included, into the folder, where the next Load finds
// it: who only looks whether a list can be loaded leaves no file of its own there.
func (s *Source) Keep() error {
	err := s.origin.keep()
	s.mu.Lock()
	included := s.included
	s.mu.Unlock()
	for _, i := range included {
		err = errors.Join(err, i.origin.keep())
	}
	if err != nil {
		err = fmt.Errorf("list %q: %w", s.name, err)
	}
	return err
}

// Changed reports whether Load would give another list than last time. A file counts at the second call that finds it so. A
// URL is asked once its refresh time has passed, with the validators of the copy; what it sends becomes the last good copy,
// and is kept, only if it is a filter list. An error leaves the copy as it is, or says that a new one could not be put on
// disk, and the next try waits.
func (s *Source) Changed(ctx context.Context) (bool, error) {
	changed, err := s.origin.changed(ctx)
	s.mu.Lock()
	included := s.included
	s.mu.Unlock()
	for _, i := range included {
		c, e := i.origin.changed(ctx)
		changed = changed || c
		err = errors.Join(err, e)
	}
	if err != nil {
		err = fmt.Errorf("list %q: %w", s.name, err)
	}
	return changed, err
}
