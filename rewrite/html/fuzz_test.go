package html

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// The grammar: pieces that open, close, hide and reveal.
var (
	grammarTags = strings.Fields("svg math title desc foreignObject style script xmp iframe noembed noframes noscript textarea plaintext select option " +
		"template table tr td caption colgroup col frameset frame p div b i a mi mtext annotation-xml g body html head form button ul li h1 font image br input")
	grammarText = []string{"<!--", "-->", "--!>", "<!-->", "<!--->", "<![CDATA[", "]]>", "<!", "<?", "</", "<", ">", "\"", "'", "=", "/", "`", " ", "\n", "\x00",
		"x", "&lt;", "<!doctype html>", "<!x \">", "</x y>", "<script>", "</script>", "<!--<script>", "</noscript>", "</title>", "</svg>", "</select>", "-", "]"}
	grammarStyle = []string{`@import "http://tracker.test/";`, `@im`, `port "http://tracker.test/";`, "/*", "*/", "<g>", "</g>", "<g/>", `<g title="`, "</style>", "<style>", "</x>",
		"<desc>", "</desc>", "<font color=a>", "<font>", "<!--", "-->", "<![CDATA[", "]]>", "<p>", "</p>", "&#64;", "<?", ">", `"`, "</svg>", "<a title='"}
	grammarContacts = []string{`<img src="http://tracker.test/">`, `<script src=http://tracker.test/></script>`, `<iframe src='//tracker.test'></iframe>`,
		`<image href="http://tracker.test/" />`, `<link rel=stylesheet href="http://tracker.test/">`, `<video poster="http://tracker.test/"></video>`,
		`<p style="background:url(http://tracker.test/)">`, `<img alt="`, `<img src="/ok" src="http://tracker.test/">`, `<input type=image src=http://tracker.test/>`,
		`<style>@import "http://tracker.test/";</style>`, `<object data=http://tracker.test/>`, `<frame src=http://tracker.test/>`}
)

func grammarDocument(r *rand.Rand, n int) string {
	var b strings.Builder
	pick := func(l []string) string { return l[r.IntN(len(l))] }
	for range 1 + r.IntN(n) {
		switch r.IntN(11) {
		case 0, 1, 2, 3:
			fmt.Fprintf(&b, "<%s%s>", pick(grammarTags), pick([]string{"", "", "", "/", " /", " a=b/", ` title="` + pick(grammarText) + `"`, ` encoding="text/html"`, ` shadowrootmode=open`}))
		case 4, 5:
			fmt.Fprintf(&b, "</%s%s>", pick(grammarTags), pick([]string{"", "", "", "", "", " ", "/", ` a="` + pick(grammarText) + `"`}))
		case 6, 7:
			b.WriteString(pick(grammarText))
		case 8:
			b.WriteString(pick(grammarContacts))
		case 9:
			b.WriteString(pick([]string{"<svg>", "<svg>", "<svg><textarea>", "<svg><plaintext>", "<math>", "", "<select><svg>"}) + "<style>")
			for range 1 + r.IntN(8) {
				b.WriteString(pick(grammarStyle))
			}
		default:
			fmt.Fprintf(&b, `<%sa title=%s%s%s">`, pick([]string{"", "", "/"}), pick([]string{`"`, `"`, `'`, ``}), pick(grammarText), pick(grammarContacts))
		}
	}
	if r.IntN(8) != 0 {
		b.WriteString(pick(grammarContacts))
	}
	return b.String()
}

// TestGrammar: no document of the grammar has a contact left in any view, a second pass changes nothing, and random splits
// neither. REWRITE_DOCUMENTS sets how many documents are tried, REWRITE_SEED which.
func TestGrammar(t *testing.T) {
	count, seed := defaultDocuments, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("REWRITE_DOCUMENTS")); err == nil {
		count = n
	}
	if n, err := strconv.ParseUint(os.Getenv("REWRITE_SEED"), 10, 64); err == nil {
		seed = n
	}
	const block = 1000 // documents that one seed makes
	var next, raw, deep atomic.Int64
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n*block >= count || t.Failed() {
					return
				}
				rnd := rand.New(rand.NewPCG(seed, uint64(n)))
				for i := range min(block, count-n*block) {
					doc := grammarDocument(rnd, 12)
					if i%16 == 0 && contacts(doc) != "" {
						raw.Add(1)
					}
					if checkDocument(t, doc, rnd) {
						deep.Add(1)
					}
					if t.Failed() {
						t.Errorf("document %d of block %d of seed %d", i, n, seed)
						return
					}
				}
			}
		})
	}
	work.Wait()
	t.Logf("%d documents, %d with the second stage; of each 16th %d had a contact", count, deep.Load(), raw.Load())
	if want := int64(count / 16 / 4); raw.Load() < want {
		t.Errorf("less than %d documents had a contact to begin with", want)
	}
}

// checkDocument checks one document against the oracle, and reports whether it needed the second stage.
func checkDocument(t *testing.T, doc string, rnd *rand.Rand) (deep bool) {
	t.Helper()
	o := options(t)
	var buf bytes.Buffer
	r := NewRewriter(&buf, o)
	_, _ = r.Write([]byte(doc))
	_ = r.Close()
	out := buf.String()
	if leak := contacts(out); leak != "" {
		t.Errorf("%s\n in %q\nout %q", leak, doc, out)
	}
	if again := rewriteAll(t, o, out); again != out {
		t.Errorf("a second pass changes\n%q to\n%q\n in %q", out, again, doc)
	}
	if split := rewritePieces(t, o, doc, func(rest int) int { return 1 + rnd.IntN(min(rest, 9)) }); split != out {
		t.Errorf("split\n%q, whole\n%q\n in %q", split, out, doc)
	}
	return r.deepOn
}

func FuzzRewriter(f *testing.F) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		f.Add(grammarDocument(rnd, 8), 3, false)
	}
	f.Add("<svg><style><![CDATA[</style><img src=//tracker.test>]]>", 1, true)
	f.Fuzz(func(t *testing.T, doc string, piece int, xml bool) {
		o := options(t)
		o.XML, o.Limit = xml, 1024
		o.Head, o.Body = inject("<i>"), inject("<b>")
		out := rewriteAll(t, o, doc)
		piece = 1 + piece&63
		if split := rewritePieces(t, o, doc, func(rest int) int { return min(rest, piece) }); split != out {
			t.Fatalf("in pieces of %d\n%q, whole\n%q", piece, split, out)
		}
		o.Policy = nothing{}
		o.Head, o.Body, o.Limit = nil, nil, 0
		var same strings.Builder
		r := NewRewriter(&same, o)
		_, _ = r.Write([]byte(doc))
		if _ = r.Close(); same.String() != doc && r.Limited() == nil {
			t.Fatalf("changed without a match\n%q", same.String())
		}
	})
}

// FuzzTokenizer: constructs lie one behind the other, whatever the pieces, and cover what the whole gives.
func FuzzTokenizer(f *testing.F) {
	for _, s := range grammarText {
		f.Add(s+s, 1, false)
	}
	f.Fuzz(func(t *testing.T, doc string, piece int, xml bool) {
		whole := spans(t, doc, len(doc), xml)
		if pieces := spans(t, doc, 1+piece&15, xml); whole != pieces {
			t.Fatalf("whole %s\npieces %s", whole, pieces)
		}
	})
}

// spans lists the constructs, with the pieces of one joined.
func spans(t *testing.T, doc string, piece int, xml bool) string {
	var out strings.Builder
	tk := tokenizer{xml: xml, cdata: xml}
	p, n := 0, 0
	for {
		if n = min(n+max(piece, 1), len(doc)); n < p {
			continue
		}
		for {
			was := tk.state
			k, start, end := tk.next([]byte(doc[:n]), p, n == len(doc))
			if start < p || end < start || end > n {
				t.Fatalf("%d %d %d %d", p, start, end, n)
			}
			p = end
			if k == kindMore {
				p = start
				break
			}
			if was == stateData || k == kindStartTag || k == kindEndTag {
				fmt.Fprintf(&out, " %d@%d", k, start)
			}
			if k == kindStartTag && !xml {
				tk.enter(lookupElement(tk.tag.name, []byte(doc[start+1:start+tk.tag.nameEnd])))
			}
		}
		if n == len(doc) {
			return out.String()
		}
	}
}
