package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/guard"
)

// scripts are kept across sites and reloads.
var scripts guards

// guards are compiled run-time scripts. Compiling takes a tenth of a second, and sites mostly have the same.
type guards struct {
	mu       sync.Mutex
	compiled map[[sha256.Size]byte]*script
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
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(text)
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.compiled[key]; known != nil {
		return known, nil
	}
	compiled, err := guard.Compile(c)
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
