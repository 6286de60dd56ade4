package consent

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Purpose is why data is processed: one bit, so that a set of purposes is a Purposes.
type Purpose uint8

// The purposes, from the one that needs no consent to the most intrusive.
const (
	Necessary Purpose = 1 << iota
	Functional
	Analytics
	Marketing
	Social
)

// Purposes is a set of purposes. The zero value is the empty set.
type Purposes uint8

// AllPurposes holds every purpose; OptionalPurposes those that a visitor can refuse.
const (
	AllPurposes      = Purposes(Necessary | Functional | Analytics | Marketing | Social)
	OptionalPurposes = AllPurposes &^ Purposes(Necessary)
)

var purposeNames = [...]string{"necessary", "functional", "analytics", "marketing", "social"}

const numPurposes = len(purposeNames)

// String returns the purpose's lower-case name as the Caddyfile spells it, "" for no purpose.
func (p Purpose) String() string {
	i := bits.TrailingZeros8(uint8(p))
	if bits.OnesCount8(uint8(p)) != 1 || i >= len(purposeNames) {
		return ""
	}
	return purposeNames[i]
}

// ParsePurpose returns the purpose of that name; the error lists the names there are.
func ParsePurpose(name string) (Purpose, error) {
	if i := slices.Index(purposeNames[:], name); i >= 0 {
		return 1 << i, nil
	}
	return 0, fmt.Errorf("unknown purpose %q: use one of %s", name, strings.Join(purposeNames[:], ", "))
}

// Has reports whether p is in the set.
func (s Purposes) Has(p Purpose) bool { return p != 0 && s&Purposes(p) == Purposes(p) }

// With returns the set with p added.
func (s Purposes) With(p Purpose) Purposes { return s | Purposes(p) }

// List returns the set's purposes in order.
func (s Purposes) List() []Purpose {
	var l []Purpose
	for i := range purposeNames {
		if p := Purpose(1 << i); s.Has(p) {
			l = append(l, p)
		}
	}
	return l
}

// String returns the names joined by commas, "none" for the empty set.
func (s Purposes) String() string {
	var names []string
	for _, p := range s.List() {
		names = append(names, p.String())
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ",")
}

// ParsePurposes returns the set named by a comma-separated list; "none" and "" are the empty set.
func ParsePurposes(list string) (Purposes, error) {
	var s Purposes
	if list == "" || list == "none" {
		return s, nil
	}
	for n := range strings.SplitSeq(list, ",") {
		p, err := ParsePurpose(strings.TrimSpace(n))
		if err != nil {
			return 0, err
		}
		s = s.With(p)
	}
	return s, nil
}
