package ui

import "strings"

// maxAcceptLanguage bounds how much of a header is looked at; browsers send far less.
const maxAcceptLanguage = 1024

// Negotiate returns the language to ask in, always one that is offered: the first of those that the visitor's Accept-Language
// header prefers most, or the configured one where it says nothing usable (RFC 9110, 12.5.4; matched by primary subtag as in RFC 4647, 3.4).
func (u *UI) Negotiate(acceptLanguage string) string {
	best, bestWeight := u.language, 0
	for item := range strings.SplitSeq(acceptLanguage[:min(len(acceptLanguage), maxAcceptLanguage)], ",") {
		tag, params, _ := strings.Cut(item, ";")
		if lang, weight := u.offered(strings.TrimSpace(tag)), quality(params); lang != "" && weight > bestWeight {
			best, bestWeight = lang, weight
		}
	}
	return best
}

// offered returns the offered language of a language tag, "" if there is none.
func (u *UI) offered(tag string) string {
	primary := tag
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		primary = tag[:i]
	}
	if len(primary) != 2 && len(primary) != 3 {
		return ""
	}
	var lower [3]byte
	for i := 0; i < len(primary); i++ {
		lower[i] = primary[i] | 0x20
	}
	name := lower[:len(primary)]
	if v := u.views[string(name)]; v != nil {
		return v.lang
	}
	// Deprecated tags that old browsers still send (IANA language subtag registry, Preferred-Value).
	switch string(name) {
	case "iw":
		if v := u.views["he"]; v != nil {
			return v.lang
		}
	case "mo":
		if v := u.views["ro"]; v != nil {
			return v.lang
		}
	}
	return ""
}

// quality returns the weight 0 to 1000 in the parameters of an item, 1000 if there is none, 0 if it is malformed
// (RFC 9110, 12.4.2).
func quality(params string) int {
	for len(params) > 0 {
		var param string
		param, params, _ = strings.Cut(params, ";")
		param = strings.TrimSpace(param)
		if len(param) < 2 || param[0]|0x20 != 'q' || param[1] != '=' {
			continue
		}
		return parseWeight(param[2:])
	}
	return 1000
}

func parseWeight(s string) int {
	if s == "" || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0
	}
	weight, unit := int(s[0]-'0')*1000, 100
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		weight += int(s[i]-'0') * unit
		unit /= 10
	}
	return min(weight, 1000)
}
