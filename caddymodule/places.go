package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// place notes where a Caddyfile names a file, or the store: what is wrong with those shows only after it was read.
func (o *Options) place(d *caddyfile.Dispenser, what string) {
	o.Places = union(o.Places, map[string]string{what: fmt.Sprintf("%s:%d", d.File(), d.Line())})
}

// storePlace is what the store's place is noted under.
const storePlace = "store"
