package css_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/css"
)

// declarations are what the place in a sheet decides about.
var declarations = []string{
	"{", "}", ";", ";", " ", "\n", "a", ":", "/**/", "/", "--x:", " --x:", `-\2d x:`, `\2d-x:`, "-x:", `"//tracker.test/"`, "'https://tracker.test/x'", "url(//tracker.test/)",
	"@font-face{", "@property --x{", "@import ", "@namespace ", "@media x{", "initial-value:", "image-set('//tracker.test/')", `"@import '//tracker.test/'"`, "(", ")", `\`,
}

// TestSkippedDeclarations compares what is found where whole declarations are passed over with what is found where each
// of their ends is looked at: the same URLs are asked about, for the same destinations.
func TestSkippedDeclarations(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 15000 {
		var sheet strings.Builder
		if rng.IntN(4) > 0 {
			sheet.WriteString("a{}")
		}
		for range 1 + rng.IntN(12) {
			sheet.WriteString(declarations[rng.IntN(len(declarations))])
		}
		var pieces []string
		for rest := sheet.String(); rest != ""; {
			n := min(len(rest), 1+rng.IntN(60))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		fast, slow := options(), options()
		css.Careful(slow)
		asked, expected := &policy{asked: []string{""}}, &policy{asked: []string{""}}
		fast.Policy, slow.Policy = asked, expected
		want := rewriteAll(t, slow, sheet.String())
		if got := rewriteAll(t, fast, pieces...); got != want || !slices.Equal(asked.asked, expected.asked) {
			t.Fatalf("%q:\n%q, asked %q;\nwant\n%q, asked %q", pieces, got, asked.asked, want, expected.asked)
		}
	}
}
