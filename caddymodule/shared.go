package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"sync"
	"weak"

	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// What sites with equal options have in common is compiled once, across sites and reloads: it is some megabytes each, and
// an idle connection to an upstream keeps the configuration that made it for minutes.
var (
	sharedRules   shared[rules.Set]
	sharedUIs     shared[ui.UI]
	sharedParties shared[parties]
)

// shared are compiled values by what they were compiled from. One is forgotten when nobody uses it any more.
type shared[V any] struct {
	mu     sync.Mutex
	values map[compiledFrom]weak.Pointer[V]
}

// compiledFrom is what a value is compiled from.
type compiledFrom struct {
	catalogue weak.Pointer[catalogue.Catalogue]
	engine    weak.Pointer[filterlist.Engine]
	cookies   weak.Pointer[rules.CookieDatabase]
	options   [sha256.Size]byte
}

// get returns the value of the rules and options, and compiles it if nobody has it.
func (s *shared[V]) get(c rulesource.Rules, options any, compile func() (*V, error)) (*V, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	from := compiledFrom{weak.Make(c.Catalogue), weak.Make(c.Engine), weak.Make(c.Cookies), sha256.Sum256(text)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.values[from].Value(); known != nil {
		return known, nil
	}
	v, err := compile()
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(s.values, func(_ compiledFrom, p weak.Pointer[V]) bool { return p.Value() == nil })
	if s.values == nil {
		s.values = map[compiledFrom]weak.Pointer[V]{}
	}
	s.values[from] = weak.Make(v)
	return v, nil
}
