package html

import (
	"strings"
	"testing"
)

// TestAddressesWithinValues: addresses are found in the small languages of attributes and data blocks, and nothing else is
// taken for one. PARK stands for the mark of an element whose attribute is kept.
func TestAddressesWithinValues(t *testing.T) {
	const inert = "about:invalid#consent,0123456789abcdef,analytics,tracker,//tracker.test/m"
	for in, out := range map[string]string{
		// Import maps and speculation rules.
		`<script type=importmap>{"imports":{"x":"https:\/\/tracker.test\/a.js","y":"\/own.js"}}</script>`: `<script type=importmap>{"imports":{"x":"about:invalid","y":"\/own.js"}}</script>`,
		`<script type=importmap>{"imports":{"x":"https:\u002f\u002Ftracker.test/a"}}</script>`:            `<script type=importmap>{"imports":{"x":"about:invalid"}}</script>`,
		`<script type=importmap>{"imports":{"x":"\u0068ttps:/\u002ftracker.test/a"}}</script>`:            `<script type=importmap>{"imports":{"x":"about:invalid"}}</script>`,
		`<script type=importmap>{"a\"b":"c\\","x":"\t//tracker.test/","z":"\ud83d\ude00/"}</script>`:      `<script type=importmap>{"a\"b":"c\\","x":"about:invalid","z":"\ud83d\ude00/"}</script>`,
		`<script type=importmap>{"x":"https://tracker.test/`:                                              `<script type=importmap>{"x":"about:invalid`,
		`<script type=speculationrules>{"prefetch":[{"urls":["/own","//tracker.test/"]}]}</script>`:       `<script type=speculationrules>{"prefetch":[{"urls":["/own","about:invalid"]}]}</script>`,
		`<script type=speculationrules>{"prefetch":[{"urls":["/own\u","/own\u00"]}]}</script>`:            "",

		// Policies and refreshes.
		`<meta http-equiv=Content-Security-Policy content="default-src 'self'; report-uri /own https://tracker.test/r; img-src *">`: `<meta http-equiv=Content-Security-Policy content="default-src 'self'; img-src *;">`,
		`<meta http-equiv=" content-security-policy-report-only " content="report-uri&#9;//tracker.test/r">`:                        `<meta http-equiv=" content-security-policy-report-only " content="">`,
		`<meta http-equiv=Content-Security-Policy content="default-src 'self'; report-uri /own;img-src https://tracker.test">`:      "",
		`<meta http-equiv=refresh content="0;url">`:                                 "",
		`<meta http-equiv=refresh content="0;url='/own'https://tracker.test/">`:     "",
		`<meta http-equiv=refresh content="0;urlx=//tracker.test/">`:                "", // a path
		`<meta http-equiv=refresh content="0; url = 'https://tracker.test/x'y">`:    `<meta PARK http-equiv=refresh data-consent-content="0; url = 'https://tracker.test/x'y">`,
		`<meta http-equiv=refresh content=".5,&quot;https://tracker.test/x&quot;">`: `<meta PARK http-equiv=refresh data-consent-content=".5,&quot;https://tracker.test/x&quot;">`,

		// Candidates of a srcset.
		`<img srcset=",https://tracker.test/a 2x">`:               `<img PARK data-consent-srcset=",https://tracker.test/a 2x">`,
		`<!-- a -> <img src="https://tracker.test/a"> --><p>`:     "",
		`<!-- a --! <img src="https://tracker.test/a"> --><p>`:    "",
		`<img srcset=" , https://tracker.test/a 2x">`:             `<img PARK data-consent-srcset=" , https://tracker.test/a 2x">`,
		`<img srcset="/a 1x), https://tracker.test/b 2x">`:        `<img PARK data-consent-srcset="/a 1x), https://tracker.test/b 2x">`,
		`<img srcset="/a 1x(,https://tracker.test/b 2x), /c 2x">`: "",
		`<img srcset="/a,https://tracker.test/b">`:                "",
		`<img srcset="/a 1x(), https://tracker.test/b 2x, /c">`:   `<img PARK data-consent-srcset="/a 1x(), https://tracker.test/b 2x, /c">`,
		`<svg><path marker-mid="url(//tracker.test/m)"/>`:         `<svg><path marker-mid="url(` + inert + `)" />`,
		`<svg><path style="marker-mid:url(//tracker.test/m)"/>`:   `<svg><path style="marker-mid:url(` + inert + `)" />`,
		`<svg><path marker-mid="url(#m)"/>`:                       "",
		`<svg><image xlink:href="//tracker.test/" href="/own"/>`:  `<svg><image PARK data-consent-xlink:href="//tracker.test/" href="/own" />`,
		`<svg:a x:href="//tracker.test/"></svg:a>`:                "",
		`<amp-pixel src="https://tracker.test/p"></amp-pixel>`:    `<amp-pixel PARK data-consent-src="https://tracker.test/p"></amp-pixel>`,
		`<applet code=T codebase="//tracker.test/"></applet>`:     `<applet PARK code=T data-consent-codebase="//tracker.test/"></applet>`,
		`<link rel=mask-icon href="//tracker.test/i">`:            `<link PARK rel=mask-icon data-consent-href="//tracker.test/i">`,
		`<link rel=search href="//tracker.test/s">`:               `<link PARK rel=search data-consent-href="//tracker.test/s">`,
	} {
		if out == "" {
			out = in
		}
		out = strings.Replace(out, "PARK", `data-consent="0123456789abcdef analytics tracker"`, 1)
		if got := rewriteAll(t, options(t), in); got != out {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, out)
		}
	}
}
