package caddymodule

import (
	"encoding/json"
	"hash/fnv"
	"runtime/debug"
	"sync"

	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
)

// build tells this program from an older one, which may have left more in a page.
var build = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.String()
})

// sumWith returns a number that is the same for the same program, rules and options, in other processes too.
func sumWith(c *rulesource.Rules, build string, m mode, o *Options) (uint64, error) {
	f, content := fnv.New64a(), *o
	content.Places = nil
	err := json.NewEncoder(f).Encode([]any{build, c.Sum, m, &content})
	return f.Sum64(), err
}
