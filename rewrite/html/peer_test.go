package html

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"
)

// TestPeer compares the tags with those of x/net/html's tokenizer on that package's own test data. noscript is read as
// markup by both, and what x/net does against the standard (see withoutEscapes) is left out.
func TestPeer(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	data := filepath.Join(strings.TrimSpace(string(dir)), "html", "testdata")
	var files []string
	for _, pattern := range []string{"go1.html", "go/*.dat", "html5lib-tests/tree-construction/*.dat", "webkit/*.dat"} {
		found, _ := filepath.Glob(filepath.Join(data, pattern))
		files = append(files, found...)
	}
	if err != nil || len(files) == 0 {
		t.Skip("the test data of golang.org/x/net is absent: no ", data)
	}
	docs := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		parts := [][]byte{b}
		if strings.HasSuffix(f, ".dat") {
			parts = bytes.Split(b, []byte("#data\n"))[1:]
		}
		for _, doc := range parts {
			doc, _, _ = bytes.Cut(doc, []byte("\n#errors"))
			docs++
			if ours, theirs := tagsOf(string(doc)), peerTags(string(doc)); ours != theirs {
				t.Errorf("%s: %q\n ours %s\npeer %s", filepath.Base(f), doc, ours, theirs)
			}
		}
	}
	t.Logf("%d documents of %d files", docs, len(files))
}

// tagsOf lists the tags that this package's tokenizer finds.
func tagsOf(doc string) string {
	var out strings.Builder
	var tk tokenizer
	tk.tag.judged = true
	for p := 0; ; {
		k, start, end := tk.next([]byte(doc), p, true)
		if k == kindMore {
			return out.String()
		}
		raw := doc[start:end]
		switch k {
		case kindEndTag:
			fmt.Fprintf(&out, "</%s>", name(raw[2:tk.tag.nameEnd]))
		case kindStartTag:
			fmt.Fprintf(&out, "<%s", name(raw[1:tk.tag.nameEnd]))
			for s := range attributes([]byte(raw), tk.tag.nameEnd) {
				fmt.Fprintf(&out, " %s=%q", name(raw[s.nameStart:s.nameEnd]), appendText(nil, []byte(raw[s.valueStart:s.valueEnd]), true))
			}
			out.WriteByte('>')
			tk.enter(lookupElement(tk.tag.name, []byte(raw[1:tk.tag.nameEnd])))
		}
		p = end
	}
}

// peerTags lists the tags that x/net/html's tokenizer finds.
func peerTags(doc string) string {
	var out strings.Builder
	z := xhtml.NewTokenizer(strings.NewReader(doc))
	for {
		k := z.Next()
		if k == xhtml.ErrorToken {
			return out.String()
		}
		tok := z.Token()
		switch k {
		case xhtml.EndTagToken:
			fmt.Fprintf(&out, "</%s>", tok.Data)
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			fmt.Fprintf(&out, "<%s", tok.Data)
			for _, a := range tok.Attr {
				fmt.Fprintf(&out, " %s=%q", a.Key, a.Val)
			}
			out.WriteByte('>')
			if tok.Data == "noscript" {
				z.NextIsNotRawText()
			}
		}
	}
}
