package caddymodule

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

// Bounds of the answers that are recorded from one network.
const (
	limiterSlots     = 1 << 12
	answersPerMinute = 300
)

// limiter bounds how many answers one masked prefix can have recorded in a minute. It keeps no address: prefixes are
// hashed with a key of this process into a fixed number of counters, so its memory does not grow. Two prefixes that share
// a counter share its budget.
type limiter struct {
	seed  maphash.Seed
	slots [limiterSlots]atomic.Uint64 // minute<<32 | count
}

func newLimiter() *limiter { return &limiter{seed: maphash.MakeSeed()} }

// allow counts one answer from the peer at that time and reports whether it is within the budget.
func (l *limiter) allow(remote string, now time.Time) bool {
	key := remote
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		key = ipmask.Default.Mask(ap.Addr()).String()
	}
	slot := &l.slots[maphash.String(l.seed, key)%limiterSlots]
	minute := uint64(now.Unix()/60) & (1<<32 - 1)
	for {
		old := slot.Load()
		next := old + 1
		if old>>32 != minute {
			next = minute<<32 | 1
		}
		if next&(1<<32-1) > answersPerMinute {
			return false
		}
		if slot.CompareAndSwap(old, next) {
			return true
		}
	}
}
