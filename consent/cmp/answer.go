package cmp

import (
	"maps"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

// names maps a platform's or a site's words to purposes.
type names struct {
	builtIn  map[string]consent.Purposes
	own      map[string]int // the operator's names, as indices of required
	required []consent.Purposes
	fallback func(string) (consent.Purposes, bool)
	listable consent.Purposes // what the built-in names stand for
}

// maxRequired bounds the operator's names, so that those met fit a machine word.
const maxRequired = 64

func newNames(builtIn, own map[string]consent.Purposes, fallback func(string) (consent.Purposes, bool)) names {
	n := names{builtIn: maps.Clone(builtIn), own: map[string]int{}, fallback: fallback}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		n.own[strings.ToLower(name)] = len(n.required)
		n.required = append(n.required, own[name])
		delete(n.builtIn, strings.ToLower(name))
	}
	for _, p := range n.builtIn {
		n.listable |= p
	}
	return n
}

// state is one answer about one name.
type state uint8

const (
	open state = iota // not answered, or not understood
	denied
	granted
)

// word reads the words that platforms use for yes and no.
func word(s string) state {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "y", "on", "allow", "allowed", "accept", "accepted", "grant", "granted":
		return granted
	case "false", "0", "no", "n", "off", "deny", "denied", "reject", "rejected", "revoked", "refused":
		return denied
	}
	return open
}

// answer collects what one cookie says. Until decided is set it says nothing.
type answer struct {
	names         *names
	decided       bool
	yes, no, wait consent.Purposes
	met           uint64 // the operator's names that were listed
}

// set notes the answer about a name. A purpose that goes by several names is granted if all of them are.
func (a *answer) set(name string, s state) {
	a.setPurposes(a.purposes(name), s)
}

func (a *answer) setPurposes(p consent.Purposes, s state) {
	switch s {
	case granted:
		a.yes |= p
	case denied:
		a.no |= p
	default:
		a.wait |= p
	}
}

func (a *answer) purposes(name string) consent.Purposes {
	name = strings.ToLower(strings.TrimSpace(name))
	if i, ok := a.names.own[name]; ok {
		a.met |= 1 << i
		return a.names.required[i]
	}
	if p, ok := a.names.builtIn[name]; ok {
		return p
	}
	if a.names.fallback != nil {
		if p, ok := a.names.fallback(name); ok {
			return p
		}
	}
	return 0
}

// listed ends a list of accepted names: what is not on it is denied. Of the built-in names one for a purpose is enough,
// since no site uses all synonyms; of the operator's, all must be there.
func (a *answer) listed() {
	a.no |= a.names.listable &^ a.yes
	for i, p := range a.names.required {
		if a.met&(1<<i) == 0 {
			a.no |= p
		}
	}
}

// everything answers for all optional purposes.
func (a *answer) everything(s state) { a.setPurposes(consent.OptionalPurposes, s) }

// add takes over what a reader of another format found, and decides if it did.
func (a *answer) add(s consent.Stored) {
	a.yes |= s.Granted
	a.no |= s.Denied
	a.decided = s != consent.Stored{}
}

func (a *answer) stored() consent.Stored {
	if !a.decided {
		return consent.Stored{}
	}
	return consent.Stored{
		Granted: a.yes &^ (a.no | a.wait) & consent.OptionalPurposes,
		Denied:  a.no & consent.OptionalPurposes,
	}
}

const (
	necessary  = consent.Purposes(consent.Necessary)
	functional = consent.Purposes(consent.Functional)
	analytics  = consent.Purposes(consent.Analytics)
	marketing  = consent.Purposes(consent.Marketing)
	social     = consent.Purposes(consent.Social)
)

// commonWords are names that mean the same on nearly every site whose platform leaves the naming to the site.
var commonWords = map[string]consent.Purposes{
	"necessary": necessary, "essential": necessary, "strict": necessary, "required": necessary, "strictly_necessary": necessary,
	"essential_services": necessary, "essential_purposes": necessary,
	"functional": functional, "functionality": functional, "preferences": functional, "preference": functional,
	"personalization": functional, "personalisation": functional,
	"analytics": analytics, "analytic": analytics, "analysis": analytics, "statistics": analytics, "statistic": analytics,
	"performance": analytics, "measurement": analytics, "audience": analytics,
	"marketing": marketing, "advertising": marketing, "advertisement": marketing, "ads": marketing, "ad": marketing,
	"targeting": marketing, "retargeting": marketing, "targeted_advertising": marketing, "behavioral_advertising": marketing,
	"social": social, "social_media": social, "socialmedia": social, "social-media": social, "external-media": social,
	"external_media": social,
}
