package html

import (
	"regexp"
	"strings"
	"testing"
)

// live is what contacts the tracker in the documents of TestLargeXML.
var live = regexp.MustCompile(` src="http://tracker|(@import "|url\()http://tracker|<script>[^<]*tracker`)

// TestLargeXML: what is too large to be held, or refers to more entities than are expanded, leads nowhere in XML.
func TestLargeXML(t *testing.T) {
	const head, tail = `<!DOCTYPE html [<!ENTITY e "">]><html xmlns="http://www.w3.org/1999/xhtml">`, `<p class="end">x</p></html>`
	const url = "http://track&e;er.test/x"
	for _, n := range []int{10, 100, 300, 3000, 20000} {
		e := strings.Repeat("&e;", n)
		for _, doc := range []string{
			`<img src="` + e + url + `"/>`,
			`<style>` + e + `@import "` + url + `";</style>`,
			`<style>@import "` + url + e + `";</style>`,
			`<style>` + strings.Repeat("p{} ", n) + `@import "` + url + `";</style>`,
			`<style>` + strings.Repeat("p{} ", n) + `p{background:url(` + url + `)}</style>`,
			`<style><![CDATA[` + strings.Repeat("p{} ", n) + `]]>@import "` + url + `";</style>`,
			`<style>` + strings.Repeat("<b>p{} </b>", n) + `<![CDATA[@import "http://tracker.test/x";]]></style>`,
			`<svg:style>` + strings.Repeat("p{} ", n) + `p{background:url(` + url + `)}</svg:style>`,
			`<script>` + e + `f("` + url + `")</script>`,
		} {
			o := options(t)
			o.XML = true
			whole := rewriteAll(t, o, head+doc+tail)
			pieces := rewritePieces(t, o, head+doc+tail, func(rest int) int { return min(rest, 1000) })
			if whole != pieces {
				t.Errorf("%.60s × %d: %.200s, in pieces %.200s", doc, n, whole, pieces)
			}
			if plain := strings.ReplaceAll(whole, "&e;", ""); !strings.HasSuffix(whole, tail) || live.MatchString(plain) {
				t.Errorf("%.60s × %d: %.100s … %s", doc, n, whole, whole[max(0, len(whole)-100):])
			}
		}
	}
}
