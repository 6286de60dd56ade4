// Package cname knows which names of other sites a site's own sub-domains stand for in the DNS, so that a tracker under a
// name of the site is judged as what it is.
//
// No answer waits for the DNS: Of tells what is known and has the rest looked up. What is remembered is bounded, whatever
// names pages and clients make up, and only an answer to our own question counts.
package cname

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rules"
)

// Bounds of the look-ups. No answer waits for one: a name seen for the first time is judged by what is known, and what
// the DNS says counts from the next page on.
const (
	maxAliases = 2000 // names remembered
	maxTargets = 8    // names that one stands for
	maxAsked   = 64   // names that wait to be looked up; those beyond are asked about later
	timeout    = 3 * time.Second
	retry      = time.Minute // after which what was not answered is asked again
	minTTL     = time.Minute
	maxTTL     = time.Hour
)

// Aliases knows what names stand for. It may be used by many goroutines; one of them calls Run.
type Aliases struct {
	resolver net.Resolver
	asks     chan string

	mu    sync.RWMutex
	known map[string]alias
	sum   atomic.Uint64 // Of the names that stand for others, and of those
}

type alias struct {
	targets []string // Of other sites, the first alias first
	until   time.Time
	claimed bool // only clients speak of it
}

// New returns what asks a DNS server, at an address with a port; "" is the system's. It looks nothing up before run.
func New(resolver string) (*Aliases, error) {
	a := &Aliases{asks: make(chan string, maxAsked), known: map[string]alias{}}
	if resolver != "" {
		if _, _, err := net.SplitHostPort(resolver); err != nil {
			return nil, fmt.Errorf("cname %q: use the address of a DNS server with its port, such as 127.0.0.1:53", resolver)
		}
	}
	a.resolver.PreferGo = true
	a.resolver.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if resolver != "" {
			address = resolver
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		seen, _ := ctx.Value(seenKey{}).(*answers)
		if udp, ok := conn.(*net.UDPConn); ok && seen != nil {
			return &listener{UDPConn: udp, seen: seen}, nil
		}
		return conn, err
	}
	return a, nil
}

// Of returns what is known of a name, and has it looked up if that is too old. Names that only a client speaks of take half
// of the queue, and make room for those in pages: nobody keeps the site's own from being looked up by inventing others.
func (a *Aliases) Of(host []byte, claimed bool) []string {
	now := time.Now()
	a.mu.RLock()
	one, ok := a.known[string(host)]
	a.mu.RUnlock()
	if ok && now.Before(one.until) {
		return one.targets
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if claimed && len(a.asks) >= maxAsked/2 {
		return one.targets
	}
	name := string(host)
	a.put(name, alias{one.targets, now.Add(retry), claimed && (!ok || one.claimed)})
	select {
	case a.asks <- name:
	default:
	}
	return one.targets
}

// put remembers what a name stands for, instead of another name if there are too many: one that stands for nobody, or that
// only clients speak of, if there is one.
func (a *Aliases) put(name string, one alias) {
	old, known := a.known[name]
	if !known && len(a.known) >= maxAliases {
		victim := ""
		for other, o := range a.known {
			victim = other
			if o.claimed || len(o.targets) == 0 {
				break
			}
		}
		a.sum.Store(a.sum.Load() ^ a.known[victim].sum(victim))
		delete(a.known, victim)
	}
	a.sum.Store(a.sum.Load() ^ old.sum(name) ^ one.sum(name))
	a.known[name] = one
}

// sum returns a number for what a name stands for, 0 if that is nobody.
func (o alias) sum(name string) uint64 {
	if len(o.targets) == 0 {
		return 0
	}
	f := fnv.New64a()
	_, _ = io.WriteString(f, name+" "+strings.Join(o.targets, " "))
	return f.Sum64()
}

// Sum returns a number that is another one when other names stand for others, or for other others.
func (a *Aliases) Sum() uint64 { return a.sum.Load() }

// Run looks names up, one after the other, until ctx ends. What is not answered is not forgotten.
func (a *Aliases) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case name := <-a.asks:
			targets, ttl, ok := a.lookup(ctx, name)
			a.mu.Lock()
			if one, known := a.known[name]; ok && known {
				one.targets, one.until = targets, time.Now().Add(ttl)
				a.put(name, one)
			}
			a.mu.Unlock()
		}
	}
}

// lookup returns the names of other sites that the DNS leads to, and how long that holds. It reports false where the DNS
// did not answer.
func (a *Aliases) lookup(ctx context.Context, name string) (targets []string, ttl time.Duration, ok bool) {
	seen := &answers{ttl: maxTTL}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, seenKey{}, seen), timeout)
	defer cancel()
	_, err := a.resolver.LookupNetIP(ctx, "ip4", name+".") // what counts is what was seen on the way
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, t := range seen.names {
		if len(targets) < maxTargets && rules.ThirdParty(name, t) && !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	failed := (*net.DNSError)(nil)
	none := errors.As(err, &failed) && failed.IsNotFound
	if none && len(targets) == 0 {
		seen.ttl = minTTL // a name that was invented
	}
	return targets, max(seen.ttl, minTTL), err == nil || none || len(seen.names) > 0
}

// seenKey is the key of a context's *answers.
type seenKey struct{}

// answers gathers the CNAME records of one look-up: Go's resolver tells only where they end.
type answers struct {
	mu    sync.Mutex
	names []string
	ttl   time.Duration
}

// listener reads along. Being a net.PacketConn it is used as one.
type listener struct {
	*net.UDPConn
	seen *answers
	id   [2]byte // Of the question
}

// Write notes the question's number.
func (l *listener) Write(b []byte) (int, error) {
	copy(l.id[:], b)
	return l.UDPConn.Write(b)
}

// Read notes the aliases in an answer to the question; anybody can send others here.
func (l *listener) Read(b []byte) (int, error) {
	n, err := l.UDPConn.Read(b)
	if err == nil && n > len(l.id) && l.id == [2]byte(b) {
		l.seen.note(b[:n])
	}
	return n, err
}

func (s *answers) note(message []byte) {
	var p dnsmessage.Parser
	if _, err := p.Start(message); err != nil || p.SkipAllQuestions() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		h, err := p.AnswerHeader()
		if err != nil {
			return
		}
		s.ttl = min(s.ttl, time.Duration(h.TTL)*time.Second)
		if h.Type != dnsmessage.TypeCNAME {
			if p.SkipAnswer() != nil {
				return
			}
			continue
		}
		r, err := p.CNAMEResource()
		if err != nil {
			return
		}
		if name := strings.ToLower(strings.TrimSuffix(r.CNAME.String(), ".")); header.IsHostSource([]byte(name)) && len(s.names) < 4*maxTargets {
			s.names = append(s.names, name)
		}
	}
}
