package encoding_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html/charset"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

var corpus = filepath.Join("..", "..", "..", "shared", "corpus")

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		contentType, body, want string
		certain                 bool
	}{
		{"text/html", "", "windows-1252", false},
		{"", "<p>", "windows-1252", false},
		{"text/html; charset=utf-8", "", "utf-8", true},
		{"text/html; charset=UTF8", "", "utf-8", true},
		{`text/html; charset="utf-8"`, "", "utf-8", true},
		{"text/html;charset='utf-8'", "", "utf-8", true},
		{"text/html; Charset = iso-8859-1", "", "windows-1252", true},
		{"text/html; charset=utf-8; charset=gbk", "", "utf-8", true},
		{"text/html; charset=gbk, text/html", "", "gbk", true},
		{"text/html; charset=gbk, text/css", "", "utf-8", false},
		{"text/html; charset=nonsense", "<meta charset=gbk>", "gbk", true},
		{"text/html; charset=utf-16le", "", "utf-16le", true},
		{"text/html; charset=utf-8", "\xff\xfe<\x00", "utf-16le", true},
		{"text/html; charset=utf-8", "\xfe\xff\x00<", "utf-16be", true},
		{"text/html; charset=gbk", "\xef\xbb\xbf<", "utf-8", true},
		{"text/html", "<meta charset=utf-16>", "utf-8", true},
		{"text/html", "<meta charset=x-user-defined>", "windows-1252", true},
		{"text/html", "<?xml version='1.0' encoding='gbk'?><html>", "gbk", true},
		{"text/html", "<\x00?\x00x\x00m\x00", "utf-16le", true},
		{"text/html", "\x00<\x00?\x00x\x00m", "utf-16be", true},
		{"text/html; charset=iso-2022-kr", "", "replacement", true},
		{"application/xhtml+xml", "<html>", "utf-8", true},
		{"image/svg+xml", `<?xml version="1.0" encoding = "Shift_JIS" ?>`, "shift_jis", true},
		{"text/xml", `<?xml version="1.0" encoding="utf-16"?>`, "utf-8", true},
		{"text/xml", `<?xml version="1.0" encoding="gbk`, "utf-8", true},
		{"text/css", `@charset "koi8-r"; a{}`, "koi8-r", true},
		{"text/css", `@charset 'koi8-r';`, "utf-8", false},
		{"text/css", ` @charset "koi8-r";`, "utf-8", false},
		{"text/css", `@charset "koi8-r`, "utf-8", false},
		{"text/xml", `<a encoding="gbk">`, "utf-8", true},
		{"text/xml", `<?xml encoding`, "utf-8", true},
		{"text/xml", `<?xml encoding>`, "utf-8", true},
		{"text/xml", `<?xml encoding=>`, "utf-8", true},
		{"text/html", `<p encoding="gbk">`, "windows-1252", false},
		{"text/html", "<!--><meta charset=koi8-r>", "koi8-r", true},
		{"text/html", "<meta charset=koi8-r charset=gbk>", "koi8-r", true},
		{"text/html", "<meta http-equiv=content-type content='charset=gbk' charset=koi8-r>", "koi8-r", true},
		{"text/html", "<meta charset=koi8-r http-equiv=content-type content='charset=gbk'>", "koi8-r", true},
		{"text/html", "<meta http-equiv=content-type content=charset charset=koi8-r>", "koi8-r", true},
		{"text/html", "<meta http-equiv=content-type content='text/html; charset='>", "windows-1252", false},
		{"text/html", "<meta http-equiv=content-type content='charset x charset\t=\tkoi8-r; x'>", "koi8-r", true},
		{"text/html", "<meta http-equiv=content-type content='charset=koi8-r x'>", "koi8-r", true},
		{"text/html", `<meta http-equiv=content-type content='charset="koi8-r"x'>`, "koi8-r", true},
		{"text/html", `<meta http-equiv=content-type content='charset="koi8-r'>`, "windows-1252", false},
		{"text/html", "<meta =x charset=koi8-r>", "koi8-r", true},
		{"text/html", "</p x='>'><meta charset=koi8-r>", "koi8-r", true},
		{"text/html", "</ <p x='<meta charset=koi8-r>'>", "windows-1252", false},
		{"text/html", "<?x><meta charset=koi8-r>", "koi8-r", true},
		{"text/html; x=\";charset=gbk;\"; charset=koi8-r", "", "koi8-r", true},
		{"application/json", `{}`, "utf-8", false},
		{"text/html", strings.Repeat(" ", 1003) + "<meta charset=koi8-r>", "koi8-r", true},
		{"text/html", strings.Repeat(" ", 1004) + "<meta charset=koi8-r>", "windows-1252", false},
		{"text/html", strings.Repeat(" ", 1004) + "<meta charset=gbk>", "gbk", true},
		{"text/html", "<title>été<meta charset=koi8-r>", "koi8-r", true},
		{"text/html", "<title>été", "windows-1252", false},
		{"text/css", `a{content:"é"}`, "utf-8", true},
		{"text/css", "/*\xc3\xa9\xe3\x83", "utf-8", true}, // cut off
		{"text/css", "/*\xe9t\xe9", "utf-8", false},
		{"text/css", "a{content:\"\x83\x5c\"}", "utf-8", false},
	} {
		got, certain := encoding.Sniff(c.contentType, []byte(c.body))
		if got != c.want || certain != c.certain {
			t.Errorf("Sniff(%q, %q) = %s, %v; want %s, %v", c.contentType, c.body, got, certain, c.want, c.certain)
		}
	}
}

// TestPrescanSuite runs html5lib's encoding tests. Its cases that need a parser are listed with why.
func TestPrescanSuite(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus, "suites", "html5lib-tests", "encoding", "*.dat"))
	if len(files) == 0 {
		t.Skip("no html5lib-tests at ../shared/corpus/suites")
	}
	n := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range bytes.Split(b, []byte("#data\n"))[1:] {
			data, want, ok := bytes.Cut(part, []byte("\n#encoding\n"))
			if !ok {
				continue
			}
			label := strings.TrimSpace(string(want))
			_, name := charset.Lookup(label)
			got, certain := encoding.Sniff("text/html", data)
			if len(data) > encoding.PrescanLength && !certain {
				got = encoding.Prescan(data) // what a parser heeds later ("change the encoding"): Sniff leaves it to browsers
			}
			n++
			if got != name {
				t.Errorf("%s: %.200q: %s, want %s (%s)", filepath.Base(file), data, got, name, label)
			}
		}
	}
	t.Logf("%d cases", n)
}

func TestTransparent(t *testing.T) {
	for _, label := range []string{"utf-8", "windows-1252", "iso-8859-2", "koi8-r", "macintosh", "x-user-defined", "ibm866", "windows-874", "euc-jp"} {
		if !encoding.Transparent(label) {
			t.Errorf("%s is not transparent", label)
		}
		// What it claims: each byte of ASCII is itself wherever it stands.
		e, _ := charset.Lookup(label)
		for before := range 256 {
			for c := range 128 {
				out, _ := e.NewDecoder().Bytes([]byte{byte(before), byte(c)})
				if len(out) == 0 || out[len(out)-1] != byte(c) {
					t.Fatalf("%s: %#x %#x became %q", label, before, c, out)
				}
			}
		}
	}
	for _, label := range []string{"utf-16le", "utf-16be", "iso-2022-jp", "shift_jis", "gbk", "gb18030", "big5", "euc-kr", "replacement", "nonsense"} {
		if encoding.Transparent(label) {
			t.Errorf("%s is transparent", label)
		}
	}
}

func transcode(t testing.TB, name string, pieces ...[]byte) string {
	t.Helper()
	var out bytes.Buffer
	w, err := encoding.NewTranscoder(name, &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces {
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTranscoder(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"utf-8", "<p>ü\xff", "<p>ü\xff"},
		{"windows-1252", "tr\xaacker \x80", "trªcker €"},
		{"utf-16le", "<\x00p\x00>\x00\xfc\x00=\xd8\x00\xde", "<p>ü😀"},
		{"utf-16be", "\x00<\x00p\x00>\xd8\x3d\xde\x00\xd8\x3d", "<p>😀\ufffd"},
		{"shift_jis", "<p>\x95\x5c\x81<", "<p>表\ufffd<"},
		{"gbk", "\xc4\xe3\xbf\"", "你\ufffd\""},
		{"iso-2022-jp", "\x1b$B$\"\x1b(B<p>", "あ<p>"},
		{"euc-kr", "\xb0\xa1\xb0<", "가\ufffd<"},
		{"big5", "\xa4\x40<", "一<"},
		{"replacement", "<script>", "\ufffd"},
	} {
		for i := range len(c.in) + 1 {
			if got := transcode(t, c.name, []byte(c.in[:i]), []byte(c.in[i:])); got != c.want {
				t.Errorf("%s: %q split at %d became %q, want %q", c.name, c.in, i, got, c.want)
			}
		}
	}
	if _, err := encoding.NewTranscoder("nonsense", io.Discard); err != encoding.ErrUnknownEncoding {
		t.Errorf("nonsense: %v", err)
	}
}

func TestKindOf(t *testing.T) {
	const page = "<!DOCTYPE html><p>"
	for _, c := range []struct {
		contentType string
		nosniff     bool
		body        string
		want        encoding.Kind
	}{
		{"text/html", true, "", encoding.KindHTML},
		{"TEXT/HTML; charset=utf-8", false, "", encoding.KindHTML},
		{" text/html ; charset=utf-8", false, "", encoding.KindHTML},
		{"text/html (x)", false, "", encoding.KindHTML},
		{"text/plain, text/html", true, "", encoding.KindHTML},
		{"text/html, text/plain", false, page, encoding.KindOther},
		{"text/html, nonsense", false, "", encoding.KindHTML},
		{"text/html, */*", false, "", encoding.KindHTML},
		{`text/plain; x="a, text/html"`, false, page, encoding.KindOther},
		{`text/plain; x="a, text/html, b"`, false, page, encoding.KindOther},
		{`text/plain; x="\", text/html, b"`, false, page, encoding.KindOther},
		{`text/plain; x=\", text/html, "`, false, page, encoding.KindOther},
		{`text/plain; x=\, text/html`, false, page, encoding.KindHTML},
		{"te\x7fxt/plain", false, page, encoding.KindHTML},
		{"\x1f/plain", false, page, encoding.KindHTML},
		{"", false, "<b", encoding.KindHTML},
		{"", false, "</p>" + page, encoding.KindHTML},
		{"", false, "<1" + page, encoding.KindOther},
		{"", false, "\xfe\xff\x00<\x00h\x00t\x00m\x00l", encoding.KindHTML},
		{"text/json", true, "", encoding.KindJSON},
		{"application/xml", true, "", encoding.KindXML},
		{"text/xsl", true, "", encoding.KindXML},
		{"", false, page, encoding.KindHTML},
		{"", true, page, encoding.KindOther},
		{"*/*", false, page, encoding.KindHTML},
		{"unknown/unknown", false, page, encoding.KindHTML},
		{"application/unknown", false, page, encoding.KindHTML},
		{"html", false, page, encoding.KindHTML},
		{"html", true, page, encoding.KindOther},
		{"text/", false, page, encoding.KindHTML},
		{"", false, "hello " + page, encoding.KindOther},
		{"", false, "\n\t <script>", encoding.KindHTML},
		{"", false, "\ufeff<b>", encoding.KindHTML},
		{"", false, "\xff\xfe<\x00h\x00t\x00m\x00l\x00", encoding.KindHTML},
		{"", false, "<?xml version='1.0'?>", encoding.KindXML},
		{"", false, "<?php", encoding.KindHTML},
		{"", false, "< b", encoding.KindOther},
		{"", false, "\x89PNG\r\n", encoding.KindOther},
		{"text/plain", false, page, encoding.KindOther},
		{"text/html-sandboxed", false, page, encoding.KindOther},
		{"application/octet-stream", false, page, encoding.KindOther},
		{"application/xhtml+xml", true, "", encoding.KindXML},
		{"image/svg+xml", true, "", encoding.KindXML},
		{"text/xml", true, "", encoding.KindXML},
		{"application/rss+xml; charset=utf-8", true, "", encoding.KindXML},
		{"text/css", true, "", encoding.KindCSS},
		{"application/json", true, "", encoding.KindJSON},
		{"application/speculationrules+json", true, "", encoding.KindJSON},
		{"text/event-stream", true, "", encoding.KindOther},
		{"multipart/x-mixed-replace; boundary=b", true, "", encoding.KindMultipart},
		{"image/png", false, page, encoding.KindOther},
	} {
		if got := encoding.KindOf(c.contentType, c.nosniff, []byte(c.body), true); got != c.want {
			t.Errorf("KindOf(%q, %v, %q) = %d, want %d", c.contentType, c.nosniff, c.body, got, c.want)
		}
		// An earlier answer on less of the body must be the same, or that more is needed.
		for i := range len(c.body) {
			if got := encoding.KindOf(c.contentType, c.nosniff, []byte(c.body[:i]), false); got != c.want && got != encoding.KindNeedMore {
				t.Errorf("KindOf(%q, %v, %q) = %d before the end, then %d", c.contentType, c.nosniff, c.body[:i], got, c.want)
			}
		}
	}
	if got := encoding.KindOf("", false, bytes.Repeat([]byte(" "), 2000), false); got != encoding.KindOther {
		t.Errorf("2000 spaces: %d", got)
	}
}

// TestHidingPlaces: whatever a browser reads as a document that contacts the tracker must be a document here, and its contact
// must be readable in UTF-8.
func TestHidingPlaces(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(corpus, "hiding", "pages.json"))
	if err != nil {
		t.Skip("no ../shared/corpus/hiding")
	}
	var pages []struct {
		Name, Class, Encoding, Body string
		Headers                     map[string]string
		Chromium                    bool `json:"chromium_contacts_tracker"`
		Firefox                     bool `json:"firefox_contacts_tracker"`
	}
	if err := json.Unmarshal(b, &pages); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range pages {
		if p.Class != "charset-type" || !p.Chromium && !p.Firefox {
			continue
		}
		n++
		body := []byte(p.Body)
		if p.Encoding == "base64" {
			body, _ = base64.StdEncoding.DecodeString(p.Body)
		}
		contentType := p.Headers["Content-Type"]
		kind := encoding.KindOf(contentType, false, body, true)
		if kind != encoding.KindHTML && kind != encoding.KindXML && kind != encoding.KindMultipart {
			t.Errorf("%s: kind %d", p.Name, kind)
		}
		name, _ := encoding.Sniff(contentType, body)
		if text := transcode(t, name, body); !strings.Contains(text, "tracker.test") && !strings.Contains(text, "/xsl/") {
			t.Errorf("%s: as %s it reads %.80q", p.Name, name, text)
		}
	}
	t.Logf("%d pages", n)
}

// TestData: the type and the text of data: URLs.
func TestData(t *testing.T) {
	for _, c := range []struct {
		rest, mime, body string
		ok               bool
	}{
		{"text/html,<p>%41", "text/html", "<p>A", true},
		{"TEXT/HTML;x=Y,a#b", "text/html;x=y", "a", true},
		{",x", "", "x", true},
		{"text/html", "", "", false},
		{"text/html;base64,PHA+QQ==", "text/html;base64", "<p>A", true},
		{"text/html;\tBASE64 ,P%48A%2BQ\nQ%3D%3D", "text/html;\tbase64 ", "<p>A", true},
		{"text/html;base64,PHA+Q*", "text/html;base64", "<p>", true},
		{"base64,PHA+QQ", "base64", "PHA+QQ", true},
		{"text/html;charset=utf-16le,<%00p%00>%00", "text/html;charset=utf-16le", "<p>", true},
		{"text/html;charset=shift_jis,%95%5c", "text/html;charset=shift_jis", "表", true},
	} {
		if mime, body, ok := encoding.Data([]byte(c.rest)); mime != c.mime || string(body) != c.body || ok != c.ok {
			t.Errorf("%q: %q, %q, %v; want %q, %q, %v", c.rest, mime, body, ok, c.mime, c.body, c.ok)
		}
	}
}

func FuzzSniff(f *testing.F) {
	for _, s := range []string{"<meta charset=gbk>", "<meta http-equiv=content-type content='text/html;charset=koi8-r'>", "<!-- <meta charset=gbk> --><?xml encoding='x'?>", "<meta", "<a b='", "</x y", "\xff\xfe", "<meta charset"} {
		f.Add("text/html", []byte(s))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		name, _ := encoding.Sniff(contentType, body)
		if _, err := encoding.NewTranscoder(name, io.Discard); err != nil {
			t.Fatalf("Sniff(%q, %q) = %q, which cannot be transcoded", contentType, body, name)
		}
		split := len(body) / 2
		if a, b := transcode(t, name, body), transcode(t, name, body[:split], body[split:]); a != b {
			t.Fatalf("%s: %q became %q, in two writes %q", name, body, a, b)
		}
		whole := encoding.KindOf(contentType, false, body, true)
		if part := encoding.KindOf(contentType, false, body[:split], false); part != encoding.KindNeedMore && part != whole {
			t.Fatalf("KindOf(%q, %q): %d, then %d", contentType, body, part, whole)
		}
	})
}

func BenchmarkSniff(b *testing.B) {
	doc := []byte("<!DOCTYPE html><html lang=en><head><title>A page</title><link rel=stylesheet href=/a.css><meta charset=utf-8>" + strings.Repeat("<p>text", 200))
	b.ReportAllocs()
	for b.Loop() {
		encoding.Sniff("text/html", doc[:encoding.PrescanLength])
	}
}

func BenchmarkTranscoder(b *testing.B) {
	text := bytes.Repeat([]byte("<p class=x>Gr\xfc\xdfe aus M\xfcnchen</p>\n"), 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		w, _ := encoding.NewTranscoder("windows-1252", io.Discard)
		w.Write(text)
		w.Close()
	}
}

func ExampleSniff() {
	fmt.Println(encoding.Sniff("text/html", []byte("<!DOCTYPE html><meta charset=latin1><title>x</title>")))
	// Output: windows-1252 true
}

func ExampleKindOf() {
	fmt.Println(encoding.KindOf("text/plain, text/html", true, nil, false) == encoding.KindHTML)
	// Output: true
}

func ExampleNewTranscoder() {
	w, _ := encoding.NewTranscoder("iso-8859-1", os.Stdout)
	w.Write([]byte("Gr\xfc\xdfe\n"))
	w.Close()
	// Output: Grüße
}

func ExamplePrescan() {
	fmt.Println(encoding.Prescan([]byte("<html><meta http-equiv=content-type content='text/html; charset=gb2312'>")))
	// Output: gbk
}

func TestUndeclared(t *testing.T) {
	var out bytes.Buffer
	w := encoding.NewUndeclared(&out)
	for _, p := range []string{"<p>", "a\x1b$B<!--\x1b(B", "\x00b", "\x1bc"} {
		in := []byte(p)
		if n, err := w.Write(in); n != len(p) || err != nil || string(in) != p {
			t.Errorf("%q: %d, %v, now %q", p, n, err, in)
		}
	}
	if got := out.String(); got != "<p>a\x1a$B<!--\x1a(B\x1ab\x1ac" {
		t.Errorf("%q", got)
	}
}

func TestXHTML(t *testing.T) {
	const ns = `xmlns="http://www.w3.org/1999/xhtml"`
	for doc, want := range map[string]bool{
		`<html ` + ns + `>`: true, "<html\nlang='>'\txmlns = 'http://www.w3.org/1999/xhtml'": true,
		"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- <a> --><!DOCTYPE html><html " + ns + ">": true, `<html xmlns:x="y" ` + ns + `/>`: true,
		`<?xml-stylesheet href="x"?><html ` + ns + `>`: false, `<!-- <a> --><?x?><?xml-stylesheet href="x"?><html ` + ns + `>`: false,
		`<!-- [x] --><html ` + ns + `>`: true, `<!DOCTYPE html []><html ` + ns + `>`: false,
		`<!-- <html ` + ns + `>`: false, ``: false, ` `: false, `<`: false, `<html`: false, `<html `: false, `<html x`: false, `<html x=`: false, `<html x="`: false,
		`<!DOCTYPE html [<!ENTITY b "c">]><html ` + ns + `>`: false, "<\x00h\x00": false, "\xfe\xff\x00<": false,
		`<html>`: false, `<html><body ` + ns + `>`: false, `<html x="y"><body ` + ns + `>`: false, `<html xmlns="http://www.w3.org/1999/xhtm` + "`": false,
		`<svg ` + ns + `>`: false, `<HTML ` + ns + `>`: false, `<htmlx ` + ns + `>`: false, `<html` + ns + `>`: false, `<html:x ` + ns + `>`: false,
		`<h:html xmlns:h="http://www.w3.org/1999/xhtml">`: false, `<html xmlns="http://www.w3.org/2000/svg">`: false, `<html x="y"` + ns + `>`: false,
		`<html xmlns="http&#58;//www.w3.org/1999/xhtml">`: false,
	} {
		if got := encoding.XHTML([]byte(doc)); got != want {
			t.Errorf("XHTML(%q) = %v", doc, got)
		}
	}
}
