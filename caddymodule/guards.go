package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/guard"
)

// scripts are kept across sites and reloads.
var scripts guards

// guards are compiled run-time scripts. Compiling takes a tenth of a second, and sites mostly have the same, or one in which
// other hosts are allowed.
type guards struct {
	mu       sync.Mutex
	compiled map[[sha256.Size]byte]*script // by all of the configuration, and by all but what is allowed
}

// script is a compiled run-time script, and what of it stands in every page, compressed.
type script struct {
	*guard.Guard
	constant *encoding.Constant
}

// maxGuards bounds what is kept while lists and vendor files change.
const maxGuards = 256

// compile returns the script for c.
func (g *guards) compile(c guard.Config) (*script, error) {
	allow := c.Allow
	c.Allow = nil
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	common, err := g.get(sha256.Sum256(text), func() (*guard.Guard, error) { return guard.Compile(c) })
	if err != nil || len(allow) == 0 {
		return common, err
	}
	return g.get(sha256.Sum256(append(text, strings.Join(allow, " ")...)), func() (*guard.Guard, error) { return common.Open(allow...) })
}

// get returns what is kept under a key, or else compiles it.
func (g *guards) get(key [sha256.Size]byte, compile func() (*guard.Guard, error)) (*script, error) {
	if known := g.compiled[key]; known != nil {
		return known, nil
	}
	compiled, err := compile()
	if err != nil {
		return nil, err
	}
	constant, err := encoding.NewConstant(compiled.Constant())
	if err != nil {
		return nil, err
	}
	one := &script{compiled, constant}
	if g.compiled == nil || len(g.compiled) >= maxGuards {
		g.compiled = map[[sha256.Size]byte]*script{}
	}
	g.compiled[key] = one
	return one, nil
}
