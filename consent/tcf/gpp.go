package tcf

import (
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// GPP is what the sections that are understood of a string of the Global Privacy Platform say (IAB GPP, "GPP string
// format").
type GPP struct {
	// TC is the EU section (2), if HasTC.
	TC    TC
	HasTC bool
	// OptedOut is true where any section of a state of the US, the national one (7) or US Privacy (6) says that the
	// visitor opted out of sale, sharing or targeted advertising; GPC, where one says that the browser sent Sec-GPC.
	OptedOut, GPC bool
}

// Section ids of the GPP that are understood, with the version of their core and the bit offsets of the opt-out fields
// for sale, sharing and targeted advertising (2 bits each: 0 not applicable, 1 opted out, 2 did not). 0 is no such field.
const (
	sectionTC  = 2
	sectionUSP = 6
	maxSection = 63
)

type layout struct{ versions, sale, sharing, advertising int }

var (
	layoutState  = layout{1, 12, 0, 14}
	layoutNotice = layout{1, 14, 0, 16} // sensitive data has a notice of its own, ahead of the opt-outs
	layoutLater  = layout{1, 22, 0, 24}
	layouts      = map[int]layout{
		7: {2, 18, 20, 22}, // usnat, versions 1 and 2 agree up to here
		8: {1, 12, 14, 0},  // California
		9: layoutState, 10: layoutState, 11: layoutNotice, 12: layoutState, 13: layoutState, 14: layoutState,
		15: layoutState, 16: layoutState, 17: layoutState, 18: layoutNotice, 19: layoutState, 20: layoutState,
		21: layoutState, 22: layoutState, 23: layoutState, 24: layoutLater, 25: layoutLater, 26: layoutLater,
		27: layoutLater,
	}
)

// ParseGPP reads a GPP string. Sections that are not understood, or of a version that is not, say nothing; a header or a
// section that is malformed makes the whole string so.
func ParseGPP(s string) (GPP, error) {
	if len(s) > MaxLen {
		return GPP{}, ErrTooLong
	}
	header, rest, more := strings.Cut(s, "~")
	ids, err := parseHeader(header)
	if err != nil {
		return GPP{}, err
	}
	var g GPP
	for _, id := range ids {
		if !more {
			return GPP{}, ErrMalformed
		}
		var section string
		section, rest, more = strings.Cut(rest, "~")
		if err := g.addSection(id, section); err != nil {
			return GPP{}, err
		}
	}
	if more {
		return GPP{}, ErrMalformed
	}
	return g, nil
}

// parseHeader reads type, version and the Fibonacci range of section ids. Ids rise, so that there are maxSection at most,
// whatever the ranges claim.
func parseHeader(header string) (ids []int, err error) {
	c := cursor{bits: packed(strings.TrimRight(header, "="))}
	kind, version, items := c.uint(6), c.uint(6), int(c.uint(12))
	switch {
	case c.bad || !c.bits.valid() || kind != 3:
		return nil, ErrMalformed
	case version != 1:
		return nil, ErrVersion
	}
	last := 0
	for range items {
		isRange := c.uint(1) == 1
		first := last + c.fibonacci(maxSection)
		last = first
		if isRange {
			last += c.fibonacci(maxSection)
		}
		if c.bad || last > maxSection {
			return nil, ErrMalformed
		}
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (g *GPP) addSection(id int, section string) error {
	switch id {
	case sectionTC:
		tc, err := ParseTC(section)
		g.TC, g.HasTC = tc, true
		return err
	case sectionUSP:
		usp, err := ParseUSPrivacy(section)
		g.OptedOut = g.OptedOut || usp.OptedOut
		return err
	}
	l, ok := layouts[id]
	if !ok {
		return nil
	}
	core, rest, more := strings.Cut(section, ".")
	if err := g.addCore(packed(strings.TrimRight(core, "=")), l); err != nil {
		return err
	}
	for more {
		core, rest, more = strings.Cut(rest, ".")
		sub := cursor{bits: packed(strings.TrimRight(core, "="))}
		if kind := sub.uint(2); kind == 1 && sub.uint(1) == 1 { // the GPC subsection
			g.GPC = true
		}
		if sub.bad || !sub.bits.valid() {
			return ErrMalformed
		}
	}
	return nil
}

func (g *GPP) addCore(core packed, l layout) error {
	version, ok := core.uint(0, 6)
	if !ok || !core.valid() {
		return ErrMalformed
	}
	if version == 0 || version > uint64(l.versions) {
		return nil
	}
	for _, offset := range [...]int{l.sale, l.sharing, l.advertising} {
		if offset == 0 {
			continue
		}
		v, ok := core.uint(offset, 2)
		if !ok {
			return ErrMalformed
		}
		g.OptedOut = g.OptedOut || v == 1
	}
	return nil
}

// optOut is what an opt-out of sale, sharing or targeted advertising refuses.
const optOut = consent.Purposes(consent.Marketing | consent.Social)

// Stored returns what the string grants and denies at a moment. The sections of the US can only deny.
func (g GPP) Stored(now time.Time) consent.Stored {
	var s consent.Stored
	if g.HasTC {
		s = g.TC.Stored(now)
	}
	if g.OptedOut {
		s = s.Strictest(consent.Stored{Denied: optOut})
	}
	if g.GPC {
		s = s.Strictest(consent.Stored{Denied: consent.TrackingPurposes})
	}
	return s
}

// USPrivacy is what a US Privacy string says (IAB CCPA, "US Privacy String"; deprecated, but still in cookies).
type USPrivacy struct {
	OptedOut bool // the visitor opted out of sale
}

// ParseUSPrivacy reads a string such as 1YN-: the version, then notice, opt-out and LSPA as Y, N or - for not applicable.
func ParseUSPrivacy(s string) (USPrivacy, error) {
	if len(s) > MaxLen {
		return USPrivacy{}, ErrTooLong
	}
	if len(s) != 4 {
		return USPrivacy{}, ErrMalformed
	}
	if s[0] != '1' {
		return USPrivacy{}, ErrVersion
	}
	for _, c := range s[1:] {
		if !strings.ContainsRune("YyNn-", c) {
			return USPrivacy{}, ErrMalformed
		}
	}
	return USPrivacy{OptedOut: s[2]|0x20 == 'y'}, nil
}

// Stored returns what the string denies; it can grant nothing.
func (u USPrivacy) Stored() consent.Stored {
	if u.OptedOut {
		return consent.Stored{Denied: optOut}
	}
	return consent.Stored{}
}
