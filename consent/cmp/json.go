package cmp

import (
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/consent/tcf"
	"github.com/tidwall/gjson"
)

// members reads each member of an object as an answer to its name.
func members(r gjson.Result, a *answer) {
	r.ForEach(func(key, v gjson.Result) bool {
		a.set(key.String(), answerOf(v))
		return true
	})
}

// accepted reads a list of accepted names; all others are denied. Without a list it reports false.
func accepted(r gjson.Result, a *answer) bool {
	if !r.IsArray() {
		return false
	}
	for _, name := range r.Array() {
		a.set(name.String(), granted)
	}
	a.listed()
	return true
}

func (in *input) revised(r gjson.Result) bool {
	return in.revision == "" || r.Exists() && r.String() == in.revision
}

func readDidomi(in *input, name, value string, a *answer) {
	if name != "didomi_token" {
		readIAB(in, name, value, a)
		return
	}
	r := base64Object(value)
	yes, no := r.Get("purposes.enabled"), r.Get("purposes.disabled")
	version := r.Get("version")
	if !yes.IsArray() && !no.IsArray() || version.Type == gjson.Null {
		return
	}
	for _, name := range yes.Array() {
		a.set(name.String(), granted)
	}
	for _, name := range no.Array() {
		a.set(name.String(), denied)
	}
	a.decided = true
}

// readFlat reads an object of answers by name; a purpose is granted if all its names are. Of Moove and Wix the format is known
// from descriptions only.
func readFlat(_ *input, _, value string, a *answer) {
	r := object(value)
	a.decided = r.IsObject()
	members(r, a)
}

// readVanilla reads CookieConsent by Orest Bida, versions 2 and 3.
func readVanilla(in *input, _, value string, a *answer) {
	r := object(value)
	if r.Get("consentId").String() == "" && r.Get("consent_uuid").String() == "" {
		return
	}
	if expiry := r.Get("expirationTime"); expiry.Exists() && in.now.After(time.UnixMilli(expiry.Int())) {
		return
	}
	a.decided = accepted(r.Get("categories"), a) && in.revised(r.Get("revision"))
}

// readIubenda reads purposes by number, or one consent for all. With a cookie of the suffix -uspr it reads opt-outs in the
// US, where false is opted out.
func readIubenda(in *input, name, value string, a *answer) {
	r := object(value)
	if name == "usprivacy" {
		readIAB(in, name, r.Get("uspString").String(), a)
		return
	}
	switch {
	case strings.HasSuffix(name, "-granular"):
	case strings.HasSuffix(name, "-uspr"):
		for _, field := range [...]string{"s", "sh", "adv"} {
			if r.Get(field).Type == gjson.False {
				a.decided = true
				a.setPurposes(marketing|social, denied)
			}
		}
	case r.Get("purposes").IsObject():
		a.decided = true
		members(r.Get("purposes"), a)
	case r.Get("consent").IsBool():
		a.decided = true
		a.everything(answerOf(r.Get("consent")))
	}
}

// readBorlabs reads the accepted services of each group.
func readBorlabs(in *input, _, value string, a *answer) {
	r := object(value)
	groups := r.Get("consents")
	if !groups.IsObject() {
		return
	}
	a.decided = in.revised(r.Get("version"))
	readGroups(groups, a)
}

// readRealCookieBanner reads the object that follows time, identifier and hash. Its groups are numbers of the site's own.
func readRealCookieBanner(in *input, name, value string, a *answer) {
	switch {
	case strings.HasSuffix(name, "-tcf"):
		readIAB(in, name, value, a)
		return
	case strings.HasSuffix(name, "-gcm"):
		return
	}
	_, members, _ := strings.Cut(unescape(value, func(s string) bool { return strings.Contains(s, "{") }), "{")
	r := object("{" + members)
	a.decided = r.IsObject()
	readGroups(r, a)
}

// readGroups reads an object of groups that list accepted services: a group without any was refused.
func readGroups(groups gjson.Result, a *answer) {
	groups.ForEach(func(group, services gjson.Result) bool {
		if services.IsArray() && len(services.Array()) > 0 {
			a.set(group.String(), granted)
		}
		return true
	})
	a.listed()
}

// readAxeptio reads an object of vendors, or the list of those authorised, which counts next to the list of all.
func readAxeptio(in *input, name, value string, a *answer) {
	if name == "axeptio_authorized_vendors" {
		readAxeptioList(in, value, a)
		return
	}
	completed := false
	object(value).ForEach(func(key, v gjson.Result) bool {
		switch k := key.String(); {
		case k == "$$completed":
			completed = isTrue(v)
		case !strings.HasPrefix(k, "$$"):
			a.set(k, answerOf(v))
		}
		return true
	})
	a.decided = completed
}

func readAxeptioList(in *input, value string, a *answer) {
	list := text(value)
	if !strings.HasPrefix(list, ",") {
		return
	}
	authorized := map[string]bool{}
	for vendor := range strings.SplitSeq(list, ",") {
		authorized[vendor] = true
	}
	a.decided = in.every("axeptio_cookies", func(v string) bool { return isTrue(object(v).Get(`\$\$completed`)) })
	for _, all := range in.all("axeptio_all_vendors") {
		for vendor := range strings.SplitSeq(text(all), ",") {
			if authorized[vendor] {
				a.set(vendor, granted)
			} else {
				a.set(vendor, denied)
			}
		}
	}
}

// readCookieScript reads an action and, within the JSON, a string that is JSON again.
func readCookieScript(_ *input, _, value string, a *answer) {
	r := object(value)
	switch action := r.Get("action").String(); action {
	case "reject":
		a.decided = true
		a.everything(denied)
	case "accept":
		a.decided = accepted(object(r.Get("categories").String()), a)
	}
}

// readCivic reads one word per category: legitimate interest is not consent.
func readCivic(_ *input, _, value string, a *answer) {
	r := object(value)
	a.decided = isTrue(r.Get("interactedWith"))
	members(r.Get("optionalCookies"), a)
}

func readCookieInformation(_ *input, _, value string, a *answer) {
	r := object(value)
	for _, name := range r.Get("consents_denied").Array() {
		a.set(name.String(), denied)
	}
	a.decided = accepted(r.Get("consents_approved"), a)
}

func readCookieFirst(_ *input, _, value string, a *answer) {
	object(value).ForEach(func(key, v gjson.Result) bool {
		if v.IsBool() {
			a.decided = true
			a.set(key.String(), answerOf(v))
		}
		return true
	})
}

// readPiwikPro reads a status per type: 1 granted, 0 denied, -1 unset.
func readPiwikPro(_ *input, _, value string, a *answer) {
	object(value).Get("consents").ForEach(func(key, v gjson.Result) bool {
		s := answerOf(v.Get("status"))
		a.decided = a.decided || s != open
		a.set(key.String(), s)
		return true
	})
}

// readShopify reads the visitor's answers; the member purposes holds what is allowed by default where nobody answered.
func readShopify(_ *input, _, value string, a *answer) {
	object(value).Get("con.CMP").ForEach(func(key, v gjson.Result) bool {
		s := answerOf(v)
		a.decided = a.decided || s != open
		if key.String() == "s" { // sale of data: not selling is a refusal, selling no consent
			if s == denied {
				a.setPurposes(marketing|social, denied)
			}
			return true
		}
		a.set(key.String(), s)
		return true
	})
}

// readFundingChoices reads the TC string of Google's Privacy & messaging; null where nobody answered.
func readFundingChoices(in *input, _, value string, a *answer) {
	if tc, err := tcf.ParseTC(object(value).Get("3.0").String()); err == nil {
		a.add(tc.Stored(in.now))
	}
}

// readDrupal reads EU Cookie Compliance: 0 declined, 1 and 2 agreed, to all or to the categories of a second cookie.
func readDrupal(in *input, _, value string, a *answer) {
	switch value {
	case "0":
		a.everything(denied)
	case "1", "2":
		lists := in.all("cookie-agreed-categories")
		if len(lists) == 0 {
			a.everything(granted)
		}
		for _, list := range lists {
			if !accepted(object(list), a) {
				return
			}
		}
	default:
		return
	}
	a.decided = true
}

// readKetch reads a status per purpose. The format is known from descriptions only.
func readKetch(_ *input, _, value string, a *answer) {
	base64Object(value).ForEach(func(key, v gjson.Result) bool {
		s := answerOf(v.Get("status"))
		a.decided = a.decided || s != open
		a.set(key.String(), s)
		return true
	})
}
