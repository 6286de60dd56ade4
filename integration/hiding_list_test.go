package integration

import "strings"

// A hidden page is one by which a browser without JavaScript may contact the tracker. In body and headers, TRACKER stands
// for the tracker's address, OWN for paths of the site itself that end in the page's number. ESC, NUL and the like are
// written as Go escapes. The type is text/html; charset=utf-8 unless headers say otherwise; "-" there means none.
type hidden struct {
	name, body string
	headers    map[string]string
	own        map[string]string // paths of the site, type and body separated by "|"
	program    bool              // who is contacted turns out in the browser: the policy's business
}

func contentType(t string) map[string]string { return map[string]string{"Content-Type": t} }

// pad goes beyond what a browser looks at before it parses.
var pad = "<!DOCTYPE html><head><style>" + strings.Repeat("/*...*/", 500) + "</style>"

// kanji is what ISO-2022-JP makes of ASCII between two escape sequences.
func kanji(s string) string { return "\x1b$B" + s + strings.Repeat("!", len(s)%2) + "\x1b(B" }

// swallowed is a style sheet whose first string, where lead begins a character of two bytes, ends before the URL.
func swallowed(lead string) string {
	return `i{content:"` + lead + `\"}p{background:url(TRACKER)}/*"*/`
}

// longPad goes beyond what a gateway is handed at once.
var longPad = "<!DOCTYPE html><head><style>" + strings.Repeat("/*...*/", 8000) + "</style>"

// longText is a comment of CSS that is longer than what a rewriter may hold of a style.
var longText = "/*" + strings.Repeat("long ", 20000) + "*/"

// sjisText says in Shift_JIS that this is Japanese.
const sjisText = "\x82\xb1\x82\xea\x82\xcd\x93\xfa\x96\x7b\x8c\xea\x82\xc5\x82\xb7\x81\x42"

// wide writes small letters in the full-width forms of Shift_JIS, which a host's name is read without (UTS 46).
func wide(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{0x82, 0x81 + c - 'a'})
	}
	return b.String()
}

// hiddenPages were invented as an author would who wants past a rewriter, not taken from the corpus.
var hiddenPages = []hidden{
	// Character encodings: what says which, and where
	{name: "iso2022jp-header", headers: contentType("text/html; charset=iso-2022-jp"), body: kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-meta", headers: contentType("text/html"), body: `<meta charset=iso-2022-jp>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-meta-late", headers: contentType("text/html"), body: pad + `<meta charset=iso-2022-jp></head>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-meta-after-title", headers: contentType("text/html"), body: `<!DOCTYPE html><title><meta charset=utf-8></title><meta charset=iso-2022-jp>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-meta-second", headers: contentType("text/html"), body: `<!DOCTYPE html><meta charset=utf-8><meta charset=iso-2022-jp>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-meta-in-title", headers: contentType("text/html"), body: `<!DOCTYPE html><title><meta charset=iso-2022-jp></title>` + kanji(`<img src="TRACKER">`)},
	{name: "iso2022jp-meta-in-script", headers: contentType("text/html"), body: `<!DOCTYPE html><script>"<meta charset=iso-2022-jp>"</script>` + kanji(`<img src="TRACKER">`)},
	{name: "iso2022jp-meta-in-comment", headers: contentType("text/html"), body: `<!DOCTYPE html><!-- <meta charset=utf-8> --><meta charset=iso-2022-jp>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-meta-pragma-late", headers: contentType("text/html"), body: pad + `<meta http-equiv=content-type content="text/html;charset=csiso2022jp"></head>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-guessed", headers: contentType("text/html"), body: `<!DOCTYPE html><title>` + kanji(`F|K\8l$NJ8=q$G$9!#$3$l$OK\Ev$N`) + `</title><p>` + kanji(`F|K\8l$NJ8=q$G$9!#$3$l$OK\Ev$N`) + kanji("<!--") + `<img src="TRACKER">`},
	{name: "iso2022jp-xml", headers: contentType("application/xhtml+xml"), body: `<?xml version="1.0" encoding="iso-2022-jp"?><html xmlns="http://www.w3.org/1999/xhtml"><body title="` + kanji(`">`) + `"><img src="TRACKER"/></body></html>`},
	{name: "utf16be-no-bom", headers: contentType("text/html"), body: utf16(`<!DOCTYPE html><title>words and more words to guess by</title><img src="TRACKER">`)},
	{name: "utf16be-header", headers: contentType("text/html; charset=utf-16be"), body: utf16(`<!DOCTYPE html><img src="TRACKER">`)},
	{name: "bom-beats-header", headers: contentType("text/html; charset=utf-8"), body: "\xfe\xff" + utf16(`<!DOCTYPE html><img src="TRACKER">`)},
	{name: "charset-duplicate", headers: contentType("text/html; charset=utf-8; charset=iso-2022-jp"), body: kanji("<!--") + `<img src="TRACKER">`},
	{name: "charset-quoted", headers: contentType(`text/html; charset="iso-2022-jp"`), body: kanji("<!--") + `<img src="TRACKER">`},
	{name: "charset-single-quoted", headers: contentType(`text/html; charset='iso-2022-jp'`), body: kanji("<!--") + `<img src="TRACKER">`},
	{name: "charset-space", headers: contentType(`text/html; charset = iso-2022-jp`), body: kanji("<!--") + `<img src="TRACKER">`},
	{name: "charset-unknown-then-meta", headers: contentType(`text/html; charset=klingon`), body: `<meta charset=iso-2022-jp>` + kanji("<!--") + `<img src="TRACKER">`},
	{name: "css-link-charset", body: `<link rel=stylesheet charset=utf-16be href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|" + utf16(`@import "TRACKER";`)}},
	{name: "css-environment", headers: contentType("text/html; charset=iso-2022-jp"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|" + kanji("/*") + `@import "TRACKER";`}},
	{name: "css-charset-rule", body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|@charset \"iso-2022-jp\";" + kanji("/*") + `@import "TRACKER";`}},
	{name: "css-bom", body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|\xfe\xff" + utf16(`@import "TRACKER";`)}},
	{name: "css-quirks-type", body: `<link rel=stylesheet href="OWN/c.txt"><p>x`, own: map[string]string{"c.txt": "text/plain|@import \"TRACKER\";"}},
	{name: "css-quirks-xml", body: `<link rel=stylesheet href="OWN/c.xml"><p>x`, own: map[string]string{"c.xml": "text/xml|@import \"TRACKER\";"}},
	{name: "css-no-type", body: `<link rel=stylesheet href="OWN/c"><p>x`, own: map[string]string{"c": "-|@import \"TRACKER\";"}},

	// ... in which a byte belongs to the one before it
	{name: "sjis-css-environment", headers: contentType("text/html; charset=shift_jis"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|" + swallowed("\x83")}},
	{name: "gbk-css-environment", headers: contentType("text/html; charset=gbk"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|" + swallowed("\x81")}},
	{name: "big5-css-environment", headers: contentType("text/html; charset=big5"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|" + swallowed("\xa5")}},
	{name: "sjis-css-in-mixture", headers: contentType("text/html; charset=shift_jis"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|/*\xc3\xa9*/" + swallowed("\x83")}},
	{name: "sjis-css-late", headers: contentType("text/html; charset=shift_jis"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|" + strings.Repeat("/*...*/", 8000) + swallowed("\x83")}},
	{name: "sjis-meta-late", headers: contentType("text/html"), body: longPad + `<meta charset=shift_jis><style>` + swallowed("\x83") + `</style></head><p>x`},
	{name: "sjis-meta-late-attribute", headers: contentType("text/html"), body: longPad + `<meta charset=shift_jis></head><p style='content:"` + "\x83" + `\";background:url(TRACKER);x:"'>x`},
	{name: "sjis-meta-late-srcdoc", headers: contentType("text/html"), body: longPad + `<meta charset=shift_jis></head><iframe srcdoc='<style>` + swallowed("\x83") + `</style><p>x'></iframe>`},
	{name: "sjis-guessed", headers: contentType("text/html"), body: `<!DOCTYPE html><title>` + sjisText + `</title><p>` + strings.Repeat(sjisText, 9) + `<style>` + swallowed("\x83") + `</style><p>x`},
	{name: "sjis-host-late", headers: contentType("text/html"), body: longPad + `<meta charset=shift_jis></head><img src="http://` + wide("tracker") + `.test:8099/t/ID">`},
	{name: "sjis-host-css", headers: contentType("text/html; charset=shift_jis"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|p{background:url(http://" + wide("tracker") + ".test:8099/t/ID)}"}},
	{name: "latin1-host", headers: contentType("text/html; charset=windows-1252"), body: "<img src=\"http://tr\xaacker.test:8099/t/ID\">"},
	{name: "latin1-host-undeclared", headers: contentType("text/html"), body: "<img src=\"http://tr\xaacker.test:8099/t/ID\">"},
	{name: "latin1-host-css", headers: contentType("text/html; charset=windows-1252"), body: `<link rel=stylesheet href="OWN/c.css"><p>x`, own: map[string]string{"c.css": "text/css|p{background:url(http://tr\xaacker.test:8099/t/ID)}"}},
	{name: "latin1-base", headers: contentType("text/html; charset=windows-1252"), body: "<base href=\"http://tr\xaacker.test:8099/\"><img src=\"t/ID\">"},
	{name: "latin2-host", headers: contentType("text/html; charset=macintosh"), body: "<img src=\"http://tr\xbbcker.test:8099/t/ID\">"},

	// base
	{name: "base-second", body: `<base href="/"><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-first-empty", body: `<base target=x><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-in-body", body: `<body><p><base href="http://tracker.test:8099/"></p><img src="t/ID">`},
	{name: "base-scheme-relative", body: `<base href="//tracker.test:8099/a/../"><img src="t/ID">`},
	{name: "base-in-svg-then-html", body: `<svg><base href="/x/"/></svg><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-data", body: `<base href="data:,x"><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-javascript", body: `<base href="javascript:x"><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-invalid-first", body: `<base href="http://:"><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-template", body: `<template><base href="http://ok.test/"></template><base href="http://tracker.test:8099/"><img src="t/ID">`},
	{name: "base-style", body: `<style>p{background:url(t/ID)}</style><base href="http://tracker.test:8099/"><p>x`},
	{name: "base-after-style", body: `<base href="http://tracker.test:8099/"><base href="/"><style>p{background:url(t/ID)}</style><p>x`},
	{name: "base-after-many", body: `<svg><desc><b><base href="http://tracker.test:8099/"></desc></svg><base href="/a/"><base href="/b/"><style>p{background:url(t/ID)}</style><p>x`},
	{name: "base-srcdoc", body: `<base href="http://tracker.test:8099/"><base href="/"><iframe srcdoc="<img src=t/ID>"></iframe>`},
	{name: "base-srcdoc-many", body: `<svg><desc><b><base href="http://tracker.test:8099/"></desc></svg><base href="/a/"><iframe srcdoc="<img src=t/ID>"></iframe>`},
	{name: "base-srcdoc-own", body: `<iframe srcdoc="<base href='http://tracker.test:8099/'><img src=t/ID>"></iframe>`},
	{name: "xml-base", headers: contentType("image/svg+xml"), body: `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xml:base="http://tracker.test:8099/"><image xlink:href="t/ID" width="9" height="9"/></svg>`},

	// SVG and MathML
	{name: "svg-use", body: `<svg><use href="TRACKER#a"/></svg>`},
	{name: "svg-use-own", body: `<svg><use href="OWN/u.svg#a"/></svg>`, own: map[string]string{"u.svg": `image/svg+xml|<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><image href="TRACKER" width="9" height="9"/></g></svg>`}},
	{name: "svg-feimage", body: `<svg width=9 height=9><filter id=f><feImage xlink:href="TRACKER"/></filter><rect width=9 height=9 filter="url(#f)"/></svg>`},
	{name: "svg-feimage-case", body: `<svg width=9 height=9><filter id=f><FEIMAGE HREF="TRACKER"/></filter><rect width=9 height=9 filter="url(#f)"/></svg>`},
	{name: "svg-image-presentation", body: `<svg width=9 height=9><rect width=9 height=9 mask="url(TRACKER#m)" fill="url(TRACKER#p) red"/></svg>`},
	{name: "svg-style-cdata", body: `<svg width=9 height=9><style><![CDATA[@import "TRACKER";]]></style></svg>`},
	{name: "svg-style-entity", body: `<svg width=9 height=9><style>&#64;import "TRACKER";</style></svg>`},
	{name: "svg-style-split", body: `<svg width=9 height=9><style>@imp<!-- x -->ort "TRACKER";</style></svg>`},
	{name: "svg-style-tag-split", body: `<svg width=9 height=9><style>@imp<g></g>ort "TRACKER";</style></svg>`},
	{name: "svg-style-short-comment", body: `<svg width=9 height=9><style><!-->@im&#112;ort "TRACKER";</style></svg>`},
	{name: "svg-style-bang-comment", body: `<svg width=9 height=9><style><!-- --!>@im&#112;ort "TRACKER";</style></svg>`},
	{name: "svg-style-large", body: `<svg width=9 height=9><style>` + longText + `@im&#112;ort "TRACKER";</style></svg>`},
	{name: "svg-style-large-cdata", body: `<svg width=9 height=9><style>` + longText + `<![CDATA[p{background:u\72]]>l(TRACKER)}</style></svg><p>x`},
	{name: "svg-textarea-style-large", body: `<svg width=9 height=9><textarea><style>` + longText + `@import "TRACKER";</style></textarea></svg>`},
	{name: "xhtml-style-large", headers: contentType("application/xhtml+xml"), body: `<html xmlns="http://www.w3.org/1999/xhtml"><head><style>` + longText +
		`<![CDATA[@im]]>&#112;ort "TRACKER";</style></head></html>`},
	{name: "svg-set", body: `<svg width=9 height=9><image width=9 height=9 href="/x"><set attributeName=href to="TRACKER"/></image></svg>`},
	{name: "svg-animate-values", body: `<svg width=9 height=9><image width=9 height=9 href="/x"><animate attributeName=href values="/a;TRACKER" dur=1s fill=freeze /></image></svg>`},
	{name: "svg-animate-style", body: `<svg width=9 height=9><rect width=9 height=9><set attributeName=filter to="url(TRACKER#f)"/></rect></svg>`},
	{name: "svg-animate-relative", body: `<base href="http://tracker.test:8099/"><base href="/"><svg width=9 height=9><image width=9 height=9 href="/x"><set attributeName=href to="t/ID"/></image></svg>`},
	{name: "svg-foreignobject", body: `<svg width=9 height=9><foreignObject width=9 height=9><img src="TRACKER"></foreignObject></svg>`},
	{name: "svg-switch", body: `<svg width=9 height=9><switch><image width=9 height=9 href="TRACKER"/></switch></svg>`},
	{name: "svg-href-both", body: `<svg width=9 height=9><image width=9 height=9 xlink:href="TRACKER" href=""/></svg>`},
	{name: "svg-discard-prefix", headers: contentType("image/svg+xml"), body: `<a:svg xmlns:a="http://www.w3.org/2000/svg" xmlns:b="http://www.w3.org/1999/xlink"><a:image b:href="TRACKER" width="9" height="9"/></a:svg>`},
	{name: "svg-xml-entity", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ENTITY u "TRACKER">]><svg xmlns="http://www.w3.org/2000/svg"><image href="&u;" width="9" height="9"/></svg>`},
	{name: "svg-xml-entity-markup", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ENTITY u "<image xmlns='http://www.w3.org/2000/svg' href='TRACKER' width='9' height='9'/>">]><svg xmlns="http://www.w3.org/2000/svg">&u;</svg>`},
	{name: "svg-xml-entity-nested", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ENTITY a "http://track"><!ENTITY u "&a;er.test:8099/t/ID">]><svg xmlns="http://www.w3.org/2000/svg"><image href="&u;" width="9" height="9"/></svg>`},
	{name: "svg-xml-entity-markup-split", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ENTITY a "&#60;image width='9' height='9' href='http://track"><!ENTITY u "&#38;a;er.test:8099/t/ID'/>">]><svg xmlns="http://www.w3.org/2000/svg">&a;er.test:8099/t/ID'/></svg>`},
	{name: "svg-xml-entity-html-name", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ENTITY copy "TRACKER">]><svg xmlns="http://www.w3.org/2000/svg"><image href="&copy;" width="9" height="9"/></svg>`},
	{name: "svg-xml-entity-many", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [` + manyEntities + `<!ENTITY u "TRACKER">]><svg xmlns="http://www.w3.org/2000/svg"><image href="&u;" width="9" height="9"/></svg>`},
	{name: "svg-xml-entity-spaces", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ENTITY s "` + strings.Repeat(" ", 4000) + `"><!ENTITY u "TRACKER">]><svg xmlns="http://www.w3.org/2000/svg"><image href="&s;&s;&s;&u;" width="9" height="9"/></svg>`},
	{name: "svg-xml-parameter-entity", headers: contentType("image/svg+xml"), body: "<!DOCTYPE svg [<!ENTITY\n%\tx '<!ENTITY u \"TRACKER\">'>%x;]><svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"&u;\" width=\"9\" height=\"9\"/></svg>"},
	{name: "svg-xml-two-prefixes", headers: contentType("image/svg+xml"), body: `<svg xmlns="http://www.w3.org/2000/svg" xmlns:a="urn:x" xmlns:b="http://www.w3.org/1999/xlink"><image a:href="http://ok.test/" b:href="TRACKER" width="9" height="9"/></svg>`},
	{name: "svg-xml-attlist", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg [<!ATTLIST image href CDATA "TRACKER">]><svg xmlns="http://www.w3.org/2000/svg"><image width="9" height="9"/></svg>`},
	{name: "svg-xml-external-dtd", headers: contentType("image/svg+xml"), body: `<!DOCTYPE svg SYSTEM "TRACKER"><svg xmlns="http://www.w3.org/2000/svg"/>`},
	{name: "svg-stylesheet-pi", headers: contentType("image/svg+xml"), body: `<?xml-stylesheet href="TRACKER" type="text/css"?><svg xmlns="http://www.w3.org/2000/svg"/>`},
	{name: "svg-stylesheet-pi-data", headers: contentType("image/svg+xml"), body: `<?xml-stylesheet href="data:text/css,@import 'TRACKER';" type="text/css"?><svg xmlns="http://www.w3.org/2000/svg"/>`},
	{name: "svg-html-inside", headers: contentType("image/svg+xml"), body: `<svg xmlns="http://www.w3.org/2000/svg"><foreignObject width="9" height="9"><img xmlns="http://www.w3.org/1999/xhtml" src="TRACKER"/></foreignObject></svg>`},
	{name: "xhtml-link", headers: contentType("application/xhtml+xml"), body: `<html xmlns="http://www.w3.org/1999/xhtml"><head><link rel="stylesheet" href="TRACKER"/></head></html>`},
	{name: "xhtml-cdata-style", headers: contentType("application/xhtml+xml"), body: `<html xmlns="http://www.w3.org/1999/xhtml"><head><style><![CDATA[@import]]> "TRACKER";</style></head></html>`},
	{name: "xslt-inline", program: true, headers: contentType("text/xml"), body: `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#s"?><!DOCTYPE d [<!ATTLIST xsl:stylesheet id ID #IMPLIED>]><d><xsl:stylesheet id="s" version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><html><body><xsl:element name="img"><xsl:attribute name="src">TRACKER</xsl:attribute></xsl:element></body></html></xsl:template></xsl:stylesheet></d>`},
	{name: "xslt-attribute", program: true, headers: contentType("text/xml"), body: `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="OWN/s.xsl"?><r/>`, own: map[string]string{"s.xsl": `text/xsl|<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="html"/><xsl:template match="/"><html><body><xsl:element name="img"><xsl:attribute name="src">TRACKER</xsl:attribute></xsl:element></body></html></xsl:template></xsl:stylesheet>`}},
	{name: "xslt-concat", program: true, headers: contentType("text/xml"), body: `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="OWN/s.xsl"?><r h="tracker"/>`, own: map[string]string{"s.xsl": `text/xsl|<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="html"/><xsl:template match="/"><html><body><img src="{concat('http://',r/@h,'.test:8099/t/ID')}"/></body></html></xsl:template></xsl:stylesheet>`}},
	{name: "xslt-document", program: true, headers: contentType("text/xml"), body: `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="OWN/s.xsl"?><r/>`, own: map[string]string{"s.xsl": `text/xsl|<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:import href="TRACKER"/><xsl:template match="/"><html><xsl:value-of select="document('TRACKER')"/></html></xsl:template></xsl:stylesheet>`}},
	{name: "math-href", body: `<math><mi href="TRACKER" style="background:url(TRACKER)">x</mi></math>`},
	{name: "math-annotation", body: `<math><annotation-xml encoding="application/xhtml+xml"><img src="TRACKER"></annotation-xml></math>`},
}

// manyEntities are more than a reader may want to remember.
var manyEntities = strings.Repeat(`<!ENTITY x "y">`, 100)

// utf16 spells ASCII in UTF-16BE.
func utf16(s string) string { return "\x00" + strings.Join(strings.Split(s, ""), "\x00") }
