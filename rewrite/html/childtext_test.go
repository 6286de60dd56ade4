package html

import (
	"fmt"
	"strings"
	"testing"
)

// childTexts are sources of a style in foreign content whose text the tree makes of more than one piece, or in a way of its
// own. In each it imports from the tracker.
var childTexts = []string{
	`@im<g>x</g>port "http://tracker.test/";`, `<g>@im</g>port "http://tracker.test/";`, `<g><![CDATA[@import]]> "http://track</g>er.test/";`, `@import <g>"http://ok.test/"</g>"http://tracker.test/";`,
	`<g title="</style>"></g>@import "http://tracker.test/";`, `<g title=">"></g>@import "http://tracker.test/";`,
	`<a title="</style>x">"</a title= <style>@import "http://tracker.test/";`, `<g/><g a=b/></g>@import "http://tracker.test/";`,
	`<![CDATA[/*</style>*/]]>@import "http://tracker.test/";`, `<!--</style>-->@import "http://tracker.test/";`,
	`<?</style>@import "http://tracker.test/";`, `<style>p</style>@import "http://tracker.test/";`, `</script>@import "http://tracker.test/";`,
	`<font>x</font>@import "http://tracker.test/";`, `<desc>x</desc>@import "http://tracker.test/";`,
	`<desc><desc><e></style>@import "http://tracker.test/";`, strings.Repeat(`<desc>`, 20) + `<e></style>@import "http://tracker.test/";`,
	`</x>@im</y>port "http://tracker.test/";`, `@import "http://tracker.test/</svg>";` + "\n", `</data-consent->@import "http://tracker.test/";`,
	`<data-consent-x></data-consent-x>@import "http://tracker.test/";`, strings.Repeat(`</x>`, 20) + `@import "http://tracker.test/";`,
	strings.Repeat(`/**/</x>`, 20) + `@import "http://tracker.test/";`, strings.Repeat(`<g>`, 40) + strings.Repeat(`</g>`, 40) + `@import "http://tracker.test/";`,
	`/*` + strings.Repeat("x", 9000) + `*/@im<g>x</g>port "http://tracker.test/";`, `/*` + strings.Repeat("x", 20000) + `*/@im<g>x</g>port "http://tracker.test/";`,
	`/*` + strings.Repeat("x", 40000) + `*/@im<g>x</g>port "http://tracker.test/";`, `<!--` + strings.Repeat("</style>", 3000) + `-->@import "http://tracker.test/";`,
}

// childPlaces are where a style is foreign content to the tree: seen by the plain view, hidden from it, and at the end.
var childPlaces = []string{
	"<svg><style>%s</style></svg>", "<svg><style title='</style>'>%s</style></svg>", "<svg><textarea><style>%s</style></textarea></svg>", "<svg><plaintext><style>%s</style>",
	"<svg><textarea><style title='>\"'>%s</style></textarea></svg>", "<svg><style>%s", "<svg><textarea><style>%s", "<math><mi><svg><style>%s</style></svg></mi></math>",
	"<select><svg><style>%s</style></svg></select>", "<svg></p><p></p></svg><svg><style>%s</style></svg>",
}

// TestChildText: the text of a style in foreign content is what is directly in it, whatever ends it.
func TestChildText(t *testing.T) {
	for i, text := range append(childTexts, `@import "http://tracker.test/";`) {
		for _, place := range childPlaces {
			doc := fmt.Sprintf(place, text)
			if contacts(doc) == "" {
				t.Errorf("no contact in %.300q", doc)
			}
			out := rewriteAll(t, options(t), doc)
			if leak := contacts(out); leak != "" {
				t.Errorf("%d: %.300q: %.300q", i, doc, out)
			}
			if again := rewriteAll(t, options(t), out); again != out {
				t.Errorf("%d: a second pass changes\n%.300q to\n%.300q", i, out, again)
			}
			if len(doc) < 4096 || i%3 == 0 {
				checkSplits(t, options(t), doc, out, 1)
			}
		}
	}
}

// TestChildTextStays: what looks like markup in a style that contacts nobody is left alone, where it may be foreign content
// and where it is none.
func TestChildTextStays(t *testing.T) {
	for _, text := range []string{
		`a{background:url("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>")} b{color:red}`,
		`/* <div> <b>, <title> */ a{content:"<"}`, `<!-- a{color:red} -->`, `<![CDATA[ a>b{color:red} /* <g> */ ]]>`, `a{content:"</div>"}`, `a{}<g/>b{}`,
	} {
		for _, doc := range []string{"<svg><style>" + text + "</style></svg>", "<svg><textarea><p></textarea></svg><style>" + text + "</style>", "<select><b><style>" + text + "</style></select>"} {
			if out := rewriteAll(t, options(t), doc); out != doc {
				t.Errorf("%s\nbecomes %s", doc, out)
			}
		}
	}
}

// TestMixedXML: what elements in a style or script of XML hold, and what is behind them, contacts nobody, and is there once.
func TestMixedXML(t *testing.T) {
	for in, want := range map[string]string{
		`<svg><style>a{}<g>x</g>@import "http://tracker.test/";</style><g/></svg>`:               `<svg><style>a{}</style><g/></svg>`,
		`<svg><style>@im<g>x</g>port "http://tracker.test/";</style></svg>`:                      `<svg><style>@im</style></svg>`,
		`<svg><style>a{}<img src="http://tracker.test/"/></style><g/></svg>`:                     `<svg><style>a{}</style><g/></svg>`,
		`<svg><style><p><img src="http://tracker.test/"/></p>`:                                   `<svg><style>`,
		`<svg><style>p<style>q</style>@import "http://tracker.test/";</style></svg>`:             `<svg><style>p</style>@import "http://tracker.test/";</style></svg>`,
		`<svg><script>"tr<g>x</g>acker"</script><g/></svg>`:                                      `<svg><script type="text/plain">"tr</script><g/></svg>`,
		`<svg><script>a<style>b</style>tracker</script><g/></svg>`:                               `<svg><script type="text/plain">a</script><g/></svg>`,
		`<svg><!--><style>--><image href="http://tracker.test/"/></svg>`:                         `<svg><!--><style>--><image data-consent="0123456789abcdef analytics tracker" data-consent-href="http://tracker.test/" /></svg>`,
		`<svg><!--><g title="--><image href='http://tracker.test/'/></svg>`:                      `<svg><!--><g title="--><image data-consent="0123456789abcdef analytics tracker" data-consent-href='http://tracker.test/' /></svg>`,
		`<svg><!-- --!><style>--><style><?x >/*?>@import "http://ok.test/";</style></svg>`:       `<svg><!-- --!><style>--><style><?x >/*?>@import "http://ok.test/";</style></svg>`,
		`<svg><style><?x >/*?>@im<!-- >/*-->port "http://tracker.test/";<!--*/--></style></svg>`: `<svg><style>@import "about:invalid#consent,0123456789abcdef,analytics,tracker,http://tracker.test/";</style></svg>`,
	} {
		o := options(t)
		o.XML = true
		out := rewriteAll(t, o, in)
		if out != want {
			t.Errorf("%s\n got %s\nwant %s", in, out, want)
		}
		if again := rewriteAll(t, o, out); again != out {
			t.Errorf("a second pass changes %s\nto %s", out, again)
		}
		checkSplits(t, o, in, out, 1)
	}
}

// TestRenamedWithin: a style that is renamed is no longer what an end tag of a style ends, to those around it.
func TestRenamedWithin(t *testing.T) {
	for _, doc := range []string{
		`<svg><style><style>"<svg><style>@import "http://tracker.test/";</g></style></x>@import "http://tracker.test/";</style>`,
		`<svg><style><style>"><svg><style>@import "http://tracker.test/";</g></style><style></style>@import "http://tracker.test/";</style></svg>`,
	} {
		out := rewriteAll(t, options(t), doc)
		if leak := contacts(out); leak != "" {
			t.Errorf("%s\n in %s\nout %s", leak, doc, out)
		}
		if again := rewriteAll(t, options(t), out); again != out {
			t.Errorf("a second pass changes %s\nto %s", out, again)
		}
	}
}

// TestEmptyEndTag: an end tag without a name is a comment of its own, however the one before it came.
func TestEmptyEndTag(t *testing.T) {
	doc := `<?x y><noscript></><img src="/ok" src="http://tracker.test/">`
	checkSplits(t, options(t), doc, rewriteAll(t, options(t), doc), 1)
}
