package caddymodule

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
	"unsafe"
)

// TestLimiter: a network has its budget each minute, all its addresses together; others have theirs; however many come, the
// memory is that of the counters.
func TestLimiter(t *testing.T) {
	l, now := newLimiter(answersPerMinute), time.Date(2026, 11, 1, 12, 0, 30, 0, time.UTC)
	addr := netip.MustParseAddr
	allowed := 0
	for i := range 1000 {
		from := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if i%2 == 1 {
			from = netip.AddrFrom16(from.As16()) // the same, mapped into IPv6
		}
		if l.allow(from, now) {
			allowed++
		}
	}
	if allowed != answersPerMinute {
		t.Errorf("%d answers of one network in a minute, want %d", allowed, answersPerMinute)
	}
	shared := 0 // one network in 4,096 shares the counter by chance
	for _, other := range []string{"192.0.3.1", "2001:db8::1", "203.0.113.9", "198.51.100.1"} {
		if !l.allow(addr(other), now) {
			shared++
		}
	}
	if shared > 2 {
		t.Errorf("%d of 4 networks have no budget of their own", shared)
	}
	if !l.allow(addr("192.0.2.1"), now.Add(time.Minute)) || l.allow(addr("192.0.2.1"), now.Add(-time.Hour)) != true {
		t.Error("another minute has no budget of its own")
	}
	if l.allow(netip.Addr{}, now) != true { // of a socket that has no address
		t.Error("no address, no budget")
	}
	allocations := testing.AllocsPerRun(1, func() {
		for i := range 100_000 {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:], 0x20010db8_0000_0000+uint64(i)<<16)
			l.allow(netip.AddrFrom16(b), now)
		}
	})
	// Others allocate meanwhile: what counts is that a network costs nothing.
	if size := unsafe.Sizeof(*l); allocations > 10_000 || size > 1<<16 {
		t.Errorf("100,000 networks: %v allocations, %d bytes", allocations, size)
	}
}
