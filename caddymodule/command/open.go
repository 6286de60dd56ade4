package command

import (
	"github.com/caddy-consent/caddy-consent/caddymodule/adminapi"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
)

// recordsFlags say which store the records' commands work on.
type recordsFlags struct {
	gateway                Gateway
	address, store, config string
	json                   bool
}

// open returns the records of a running instance, or opens the store itself.
func (f *recordsFlags) open() (records.Keeper, error) {
	switch {
	case f.store != "" && f.config != "":
		return nil, UsageError("--store and --config exclude each other: the configuration names its store")
	case (f.store != "" || f.config != "") && f.address != "":
		return nil, UsageError("--address is for a running instance, --store and --config open the store without one")
	case f.store != "" || f.config != "":
		return f.gateway.Records(f.store, f.config, false)
	}
	return adminapi.NewClient(f.address), nil
}
