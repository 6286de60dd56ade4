package html_test

import (
	"io"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/html"
)

// TestSrcdocIsGuarded: what is to go first in a document in an attribute goes there, after its doctype, where the document
// may run a script, and nowhere else.
func TestSrcdocIsGuarded(t *testing.T) {
	for in, want := range map[string]string{
		`<iframe srcdoc="<p>x">`:                                        `<iframe srcdoc="<p>x">`,
		`<iframe srcdoc="<!DOCTYPE html><script>1</script>">`:           `<!DOCTYPE html>GUARD<script>`,
		`<iframe srcdoc="&lt;SCRIPT src=/a>">`:                          `GUARD<SCRIPT src=/a>`,
		`<iframe srcdoc='<img src=x onerror = "1">'>`:                   `GUARD<img src=x`,
		`<iframe srcdoc="<a href='javascript:1'>x</a>">`:                `GUARD<a href=`,
		`<iframe srcdoc="<svg:script href='/a'/>">`:                     `GUARD<svg:script`,
		`<p title="<script>" data-srcdoc="<script>"><script>1</script>`: `<p title="<script>" data-srcdoc="<script>"><script>`,
	} {
		var out strings.Builder
		r := html.NewRewriter(&out, html.Options{Policy: policy{}, Srcdoc: func(w io.Writer) { _, _ = io.WriteString(w, "GUARD") }})
		if _, err := io.WriteString(r, in); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#34;", `"`).Replace(out.String()); !strings.Contains(got, want) || strings.Count(got, "GUARD") != strings.Count(want, "GUARD") {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
