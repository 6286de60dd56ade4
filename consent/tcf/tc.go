package tcf

import (
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// TC is what a TC string of version 2 says about purposes (IAB TCF, "Consent string and vendor list formats v2").
type TC struct {
	// Updated is when the visitor last answered, to the tenth of a second.
	Updated time.Time
	// Consents holds the purposes with consent: bit 0 is purpose 1.
	Consents uint32
}

// Bit offsets of the core segment.
const (
	tcUpdated  = 42
	tcPurposes = 152
	tcCore     = 213 // up to the vendor sections, which nothing here needs
)

// ParseTC reads a TC string. All segments must be of the alphabet, the core complete up to the vendor sections.
func ParseTC(s string) (TC, error) {
	if len(s) > MaxLen {
		return TC{}, ErrTooLong
	}
	segment, rest, more := strings.Cut(s, ".")
	core := packed(strings.TrimRight(segment, "="))
	version, _ := core.uint(0, 6)
	if !core.valid() || 6*len(core) < tcCore {
		return TC{}, ErrMalformed
	}
	if version != 2 {
		return TC{}, ErrVersion
	}
	get := func(offset, n int) uint64 { v, _ := core.uint(offset, n); return v }
	t := TC{Updated: time.UnixMilli(int64(get(tcUpdated, 36)) * 100).UTC()} // in deciseconds
	for i := range 24 {
		t.Consents |= uint32(get(tcPurposes+i, 1)) << i
	}
	for more {
		segment, rest, more = strings.Cut(rest, ".")
		p := packed(strings.TrimRight(segment, "="))
		if p == "" || !p.valid() {
			return TC{}, ErrMalformed
		}
	}
	return t, nil
}

// Consent reports whether the visitor agreed to a purpose of the framework, from 1.
func (t TC) Consent(purpose int) bool {
	return purpose >= 1 && t.Consents>>(purpose-1)&1 == 1
}

// maxAge is 13 months, after which a consent has to be asked for again; maxSkew is how far in the future a clock may be.
const (
	maxAge  = 396 * 24 * time.Hour
	maxSkew = 24 * time.Hour
)

// Stored returns what the string grants and denies at a moment. Without consent to purpose 1, access to the device, it
// grants nothing.
//
//	functional  purposes 5 and 6, personalised content
//	analytics   purpose 8 or 9, measurement of content and audiences
//	marketing   purposes 3 and 4, personalised advertising
//
// Purpose 10 alone grants nothing. The framework has no purpose for social embeds: they stay undecided. Out of date is
// undecided.
func (t TC) Stored(now time.Time) consent.Stored {
	age := now.Sub(t.Updated)
	if age > maxAge || age < -maxSkew {
		return consent.Stored{}
	}
	stored := consent.Stored{Denied: consent.Purposes(consent.Functional | consent.Analytics | consent.Marketing)}
	grant := func(p consent.Purpose, agreed bool) {
		if agreed && t.Consent(1) {
			stored.Granted = stored.Granted.With(p)
		}
	}
	grant(consent.Functional, t.Consent(5) && t.Consent(6))
	grant(consent.Analytics, t.Consent(8) || t.Consent(9))
	grant(consent.Marketing, t.Consent(3) && t.Consent(4))
	stored.Denied &^= stored.Granted
	return stored
}
