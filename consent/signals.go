package consent

import (
	"fmt"
	"slices"
	"strings"
)

// DNT is the tracking preference that a browser expresses in the DNT header field (W3C Tracking Preference Expression,
// section 5.2).
type DNT uint8

// The preferences. An absent or malformed field expresses none.
const (
	DNTUnset DNT = iota
	DNTAllow     // DNT: 0
	DNTDeny      // DNT: 1
)

// SignalSet is a set of signals that were present on a request.
type SignalSet uint8

// The signals.
const (
	SignalDNT SignalSet = 1 << iota // DNT: 1
	SignalGPC                       // Sec-GPC: 1
)

var signalNames = [...]string{"DNT", "GPC"}

// Has reports whether all of o are in the set.
func (s SignalSet) Has(o SignalSet) bool { return s&o == o }

// String returns the names joined by commas, "" for the empty set.
func (s SignalSet) String() string { return strings.Join(s.names(), ",") }

func (s SignalSet) names() []string {
	names := []string{}
	for i, n := range signalNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

func parseSignalNames(names []string) (SignalSet, error) {
	var s SignalSet
	for _, name := range names {
		i := slices.Index(signalNames[:], name)
		if i < 0 {
			return 0, fmt.Errorf("unknown signal %q", name)
		}
		s |= 1 << i
	}
	return s, nil
}
