package html

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var tagPieces = []string{
	"<", "</", ">", "/>", "=", `"`, "'", " ", "\n", "/", "?", "!", "<!--", "-->", "x", "1", "<a", "<div", "<DIV>", "</div>", "</a ", "<p>text</p>", "<blockquote ", "</figcaption>", "</textarea>",
	"<script", "<style>", "<title>", "</title>", "</script>", "<svg ", "<select>", "<select ", "<body ", "<img ", " href=", ` href="x?y=z"`, ` href="javascript:x"`, " src=x", ` src="a>b"`, " onload='x'",
	` class="a b c"`, ` class="a>b"`, " class=\"", "class=\"\"", ` Class="x" class=x`, `<p class="a"> onload="x">`, `<b class=""> style="x:url(y)">`, `<i id="a"> onload="x">`, ` srcset="<"`, ` href="/?a"`, ` on="x"`, ` data-x1="<p>"`, ` data-long-name='">'`, ` alt=''`, " hidden", " b=c=\"d>\"", ` ="x>y"`, ` a = "x>y"`, " style=\"a\"", "some longer text in between",
}

// found is a construct, and whether it may not be passed over.
type found struct {
	what    string
	weighty bool
}

// constructs returns what a tokenizer finds in a document that comes in pieces, as a driver without a tree sees it. Tags of
// up to limit bytes may be passed over, and with skim they are.
func constructs(doc []byte, judged, skim bool, limit, piece int) (list []found) {
	var t tokenizer
	t.tag.judged, t.tag.links = judged, true
	if skim {
		t.skim = limit
	}
	for p, n := 0, min(piece, len(doc)); ; {
		k, start, end := t.next(doc[:n], p, n == len(doc))
		if k == kindMore {
			if n == len(doc) {
				return list
			}
			p, n = start, min(n+piece, len(doc))
			continue
		}
		f := found{fmt.Sprint(k, start, end), k != kindEndTag || end-start > limit}
		if k == kindStartTag {
			el := lookupElement(t.tag.name, doc[start+1:start+t.tag.nameEnd])
			f.what += fmt.Sprint(el.name, t.tag.selfClosing)
			for id := range attrCount {
				if t.tag.seen.has(id) {
					f.what += fmt.Sprint(" ", attrNames[id], t.tag.attrs[id])
				}
			}
			f.weighty = end-start > limit || t.tag.seen&el.mask != 0 && !t.tag.onlyLinks(doc[start:end], el) ||
				el.flags&(flagRaw|flagScript|flagPlain|flagInject|flagContext|flagForeign) != 0
			t.enter(el)
		}
		list = append(list, f)
		p = end
	}
}

// checkSkipped compares both ways to read a document, and returns how many tags were passed over.
func checkSkipped(t *testing.T, doc []byte, judged bool, limit, piece int) (skipped int) {
	t.Helper()
	left := constructs(doc, judged, true, limit, piece)
	for _, f := range constructs(doc, judged, false, limit, piece) {
		switch {
		case len(left) > 0 && left[0] == f:
			left = left[1:]
		case f.weighty:
			t.Fatalf("%q, judged %v, limit %d, in pieces of %d: %q was left out; then come %v", doc, judged, limit, piece, f.what, left)
		default:
			skipped++
		}
	}
	if len(left) > 0 {
		t.Fatalf("%q, judged %v, limit %d, in pieces of %d: found %v", doc, judged, limit, piece, left)
	}
	return skipped
}

// TestSkippedTags compares what is found where tags that mean nothing are passed over with what is found where each is
// described: nothing else is left out, and nothing is found that is not there.
func TestSkippedTags(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	skipped := 0
	for range 50000 {
		var b strings.Builder
		for range 1 + rng.IntN(16) {
			b.WriteString(tagPieces[rng.IntN(len(tagPieces))])
		}
		b.WriteString(strings.Repeat(" ", rng.IntN(4*window))) // with less to come, nothing is looked at in a hurry
		doc, judged, limit, piece := []byte(b.String()), rng.IntN(2) == 0, 4+rng.IntN(64), 1+rng.IntN(300)
		if rng.IntN(2) == 0 {
			limit += scanWindow
		}
		skipped += checkSkipped(t, doc, judged, limit, piece)
	}
	if skipped < 25000 {
		t.Errorf("only %d tags were passed over", skipped)
	}
}

// TestSkippedBytes is the same with each byte at each place where it could mean something.
func TestSkippedBytes(t *testing.T) {
	after := "<script></script>" + strings.Repeat(" ", 2*scanWindow)
	for _, doc := range []string{"<^p a='b'>", "</^p a='b'>", "<p^>", "<p^a=' b='><script>' c='d'>", "<p^='><script>' c='d'>", "<p^a='x b= \"y'><script>\" c=\"d\">", "<p a^='x b= \"y'><script>\" c=\"d\">",
		"<p a=b^c='x d= \"y'><script>\" e=\"f\">", "<p a^b='c'>", "<p a^='><script>' c='d'>", "<p a=^'><script>' c='d'>",
		"<p a='b'^='><script>' c='d'>", "<p a='b'^c='><script>' d='e'>", "<p a='b'^onclick='c'>", "<p a='b' ^style='c'>", "<p a='b' style^='c'>", "<p a='b'^src='c'>", "<p a=^href=b>", "<a href='^'>", "<p a='^' b='><script>'>"} {
		for _, quote := range []string{"'", `"`} {
			for c := range 256 {
				page := []byte(strings.ReplaceAll(strings.ReplaceAll(doc, "'", quote), "^", string([]byte{byte(c)})) + after)
				checkSkipped(t, page, false, 500, 1<<20)
				checkSkipped(t, page, true, 500, 1<<20)
			}
		}
	}
}

// TestSkippedForms is the same with every order of what has a meaning in tags.
func TestSkippedForms(t *testing.T) {
	length := 4
	if os.Getenv("REWRITE_DOCUMENTS") != "" {
		length = 6
	}
	after := strings.Repeat(" ", scanWindow+window)
	var try func(form string, left int)
	try = func(form string, left int) {
		for _, end := range []string{"", `"><script>" a="b">`, `'><script>' a='b'>`, " onx='a'>"} {
			doc := []byte(form + end + after)
			checkSkipped(t, doc, false, 500, len(doc))
			checkSkipped(t, doc, true, 500, len(doc))
		}
		if left > 0 {
			for _, c := range []byte("<>\"'=/ a") {
				try(form+string(c), left-1)
			}
		}
	}
	try("<p", length)
	try("<p a=", length)
	try("<p a='b'", length)
}
