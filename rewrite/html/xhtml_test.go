package html

import (
	"io"
	"strings"
	"testing"
)

// TestXMLInject: what is injected in XHTML stands before whatever could run a script, within the elements of that name
// only, and never within a script's or style's text.
func TestXMLInject(t *testing.T) {
	for in, want := range map[string]string{
		`<html><head><title/></head><body class="x"><p/></body></html>`:     `<html><head>[h]<title/></head><body class="x">[b]<p/></body></html>`,
		`<?xml version="1.0"?><!DOCTYPE html><html> <!-- <head> --> <head>`: `<?xml version="1.0"?><!DOCTYPE html><html> <!-- <head> --> <head>[h]`,
		`<html><body>`:                                                       `<html>[h]<body>[b]`,
		`<html><head/><body>`:                                                `<html>[h]<head/><body>[b]`,
		`<html><head/><body/></html>`:                                        `<html>[h]<head/><body/></html>`,
		`<html><script>1</script><head></head>`:                              `<html>[h]<script>1</script><head></head>`,
		`<html><style>a{}</style><head></head>`:                              `<html>[h]<style>a{}</style><head></head>`,
		`<html><x:head><HEAD><x:body/><BODY>`:                                `<html>[h]<x:head><HEAD><x:body/><BODY>`,
		`<html><head><script>1<body></body></script></head><body>`:           `<html><head>[h]<script type="text/plain">1</script></head><body>[b]`,
		`<html><head><style>a{}<body></body></style></head><body>`:           `<html><head>[h]<style>a{}</style></head><body>[b]`,
		`<html><head><script><![CDATA[<body>]]></script></head><body><body>`: `<html><head>[h]<script><![CDATA[<body>]]></script></head><body>[b]<body>`,
		`<html></html>`:                                                      `<html></html>`,
		`<html><!-- <p> --><?x <p>?></html>`:                                 `<html><!-- <p> --><?x <p>?></html>`,
	} {
		o := options(t)
		o.XML = true
		o.Head = func(w io.Writer) { _, _ = io.WriteString(w, "[h]") }
		o.Body = func(w io.Writer) { _, _ = io.WriteString(w, "[b]") }
		out := rewriteAll(t, o, in)
		if out != want {
			t.Errorf("%s\n got %s\nwant %s", in, out, want)
		}
		checkSplits(t, o, in, out, 1)
		o.Fragment = true
		if got := rewriteAll(t, o, in); got != strings.NewReplacer("[h]", "", "[b]", "").Replace(out) {
			t.Errorf("as a fragment: %s", got)
		}
	}
}
