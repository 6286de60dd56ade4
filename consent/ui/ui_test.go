package ui_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
)

var update = flag.Bool("update", false, "write the golden files anew")

func mustNew(t testing.TB, c ui.Config) *ui.UI {
	t.Helper()
	u, err := ui.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

var someVendors = []ui.Vendor{
	{ID: "google-analytics", Number: 1, Name: "Google Analytics", Org: "Google Ireland Ltd.", Purpose: "analytics", PolicyURL: "https://policies.google.com/privacy", OptOutURL: "https://tools.google.com/dlpage/gaoptout", Retention: "P2Y"},
	{ID: "matomo", Number: 2, Name: "Matomo Cloud", Org: "InnoCraft", Purpose: "analytics", PolicyURL: "https://matomo.org/privacy-policy/", Retention: "P13M"},
	{ID: "adroll", Number: 3, Name: "AdRoll", Org: "NextRoll, Inc.", Purpose: "marketing", PolicyURL: "https://www.nextroll.com/privacy", OptOutURL: "https://optout.networkadvertising.org/"},
	{ID: "youtube", Number: 4, Name: "YouTube", Org: "Google Ireland Ltd.", Purpose: "functional", PolicyURL: "https://policies.google.com/privacy"},
	{ID: "stripe", Number: 5, Name: "Stripe", Org: "Stripe Payments Europe", Purpose: "necessary", PolicyURL: "https://stripe.com/privacy"},
}

func someUI(t testing.TB) *ui.UI {
	return mustNew(t, ui.Config{SiteName: "The old mill", PolicyURL: "/privacy", ImprintURL: "/imprint", Vendors: someVendors})
}

// states are the pages a visitor can be shown.
var states = map[string]ui.Page{
	"ask":    {Mark: "0123456789abcdef", Return: "/a?b=1&c=2"},
	"rest":   {Mark: "0123456789abcdef", Answered: true, Granted: consent.Purposes(consent.Analytics), Return: "/"},
	"signal": {Mark: "0123456789abcdef", Answered: true, Signal: "GPC", Return: "/"},
}

func banner(u *ui.UI, state, lang string) string {
	p := states[state]
	p.Lang = lang
	return string(u.AppendBanner(nil, &p))
}

var styleElement = regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`)

// TestGolden keeps what visitors of each language see under review. The style sheet is left out: pictures show it.
func TestGolden(t *testing.T) {
	u := someUI(t)
	for _, lang := range u.Languages() {
		golden(t, "ask-"+lang, banner(u, "ask", lang))
	}
	for _, lang := range []string{"en", "ar"} {
		golden(t, "rest-"+lang, banner(u, "rest", lang))
		golden(t, "signal-"+lang, banner(u, "signal", lang))
		golden(t, "placeholder-"+lang, string(u.AppendPlaceholder(nil, &someVendors[3], &ui.Embed{Lang: lang, URL: "https://www.youtube.com/embed/abc?rel=0", Return: "/museum"})))
		golden(t, "preferences-"+lang, preferences(t, u, &ui.Page{Lang: lang, Answered: true, Granted: consent.Purposes(consent.Analytics), Recorded: true, Return: "/museum"}))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(styleElement.ReplaceAllString(got, "<style>…</style>"), "><", ">\n<") + "\n"
	path := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s changed; if that is right run with -update\n%s", path, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, w[i], g[i])
		}
	}
	return "one is longer"
}

func preferences(t testing.TB, u *ui.UI, p *ui.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := u.WritePreferences(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nodes returns the elements of markup in order, those inside of templates too.
func nodes(t testing.TB, markup string) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	var list []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			list = append(list, n)
		}
	}
	return list
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

var voidElements = []string{"input", "img", "meta", "path", "br", "!doctype"}

// TestWellFormed checks that each tag that is opened is closed in order, which the parser alone would forgive, and
// that ids are unique and references to them lead somewhere.
func TestWellFormed(t *testing.T) {
	u := someUI(t)
	for _, lang := range u.Languages() {
		documents := []string{preferences(t, u, &ui.Page{Lang: lang}), string(u.AppendPlaceholder(nil, &someVendors[0], &ui.Embed{Lang: lang, URL: "https://a.example/"}))}
		for state := range states {
			documents = append(documents, banner(u, state, lang))
		}
		for _, d := range documents {
			checkNesting(t, d)
			checkReferences(t, d)
		}
	}
}

func checkNesting(t *testing.T, document string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(document))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		switch {
		case token.Type == html.StartTagToken && !slices.Contains(voidElements, token.Data):
			open = append(open, token.Data)
		case token.Type == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> closes %v in %.200s", token.Data, open, document)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) != 0 {
		t.Errorf("left open: %v", open)
	}
}

func checkReferences(t *testing.T, document string) {
	t.Helper()
	ids := map[string]bool{}
	all := nodes(t, document)
	for _, n := range all {
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
	}
	for _, n := range all {
		for _, name := range []string{"aria-labelledby", "aria-describedby"} {
			if id, ok := attr(n, name); ok && !ids[id] {
				t.Errorf("%s=%q leads nowhere", name, id)
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s %s>: inline handlers and styles are not for strict policies", n.Data, a.Key)
			}
		}
		if n.Data == "script" {
			t.Error("there is a script")
		}
	}
}

// TestFair holds the contract of the first layer in each language: accept and refuse are the same element with the same
// attributes under the same parent, nothing is ticked, and Enter in a box saves the boxes.
func TestFair(t *testing.T) {
	u := someUI(t)
	for _, lang := range u.Languages() {
		for _, document := range []string{banner(u, "ask", lang), preferences(t, u, &ui.Page{Lang: lang})} {
			var accept, refuse *html.Node
			firstButton := true
			for _, n := range nodes(t, document) {
				if _, checked := attr(n, "checked"); checked {
					t.Errorf("%s: a box is ticked before anybody chose", lang)
				}
				if _, selected := attr(n, "selected"); selected {
					t.Errorf("%s: a vendor is chosen before anybody chose", lang)
				}
				if n.Data != "button" {
					continue
				}
				// HTML, 4.10.21.2: Enter in a box presses the form's first submit button.
				if v, _ := attr(n, "value"); firstButton && v != "save" {
					t.Errorf("%s: pressing Enter in a box would press %q", lang, text(n))
				}
				firstButton = false
				switch v, _ := attr(n, "value"); v {
				case "accept":
					accept = n
				case "refuse":
					refuse = n
				}
			}
			if accept == nil || refuse == nil {
				t.Fatalf("%s: accept %v, refuse %v", lang, accept, refuse)
			}
			if accept.Parent != refuse.Parent || accept.FirstChild.NextSibling != nil || refuse.FirstChild.NextSibling != nil || !sameLook(accept, refuse) {
				t.Errorf("%s: accept and refuse differ", lang)
			}
			for p := refuse.Parent; p != nil; p = p.Parent {
				if _, open := attr(p, "open"); p.Data == "details" && !open {
					t.Errorf("%s: refuse is folded away", lang)
				}
			}
		}
	}
}

func sameLook(a, b *html.Node) bool {
	if a.Data != b.Data || len(a.Attr) != len(b.Attr) {
		return false
	}
	for i := range a.Attr {
		if a.Attr[i].Key != b.Attr[i].Key || a.Attr[i].Key != "value" && a.Attr[i].Val != b.Attr[i].Val {
			return false
		}
	}
	return true
}

func TestStates(t *testing.T) {
	u := someUI(t)
	for _, tt := range []struct {
		state        string
		want, refuse []string
	}{
		{"ask", []string{`data-consent-state="ask"`, `<details open="">`, `data-consent-ui="0123456789abcdef"`, `href="/.consent/?return=/a%3Fb%3D1%26c%3D2"`, `value="/a?b=1&amp;c=2"`}, []string{" checked", "{purposes}", "{signal}"}},
		{"rest", []string{`data-consent-state="rest"`, `<details><summary data-consent-open="">`, `value="analytics" autocomplete="off" checked`, "Privacy settings"}, []string{`value="marketing" autocomplete="off" checked`, "scroll-padding"}},
		{"signal", []string{`data-consent-state="signal"`, "Privacy signal honoured", "Global Privacy Control (GPC)", `<details><summary data-consent-open="">`}, []string{" checked", "{signal}"}},
	} {
		got := banner(u, tt.state, "en")
		for _, s := range tt.want {
			if !strings.Contains(got, s) {
				t.Errorf("%s: no %s", tt.state, s)
			}
		}
		for _, s := range tt.refuse {
			if strings.Contains(got, s) {
				t.Errorf("%s: holds %s", tt.state, s)
			}
		}
	}
}

func TestPreferencesSaysWhatIsDecided(t *testing.T) {
	u := someUI(t)
	analytics := consent.Purposes(consent.Analytics)
	only := func(vendor uint16, on bool) func(uint16) (bool, bool) {
		return func(n uint16) (bool, bool) { return on, n == vendor }
	}
	for _, tt := range []struct {
		name         string
		page         ui.Page
		want, refuse []string
	}{
		{"nothing", ui.Page{}, []string{"You have not chosen yet"}, []string{`value="withdraw"`, "/record", `role="alert"`, `role="status"`}},
		{"refused", ui.Page{Answered: true, Recorded: true}, []string{"You have refused", `href="/.consent/record"`}, []string{`value="withdraw"`}},
		{"granted", ui.Page{Answered: true, Granted: analytics}, []string{"You have agreed to: Statistics.", `value="withdraw"`, `value="analytics" autocomplete="off" aria-describedby="about-analytics" checked`}, nil},
		{"signal", ui.Page{Answered: true, Signal: "DNT"}, []string{"Do Not Track (DNT). We follow it"}, []string{`value="withdraw"`}},
		{"granted after a signal", ui.Page{Answered: true, Signal: "GPC", Granted: analytics}, []string{"You have agreed to: Statistics."}, nil},
		{"one vendor allowed", ui.Page{Answered: true, VendorOn: only(3, true)}, []string{`value="+adroll" selected`, `value="withdraw"`, "You have agreed to: AdRoll."}, []string{`value="-adroll" selected`, `value="+matomo" selected`}},
		{"one vendor refused", ui.Page{Answered: true, Granted: analytics, VendorOn: only(2, false)}, []string{`value="-matomo" selected`}, nil},
		{"not asked for", ui.Page{Answered: true, Granted: consent.Purposes(consent.Necessary)}, []string{"You have refused"}, nil},
		{"failed", ui.Page{Error: "<b>disk</b>"}, []string{"could not be saved", "&lt;b&gt;disk"}, []string{"<b>disk"}},
		{"failed in German", ui.Page{Lang: "de", Error: "<b>disk</b>"}, []string{"konnte nicht gespeichert werden"}, []string{"disk"}},
		{"dead link", ui.Page{Error: "It was used.", DeadLink: true}, []string{"This link does not work", "It was used."}, []string{"could not be saved"}},
		{"dead link in German", ui.Page{Lang: "de", Error: "It was used.", DeadLink: true}, []string{"Dieser Link gilt nicht"}, []string{"It was used.", "gespeichert werden"}},
		{"return elsewhere", ui.Page{Return: "//evil.example/"}, []string{`href="/"`}, []string{"evil"}},
		{"return", ui.Page{Return: "/x?y=1&z"}, []string{`href="/x?y=1&amp;z"`, `value="/.consent/?return=/x%3Fy%3D1%26z"`}, nil},
	} {
		got := preferences(t, u, &tt.page)
		for _, s := range tt.want {
			if !strings.Contains(got, s) {
				t.Errorf("%s: no %s in\n%s", tt.name, s, got)
			}
		}
		for _, s := range tt.refuse {
			if strings.Contains(got, s) {
				t.Errorf("%s: holds %s", tt.name, s)
			}
		}
	}
}

func TestPurposesAsked(t *testing.T) {
	u := mustNew(t, ui.Config{Purposes: consent.Purposes(consent.Analytics | consent.Necessary)})
	for _, document := range []string{banner(u, "ask", "en"), preferences(t, u, &ui.Page{})} {
		if n := strings.Count(document, `name="purpose"`); n != 1 {
			t.Errorf("%d boxes, want that of analytics only", n)
		}
		if !strings.Contains(document, "companies for: Statistics.") {
			t.Error("the purposes are not named")
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	u := someUI(t)
	want := banner(u, "rest", "de")
	done := make(chan string)
	for range 4 {
		go func() { done <- banner(u, "rest", "de") }()
	}
	for range 4 {
		if got := <-done; got != want {
			t.Error("differs")
		}
	}
}
