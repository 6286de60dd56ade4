package ui_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
)

func ExampleNew() {
	_, err := ui.New(ui.Config{
		PolicyURL: "/privacy",
		Texts:     map[string]map[string]string{"en": {"title": "Cookies and you"}},
		Theme:     map[string]string{"--consent-button": "#0b5d3b", "--consent-radius": "4px"},
	})
	fmt.Println(err)
	// Output: <nil>
}

// A refusal that is harder to read than the acceptance is no choice: it cannot be configured.
func ExampleNew_incorrect() {
	_, err := ui.New(ui.Config{
		Texts: map[string]map[string]string{"en": {"refuse": ""}},
		Theme: map[string]string{"--consent-text": "#aaaaaa"},
	})
	fmt.Println(err)
	// Output:
	// texts en refuse "": is empty: visitors must be able to read it
	// theme --consent-text "#aaaaaa": contrast of text #aaaaaa on background #ffffff is 2.32:1, it must be at least 4.5:1
}

func ExampleUI_AppendBanner() {
	u, err := ui.New(ui.Config{})
	if err != nil {
		panic(err)
	}
	page := []byte("<body>")
	page = u.AppendBanner(page, &ui.Page{Lang: u.Negotiate("da, en;q=0.8"), Mark: "hS3kqk2VbTzq9xYw", Return: "/products"})
	fmt.Println(strings.Contains(string(page), "Afvis alle"), strings.Contains(string(page), "Accepter alle"))
	// Output: true true
}

func ExampleUI_WritePreferences() {
	u, err := ui.New(ui.Config{Vendors: []ui.Vendor{{ID: "matomo", Number: 9, Name: "Matomo", Purpose: "analytics"}}})
	if err != nil {
		panic(err)
	}
	page := ui.Page{Lang: "en", Answered: true, Granted: consent.Purposes(consent.Analytics)}
	var b strings.Builder
	if err := u.WritePreferences(&b, &page); err != nil {
		panic(err)
	}
	fmt.Println(strings.Contains(b.String(), "You have agreed to: Statistics."), strings.Contains(b.String(), "Matomo"))
	// Output: true true
}

func ExampleUI_PageCSP() {
	u, err := ui.New(ui.Config{})
	if err != nil {
		panic(err)
	}
	csp := u.PageCSP()
	fmt.Println(csp[:strings.Index(csp, "style-src")])
	// Output: default-src 'none';
}

func ExampleUI_StyleHash() {
	u, err := ui.New(ui.Config{})
	if err != nil {
		panic(err)
	}
	for _, source := range strings.Fields(u.StyleHash()) {
		fmt.Println(source[:8])
	}
	// Output:
	// 'sha256-
	// 'sha256-
	// 'sha256-
}

func ExampleUI_AppendPlaceholder() {
	u, err := ui.New(ui.Config{})
	if err != nil {
		panic(err)
	}
	youtube := ui.Vendor{ID: "youtube", Name: "YouTube", Purpose: "functional"}
	document := u.AppendPlaceholder(nil, &youtube, &ui.Embed{Lang: "en", URL: "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"})
	fmt.Println(strings.Contains(string(document), `<a class="l" href="https://www.youtube.com/watch?v=dQw4w9WgXcQ" target="_blank" rel="noopener noreferrer" title="Open at YouTube">`))
	// Output: true
}

func ExampleUI_Negotiate() {
	u, err := ui.New(ui.Config{Languages: []string{"en", "nl", "fr"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(u.Negotiate("fr-BE, nl;q=0.8"), u.Negotiate("ja, nl;q=0.1"), u.Negotiate("ja"))
	// Output: fr nl en
}

func ExampleUI_NoticeHash() {
	u, err := ui.New(ui.Config{})
	if err != nil {
		panic(err)
	}
	id, sum := u.NoticeHash("en")
	again, _ := u.NoticeHash("en")
	fmt.Println(id[:3], len(sum), id == again)
	// Output: en- 32 true
}

func ExampleUI_NoticeText() {
	u, err := ui.New(ui.Config{})
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.SplitN(string(u.NoticeText("en")), "\n", 2)[0])
	// Output: Your privacy
}

func ExampleUI_Languages() {
	u, err := ui.New(ui.Config{Languages: []string{"sv", "fi"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(u.Languages())
	// Output: [fi sv]
}

func ExampleThemeProperties() {
	names, defaults := ui.ThemeProperties()
	fmt.Println(names[0], defaults[0])
	// Output: --consent-background #ffffff
}

func ExampleConfigError() {
	_, err := ui.New(ui.Config{Logo: "https://cdn.example/logo.png"})
	fmt.Fprintln(os.Stdout, err)
	// Output: logo "https://cdn.example/logo.png": must be a path of this site such as "/logo.svg": an image from elsewhere would contact its host before consent
}
