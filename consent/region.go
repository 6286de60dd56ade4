package consent

import "fmt"

// Regime is the rule of law about what may happen before a visitor has answered.
type Regime uint8

// The regimes, strictest first: the zero value is the strictest.
const (
	OptIn      Regime = iota // nothing optional before the visitor agrees
	OptOut                   // optional purposes are permitted until the visitor, or a signal, refuses
	NoticeOnly               // permitted, with a notice
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
	for i, n := range regimeNames {
		if n == name {
			return Regime(i), nil
		}
	}
	return 0, fmt.Errorf("unknown regime %q: use one of opt-in, opt-out, notice, by-region", name)
}

// Region is where a request comes from, as far as a law cares. The zero value is unknown, and opt-in.
type Region struct {
	Country     [2]byte // ISO 3166-1 alpha-2, upper case; zero if unknown
	Subdivision [3]byte // ISO 3166-2 after the hyphen, upper case, zero-padded; zero if unknown
	Regime      Regime
}
