package consent

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Regime is the rule of law about what may happen before a visitor has answered.
type Regime uint8

// The regimes, strictest first: the zero value is the strictest.
const (
	OptIn      Regime = iota // nothing optional before the visitor agrees
	OptOut                   // optional purposes are permitted until the visitor, or a signal, refuses
	NoticeOnly               // the same, and the visitor need not be offered a refusal beforehand
	ByRegion                 // in Terms only: as Signals.Region says
)

var regimeNames = [...]string{"opt-in", "opt-out", "notice", "by-region"}

// String returns the regime's name as the Caddyfile spells it.
func (r Regime) String() string {
	if int(r) < len(regimeNames) {
		return regimeNames[r]
	}
	return ""
}

// ParseRegime returns the regime of that name; the error lists the names there are.
func ParseRegime(name string) (Regime, error) {
	if i := slices.Index(regimeNames[:], name); i >= 0 {
		return Regime(i), nil
	}
	return 0, fmt.Errorf("unknown regime %q: use one of %s", name, strings.Join(regimeNames[:], ", "))
}

// Region is where a request comes from, as far as a law cares. The zero value is unknown, and opt-in.
type Region struct {
	Country     [2]byte // ISO 3166-1 alpha-2, upper case; zero if unknown
	Subdivision [3]byte // ISO 3166-2 after the hyphen, upper case, zero-padded; zero if unknown
	Regime      Regime
}

// String returns the ISO 3166 code such as "US-CA", "" if unknown.
func (r Region) String() string {
	if r.Country == [2]byte{} {
		return ""
	}
	if s := strings.TrimRight(string(r.Subdivision[:]), "\x00"); s != "" {
		return string(r.Country[:]) + "-" + s
	}
	return string(r.Country[:])
}

// Regions knows the regime of countries and their subdivisions. It is immutable.
type Regions struct{ regimes map[Region]Regime }

// defaultRegimes are the places whose law does not ask for consent beforehand; everywhere else, and wherever the place is
// unknown, it is opt-in. In the United States a state's law or the FTC's rule against broken promises leads to opt-out;
// Quebec's Law 25 asks for opt-in where the rest of Canada accepts implied consent.
var defaultRegimes = map[string]Regime{
	"US": OptOut,
	"CA": OptOut, "CA-QC": OptIn,
	"AU": NoticeOnly, "NZ": NoticeOnly,
}

// DefaultRegions returns the built-in table. A subdivision without an entry follows its country.
func DefaultRegions() *Regions {
	t := &Regions{map[Region]Regime{}}
	for code, regime := range defaultRegimes {
		r := parseRegion(code)
		t.regimes[r] = regime
	}
	return t
}

// Find returns the region of an ISO 3166 code, case-insensitively; the zero Region for anything else.
func (t *Regions) Find(code string) Region {
	r := parseRegion(code)
	regime, ok := t.regimes[r]
	if !ok {
		regime = t.regimes[Region{Country: r.Country}]
	}
	r.Regime = regime
	return r
}

// parseRegion reads "CC" or "CC-SSS", anything else as unknown; XX, T1 and the like, by which proxies say unknown, are not in the table and so
// opt-in anyway.
func parseRegion(code string) (r Region) {
	country, sub, found := strings.Cut(code, "-")
	if len(country) != len(r.Country) || len(sub) > len(r.Subdivision) || found && sub == "" {
		return Region{}
	}
	copy(r.Country[:], country)
	copy(r.Subdivision[:], sub)
	for _, part := range [][]byte{r.Country[:], r.Subdivision[:len(sub)]} {
		for i, c := range part {
			if c >= 'a' && c <= 'z' {
				part[i] = c - 'a' + 'A'
			} else if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
				return Region{}
			}
		}
	}
	return r
}

// FromHeader returns a region function that reads an ISO 3166 code from a header field, or, with a second name, the
// subdivision from another. The caller MUST make sure that outsiders cannot set these fields. Repeated fields are unknown.
func (t *Regions) FromHeader(country, subdivision string) func(http.Header, netip.Addr) Region {
	country, subdivision = http.CanonicalHeaderKey(country), http.CanonicalHeaderKey(subdivision)
	return func(h http.Header, _ netip.Addr) Region {
		values := h[country]
		if len(values) != 1 {
			return Region{}
		}
		if sub := h[subdivision]; len(sub) == 1 && !strings.Contains(values[0], "-") {
			return t.strictest(values[0], sub[0])
		}
		return t.strictest(values[0], "")
	}
}

// strictest falls back to the country where the subdivision is not known, and then to the strictest of its parts.
func (t *Regions) strictest(country, sub string) Region {
	if sub != "" {
		return t.Find(country + "-" + sub[strings.LastIndexByte(sub, '-')+1:])
	}
	r := t.Find(country)
	if r.Subdivision == [3]byte{} {
		for of, regime := range t.regimes {
			if of.Country == r.Country {
				r.Regime = min(r.Regime, regime)
			}
		}
	}
	return r
}
