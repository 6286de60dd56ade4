package html_test

import (
	"io"
	"os"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// policy gates one host.
type policy struct{}

func (policy) Resource(r *rewrite.Resource) rewrite.Verdict {
	return rewrite.Verdict{Gate: string(r.Host()) == "tracker.example", Vendor: "example", Purpose: "analytics"}
}
func (policy) Script([]byte) rewrite.Verdict { return rewrite.Verdict{} }
func (policy) Cookie([]byte) rewrite.Verdict { return rewrite.Verdict{} }

// guard returns what writes a text into the page.
func guard(text string) func(io.Writer) {
	return func(w io.Writer) { _, _ = io.WriteString(w, text) }
}

func ExampleNewRewriter() {
	base, _ := url.Parse("https://site.example/")
	r := html.NewRewriter(os.Stdout, html.Options{Policy: policy{}, Base: base, Mark: "0123456789abcdef", Head: guard("<script>/* guard */</script>")})
	r.Write([]byte(`<head></head><p>Hello<img src="//tracker.ex`)) // in any pieces
	r.Write([]byte(`ample/pixel" width=1>`))
	r.Close()
	// Output: <head><script>/* guard */</script></head><p>Hello<img data-consent="0123456789abcdef analytics example" data-consent-src="//tracker.example/pixel" width=1>
}

func ExampleRewriter_Reset() {
	r := html.NewRewriter(os.Stdout, html.Options{})
	for range 2 {
		r.Reset(os.Stdout, html.Options{Head: guard("<!--guard-->")})
		r.Write([]byte("<title>x</title>\n"))
		r.Close()
	}
	// Output:
	// <!--guard--><title>x</title>
	// <!--guard--><title>x</title>
}
