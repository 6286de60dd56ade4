package ui_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

func en(key, value string) map[string]map[string]string {
	return map[string]map[string]string{"en": {key: value}}
}

func theme(name, value string) map[string]string { return map[string]string{name: value} }

func vendor(change func(*ui.Vendor)) []ui.Vendor {
	v := ui.Vendor{ID: "x", Name: "X", Purpose: "analytics"}
	change(&v)
	return []ui.Vendor{v}
}

// refused are configurations that New must not take: each with the option and the reason its error must name.
var refused = []struct {
	name           string
	config         ui.Config
	option, reason string
}{
	// Unfair to the visitor.
	{"refuse hidden by an empty text", ui.Config{Texts: en("refuse", "")}, "texts en refuse", "is empty"},
	{"refuse of blanks", ui.Config{Texts: en("refuse", " \u00a0\u2003")}, "texts en refuse", "is empty"},
	{"refuse of invisible characters", ui.Config{Texts: en("refuse", "\u200b\u200b")}, "texts en refuse", "control character U+200B"},
	{"refuse reads as accept", ui.Config{Texts: en("refuse", "accept ALL")}, "texts en refuse", "reads the same as accept"},
	{"refuse of invisible letters", ui.Config{Texts: en("refuse", "\u3164\u3164\u3164\u3164\u3164")}, "texts en refuse", "control character U+3164"},
	{"refuse reads as accept, with a mark", ui.Config{Texts: en("refuse", "Accept all!")}, "texts en refuse", "reads the same as accept"},
	{"refuse reads as accept, in full width", ui.Config{Texts: en("refuse", "Ａccept all")}, "texts en refuse", "reads the same as accept"},
	{"refuse looks like accept", ui.Config{Texts: en("refuse", "\u0410ccept all")}, "texts en refuse", "mixes alphabets"},
	{"answers change places", ui.Config{Texts: map[string]map[string]string{"en": {"accept": "Refuse all", "refuse": "Accept all"}}}, "texts en accept", "reads the same as refuse"},
	{"save reads as refuse", ui.Config{Texts: en("save", "REFUSE ALL")}, "texts en save", "reads the same as refuse"},
	{"withdraw reads as accept", ui.Config{Texts: en("withdraw", "Accept all")}, "texts en withdraw", "reads the same as accept"},
	{"marketing goes by necessary", ui.Config{Texts: en("purpose_marketing", "Necessary")}, "texts en purpose_marketing", "reads the same as purpose_necessary"},
	{"two purposes of one name", ui.Config{Texts: map[string]map[string]string{"en": {"purpose_marketing": "Fun", "purpose_functional": "fun"}}}, "texts en purpose_marketing", "reads the same as purpose_functional"},
	{"refuse too long", ui.Config{Texts: en("refuse", strings.Repeat("No thanks ", 9))}, "texts en refuse", "longer than 32"},
	{"accept dwarfs refuse", ui.Config{Texts: map[string]map[string]string{"en": {"accept": "Yes, take me to the offers now", "refuse": "No"}}}, "texts en refuse", "differ too much in length"},
	{"a style for refuse alone", ui.Config{Theme: theme("--consent-refuse-background", "#fff")}, "theme", "all buttons share one look"},
	{"a selector in the theme", ui.Config{Theme: theme("button[value=refuse]", "#fff")}, "theme", "is no property"},
	{"a value that closes the rule", ui.Config{Theme: theme("--consent-font", "serif;}button[value=refuse]{display:none")}, "theme --consent-font", "must be font family names"},
	{"a value that leaves the element", ui.Config{Theme: theme("--consent-font", "</style><script>alert(1)</script>")}, "theme --consent-font", "must be font family names"},
	{"a colour that loads", ui.Config{Theme: theme("--consent-background", "url(https://t.example/)")}, "theme --consent-background", "must be a colour"},
	{"a named colour", ui.Config{Theme: theme("--consent-text", "transparent")}, "theme --consent-text", "must be a colour"},
	{"a colour with alpha", ui.Config{Theme: theme("--consent-text", "#00000000")}, "theme --consent-text", "must be a colour"},
	{"faint text", ui.Config{Theme: theme("--consent-text", "#999")}, "theme --consent-text", "contrast of text #999 on background #ffffff is 2.85:1, it must be at least 4.5:1"},
	{"faint buttons", ui.Config{Theme: theme("--consent-button", "#fafafa")}, "theme --consent-button", "1.04:1"},
	{"faint links in the dark", ui.Config{Theme: theme("--consent-dark-link", "#334")}, "theme --consent-dark-link", "at least 4.5:1"},
	{"invisible focus", ui.Config{Theme: theme("--consent-focus", "#eeeeee")}, "theme --consent-focus", "at least 3:1"},
	{"too narrow to read", ui.Config{Theme: theme("--consent-width", "2px")}, "theme --consent-width", "between 288px and 1600px"},
	{"no unit", ui.Config{Theme: theme("--consent-radius", "12")}, "theme --consent-radius", "must be a length"},
	// Texts.
	{"markup", ui.Config{Texts: en("intro", "<img src=x onerror=alert(1)>")}, "texts en intro", "holds markup"},
	{"right-to-left override", ui.Config{Texts: en("accept", "Accept\u202eesufeR")}, "texts en accept", "control character U+202E"},
	{"slot bytes", ui.Config{Texts: en("title", "a\x01mark\x02")}, "texts en title", "control character U+0001"},
	{"not UTF-8", ui.Config{Texts: en("title", "caf\xe9")}, "texts en title", "is not UTF-8"},
	{"a slot is missing", ui.Config{Texts: en("signal_text", "We follow your browser.")}, "texts en signal_text", "must contain {signal}"},
	{"unknown text", ui.Config{Texts: en("tittle", "x")}, "texts en", "is no text"},
	{"another language's name", ui.Config{Texts: map[string]map[string]string{"dk": {"title": "Dit privatliv"}}}, "texts", "use some of ar bg cs da"},
	{"new language not complete", ui.Config{Texts: map[string]map[string]string{"no": englishWithout("accept")}}, "texts no accept", "is missing"},
	{"no language", ui.Config{Texts: map[string]map[string]string{"English": {"title": "x"}}}, "texts", "two or three letters"},
	{"language not built in", ui.Config{Languages: []string{"en", "tlh"}}, "languages", "is not built in"},
	// Places.
	{"prefix without slash", ui.Config{Prefix: "consent"}, "prefix", "must be a path"},
	{"prefix with a slash at the end", ui.Config{Prefix: "/consent/"}, "prefix", "must be a path"},
	{"prefix that climbs", ui.Config{Prefix: "/a/.."}, "prefix", "must be a path"},
	{"prefix of another host", ui.Config{Prefix: "//evil.example"}, "prefix", "must be a path"},
	{"logo from elsewhere", ui.Config{Logo: "https://cdn.example/logo.png"}, "logo", "before consent"},
	{"logo of another host", ui.Config{Logo: "//cdn.example/logo.png"}, "logo", "before consent"},
	{"script as policy", ui.Config{PolicyURL: "javascript:alert(1)"}, "policy URL", "must be a path"},
	{"data as imprint", ui.Config{ImprintURL: "data:text/html,x"}, "imprint URL", "must be a path"},
	{"site name of markup", ui.Config{SiteName: "<b>"}, "site name", "holds markup"},
	{"bits that are no purpose", ui.Config{Purposes: 64}, "purposes", "no purpose"},
	// Vendors.
	{"vendor id", ui.Config{Vendors: vendor(func(v *ui.Vendor) { v.ID = "X Y" })}, "vendor id", "must be of a-z"},
	{"vendor twice", ui.Config{Vendors: append(vendor(func(*ui.Vendor) {}), vendor(func(*ui.Vendor) {})...)}, "vendor id", "used twice"},
	{"vendor purpose", ui.Config{Vendors: vendor(func(v *ui.Vendor) { v.Purpose = "fun" })}, "vendor x purpose", "unknown purpose"},
	{"vendor without name", ui.Config{Vendors: vendor(func(v *ui.Vendor) { v.Name = "" })}, "vendor x name", "is empty"},
	{"vendor name of markup", ui.Config{Vendors: vendor(func(v *ui.Vendor) { v.Name = "<script>" })}, "vendor x name", "holds markup"},
	{"vendor policy", ui.Config{Vendors: vendor(func(v *ui.Vendor) { v.PolicyURL = "javascript:1" })}, "vendor x policy URL", "must be a path"},
	{"vendor opt-out", ui.Config{Vendors: vendor(func(v *ui.Vendor) { v.OptOutURL = "https://user@evil.example/" })}, "vendor x opt-out URL", "must be a path"},
}

// englishWithout returns all texts but one.
func englishWithout(key string) map[string]string {
	all := map[string]string{}
	data, err := os.ReadFile("lang/en.json")
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		panic(err)
	}
	delete(all, key)
	return all
}

func TestRefused(t *testing.T) {
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ui.New(tt.config)
			var ce *ui.ConfigError
			if !errors.As(err, &ce) {
				t.Fatalf("accepted, or an error of another type: %v", err)
			}
			if ce.Option != tt.option || !strings.Contains(ce.Reason, tt.reason) {
				t.Errorf("option %q, reason %q; want %q, …%q…", ce.Option, ce.Reason, tt.option, tt.reason)
			}
			if !strings.Contains(err.Error(), tt.option) || strings.Contains(err.Error(), "\x01") {
				t.Errorf("message %q", err)
			}
		})
	}
}

// TestAllAtOnce: one run names every mistake.
func TestAllAtOnce(t *testing.T) {
	_, err := ui.New(ui.Config{Prefix: "x", Logo: "y", Theme: theme("--consent-text", "red"), Texts: en("title", "<"), Languages: []string{"xx"}})
	for _, want := range []string{`prefix "x"`, `logo "y"`, `theme --consent-text "red"`, `texts en title "<"`, `languages "xx"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
}

func TestAccepted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config ui.Config
		want   string
	}{
		{"own text", ui.Config{Texts: en("title", "Cookies & you")}, "Cookies &amp; you"},
		{"own purpose text", ui.Config{Texts: en("purpose_analytics_text", "We count with Matomo.")}, "We count with Matomo."},
		{"own prefix", ui.Config{Prefix: "/privacy/choice"}, `action="/privacy/choice/choose"`},
		{"logo", ui.Config{Logo: "/logo.svg"}, `<img src="/logo.svg" alt=""`},
		{"policy", ui.Config{PolicyURL: "https://example.com/privacy"}, `href="https://example.com/privacy"`},
		{"colours", ui.Config{Theme: map[string]string{"--consent-background": "#fdf6e3", "--consent-button": "#586e75", "--consent-radius": "0"}}, "--background:#fdf6e3"},
		{"font", ui.Config{Theme: theme("--consent-font", "Georgia, Times New Roman, serif")}, "Georgia"},
	} {
		got := banner(mustNew(t, tt.config), "ask", "en")
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: no %s in %s", tt.name, tt.want, got)
		}
	}
}

func TestLanguageCanBeAdded(t *testing.T) {
	full := map[string]string{}
	for key, value := range languageTexts(t, "en") {
		full[key] = value
	}
	full["title"] = "Ditt personvern"
	u := mustNew(t, ui.Config{Texts: map[string]map[string]string{"no": full}, Languages: []string{"no", "en"}})
	if got := u.Negotiate("no"); got != "no" {
		t.Errorf("negotiated %q", got)
	}
	if !strings.Contains(banner(u, "ask", "no"), "Ditt personvern") {
		t.Error("own language is not shown")
	}
	if u.Negotiate("de") != "no" {
		t.Error("the first of the languages is not the default")
	}
}

// TestHostileValues puts markup into all that a response may bring along and looks for elements and attributes that
// the same page does not have otherwise.
func TestHostileValues(t *testing.T) {
	u := someUI(t)
	payloads := []string{`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `</template></style><svg onload=1>`, "` onload=1 x=`", "javascript:alert(1)", "/\"onmouseover=\"x", "\x01mark\x02[[mark]]{{.}}", "/a\x00\r\nSet-Cookie: x", "-->\x0c<!--"}
	shape := func(markup string) string {
		var b strings.Builder
		for _, n := range nodes(t, markup) {
			b.WriteString(n.Data)
			for _, a := range n.Attr {
				fmt.Fprintf(&b, " %s", a.Key)
				if v := strings.ToLower(strings.TrimSpace(a.Val)); (a.Key == "href" || a.Key == "action") && strings.HasPrefix(v, "javascript:") {
					t.Errorf("%s=%q", a.Key, v)
				}
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	render := func(s string) []string {
		p := ui.Page{Lang: s, Mark: s, Nonce: s, Return: s, Error: s, Answered: true}
		ask, signal := ui.Page{Mark: s, Nonce: s, Return: s, Error: s, Lang: s}, ui.Page{Mark: s, Nonce: s, Signal: s, Return: s, Lang: s}
		v := ui.Vendor{ID: s, Name: s, Org: s, Purpose: s, PolicyURL: "https://x.example/" + s}
		tweet := ui.Embed{URL: "https://platform.twitter.com/widgets/tweet_button.html", Page: "https://example.com/?" + strings.Map(printable, s)}
		return []string{
			shape(string(u.AppendBanner(nil, &p))), shape(string(u.AppendBanner(nil, &ask))), shape(string(u.AppendBanner(nil, &signal))),
			shape(preferences(t, u, &p)), shape(string(u.AppendPlaceholder(nil, &v, &ui.Embed{Lang: s, URL: "https://x.example/" + strings.Map(printable, s), Return: s}))),
			shape(string(u.AppendPlaceholder(nil, &v, &tweet))),
		}
	}
	harmless := render("harmless")
	for _, s := range payloads {
		for i, got := range render(s) {
			if got != harmless[i] {
				t.Errorf("%q changes document %d:\n%s", s, i, firstDifference(harmless[i], got))
			}
		}
	}
}

func printable(r rune) rune {
	if r <= ' ' || r == 0x7f {
		return -1
	}
	return r
}

func TestThemeProperties(t *testing.T) {
	names, defaults := ui.ThemeProperties()
	own := map[string]string{}
	for i := range names {
		own[names[i]] = defaults[i]
	}
	a, b := mustNew(t, ui.Config{}), mustNew(t, ui.Config{Theme: own})
	if a.StyleHash() != b.StyleHash() {
		t.Error("the defaults, set, change something")
	}
	if len(maps.Clone(own)) != len(names) {
		t.Error("a name twice")
	}
}
