package ui_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// TestNoticeText shows that the hash in a record stands for what was on the screen: the text nodes of the banner.
func TestNoticeText(t *testing.T) {
	u := someUI(t)
	for _, lang := range u.Languages() {
		var shown []string
		for _, n := range nodes(t, banner(u, "ask", lang)) {
			if role, _ := attr(n, "role"); role != "dialog" {
				continue
			}
			for d := range n.Descendants() {
				if s := strings.TrimSpace(d.Data); d.Type == html.TextNode && s != "" && s != "✓" {
					shown = append(shown, s)
				}
			}
		}
		notice := u.NoticeText(lang)
		if want := strings.Join(shown, "\n") + "\n"; string(notice) != want {
			t.Errorf("%s: notice\n%sshown\n%s", lang, notice, want)
		}
		id, sum := u.NoticeHash(lang)
		if sum != sha256.Sum256(notice) || !strings.HasPrefix(id, lang+"-") {
			t.Errorf("%s: hash %x, id %s", lang, sum, id)
		}
	}
	a, _ := u.NoticeHash("en")
	b, _ := mustNew(t, ui.Config{Texts: map[string]map[string]string{"en": {"title": "Other"}}}).NoticeHash("en")
	if a == b {
		t.Error("another text has the same id")
	}
}

func TestStyleHashes(t *testing.T) {
	u := mustNew(t, ui.Config{Theme: map[string]string{"--consent-radius": "4px"}})
	allowed := u.StyleHash()
	placeholder := string(u.AppendPlaceholder(nil, &someVendors[0], &ui.Embed{}))
	for _, document := range []string{banner(u, "ask", "en"), banner(u, "signal", "de"), placeholder} {
		for _, m := range styleElement.FindAllStringSubmatch(document, -1) {
			if !strings.Contains(allowed, source(m[1])) {
				t.Errorf("StyleHash does not allow %.60s", m[1])
			}
		}
	}
	m := styleElement.FindStringSubmatch(preferences(t, u, &ui.Page{}))
	if !strings.Contains(u.PageCSP(), source(m[1])) {
		t.Error("PageCSP does not allow the page's style")
	}
	p := ui.Page{Nonce: `n0nce"><script>`}
	if got := string(u.AppendBanner(nil, &p)); strings.Count(got, `<style nonce="n0nce&#34;&gt;&lt;script&gt;">`) != 2 {
		t.Error("nonce is missing or not escaped")
	}
}

func source(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// TestSize holds the budget: 10 KB more of gzip for a page, in any language and state.
func TestSize(t *testing.T) {
	u := someUI(t)
	worst, worstLang := 0, ""
	for _, lang := range u.Languages() {
		for state := range states {
			if n := gzipped(t, banner(u, state, lang)); n > worst {
				worst, worstLang = n, lang
			}
		}
	}
	t.Logf("banner: at most %d bytes gzip (%s); placeholder %d", worst, worstLang, gzipped(t, string(u.AppendPlaceholder(nil, &someVendors[0], &ui.Embed{Lang: "el"}))))
	if worst > 10*1024 {
		t.Errorf("%s: %d bytes gzip", worstLang, worst)
	}
}

func gzipped(t *testing.T, s string) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// TestPlaceholderLink takes the caller's link for players that the package does not know.
func TestPlaceholderLink(t *testing.T) {
	u := mustNew(t, ui.Config{})
	for _, e := range []struct {
		embed ui.Embed
		want  string
	}{
		{ui.Embed{Lang: "en", URL: "https://maps.example/embed?q=x", Link: "https://maps.example/x"}, `href="https://maps.example/x"`},
		{ui.Embed{Lang: "en", URL: "https://maps.example/embed?q=x", Link: "javascript:alert(1)"}, `href="https://maps.example/embed?q=x"`},
		{ui.Embed{Lang: "en", URL: "https://www.youtube.com/embed/a", Link: "https://elsewhere.example/"}, `href="https://www.youtube.com/watch?v=a"`},
	} {
		if got := string(u.AppendPlaceholder(nil, &someVendors[0], &e.embed)); !strings.Contains(got, e.want) {
			t.Errorf("%+v: no %s in %s", e.embed, e.want, got)
		}
	}
}
