package html

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// withoutVectors runs f with the exact tokenizer alone.
func withoutVectors(f func()) {
	defer func(was bool) { vectors = was }(vectors)
	vectors = false
	f()
}

func needVectors(t testing.TB) {
	if !vectors {
		t.Skip("this processor, or build, has no scanPlain")
	}
}

// plainMarkup is what is passed over, whatever the rules.
var plainMarkup = []string{
	"some text, 1 > 0, it's \"quoted\" a=b /", "on style 'href' /ping>", "<p>", "</p>", "<div class=\"a b\">", "<DIV\nID='x y'\thidden>", "</li\n>", "<br/>", "<b a=\"\" b=''>",
	`<p title="it's">`, `<td data-x='{"a":1, "b":[]}'>`, `<p id="a"class="b"/>`, `<p a:b.c="x"  @d='y'  />`, `<x-y z="a=b c = d">`, `</p a="b">`, "<p/a='b'>",
	`<p title="` + strings.Repeat("long ", 30) + `">`, "<p " + strings.Repeat("x ", 50) + ">", strings.Repeat("text ", 40), "<abbreviation-of-something-longer>", `<a name="x">`,
}

// notPlain is what scanPlain stops at, and, with a policy, judgedNotPlain; links, which begin as harmless ones do, only where
// links are seen.
var (
	notPlain = []string{
		"<!-- -->", "<!doctype html>", "<?x?>", "</ x>", "</>", "< p>", "<<p>", "<1>", "<\x80>", "<[>", "<`>", "<@>", "<{>", "</\xE1>", "<a <b>", `<p a="<">`, `<p a=">">`, "<p a='>'>", "<p a=b>", "<p a= 'b'>",
		"<p a ='b'>", "<p ='b'>", "<p a='b'='c'>", "<p/='b'>", "<p='b'>", `<p=" b=">">`, `<p a">`, `<p a'>`, `<p a="b"">`, "<p a='b''>", `<p a="b="">`, `<p a="b=" c="d">`, `<p a='b=' c='d'>`, "<p a='b='>", `<p a='b="c"'>`, `<p a="b='c'">`,
		"<p a=>", "<p a=b'c>", `<p a=b"c>'">`, "<script>", "<STYLE >", "<title/>", "<svg a='b'>", "<Select>", "<noscript>", "<plaintext>", "<template>", "<head>", "<body a=\"b\">",
		"<frameset>", "<col>", "<math>", "<textarea>", "<xmp>", "<iframe>",
	}
	judgedNotPlain = []string{
		`<p style="x">`, `<p class="x" style=''>`, "<p style>", `<p STYLE="x">`, `<p onclick="x">`, `<p a='b'/onx>`, `<p a='b'OnLoad>`, "<img>", `<link a="b">`, "<meta>", "<input>", "<form>", "<a ping>",
		`<a href="javascript:x">`, `<a href="JavaScript:x">`, `<a href=" x">`, "<a href=\"\nx\">", `<a href="&#106;">`, `<a href='x'>`, `<a HREF="x">`, `<a href>`, "<a href >", `<a id="x" background="y">`, `<p xlink:href="x">`,
		`<p mask="x">`, `<image>`, `<amp-img>`, `<use>`, `<set>`, "<object>", "<base>", "<video>", "<param>", "<button>",
	}
	plainLinks = []string{`<a href="">`, `<a href="/">`, `<a class='x' href="https://a.test/?b=c">`, `<a id="x"href="#">`, `<p href="x">`}
)

// TestPlain: what is plain is passed over, and what is not is stopped at, wherever it stands.
func TestPlain(t *testing.T) {
	needVectors(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	before := func(n int) string { // plain markup that ends at a place of any kind, n bytes and more
		var b strings.Builder
		for b.Len() < 150 {
			b.WriteString(plainMarkup[rnd.IntN(len(plainMarkup))])
		}
		return b.String() + strings.Repeat("x", n)
	}
	after := strings.Repeat("y", scanWindow)
	check := func(list []string, what string, plain bool, rules ...*plainRules) {
		for _, s := range list {
			for n := range 2 * 64 {
				start := before(n)
				doc := start + s + after
				for _, r := range rules {
					var m scanMemory
					got := scanPlain(&m, r, []byte(doc))
					if want := len(start); !plain && got != want {
						t.Fatalf("%s: %q is stopped at %d bytes from where it begins, in %q", what, s, got-want, doc)
					}
					if least := len(start) + len(s); plain && (got < least || got > len(doc)) {
						t.Fatalf("%s: %q is not passed over: %q is left of %q", what, s, doc[got:], doc)
					}
				}
			}
		}
	}
	check(plainMarkup, "plain", true, &passing, &judging, &linking)
	check(notPlain, "not plain", false, &passing, &judging, &linking)
	check(judgedNotPlain, "without a policy", true, &passing)
	check(judgedNotPlain, "with a policy", false, &judging, &linking)
	check(plainLinks, "links", true, &passing, &judging)
	check(plainLinks, "links that are seen", false, &linking)
}

// TestPlainTables: every name that matters is stopped at, and none of those that are most frequent and do not.
func TestPlainTables(t *testing.T) {
	stops := func(p *plainTable, name string) bool {
		probe := new(plainTable)
		probe.add(name)
		for i := range probe {
			if probe[i] != 0 {
				return p[i] != 0
			}
		}
		return false
	}
	for i, el := range elements[1:] {
		if watchedAttrs[i+1]&special != 0 && !(stops(passing.elements, el.name) && stops(judging.elements, strings.ToUpper(el.name))) {
			t.Errorf("<%s> is not stopped at", el.name)
		}
		for id := range attrCount {
			if el.mask.has(id) && id != attrOn && !stops(judging.elements, el.name+"> ") && !stops(judging.attrs, attrNames[id]) {
				t.Errorf("%s at <%s> is not stopped at", attrNames[id], el.name)
			}
		}
	}
	for _, name := range strings.Split("a h,a c,a i,a>x,div,spa,li>,li ,ul>,ul ,td>,td ,tr>,tr ,p>x,p c,br>,br/,b>x,i>x,i c,h1>,h2>,h3>,em>,dl>,dd>,dt>,opt,lab,tab,tbo,nav,mai", ",") {
		if stops(passing.elements, name) || stops(judging.elements, name) {
			t.Errorf("<%s is stopped at", name)
		}
	}
	for _, name := range strings.Fields("class id= alt title name value rel= role data- aria- target type width height dir= lang colspan rowspan tabindex for= align content property") {
		if stops(judging.attrs, name) {
			t.Errorf("%s is stopped at", name)
		}
	}
}

// trace tells what a Rewriter made of a document in pieces, and its state after each.
func trace(o Options, doc []byte, piece int) string {
	var out bytes.Buffer
	var states strings.Builder
	r := NewRewriter(&out, o)
	for len(doc) > 0 {
		n := min(piece, len(doc))
		_, _ = r.Write(doc[:n])
		doc = doc[n:]
		fmt.Fprintln(&states, out.Len(), len(r.pend), r.scanned, r.tok.state, r.ctx.depth, r.ctx.any(), r.deepOn, r.hold.on, r.big.on, r.limited)
	}
	_ = r.Close()
	return states.String() + out.String()
}

// checkVectors compares what becomes of a document with scanPlain and without.
func checkVectors(t *testing.T, o Options, doc []byte, piece int) {
	t.Helper()
	got, want := trace(o, doc, piece), ""
	if withoutVectors(func() { want = trace(o, doc, piece) }); got != want {
		t.Fatalf("in pieces of %d, policy %v\n got %q\nwant %q\n doc %q", piece, o.Policy, got, want, doc)
	}
}

// vectorOptions returns options of each kind that scanPlain has rules for.
func vectorOptions(t testing.TB, kind int) Options {
	o := options(t)
	switch kind % 4 {
	case 0:
		o.Policy = nil
	case 1:
		o.Policy, o.Limit = nil, 600
		o.Head, o.Body = inject("<i>"), inject("<b>")
	case 2:
		o.Link = func(_, target, _ []byte) ([]byte, bool) {
			return bytes.ReplaceAll(target, []byte("gclid=1"), nil), bytes.Contains(target, []byte("gclid=1"))
		}
	}
	return o
}

// TestVectors: what becomes of a document of plain markup and of all else does not depend on scanPlain. REWRITE_DOCUMENTS
// sets how many are tried.
func TestVectors(t *testing.T) {
	needVectors(t)
	count := 4000
	if n, err := strconv.Atoi(os.Getenv("REWRITE_DOCUMENTS")); err == nil {
		count = n
	}
	rnd := rand.New(rand.NewPCG(8, 9))
	kinds := [][]string{plainMarkup, plainMarkup, plainMarkup, plainLinks, notPlain, judgedNotPlain, tagPieces, grammarText, grammarContacts}
	for i := range count {
		var b bytes.Buffer
		for range 1 + rnd.IntN(40) {
			list := kinds[rnd.IntN(len(kinds))]
			b.WriteString(list[rnd.IntN(len(list))])
		}
		b.WriteString(grammarDocument(rnd, 4))
		b.WriteString(strings.Repeat(" ", rnd.IntN(2*scanWindow)))
		piece := b.Len()
		if rnd.IntN(2) == 0 {
			piece = 1 + rnd.IntN(piece)
		}
		checkVectors(t, vectorOptions(t, i), b.Bytes(), piece)
	}
}

// TestVectorsOnPages: the same for real pages.
func TestVectorsOnPages(t *testing.T) {
	needVectors(t)
	files, _ := filepath.Glob(corpus + "dev/pages/*.html")
	if len(files) == 0 {
		t.Skip("corpus not found")
	}
	for _, f := range files {
		page, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for kind := range 4 {
			checkVectors(t, vectorOptions(t, kind), page, 32<<10)
			checkVectors(t, vectorOptions(t, kind), page, 1009)
		}
	}
}

// FuzzVectors: scanPlain changes nothing.
func FuzzVectors(f *testing.F) {
	needVectors(f)
	for i, list := range [][]string{plainMarkup, notPlain, judgedNotPlain, plainLinks, grammarContacts} {
		for n := range list {
			f.Add(strings.Join(list[n:], ""), 50*n, i)
		}
	}
	f.Fuzz(func(t *testing.T, doc string, piece, kind int) {
		doc += strings.Repeat(" ", scanWindow)
		checkVectors(t, vectorOptions(t, kind&3), []byte(doc), 1+piece&0xFFFF)
	})
}
