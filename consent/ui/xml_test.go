package ui_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// TestBannerInXML: the banner is well-formed in XML, in its namespaces, in each language and state; but for what XML needs
// its markup is that of HTML.
func TestBannerInXML(t *testing.T) {
	u := someUI(t)
	for _, lang := range u.Languages() {
		for name, p := range states {
			p.Lang, p.XML, p.Nonce = lang, true, "a+b/c="
			text := string(u.AppendBanner(nil, &p))
			d := xml.NewDecoder(strings.NewReader(text)) // knows five entities only
			for {
				tok, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s %s: %v", lang, name, err)
				}
				if start, ok := tok.(xml.StartElement); ok {
					want := "http://www.w3.org/1999/xhtml"
					if start.Name.Local == "svg" || start.Name.Local == "path" {
						want = "http://www.w3.org/2000/svg"
					}
					if start.Name.Space != want {
						t.Errorf("%s %s: %s is in %q", lang, name, start.Name.Local, start.Name.Space)
					}
				}
			}
			if before, rest, found := strings.Cut(text, "<script"); !found || !strings.HasSuffix(rest, "</script></consent-banner>") {
				t.Errorf("%s %s: no script: %s", lang, name, rest)
			} else {
				p.XML = false
				if html := string(u.AppendBanner(nil, &p)); html != strings.Replace(before, ` xmlns="http://www.w3.org/1999/xhtml"`, "", 1)+"</consent-banner>" {
					t.Errorf("%s %s: other markup in HTML", lang, name)
				}
			}
		}
	}
	if hash := ui.ScriptHash(); !strings.HasPrefix(hash, "'sha256-") {
		t.Error(hash)
	}
}
