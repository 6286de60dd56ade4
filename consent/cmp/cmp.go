package cmp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// maxValue is the longest cookie value that is looked at, in bytes; maxCookies the most cookies of one platform.
const (
	maxValue   = 8 << 10
	maxCookies = 32
)

// Config adapts a platform to a site. The zero value takes the platform's defaults.
type Config struct {
	// Purposes maps the site's own names for categories or services to purposes. An entry replaces the built-in meaning
	// of that name. Where several of these names stand for one purpose, the visitor must have agreed to all of them.
	Purposes map[string]consent.Purposes
	// Fallback, if set, is asked for names that nothing else maps, such as the services of a vendor catalogue. It must be
	// safe for concurrent use.
	Fallback func(name string) (consent.Purposes, bool)
	// Cookie replaces the cookie's name where the platform lets sites choose it.
	Cookie string
	// Revision, if set, is the revision of the site's consent text that an answer must carry where the platform stores
	// one; an answer to another revision is undecided.
	Revision string
}

// Reader reads one platform's cookies. It is immutable and safe for concurrent use, and implements consent.Platform.
type Reader struct {
	platform *platform
	names    names
	cookie   string
	revision string
}

var _ consent.Platform = (*Reader)(nil)

// platform is one consent platform: which cookies it stores, and how to read one of them into an answer.
type platform struct {
	name string
	// cookies are the names of the cookies read; one that ends with an asterisk stands for all that begin so. The first
	// is the one that Config.Cookie replaces.
	cookies []string
	// purposes are the platform's own names; nil for one whose names are those of the site, which then are read by common
	// words.
	purposes map[string]consent.Purposes
	read     func(in *input, name, value string, a *answer)
}

// input is what a platform's read function may look at besides the one cookie.
type input struct {
	cookies  consent.Cookies
	now      time.Time
	revision string
}

// New returns the reader of a platform; the error for an unknown name lists the names there are.
func New(name string, c Config) (*Reader, error) {
	for i := range platforms {
		if p := &platforms[i]; p.name == name {
			return newReader(p, c)
		}
	}
	if slices.ContainsFunc(Bridges(), func(b Bridge) bool { return b.Name == name }) {
		return nil, fmt.Errorf("consent platform %s keeps its answers where no server sees them: it needs the bridge script", name)
	}
	return nil, fmt.Errorf("unknown consent platform %q: use one of %s, or read its cookie by path or pattern", name,
		strings.Join(Names(), ", "))
}

// Names returns the names of all platforms that a server can read, in order.
func Names() []string {
	var l []string
	for _, p := range platforms {
		l = append(l, p.name)
	}
	slices.Sort(l)
	return l
}

func newReader(p *platform, c Config) (*Reader, error) {
	var errs []error
	for name, purposes := range c.Purposes {
		if name == "" || purposes&^consent.AllPurposes != 0 {
			errs = append(errs, fmt.Errorf("consent platform %s: the map entry %q names no purpose", p.name, name))
		}
	}
	if len(c.Purposes) > maxRequired {
		errs = append(errs, fmt.Errorf("consent platform %s: more than %d map entries", p.name, maxRequired))
	}
	if strings.ContainsAny(c.Cookie, "=; \t") {
		errs = append(errs, fmt.Errorf("consent platform %s: %q cannot be a cookie's name", p.name, c.Cookie))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	builtIn := p.purposes
	if builtIn == nil {
		builtIn = commonWords
	}
	return &Reader{p, newNames(builtIn, c.Purposes, c.Fallback), c.Cookie, c.Revision}, nil
}

// Read returns what the visitor answered to the platform. It never fails: what cannot be understood is undecided. More
// cookies than a platform ever sets grant nothing.
func (r *Reader) Read(cookies consent.Cookies, now time.Time) consent.Stored {
	var found [maxCookies]struct {
		name   string
		stored consent.Stored
	}
	in, n, seen := input{cookies, now, r.revision}, 0, 0
next:
	for name, value := range cookies.All() {
		if !r.reads(name) {
			continue
		}
		if seen++; seen > maxCookies {
			break
		}
		stored := r.readOne(&in, name, value)
		for i := range found[:n] {
			if f := &found[i]; f.name == name {
				f.stored.Granted &= stored.Granted
				f.stored.Denied |= stored.Denied
				continue next
			}
		}
		found[n].name, found[n].stored = name, stored
		n++
	}
	var all consent.Stored
	for _, f := range found[:n] {
		all = all.Strictest(f.stored)
	}
	if seen > maxCookies {
		all.Granted = 0
	}
	return all
}

// ReadValue reads one value as if it had come in the platform's first cookie: the answer of a consent service that was
// asked over HTTP, for one.
func (r *Reader) ReadValue(value string, now time.Time) consent.Stored {
	in := input{now: now, revision: r.revision}
	return r.readOne(&in, r.platform.cookies[0], strings.TrimSpace(value))
}

func (r *Reader) readOne(in *input, name, value string) consent.Stored {
	a := answer{names: &r.names}
	if name == r.cookie {
		name = r.platform.cookies[0] // by which read knows it
	}
	if len(value) <= maxValue {
		r.platform.read(in, name, value, &a)
	}
	return a.stored()
}

func (r *Reader) reads(name string) bool {
	for i, pattern := range r.platform.cookies {
		if i == 0 && r.cookie != "" {
			pattern = r.cookie
		}
		if prefix, open := strings.CutSuffix(pattern, "*"); name == pattern || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// all returns the values of every cookie of a name.
func (in *input) all(name string) (values []string) {
	for n, v := range in.cookies.All() {
		if n == name && len(v) <= maxValue && len(values) < maxCookies {
			values = append(values, v)
		}
	}
	return values
}

// every reports whether there is a cookie of that name and all of them pass.
func (in *input) every(name string, pass func(value string) bool) bool {
	values := in.all(name)
	return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !pass(v) })
}
