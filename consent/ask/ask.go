package ask

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coocood/freecache"
	"github.com/tidwall/gjson"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

// Defaults and bounds of a Config.
const (
	DefaultTimeout = 300 * time.Millisecond
	MaxTimeout     = 2 * time.Second
	DefaultKeep    = 10 * time.Second
	MaxKeep        = 5 * time.Minute
)

// Bounds of the questions.
const (
	maxCarried = 4 << 10     // bytes of a visitor's cookies
	maxAnswer  = 8 << 10     // bytes of an answer
	maxAtOnce  = 64          // questions under way
	cacheBytes = 1 << 20     // answers remembered
	keepError  = time.Second // a visitor for whom the service fails is asked about once in this time
)

// Config says who is asked, about whom, and how the answer is read.
type Config struct {
	// URL is asked with GET: http or https. Required.
	URL string
	// Cookies are the names of the visitor's cookies that are passed on, such as the app's session. Required: without one
	// the service cannot tell visitors apart.
	Cookies []string
	// Header is sent along, such as an Authorization of the operator's.
	Header http.Header
	// Path is a gjson path into the answer: to an object of answers by name, to a list of accepted names, or to a single
	// answer, which then goes by the name value. Required; "@this" is the answer itself.
	Path string
	// Decided, if set, is a gjson path that must be there and neither false, zero, empty nor null: before that the visitor
	// has not answered.
	Decided string
	// Purposes maps the service's names to purposes; nil takes the purposes' own names.
	Purposes map[string]consent.Purposes
	// Timeout is how long a request waits: DefaultTimeout if zero, at most MaxTimeout.
	Timeout time.Duration
	// Keep is how long an answer counts: DefaultKeep if zero, at most MaxKeep. A withdrawal that the service took is in
	// force here after that time.
	Keep time.Duration
	// Changed, if set, is told when the service is found to be down, with the error, and when it is back, with nil. It may
	// be called at any time from any goroutine.
	Changed func(error)
}

// Service asks one service. It is safe for concurrent use and implements consent.Platform.
type Service struct {
	config  Config
	reader  *cmp.Reader
	client  http.Client
	circuit circuit

	cache *freecache.Cache
	mu    sync.Mutex
	asked map[visitor]*question
}

var _ consent.Platform = (*Service)(nil)

// visitor is the hash of the cookies that the service is asked with.
type visitor [sha256.Size]byte

// question is one that is under way; done is closed when stored is there.
type question struct {
	done   chan struct{}
	stored consent.Stored
}

// New checks a configuration. The error names all that is wrong, each with its way out.
func New(c Config) (*Service, error) {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("ask %s: "+format, append([]any{c.URL}, args...)...))
	}
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		complain("give an address such as http://app:3000/consent")
	}
	if len(c.Cookies) == 0 {
		complain("name the visitor's cookies that the service knows its visitors by")
	}
	for _, name := range c.Cookies {
		if name == "" || strings.ContainsAny(name, "=; \t") {
			complain("%q cannot be a cookie's name", name)
		}
	}
	if c.Path == "" {
		complain(`give the gjson path to the answers, "@this" if they are all there is`)
	}
	if c.Timeout < 0 || c.Timeout > MaxTimeout {
		complain("timeout %s: a page would wait so long; use at most %s", c.Timeout, MaxTimeout)
	}
	if c.Keep < 0 || c.Keep > MaxKeep {
		complain("cache %s: a withdrawal would be noticed so late; use at most %s", c.Keep, MaxKeep)
	}
	if c.Purposes == nil {
		c.Purposes = map[string]consent.Purposes{}
		for _, p := range consent.AllPurposes.List() {
			c.Purposes[p.String()] = consent.Purposes(p)
		}
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Keep == 0 {
		c.Keep = DefaultKeep
	}
	s := &Service{config: c, asked: map[visitor]*question{}}
	if c.Path != "" {
		var err error
		if s.reader, err = cmp.NewCustom(cmp.Custom{Cookie: "answer", Path: c.Path, Decided: c.Decided, Purposes: c.Purposes}); err != nil {
			complain("%w", err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s.cache = freecache.NewCache(cacheBytes)
	s.client = http.Client{
		Timeout:       c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // cookies go where the operator said
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConnsPerHost: maxAtOnce, MaxConnsPerHost: maxAtOnce, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
	}
	return s, nil
}

// unknown is the answer of every failure.
var unknown = consent.Stored{Unknown: true}

// Read returns what the visitor of these cookies answered at the service. It waits for Config.Timeout at most.
func (s *Service) Read(cookies consent.Cookies, now time.Time) consent.Stored {
	carried, ok := s.carried(cookies)
	switch {
	case !ok:
		return unknown
	case carried == "":
		return consent.Stored{}
	}
	who := visitor(sha256.Sum256([]byte(carried)))
	if stored, ok := s.remembered(&who, now); ok {
		return stored
	}
	s.mu.Lock()
	q, joins := s.asked[who]
	switch {
	case joins:
	case len(s.asked) >= maxAtOnce || !s.circuit.allow(now):
		s.mu.Unlock()
		return unknown
	default:
		q = &question{done: make(chan struct{}), stored: unknown}
		s.asked[who] = q
	}
	s.mu.Unlock()
	if !joins {
		s.answer(&who, q, carried, now)
	}
	<-q.done
	return q.stored
}

// carried returns the Cookie field for the service, "" where the visitor has none of the cookies. It reports false for
// what cannot be passed on.
func (s *Service) carried(cookies consent.Cookies) (string, bool) {
	var b strings.Builder
	for name, value := range cookies.All() {
		if !slices.Contains(s.config.Cookies, name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(name + "=" + value)
		if b.Len() > maxCarried {
			return "", false
		}
	}
	field := b.String()
	return field, !strings.ContainsFunc(field, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

// answer asks, remembers and hands the answer to all who wait.
func (s *Service) answer(who *visitor, q *question, carried string, now time.Time) {
	started := time.Now()
	stored, err := s.ask(carried)
	down := err != nil && !errors.Is(err, errAnswer)
	keep := s.config.Keep
	if err != nil {
		keep = keepError
	}
	now = now.Add(time.Since(started))
	if !down { // while nobody answers the circuit spares the questions
		s.remember(who, stored, now.Add(keep))
	}
	s.mu.Lock()
	changed := s.circuit.note(!down, now)
	delete(s.asked, *who)
	s.mu.Unlock()
	q.stored = stored
	close(q.done)
	if changed && s.config.Changed != nil {
		s.config.Changed(err)
	}
}

// errAnswer is the error of a service that is there but answers with what is no answer. It concerns one visitor, who may
// have caused it: others are still asked about.
var errAnswer = errors.New("not an answer")

// ask sends the question. 204 and 404 say that the service knows no answer of the visitor.
func (s *Service) ask(carried string) (consent.Stored, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.config.URL, nil)
	if err != nil {
		return unknown, fmt.Errorf("%w: %w", errAnswer, err)
	}
	for name, values := range s.config.Header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	r.Header["Accept"], r.Header["User-Agent"], r.Header["Cookie"] = []string{"application/json"}, []string{""}, []string{carried}
	res, err := s.client.Do(r)
	if err != nil {
		return unknown, err
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent, http.StatusNotFound:
		return consent.Stored{}, nil
	default:
		return unknown, fmt.Errorf("%w: status %d", errAnswer, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return unknown, err
	case len(body) > maxAnswer:
		return unknown, fmt.Errorf("%w: more than %d bytes", errAnswer, maxAnswer)
	case !gjson.ValidBytes(body):
		return unknown, fmt.Errorf("%w: not JSON", errAnswer)
	}
	return s.reader.ReadValue(string(body), time.Now()), nil
}

// remembered returns an answer that still counts.
func (s *Service) remembered(who *visitor, now time.Time) (stored consent.Stored, ok bool) {
	err := s.cache.GetFn(who[:], func(v []byte) error {
		if left := int64(binary.BigEndian.Uint64(v)) - now.UnixNano(); left > 0 && left <= int64(MaxKeep) {
			stored, ok = consent.Stored{Granted: consent.Purposes(v[8]), Denied: consent.Purposes(v[9]), Unknown: v[10] == 1}, true
		}
		return nil
	})
	return stored, ok && err == nil
}

func (s *Service) remember(who *visitor, stored consent.Stored, until time.Time) {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 11), uint64(until.UnixNano()))
	v = append(v, byte(stored.Granted), byte(stored.Denied), 0)
	if stored.Unknown {
		v[10] = 1
	}
	_ = s.cache.Set(who[:], v, 0) // a cache may forget
}
