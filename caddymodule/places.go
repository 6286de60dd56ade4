package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// place notes where a Caddyfile names a file, or the store: what is wrong with those shows only after it was read.
func (o *Options) place(d *caddyfile.Dispenser, what string) {
	o.Places = union(o.Places, map[string]string{what: fmt.Sprintf("%s:%d", d.File(), d.Line())})
}

// storePlace and keyPlace are what the places of the store and of the first key are noted under.
const (
	storePlace = "store"
	keyPlace   = "key"
)

// replaced replaces an option's placeholders, and fails where nothing is left: whatever read an empty value would take its own
// default for what the operator wanted, or tell of a fault that is not there.
func replaced(text string) (string, error) {
	value := caddy.NewReplacer().ReplaceAll(text, "")
	if value == "" && text != "" {
		return "", fmt.Errorf("%s is empty: set the variable, or write the file, for the process that runs Caddy", text)
	}
	return value, nil
}
