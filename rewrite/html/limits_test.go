package html

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

// repeated reads a pattern again and again: a document that is never in memory.
type repeated struct {
	head, body, tail string
	count            int
}

func (d repeated) writeTo(w io.Writer, count int) {
	_, _ = io.WriteString(w, d.head)
	piece := strings.Repeat(d.body, 1+(8<<10)/len(d.body))
	for n := count * len(d.body); n > 0; n -= len(piece) {
		_, _ = io.WriteString(w, piece[:min(n, len(piece))])
	}
	_, _ = io.WriteString(w, d.tail)
}

type counter struct {
	n    int
	last []byte
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	c.last = append(c.last, p[max(len(p)-200, 0):]...)
	c.last = append(c.last[:0], c.last[max(len(c.last)-200, 0):]...)
	return len(p), nil
}

// TestMemory: whatever is huge, a stream holds no more than its limit and 2 MiB, and takes linear time, counted in the bytes
// it looks at: twice as many for twice the input, and few for each. What follows the huge thing is judged. REWRITE_HUGE
// makes the documents ten times as large: 64 MiB of an attribute, 10^6 attributes.
func TestMemory(t *testing.T) {
	scale := 10
	if os.Getenv("REWRITE_HUGE") != "" {
		scale = 1
	}
	const tracker = `<img src="http://tracker.test/end">`
	for name, d := range map[string]repeated{
		"attribute":         {`<img alt="`, "x", `">` + tracker, 64 << 20},
		"data URL":          {`<img src="data:image/png;base64,`, "xyz/", `">` + tracker, 16 << 20},
		"URL":               {`<img src="http://ok.test/`, "x", `">` + tracker, 16 << 20},
		"attributes":        {`<p `, "a=b ", `>` + tracker, 1e6},
		"handlers":          {`<p `, `onx="y()" `, `>` + tracker, 1e6},
		"nested":            {``, "<div>", tracker, 1e6},
		"nested svg":        {``, "<svg><desc>", tracker, 1e6},
		"names":             {`<`, "a", `>` + tracker, 16 << 20},
		"comment":           {`<!--`, "-->x<!--", `-->` + tracker, 1e6},
		"script":            {`<script>`, "a<b;", `</script>` + tracker, 16 << 20},
		"style":             {`<style>`, "p{color:red}", `</style>` + tracker, 1e6},
		"text":              {``, "x< ", " " + tracker, 16 << 20},
		"srcdoc":            {`<iframe srcdoc="`, "<p>", `"></iframe>` + tracker, 1e6},
		"deep quotes":       {`<svg><style><p></style>`, `<a b="`, ` " ' >` + tracker, 1e6},
		"deep unquoted":     {`<svg><style><p></style>`, `<img src=x"y`, ` >` + tracker, 1e6},
		"deep scripts":      {`<svg><style><p></style>`, `<script>`, `</script></script>` + tracker, 1e6},
		"deep wide scripts": {`<svg><style><p></style>`, `<script >x</script>`, tracker, 1e6},
		"deep styles":       {`<svg><style><p></style>`, `<style><g a="</style>">`, tracker, 1e6},
		"deep wide styles":  {`<svg><style><p></style>`, `<style>@a{}</x></y><g></style></g></style>`, tracker, 1e6},
		"deep style ends":   {`<svg><style><p></style><textarea><style>a{}<!--`, `</style>`, `--></style>` + tracker, 1e6},
		"bases":             {`<svg>`, `<base href=/x/>`, `</svg>` + tracker, 1e6},
	} {
		t.Run(name, func(t *testing.T) {
			half, whole := streamHuge(t, d, d.count/scale/2), streamHuge(t, d, d.count/scale)
			size := d.count / scale * len(d.body)
			if t.Logf("%.2f looks at each byte", float64(whole)/float64(size)); whole > 20*size {
				t.Errorf("%d bytes looked at, of %d", whole, size)
			}
			if whole > 2*half+half/10+defaultLimit {
				t.Errorf("twice the input takes %d steps, half of it %d", whole, half)
			}
		})
	}
}

// streamHuge streams a document and returns the number of steps it took.
func streamHuge(t *testing.T, d repeated, count int) int {
	runtime.GC()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	c := new(counter)
	r := NewRewriter(c, options(t))
	d.writeTo(r, count)
	runtime.GC()
	runtime.ReadMemStats(&during)
	if held := int64(during.HeapAlloc) - int64(before.HeapAlloc); held > int64(defaultLimit+2<<20) {
		t.Errorf("%d bytes held", held)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if c.n == 0 || strings.Contains(string(c.last), ` src="http://tracker.test/end"`) {
		t.Errorf("the end is not judged: %s", c.last)
	}
	return r.steps
}

// TestLimitOutcomes: what becomes of each thing that is beyond a limit, in testdata/limits.golden (-update writes it).
func TestLimitOutcomes(t *testing.T) {
	nest := func(n int) string {
		doc := `<img src="http://tracker.test/">`
		for range n {
			doc = `<iframe srcdoc="` + strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(doc) + `"></iframe>`
		}
		return doc
	}
	const end, xml = `<img src="http://tracker.test/end">`, `<html xmlns="http://www.w3.org/1999/xhtml">`
	many := func(before, s, after string) string { return before + strings.Repeat(s, 40000/len(s)) + after + end }
	var got strings.Builder
	for _, c := range []struct{ name, doc string }{
		{"attribute", many(`<img alt="`, "x", `">`)},
		{"image in a data: URL", many(`<img src="data:image/png;base64,`, "AAAA", `">`)},
		{"page in a data: URL", many(`<iframe src="data:text/html,`, "AAAA", `"></iframe>`)},
		{"URL", many(`<img src="http://ok.test/`, "x", `">`)},
		{"unquoted URL", many(`<img src=http://ok.test/`, "x", ` alt=y>`)},
		{"link", many(`<a href="http://ok.test/`, "x", `">`)},
		{"srcset", many(`<img srcset="`, "http://ok.test/ 1x,", `">`)},
		{"event handler", many(`<p onclick="`, "f();", `">`)},
		{"event handlers", many(`<p `, `onx="y()" `, `>`)},
		{"style attribute", many(`<p style="`, "x:y;", `">`)},
		{"attributes", many(`<img `, "a=b ", `src="http://tracker.test/">`)},
		{"attributes of a script", many(`<script `, "a=b ", `src="http://ok.test/"></script>`)},
		{"name of an attribute", many(`<p `, "a", `>`)},
		{"name of a tag", many(`<`, "a", `>`)},
		{"end tag", many(`<p></p `, "a ", `>`)},
		{"comment", many(`<!--`, "x", `-->`)},
		{"DOCTYPE", many(`<!DOCTYPE html `, "x", `>`)},
		{"script", many(`<script>`, "x();", `tracker</script>`)},
		{"style", many(`<style>`, "p{}", `@import "http://tracker.test/";</style>`)},
		{"style in SVG", many(`<svg><style>`, "p{}", `@import "http://tracker.test/";</style></svg>`)},
		{"URL in a style", many(`<style>p{background:url(http://tracker.test/`, "x", `)}</style>`)},
		{"import map", many(`<script type=importmap>{"imports":{"a":"http://tracker.test/`, "x", `"}}</script>`)},
		{"srcdoc", many(`<iframe srcdoc="`, "<p>", `<img src=http://tracker.test/>"></iframe>`)},
		{"srcdoc 4 deep", nest(4) + end},
		{"srcdoc 5 deep", nest(5) + end},
		{"bases", `<svg>` + strings.Repeat(`<base href=/x/>`, 3) + `<base href=/y/><base href=/z/><base href=/a/><base href=/b/><base href=/c/></svg>` + end},
		{"xml: DOCTYPE", many(`<!DOCTYPE html [`, "<!ELEMENT a ANY>", `]>`+xml)},
		{"xml: entities", `<!DOCTYPE html [<!ENTITY a "12345678"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">` +
			`<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>` + xml + `<img src="&d;"/>` + end},
		{"xml: entities in a circle", `<!DOCTYPE html [<!ENTITY a "&b;"><!ENTITY b "&a;">]>` + xml + `<img src="&a;"/>` + end},
		{"xml: references", many(`<!DOCTYPE html [<!ENTITY a "">]>`+xml+`<img src="`, "&a;", `http://tracker.test/"/>`)},
		{"xml: style", many(xml+`<style>`, "p{}", `@import "http://tracker.test/";</style>`)},
	} {
		o := options(t)
		o.XML = strings.HasPrefix(c.name, "xml:")
		var out strings.Builder
		r := NewRewriter(&out, o)
		_, _ = io.WriteString(r, c.doc)
		if err := r.Close(); err != nil {
			t.Error(c.name, err)
		}
		text := out.String()
		if len(text) > 600 {
			text = text[:200] + " … " + text[len(text)-250:]
		}
		fmt.Fprintf(&got, "%s, %d bytes: %d bytes, limited: %v\n\t%s\n", c.name, len(c.doc), out.Len(), r.Limited() != nil, text)
		if !strings.HasSuffix(text, ` data-consent-src="http://tracker.test/end">`) {
			t.Errorf("%s: what follows is not judged", c.name)
		}
	}
	const golden = "testdata/limits.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != got.String() {
		t.Errorf("%v\n%s", err, got.String())
	}
}

func TestLimited(t *testing.T) {
	for doc, want := range map[string]error{
		`<img alt="` + strings.Repeat("x", 100) + `">`:   nil,
		`<img alt="` + strings.Repeat("x", 40000) + `">`: ErrLimit,
		`<script>` + strings.Repeat("x", 40000):          ErrLimit,
	} {
		r := NewRewriter(io.Discard, options(t))
		_, _ = r.Write([]byte(doc))
		_ = r.Close()
		if !errors.Is(r.Limited(), want) {
			t.Errorf("%.20s…: %v", doc, r.Limited())
		}
	}
}

// TestFlush: what is decided has been written before the next piece comes.
func TestFlush(t *testing.T) {
	for in, want := range map[string]string{
		"<p>Hello":                        "<p>Hello",
		"<p>Hello <b":                     "<p>Hello ",
		"<p>Hello </":                     "<p>Hello ",
		"a<!-- comment":                   "a<!-- comment",
		"a<script>1":                      "a",
		"<style>p{}":                      "<style>p{}",
		"<svg><style><p></style></svg>ab": "<svg><style><p></style></svg>ab",
	} {
		var c strings.Builder
		r := NewRewriter(&c, options(t))
		_, _ = r.Write([]byte(in))
		if err := r.Flush(); err != nil || c.String() != want {
			t.Errorf("%q: %q, want %q, error %v", in, c.String(), want, err)
		}
	}
}

type failing struct{ after int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	for n := range 4 {
		r := NewRewriter(&failing{n}, options(t))
		var err error
		for range 10 {
			if _, err = r.Write([]byte(`<img src="http://tracker.test/"><style>p{}</style>`)); err != nil {
				break
			}
		}
		if !errors.Is(err, errFull) || !errors.Is(r.Close(), errFull) {
			t.Errorf("after %d: %v", n, err)
		}
	}
}
