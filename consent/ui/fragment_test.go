package ui

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestParseFragment(t *testing.T) {
	for _, tt := range []struct{ markup, want, problem string }{
		{"plain", "plain", ""},
		{"", "", ""},
		{"[[mark]]", "M", ""},
		{"a[[mark]]b[[mark]]c", "aMbMc", ""},
		{"[[style]][[mark]]", "p{}M", ""},
		{"[[?recorded]]yes[[/]]end", "end", ""},
		{"[[?error]]oh [[mark]][[/]]!", "oh M!", ""},
		{"[[?error]]a[[?recorded]]b[[/]]c[[/]]d", "acd", ""},
		{"[[?recorded]]a[[?error]]b[[/]]c[[/]]d", "d", ""},
		{"[[nope]]", "", `no slot "nope"`},
		{"\x01mark", "", `no slot "mark"`},
		{"\x01style", "", `no slot "style"`},
		{"[[?recorded]]", "", "without an end"},
		{"[[/]]", "", "without a condition"},
	} {
		f, err := parseFragment(slotMarks.Replace(tt.markup), map[string]string{"style": "p{}"})
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("%q: error %v, want %q", tt.markup, err, tt.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.markup, err)
			continue
		}
		if got := string(f.append(nil, &values{page: &Page{Mark: "M", Error: "x"}})); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.markup, got, tt.want)
		}
	}
}

// FuzzAppendEscaped compares with the parser: what was escaped must come back as the value of an attribute and as text.
func FuzzAppendEscaped(f *testing.F) {
	for _, s := range []string{"", "a&b", `"'<>`, "&amp;&#34;&lt", "\x00\x1f\x7f", "é\xff", "</title>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "\ufffd"))
		markup := string(appendEscaped([]byte(`<p title="`), strings.ToValidUTF8(s, "\ufffd"))) + `">` + string(appendEscaped(nil, strings.ToValidUTF8(s, "\ufffd"))) + `</p>`
		z := html.NewTokenizer(strings.NewReader(markup))
		z.Next()
		if token := z.Token(); token.Data != "p" || len(token.Attr) != 1 || token.Attr[0].Val != want {
			t.Fatalf("%q became %v", s, token)
		}
		if z.Next() == html.TextToken && string(z.Text()) != want {
			t.Fatalf("%q became text that differs", s)
		}
	})
}

// FuzzAppendQuery compares with the query parser, and checks that the result needs no escaping in an attribute.
func FuzzAppendQuery(f *testing.F) {
	for _, s := range []string{"/", "/a?b=c&d#e", "/ü +%41", "\x00\"<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		encoded := string(appendQuery(nil, s))
		if got, err := url.QueryUnescape(encoded); err != nil || got != s {
			t.Errorf("%q became %q, back %q %v", s, encoded, got, err)
		}
		if strings.ContainsAny(encoded, "\"'<>&# \t\r\n") {
			t.Errorf("%q became %q", s, encoded)
		}
	})
}

// FuzzReturnPath: whatever is sent along, a browser stays on this origin.
func FuzzReturnPath(f *testing.F) {
	for _, s := range []string{"/", "/a", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "", "a", "/%2f/x", "/\r\n/x"} {
		f.Add(s)
	}
	base, err := url.Parse("https://site.example/page")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := returnPath(s)
		if got == "/" {
			return
		}
		// WHATWG URL: backslashes are slashes; tab, CR and LF are removed first.
		seen := strings.NewReplacer("\\", "/", "\t", "", "\r", "", "\n", "").Replace(got)
		if !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") {
			t.Fatalf("%q leads elsewhere", got)
		}
		if u, err := base.Parse(seen); err == nil && u.Host != base.Host {
			t.Fatalf("%q leads to %s", got, u.Host)
		}
	})
}

func TestContrast(t *testing.T) {
	for _, tt := range []struct {
		a, b      string
		low, high float64
	}{
		{"#000", "#fff", 21, 21},
		{"#fff", "#ffffff", 1, 1},
		{"#777777", "#ffffff", 4.47, 4.49}, // the well-known grey that just fails
		{"#767676", "#ffffff", 4.54, 4.55}, // and the one that just passes
		{"#ff0000", "#0000ff", 2.14, 2.16},
	} {
		if got := contrast(tt.a, tt.b); got < tt.low || got > tt.high || got != contrast(tt.b, tt.a) {
			t.Errorf("contrast(%s, %s) = %.3f", tt.a, tt.b, got)
		}
	}
}

func TestDefaultThemeHasContrast(t *testing.T) {
	var p problems
	compileTheme(nil, &p)
	if len(p) != 0 {
		t.Error(p.join())
	}
}

func TestContentURL(t *testing.T) {
	for _, tt := range []struct{ embed, want string }{
		{"https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=1", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
		{"https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
		{"https://www.youtube.com/embed/videoseries?list=PL1", "https://www.youtube.com/playlist?list=PL1"},
		{"https://www.youtube.com/embed/", "https://www.youtube.com/embed/"},
		{"https://www.youtube.com/embed/a/b", "https://www.youtube.com/embed/a/b"},
		{"https://player.vimeo.com/video/42?dnt=1", "https://vimeo.com/42"},
		{"https://player.vimeo.com/video/42?h=ab12", "https://vimeo.com/42/ab12"},
		{"https://www.dailymotion.com/embed/video/x1", "https://www.dailymotion.com/video/x1"},
		{"https://open.spotify.com/embed/track/1", "https://open.spotify.com/track/1"},
		{"https://player.twitch.tv/?channel=a&parent=b", "https://www.twitch.tv/a"},
		{"https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b", "https://soundcloud.com/a/b"},
		{"https://w.soundcloud.com/player/?url=javascript:alert(1)", "https://w.soundcloud.com/player/?url=javascript:alert(1)"},
		{"https://www.google.com/maps/embed?pb=1", "https://www.google.com/maps/embed?pb=1"},
		{"http://old.example/frame", "http://old.example/frame"},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"//x.example/", ""},
		{"https://user:pw@x.example/", ""},
		{"https://x.example/\n", ""},
		{"", ""},
	} {
		if got := contentURL(tt.embed); got != tt.want {
			t.Errorf("contentURL(%q) = %q, want %q", tt.embed, got, tt.want)
		}
	}
}

func TestGone(t *testing.T) {
	for embed, want := range map[string]bool{
		"https://plusone.google.com/_/+1/fastbutton?url=x": true, "https://apis.google.com/u/0/se/0/_/+1/fastbutton?url=x": true,
		"https://widgets.plus.google.com/x": true, "https://apis.google.com/u/0/_/widget/render/ytsubscribe": false,
		"https://www.google.com/maps/embed?pb=+1/": false, "https://plusone.google.com.example/": false, ":": false,
	} {
		if Gone(embed) != want {
			t.Errorf("%s: want %v", embed, want)
		}
	}
}
