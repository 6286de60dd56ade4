package cmp

import (
	"net/url"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent/tcf"
)

// readOneTrust reads a form: groups=C0001:1,C0002:0 among others. OneTrust writes it, all groups on where the law allows,
// before the visitor answers; that the banner was closed is told by another cookie or by landingPath.
func readOneTrust(in *input, name, value string, a *answer) {
	if name != "OptanonConsent" {
		readIAB(in, name, value, a)
		return
	}
	form, err := url.ParseQuery(unescape(value, func(s string) bool { return strings.Contains(s, "groups=") }))
	if err != nil || form.Get("AwaitingReconsent") == "true" || len(form["groups"]) != 1 {
		return
	}
	closed := in.every("OptanonAlertBoxClosed", func(v string) bool { return v != "" })
	a.decided = closed || form.Get("landingPath") == "NotLandingPage"
	for group := range strings.SplitSeq(form.Get("groups"), ",") {
		if i := strings.LastIndexByte(group, ':'); i >= 0 {
			a.set(group[:i], word(group[i+1:]))
		}
	}
}

// readCookiebot reads an object literal that is not JSON. -1 stands for visitors of whom the site asks nothing, and
// method:'implied' for those who were not asked either.
func readCookiebot(_ *input, _, value string, a *answer) {
	value = text(value)
	if !strings.HasPrefix(value, "{") || !strings.HasSuffix(value, "}") {
		return
	}
	explicit, other := false, false
	ok := pairs(value[1:len(value)-1], ",", ":", func(name, value string) {
		switch name {
		case "method":
			if value == "'explicit'" {
				explicit = true
			} else {
				other = true
			}
		case "necessary", "preferences", "statistics", "marketing":
			a.set(name, word(value))
		}
	})
	a.decided = ok && explicit && !other
}

// readCookieYes reads a flat list, or one cookie per category of the plugin's older generation.
func readCookieYes(in *input, name, value string, a *answer) {
	if category, ok := strings.CutPrefix(name, "cookielawinfo-checkbox-"); ok {
		a.decided = in.every("viewed_cookie_policy", func(v string) bool { return v == "yes" || v == "no" })
		a.set(category, word(value))
		return
	}
	acted := 0
	ok := pairs(text(value), ",", ":", func(name, value string) {
		if name == "action" && value == "yes" {
			acted++
		}
		a.set(name, word(value))
	})
	a.decided = ok && acted == 1
}

// readComplianz reads one cookie per category.
func readComplianz(in *input, name, value string, a *answer) {
	a.decided = in.every("cmplz_banner-status", func(v string) bool { return v == "dismissed" })
	a.set(strings.TrimPrefix(name, "cmplz_"), word(value))
}

// readStatus reads the single word of Cookie Consent by Insites, later Osano: dismissing the notice is no consent.
func readStatus(_ *input, _, value string, a *answer) {
	a.decided = value == "allow" || value == "deny"
	a.everything(word(value))
}

// readTarteaucitron reads !service=true!other=wait.
func readTarteaucitron(_ *input, _, value string, a *answer) {
	if list, found := strings.CutPrefix(text(value), "!"); found {
		a.decided = pairs(list, "!", "=", func(name, value string) { a.set(name, word(value)) })
	}
}

// readTrustArc reads lists of permitted levels, 1 required, 2 functional, 3 advertising in one cookie, from 0 in the
// others. Where the notice is implied, a visitor who did nothing is permitted everything: only refusals count.
func readTrustArc(in *input, name, value string, a *answer) {
	value = text(value)
	if value == "" {
		return
	}
	first := byte('0')
	switch name {
	case "cmapi_cookie_privacy":
		levels, ok := strings.CutPrefix(strings.ReplaceAll(value, "_", " "), "permit ")
		if !ok {
			return
		}
		value, first = levels, '1'
	case "notice_preferences": // the highest level
		level := strings.TrimSuffix(value, ":")
		if len(level) != 1 || level < "0" || level > "2" {
			return
		}
		value = "0,1,2"[:1+2*(level[0]-'0')]
	default:
		value = strings.TrimSuffix(value, ":")
	}
	for _, level := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '|' }) {
		if len(level) != 1 || level[0] < first || level[0] > '9' {
			return
		}
		a.set(string('1'+level[0]-first), granted)
	}
	a.listed()
	a.decided = true
	if len(in.all("notice_behavior")) > 0 && !in.every("notice_behavior", func(v string) bool { return strings.HasPrefix(v, "expressed") }) {
		a.wait |= a.yes
	}
}

// readHubSpot reads 1:true_2:false, with commas in older cookies; its opt-out cookies deny everything.
func readHubSpot(_ *input, name, value string, a *answer) {
	value = text(value)
	switch {
	case name == "__hs_do_not_track", name == "__hs_opt_out" && value == "yes":
		a.decided = true
		a.everything(denied)
	case name == "__hs_cookie_cat_pref":
		a.decided = pairs(strings.ReplaceAll(value, ",", "_"), "_", ":", func(name, value string) { a.set(name, word(value)) })
	}
}

// readTealium reads c1:1|c2:0|consent:true; the other cookie lists opt-outs, where 1 denies.
func readTealium(_ *input, name, value string, a *answer) {
	categories, all := 0, open
	ok := pairs(text(value), "|", ":", func(key, value string) {
		isCategory := len(key) > 1 && key[0] == 'c' && key[1] >= '0' && key[1] <= '9'
		switch {
		case name == "OPTOUTMULTI":
			if value == "1" {
				a.decided = true
				if key == "0" {
					a.everything(denied)
				}
				a.set(key, denied)
			}
		case isCategory:
			categories++
			a.set(key, word(value))
		case key == "consent":
			all = word(value)
		}
	})
	if name == "OPTOUTMULTI" {
		return
	}
	if all == denied || all == granted && categories == 0 {
		a.everything(all)
	}
	a.decided = ok && (categories > 0 || all != open)
}

// readTrustCommander reads status@version|banner|site@categories@blocked@times[@vendors], or with the older
// status@version@banner@site@categories@blocked@times[@vendors]; status 1 is an opt-out.
func readTrustCommander(_ *input, _, value string, a *answer) {
	fields := strings.Split(text(value), "@")
	if len(fields) < 5 || len(fields) > 8 {
		return
	}
	categories := fields[2]
	if len(fields) > 6 {
		categories = fields[4]
	}
	switch {
	case fields[0] == "1":
		a.everything(denied)
	case fields[0] != "0":
		return
	case categories == "ALL":
		a.everything(granted)
	default:
		for category := range strings.SplitSeq(categories, ",") {
			a.set(category, granted)
		}
		a.listed()
	}
	a.decided = true
}

// readConsentmanager reads a TC string, a US Privacy string, or the accepted purposes as __1_2_51__.
func readConsentmanager(in *input, name, value string, a *answer) {
	if !strings.HasPrefix(name, "__cmpcpc") {
		readIAB(in, name, value, a)
		return
	}
	value = text(value)
	if !strings.HasPrefix(value, "__") {
		return
	}
	for number := range strings.SplitSeq(value, "_") {
		a.set(number, granted)
	}
	a.listed()
	a.decided = true
}

// readIAB reads a TC, GPP or US Privacy string, whichever it is by its first character.
func readIAB(in *input, _, value string, a *answer) {
	value = text(value)
	if value == "" {
		return
	}
	switch value[0] {
	case 'C':
		if tc, err := tcf.ParseTC(value); err == nil {
			a.add(tc.Stored(in.now))
		}
	case 'D':
		if gpp, err := tcf.ParseGPP(value); err == nil {
			a.add(gpp.Stored(in.now))
		}
	case '1':
		if usp, err := tcf.ParseUSPrivacy(value); err == nil {
			a.add(usp.Stored())
		}
	}
}
