package ui

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// unitsFile has, for each language, units of time with a number in the plural forms that the language has: data of the
// Unicode CLDR 48 (Unicode License V3), for Maltese our own.
//
//go:embed units.json
var unitsFile []byte

// units are plural forms by language, unit and category (Unicode TR 35, part 3, 5).
type units map[string]map[string]map[string]string

func builtinUnits() (u units, err error) { return u, json.Unmarshal(unitsFile, &u) }

// duration is an ISO 8601 duration of one unit, isoUnits are the units, those after a T behind it.
var (
	duration = regexp.MustCompile(`^P(T?)([1-9][0-9]{0,3})([A-Z])$`)
	isoUnits = map[string]string{"Y": "year", "M": "month", "W": "week", "D": "day", "TH": "hour", "TM": "minute"}
)

// parseDuration returns how many of which unit iso is; false if it is no duration.
func parseDuration(iso string) (n int, unit string, ok bool) {
	m := duration.FindStringSubmatch(iso)
	if m == nil {
		return 0, "", false
	}
	n, _ = strconv.Atoi(m[2]) // four digits
	unit, ok = isoUnits[m[1]+m[3]]
	return n, unit, ok
}

// categories are the names of plural forms in units.
var categories = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// words spells iso in a language, in English where there are no units for it; "" if it is no duration.
func (u units) words(lang, iso string) string {
	n, unit, ok := parseDuration(iso)
	if !ok {
		return ""
	}
	if u[lang] == nil {
		lang = "en"
	}
	forms := u[lang][unit]
	form, ok := forms[categories[plural.Cardinal.MatchPlural(language.Make(lang), n, 0, 0, 0, 0)]]
	if !ok {
		form = forms["other"]
	}
	return strings.ReplaceAll(form, "{n}", strconv.Itoa(n))
}
