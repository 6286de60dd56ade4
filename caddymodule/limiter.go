package caddymodule

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

// What of one network counts in a minute.
const (
	answersPerMinute = 300 // that are recorded at once; refusals beyond it are deferred
	claimsPerMinute  = 300 // requests that say what a site loads
	viewsPerMinute   = 30  // pages, for which of them are reported and lists are tried on
)

const limiterSlots = 1 << 12

// limiter bounds how much of one masked prefix counts in a minute. It keeps no address: prefixes are hashed with a key of this
// process into a fixed number of counters, so its memory does not grow. Two prefixes that share a counter share its budget.
type limiter struct {
	seed   maphash.Seed
	budget uint64
	slots  [limiterSlots]atomic.Uint64 // minute<<32 | count
}

func newLimiter(budget uint64) *limiter { return &limiter{seed: maphash.MakeSeed(), budget: budget} }

// allow counts one more from an address at that time and reports whether it is within the budget. A nil limiter, that of a
// scan, which has no visitors, has no bound.
func (l *limiter) allow(from netip.Addr, now time.Time) bool {
	if l == nil {
		return true
	}
	prefix := ipmask.Default.Mask(from).As16()
	slot := &l.slots[maphash.Bytes(l.seed, prefix[:])%limiterSlots]
	minute := uint64(now.Unix()/60) & (1<<32 - 1)
	for {
		old := slot.Load()
		next := old + 1
		if old>>32 != minute {
			next = minute<<32 | 1
		}
		if next&(1<<32-1) > l.budget {
			return false
		}
		if slot.CompareAndSwap(old, next) {
			return true
		}
	}
}

// client returns the visitor's address: the peer's, or what a proxy that the server trusts says (trusted_proxies).
func client(r *http.Request) netip.Addr {
	if text, ok := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string); ok {
		if addr, err := netip.ParseAddr(text); err == nil {
			return addr
		}
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr()
}
