package guard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func ExampleCompile() {
	g, err := Compile(Config{
		Prefix:  "/.consent",
		Vendors: []Vendor{{ID: "example-ads", Purpose: "marketing", Hosts: []string{"ads.example"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(g.Hash(), "'sha256-"))
	// Output: true
}

func ExampleGuard_Append() {
	g, _ := Compile(Config{Prefix: "/.consent"})
	head := g.Append([]byte("<head>"), Page{Mark: "Zm9vYmFyYmF6cXV4", Granted: 1, Denied: 30, Site: "example.com", GPC: true})
	element, _, _ := strings.Cut(string(head), "(")
	fmt.Println(element)
	// Output: <head><script data-consent-guard="" data-mark="Zm9vYmFyYmF6cXV4" data-granted="1" data-denied="30" data-site="example.com" data-signals="g">
}

func ExampleGuard_Late() {
	g, _ := Compile(Config{Prefix: "/.consent"})
	path, content := g.Late()
	fmt.Println(strings.HasPrefix(path, "/.consent/guard-"), len(content) > 0)
	// Output: true true
}

func ExampleGuard_AppendWorker() {
	g, _ := Compile(Config{Prefix: "/.consent"})
	script := g.AppendWorker(nil, Page{Mark: "Zm9vYmFyYmF6cXV4", Granted: 1, Site: "example.com"})
	script = append(script, "postMessage('ready')"...)
	fmt.Println(strings.HasPrefix(string(script), "self.$consent={"))
	// Output: true
}

// TestHash compares with what a browser computes: the hash of the text between the tags.
func TestHash(t *testing.T) {
	g := testGuard(t, Config{})
	for _, p := range []Page{{}, {Mark: testMark, Nonce: "abc", Granted: 31, Vendors: "+a,-b", Site: "example.org"}} {
		element := g.Append(nil, p)
		text := element[bytes.IndexByte(element, '>')+1 : len(element)-len("</script>")]
		sum := sha256.Sum256(text)
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; g.Hash() != want {
			t.Errorf("hash %s, want %s", g.Hash(), want)
		}
	}
	again := testGuard(t, Config{})
	path, late := g.Late()
	if otherPath, other := again.Late(); again.Hash() != g.Hash() || otherPath != path || !bytes.Equal(other, late) {
		t.Error("two compilations of one configuration differ")
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		name   string
		config Config
		want   []string
	}{
		{"prefix", Config{Prefix: "consent/"}, []string{`prefix "consent/"`}},
		{"allow", Config{Prefix: "/c", Allow: []string{"https://cdn.example"}}, []string{`allow "https://cdn.example"`}},
		{"id", Config{Prefix: "/c", Vendors: []Vendor{{ID: "A b", Purpose: "marketing"}}}, []string{`vendor "A b": an id has`}},
		{"twice", Config{Prefix: "/c", Vendors: []Vendor{{ID: "a", Purpose: "social"}, {ID: "a", Purpose: "social"}}}, []string{`vendor "a": twice`}},
		{"all at once", Config{Prefix: "/c", Vendors: []Vendor{{
			ID: "a", Purpose: "fun", Hosts: []string{"nodot", "UP.example", "a.example/x"}, Patterns: []string{"host", "a b/c"},
			Cookies: []string{"*", "x;y"}, Storage: []string{"a*"},
		}}}, []string{`no purpose "fun"`, `host "nodot"`, `host "UP.example"`, `host "a.example/x"`, `pattern "host"`, `pattern "a b/c"`, `name "*"`, `name "a*"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Compile(test.config)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

// FuzzAppend shows that no value leaves its attribute.
func FuzzAppend(f *testing.F) {
	g, err := Compile(Config{Prefix: "/.consent"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("mark", "nonce", "+a,-b", "example.org", uint8(31), uint8(0))
	f.Add(`"><script>alert(1)</script>`, "'\n>", "&quot;", "<!--", uint8(255), uint8(10))
	f.Fuzz(func(t *testing.T, mark, nonce, vendors, site string, granted, denied uint8) {
		out := g.Append(nil, Page{Mark: mark, Nonce: nonce, Vendors: vendors, Site: site, Granted: granted, Denied: denied})
		z := html.NewTokenizer(bytes.NewReader(out))
		var kinds []html.TokenType
		for z.Next() != html.ErrorToken {
			token := z.Token()
			kinds = append(kinds, token.Type)
			for _, a := range token.Attr {
				if a.Key != "nonce" && !strings.HasPrefix(a.Key, "data-") {
					t.Fatalf("attribute %q", a.Key)
				}
			}
		}
		if fmt.Sprint(kinds) != fmt.Sprint([]html.TokenType{html.StartTagToken, html.TextToken, html.EndTagToken}) {
			t.Fatalf("tokens %v", kinds)
		}
	})
}

// FuzzCompile shows that no vendor breaks the script: it is refused, or the script still parses (the minifier does that).
func FuzzCompile(f *testing.F) {
	f.Add("a", "marketing", "ads.example", "ads.example/x*y", "c*", "s")
	f.Add("a'b", "social", "</script>", `h/"+alert(1)+"`, "\x00\x00", ";;")
	f.Add("a", "social", "a.example", "a.b/(((", "cc", "ss")
	f.Fuzz(func(t *testing.T, id, purpose, host, pattern, cookie, storage string) {
		g, err := Compile(Config{Prefix: "/.consent", Vendors: []Vendor{{
			ID: id, Purpose: purpose, Hosts: []string{host}, Patterns: []string{pattern},
			Cookies: []string{cookie}, Storage: []string{storage},
		}}})
		if err == nil && (len(g.first) == 0 || bytes.Contains(g.first, []byte("</script"))) {
			t.Fatalf("script of %d bytes", len(g.first))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	g, err := Compile(Config{Prefix: "/.consent", Vendors: testVendors})
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 1<<17)
	page := Page{Mark: testMark, Nonce: "abcdefgh", Granted: 1, Denied: 30, Vendors: "+youtube", Site: "example.org"}
	b.ReportAllocs()
	for b.Loop() {
		dst = g.Append(dst[:0], page)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkCompile(b *testing.B) {
	vendors := referenceVendors(b)
	for b.Loop() {
		if _, err := Compile(Config{Prefix: "/.consent", Vendors: vendors}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestASCII: in a page that is not in UTF-8 any other character would be another, and the hash wrong.
func TestASCII(t *testing.T) {
	g, err := Compile(Config{Prefix: "/.consent"})
	if err != nil {
		t.Fatal(err)
	}
	_, late := g.Late()
	if bytes.Contains(g.first, []byte("\n")) {
		t.Error("the script is not one line, by which it knows itself in a stack")
	}
	for _, b := range [][]byte{g.Append(nil, Page{Mark: "abcdefghijklmnop", Site: "site.example"}), late} {
		for i, c := range b {
			if c >= 0x80 {
				t.Fatalf("%q", b[max(0, i-20):min(len(b), i+20)])
			}
		}
	}
}
