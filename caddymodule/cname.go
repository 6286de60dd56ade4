package caddymodule

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

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// CNAME makes the gateway look up what the site's own sub-domains stand for in the DNS, so that a tracker under a name
// of the site (metrics.shop.example, an alias of shop.tracker.example) is judged as what it is.
type CNAME struct {
	// Resolver is the address of a DNS server, such as "127.0.0.1:53". Default: the system's.
	Resolver string `json:"resolver,omitempty"`
}

// Bounds of the look-ups. No answer waits for one: a name seen for the first time is judged by what is known, and what
// the DNS says counts from the next page on.
const (
	maxAliases   = 2000 // names remembered
	maxTargets   = 8    // names that one stands for
	maxAsked     = 64   // names that wait to be looked up; those beyond are asked about later
	aliasTimeout = 3 * time.Second
	aliasRetry   = time.Minute // after which what was not answered is asked again
	minAliasTTL  = time.Minute
	maxAliasTTL  = time.Hour
)

// aliases knows what names stand for.
type aliases struct {
	resolver net.Resolver
	asks     chan string

	mu    sync.RWMutex
	known map[string]alias
	sum   atomic.Uint64 // of the names that stand for others, and of those
}

type alias struct {
	targets []string // of other sites, the first alias first
	until   time.Time
	claimed bool // only clients speak of it
}

// newAliases checks the resolver's address. It looks nothing up before run.
func newAliases(c *CNAME) (*aliases, error) {
	a := &aliases{asks: make(chan string, maxAsked), known: map[string]alias{}}
	if c.Resolver != "" {
		if _, _, err := net.SplitHostPort(c.Resolver); err != nil {
			return nil, fmt.Errorf("cname %q: use the address of a DNS server with its port, such as 127.0.0.1:53", c.Resolver)
		}
	}
	a.resolver.PreferGo = true
	a.resolver.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if c.Resolver != "" {
			address = c.Resolver
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		seen, _ := ctx.Value(seenAliases{}).(*answers)
		if udp, ok := conn.(*net.UDPConn); ok && seen != nil {
			return &listener{UDPConn: udp, seen: seen}, nil
		}
		return conn, err
	}
	return a, nil
}

// of returns what is known of a name, and has it looked up if that is too old. Names that only a client speaks of take half
// of the queue, and make room for those in pages: nobody keeps the site's own from being looked up by inventing others.
func (a *aliases) of(host []byte, claimed bool) []string {
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
	a.put(name, alias{one.targets, now.Add(aliasRetry), claimed && (!ok || one.claimed)})
	select {
	case a.asks <- name:
	default:
	}
	return one.targets
}

// put remembers what a name stands for, instead of another name if there are too many: one that stands for nobody, or that
// only clients speak of, if there is one.
func (a *aliases) put(name string, one alias) {
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

// run looks names up, one after the other, until ctx ends. What is not answered is not forgotten.
func (a *aliases) run(ctx context.Context) {
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
func (a *aliases) lookup(ctx context.Context, name string) (targets []string, ttl time.Duration, ok bool) {
	seen := &answers{ttl: maxAliasTTL}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, seenAliases{}, seen), aliasTimeout)
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
		seen.ttl = minAliasTTL // a name that was invented
	}
	return targets, max(seen.ttl, minAliasTTL), err == nil || none || len(seen.names) > 0
}

// seenAliases is the key of a context's *answers.
type seenAliases struct{}

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
	id   [2]byte // of the question
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
		if name := strings.ToLower(strings.TrimSuffix(r.CNAME.String(), ".")); sourceHost([]byte(name)) && len(s.names) < 4*maxTargets {
			s.names = append(s.names, name)
		}
	}
}

// matchAlias judges a resource of the site's own sub-domain as what the sub-domain stands for. Where a visitor goes is
// left alone: a page under the site's name is the site's.
func (p *policy) matchAlias(r *rewrite.Resource) (rules.Match, bool) {
	if string(r.Host()) == p.pageHost || navigation(r.Destination) {
		return rules.Match{}, false
	}
	for _, target := range p.site.app.aliases.of(r.Host(), p.claimed) {
		q := p.request
		q.URL = slices.Concat(r.URL[:r.HostStart], []byte(target), r.URL[r.HostEnd:])
		q.HostEnd, q.ThirdParty = r.HostStart+len(target), true
		if m, found := p.site.rules.Match(&q, p.context); found {
			m.Rule += " (an alias of " + target + ")"
			return m, true
		}
	}
	return rules.Match{}, false
}
