package integration

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

var update = flag.Bool("update", false, "write the README's picture anew")

// maxPicture bounds the README's picture.
const maxPicture = 200 << 10

// The README's picture: the demonstration with the banner and placeholders in place of the embeds.
// go test ./integration -run Screenshot -update writes it.
func TestScreenshot(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive, chromedp.WindowSize(1280, 1530))
	s.visit(t)
	lab.Eval[bool](t, s.browser, "scrollTo(0, 0), true")
	picture := s.browser.Screenshot(t)
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Fatal(err)
	}
	if len(picture) > maxPicture {
		t.Errorf("the picture has %d bytes, want at most %d", len(picture), maxPicture)
	}
	shown := lab.Eval[bool](t, s.browser, `(() => {
		const box = document.querySelector('consent-banner').shadowRoot.querySelector('button[value=refuse]').getBoundingClientRect();
		return box.width > 0 && box.bottom <= innerHeight && document.querySelectorAll('iframe[srcdoc]').length > 1;
	})()`)
	if !shown {
		t.Error("banner or placeholders are not in the picture")
	}
	if *update {
		path := filepath.Join("testdata", "demo.png")
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
