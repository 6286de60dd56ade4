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
			if role, _ := attr(n, "role"); role != "region" {
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
		// Share buttons become the vendor's share page: of the address they hold, else of the page they are on.
		{ui.Embed{Lang: "fr", URL: "https://www.facebook.com/v2.8/plugins/like.php?href=https%3A%2F%2Fa.example%2Fb%3Fc%26d&layout=button", Link: "https://a.example/b?c&d"},
			`href="https://www.facebook.com/sharer/sharer.php?u=https%3A//a.example/b%3Fc%26d" target="_blank" rel="noopener noreferrer" title="Partager sur Facebook"`},
		{ui.Embed{Lang: "en", URL: "https://www.facebook.com/plugins/share_button.php?app_id=1", Page: "https://shop.example/x?y=1"}, `sharer.php?u=https%3A//shop.example/x%3Fy%3D1"`},
		{ui.Embed{Lang: "en", URL: "https://platform.twitter.com/widgets/tweet_button.abc.en.html#url=x", Page: "https://shop.example/"}, `href="https://x.com/intent/tweet?url=https%3A//shop.example/"`},
		{ui.Embed{Lang: "en", URL: "https://pinit-cdn.pinterest.com/pinit.html?url=https%3A%2F%2Fa.example%2F&media=m"}, `href="https://www.pinterest.com/pin/create/button/?url=https%3A//a.example/"`},
		{ui.Embed{Lang: "en", URL: "https://www.linkedin.com/cws/share?url=https%3A%2F%2Fa.example%2F"}, `title="Share on LinkedIn"`},
		{ui.Embed{Lang: "en", URL: "https://www.facebook.com/plugins/like.php?href=javascript:alert(1)", Page: "https://shop.example/"}, `sharer.php?u=https%3A//shop.example/"`},
		// What is not one is a plain link, and so is a button that nobody says the address of.
		{ui.Embed{Lang: "en", URL: "https://www.facebook.com/plugins/page.php?href=x", Link: "https://www.facebook.com/x"}, `href="https://www.facebook.com/x"`},
		{ui.Embed{Lang: "en", URL: "https://evilfacebook.com/plugins/like.php?href=https://a.example/"}, `href="https://evilfacebook.com/plugins/like.php?href=https://a.example/"`},
		{ui.Embed{Lang: "en", URL: "https://www.facebook.com/plugins/like.php"}, `href="https://www.facebook.com/plugins/like.php"`},
	} {
		if got := string(u.AppendPlaceholder(nil, &someVendors[0], &e.embed)); !strings.Contains(got, e.want) {
			t.Errorf("%+v: no %s in %s", e.embed, e.want, got)
		}
	}
}
