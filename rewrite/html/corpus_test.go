package html

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"github.com/caddy-consent/caddy-consent/rewrite"
)

const corpus = "../../../shared/corpus/"

func readCorpus(t testing.TB, name string) []byte {
	data, err := os.ReadFile(corpus + name)
	if err != nil {
		t.Skip("corpus not found: ", err)
	}
	return data
}

type hidingPage struct {
	Name, Class, Body, Encoding string
	Headers                     map[string]string
	Chromium                    bool `json:"chromium_contacts_tracker"`
	Firefox                     bool `json:"firefox_contacts_tracker"`
}

// beyondBytes are hiding places that this package cannot see: what a script assembles, what a redirect of the first party
// leads to, and encodings, which the caller decodes before.
var beyondBytes = map[string]string{
	"utf16le-bom": "encoding", "utf16le-header-le": "encoding", "utf16-meta": "encoding", "type-xslt-page": "a first-party style sheet",
	"atob": "script", "img-onerror": "script", "settings-jsonconfig": "script",
}

// TestHiding: each page that made a browser contact the tracker is clean in every view.
func TestHiding(t *testing.T) {
	var pages []hidingPage
	if err := json.Unmarshal(readCorpus(t, "hiding/pages.json"), &pages); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, p := range pages {
		if p.Class == "header" || beyondBytes[p.Name] != "" {
			continue
		}
		if p.Encoding == "base64" {
			b, err := base64.StdEncoding.DecodeString(p.Body)
			if err != nil {
				t.Fatal(err)
			}
			p.Body = string(b)
		}
		o := options(t)
		o.XML = strings.Contains(p.Headers["Content-Type"], "xml")
		out := rewriteAll(t, o, p.Body)
		if (p.Chromium || p.Firefox) && out == p.Body {
			t.Errorf("%s %s: unchanged\n%q", p.Class, p.Name, out)
		}
		if leak := contacts(out); leak != "" && !o.XML {
			t.Errorf("%s %s: %s\n in %q\nout %q", p.Class, p.Name, leak, p.Body, out)
		}
		if again := rewriteAll(t, o, out); again != out {
			t.Errorf("%s: a second pass changes\n%q to\n%q", p.Name, out, again)
		}
		checkSplits(t, o, p.Body, out, 2)
		checked++
	}
	t.Logf("%d pages", checked)
}

// listed gates the tracker tags' URLs, all others pass.
type listed struct {
	trackers
	gate bool
}

func (l listed) Resource(*rewrite.Resource) rewrite.Verdict {
	return rewrite.Verdict{Gate: l.gate, Vendor: "v", Purpose: "marketing"}
}

// TestTags: real start tags that name a tracker lose their URL, the others come out byte for byte, alone and in body.
func TestTags(t *testing.T) {
	lines := bufio.NewScanner(bytes.NewReader(readCorpus(t, "suites/page-requests/tags.jsonl")))
	lines.Buffer(nil, 1<<20)
	gated, passed := 0, 0
	for lines.Scan() {
		var c struct{ Tag, Type, Label string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		for _, doc := range []string{c.Tag, "<!DOCTYPE html><body>" + c.Tag} {
			o := options(t)
			o.Policy = listed{gate: c.Label != "-"}
			out := rewriteAll(t, o, doc)
			if c.Label == "-" {
				passed++
				if out != doc {
					t.Errorf("changed %q\nto %q", doc, out)
				}
				continue
			}
			gated++
			if liveURL(out) {
				t.Errorf("%s\nout %s", doc, out)
			}
			if rewriteAll(t, o, out) != out {
				t.Errorf("a second pass changes %s", out)
			}
		}
	}
	t.Logf("%d gated, %d passed", gated, passed)
	if gated < 1000 || passed < 1000 {
		t.Error("too few tags")
	}
}

// liveURL reports a fetching attribute with a value in any tag.
func liveURL(doc string) bool {
	var tk tokenizer
	for p := 0; ; {
		k, start, end := tk.next([]byte(doc), p, true)
		if k == kindMore {
			return false
		}
		if k == kindStartTag {
			for s := range attributes([]byte(doc[start:end]), tk.tag.nameEnd) {
				switch strings.ToLower(doc[start+s.nameStart : start+s.nameEnd]) {
				case "src", "srcset", "href", "data":
					return true
				}
			}
		}
		p = end
	}
}

func realPages(t testing.TB) (pages [][]byte) {
	files, _ := filepath.Glob(corpus + "dev/pages/*.html")
	if len(files) == 0 {
		t.Skip("corpus not found")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, b)
	}
	return pages
}

// nothing lets everything pass.
type nothing struct{}

func (nothing) Resource(*rewrite.Resource) rewrite.Verdict { return rewrite.Verdict{} }
func (nothing) Script([]byte) rewrite.Verdict              { return rewrite.Verdict{} }
func (nothing) Cookie([]byte) rewrite.Verdict              { return rewrite.Verdict{} }

// TestRealPages: pages whose contacts all pass come out byte for byte, and without an allocation.
func TestRealPages(t *testing.T) {
	pages := realPages(t)
	var out bytes.Buffer
	o := options(t)
	o.Policy = nothing{}
	r := NewRewriter(&out, o)
	deep := 0
	for _, p := range pages {
		out.Reset()
		r.Reset(&out, o)
		_, _ = r.Write(p)
		if err := r.Close(); err != nil || !bytes.Equal(out.Bytes(), p) {
			t.Errorf("changed, error %v", err)
		}
		if r.deepOn {
			deep++
		}
	}
	allocs := testing.AllocsPerRun(3, func() { stream(r, o, pages) })
	t.Logf("%d pages, %d with the second stage, %v allocations", len(pages), deep, allocs)
	if allocs > 0 {
		t.Errorf("%v allocations for %d pages", allocs, len(pages))
	}
}

func stream(r *Rewriter, o Options, pages [][]byte) {
	for _, p := range pages {
		r.Reset(io.Discard, o)
		for len(p) > 0 {
			n := min(len(p), 32<<10)
			_, _ = r.Write(p[:n])
			p = p[n:]
		}
		_ = r.Close()
	}
}

func BenchmarkPages(b *testing.B) {
	pages := realPages(b)
	size := 0
	for _, p := range pages {
		size += len(p)
	}
	for _, c := range []struct {
		name   string
		policy rewrite.Policy
	}{{"empty", nil}, {"looked-at", nothing{}}, {"gating", trackers{}}} {
		b.Run(c.name, func(b *testing.B) {
			o := options(b)
			o.Policy = c.policy
			r := NewRewriter(io.Discard, o)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				stream(r, o, pages)
			}
		})
	}
}

// BenchmarkPeer is x/net/html's tokenizer, raw and reading the attributes of four elements, over the same pages.
func BenchmarkPeer(b *testing.B) {
	pages := realPages(b)
	size := 0
	for _, p := range pages {
		size += len(p)
	}
	for _, read := range []bool{false, true} {
		b.Run(map[bool]string{false: "x-net-raw", true: "x-net-four"}[read], func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				for _, p := range pages {
					tokenizePeer(p, read)
				}
			}
		})
	}
}

// tokenizePeer tokenizes a page with x/net/html and reads the attributes of img, script, link and iframe if it is told to.
func tokenizePeer(page []byte, read bool) {
	z := xhtml.NewTokenizer(bytes.NewReader(page))
	for {
		k := z.Next()
		if k == xhtml.ErrorToken {
			return
		}
		if !read || k != xhtml.StartTagToken && k != xhtml.SelfClosingTagToken {
			continue
		}
		switch name, more := z.TagName(); string(name) {
		case "img", "script", "link", "iframe":
			for more {
				_, _, more = z.TagAttr()
			}
		}
	}
}
