package html

import (
	"encoding/xml"
	"io"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"github.com/caddy-consent/caddy-consent/rewrite/css"
)

// TestFlatText: what a comment, section or reference hides in a script or style of foreign content is judged.
func TestFlatText(t *testing.T) {
	for _, text := range []string{
		`<!-->@im&#112;ort "http://tracker.test/x";`, `<!--->@im&#112;ort "http://tracker.test/x";`, `<!-- --!>@im&#112;ort "http://tracker.test/x";`,
		`<!-- -->@import "http://track&#101;r.test/x";`, `<![CDATA[@im]]>port "http://track&#101;r.test/x";`,
	} {
		got := rewriteAll(t, options(t), "<svg><style>"+text+"</style></svg>")
		if !strings.Contains(got, "about:invalid") && strings.Contains(got, "ort") {
			t.Errorf("%q: %q", text, got)
		}
	}
	got := rewriteAll(t, options(t), `<svg><script><!-->f("track&#101;r")</script></svg>`)
	if !strings.Contains(got, "data-consent") {
		t.Errorf("script: %q", got)
	}
}

// flatPieces are what styles are made of, HTML and XML alike.
var flatPieces = []string{
	"p{color:red}", "&lt;", "&amp;", "&#38;", "&#x26;b", "&amp;lt;", "<![CDATA[a<b&c]]>", "<!-- x -->", "<!---->", "]]&gt;", "&#93;]&gt;", "\\", "\\&lt;", "\n",
	`@import "http://tracker.test/x";`, `@im&#112;ort "http://ok.test/?a&amp;b#c";`, "p{background:url(http://track<!-- -->er.test/y)}", "q{background:url(http://ok.test/?a&amp;amp&amp;#x)}",
	"r{content:\"&lt;/style&gt;\"}", "/* &lt; */", "s{background:url(http://tracker.test&lt;x)}", "&#0000000000000000000000000000000000000000000000000000065;", "}", "'", "<![CDATA[]]]]><![CDATA[>]]>", "\u00e9",
}

// styleXML and styleHTML return the text of the style element of a document, as its tree has it.
func styleXML(t *testing.T, doc string) (text string) {
	t.Helper()
	for d, inside := xml.NewDecoder(strings.NewReader(doc)), false; ; {
		switch token, err := d.Token(); token := token.(type) {
		case nil:
			return text
		case xml.StartElement:
			inside = token.Name.Local == "style"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				text += string(token)
			}
		default:
			if err != nil {
				t.Fatalf("%v: %.200s", err, doc)
			}
		}
	}
}

func styleHTML(t *testing.T, doc string) (text string) {
	t.Helper()
	root, err := xhtml.Parse(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == xhtml.TextNode && n.Parent.Data == "style" {
			text += n.Data
		}
	}
	return text
}

var cssEscape = regexp.MustCompile(`\\([0-9a-f]{2}) `)

// TestLargeFlatText: a style in foreign content or XML that is too large to be held is judged as the tree has it, keeps its
// look, and holds nothing that views read differently.
func TestLargeFlatText(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	fill := strings.Repeat("i{}", 14000)
	for n := range 150 {
		var b strings.Builder
		for range 1 + rng.IntN(8) {
			if b.WriteString(flatPieces[rng.IntN(len(flatPieces))]); n%6 == 1 {
				b.WriteString([]string{"<!-->", "<!--->", "<!-- --!>"}[rng.IntN(3)]) // which are not XML
			}
		}
		cut := 3 * (10500 + rng.IntN(3500)) // about where the limit is, or behind it
		source := fill[:cut] + b.String() + fill[cut:]
		o, doc, read := options(t), "<svg><style>"+source+"</style></svg><img src=http://tracker.test/end>", styleHTML
		if o.XML = n%2 == 0; o.XML {
			doc, read = `<svg xmlns="http://www.w3.org/2000/svg"><style>`+source+`</style><image href="http://tracker.test/end"/></svg>`, styleXML
		}
		got := rewriteAll(t, o, doc)
		pieces := rewritePieces(t, o, doc, func(rest int) int {
			if here := len(doc) - rest; here > cut && here < cut+2*b.Len() {
				return min(rest, 1+rng.IntN(8))
			}
			return min(rest, 1+rng.IntN(5000))
		})
		if got != pieces || rewriteAll(t, o, got) != got {
			t.Fatalf("%q: in pieces or in a second pass, something else comes out", b.String())
		}
		if !strings.Contains(got, `href="http://tracker.test/end`) && !strings.Contains(got, "data-consent-src=http://tracker.test/end") {
			t.Fatalf("%q: what follows is not judged", b.String())
		}
		r := NewRewriter(nil, o)
		want := string(css.Append(nil, []byte(read(t, doc)), r.style.options(r)))
		text := read(t, got)
		if !o.XML {
			raw := got[strings.Index(got, "<style>")+7 : strings.Index(got, "</style>")]
			if raw != text {
				t.Fatalf("%q: %q to one view, %q to another", b.String(), raw, text)
			}
			unescape := func(s string) string {
				return cssEscape.ReplaceAllStringFunc(s, func(e string) string {
					c, _ := strconv.ParseUint(e[1:3], 16, 8)
					return string(rune(c))
				})
			}
			text, want = unescape(text), strings.ReplaceAll(want, `\<`, "<")
		}
		if text != want {
			t.Fatalf("%q: the style is %q, want %q", b.String(), strings.ReplaceAll(text, "i{}", ""), strings.ReplaceAll(want, "i{}", ""))
		}
	}
}

// TestLargeHiddenStyle: a style that only the tree sees, too large to be judged whole, is none; one that every view sees
// keeps its look behind it.
func TestLargeHiddenStyle(t *testing.T) {
	for _, n := range []int{1000, 4500, 5200, 8000, 20000} {
		fill := strings.Repeat("i{}\n", n)
		hidden := "<svg><textarea><style>" + fill + `@import "http://tracker.test/x";</style></textarea></svg>`
		plain := "<style>" + fill + "p{}</style>"
		got := rewriteAll(t, options(t), hidden+plain)
		if pieces := rewritePieces(t, options(t), hidden+plain, func(rest int) int { return min(rest, 777) }); pieces != got {
			t.Errorf("%d: in pieces, something else comes out", n)
		}
		if strings.Contains(got, "<textarea><style>") {
			t.Errorf("%d: %.100s is a style to the tree", n, got)
		}
		if !strings.HasSuffix(got, plain) {
			t.Errorf("%d: the other style has lost its look", n)
		}
	}
}

// TestLargeFlatMemory: nothing is held of what is left out, nor of what goes on.
func TestLargeFlatMemory(t *testing.T) {
	for _, begin := range []string{"", "<b>", "&" + strings.Repeat("x", 300), "<!--", "<![CDATA["} {
		r := NewRewriter(io.Discard, options(t))
		_, _ = io.WriteString(r, "<svg><style>"+strings.Repeat("i{}", 12000)+begin)
		for range 100 {
			_, _ = io.WriteString(r, strings.Repeat("i{} &amp; ", 1000))
		}
		if held := cap(r.style.flat.carry) + cap(r.pend) + cap(r.out) + cap(r.text); held > defaultLimit {
			t.Errorf("%.10q: %d bytes are held", begin, held)
		}
		_ = r.Close()
	}
}
