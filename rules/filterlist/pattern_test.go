package filterlist

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestSplitOptions(t *testing.T) {
	for _, tt := range []struct{ rule, pattern, opts string }{
		{"||a.com^", "||a.com^", ""},
		{"||a.com^$script", "||a.com^", "script"},
		{"||a.com/$x/y$script,domain=b.com|c.com", "||a.com/$x/y", "script,domain=b.com|c.com"},
		{"/a$b/", "/a$b/", ""},
		{"/a$/$script", "/a$/", "script"},
		{"$script", "", "script"},
		{"||a.com/$", "||a.com/$", ""},
		{"||a.com/$=x", "||a.com/$=x", ""},
		{`||a.com/\$script`, `||a.com/\$script`, ""},
		{"||a.com^$removeparam=/a$/,script", "||a.com^", "removeparam=/a$/,script"},
		{"||a.com^$csp=script-src 'self' 'unsafe-inline'", "||a.com^", "csp=script-src 'self' 'unsafe-inline'"},
	} {
		if p, o := splitOptions(tt.rule); p != tt.pattern || o != tt.opts {
			t.Errorf("%s: %q %q", tt.rule, p, o)
		}
	}
}

func TestNextOption(t *testing.T) {
	for s, want := range map[string][]string{
		"a,b=c,d":                     {"a", "b=c", "d"},
		`removeparam=a\,b,c`:          {`removeparam=a\,b`, "c"},
		"removeparam=/a{1,2}/,script": {"removeparam=/a{1,2}/", "script"},
		"removeparam=~/a,b/i,script":  {"removeparam=~/a,b/i", "script"},
		"redirect=1x1.gif:5,image":    {"redirect=1x1.gif:5", "image"},
		"csp=/x,image":                {"csp=/x", "image"},
	} {
		var got []string
		for s := s; s != ""; {
			var o string
			o, s = nextOption(s)
			got = append(got, o)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

// TestPatterns compares the pattern matcher with regular expressions over a small alphabet, where chance finds the corners.
func TestPatterns(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func(alphabet string, most int) string {
		b := make([]byte, rnd.IntN(most+1))
		for i := range b {
			b[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		return string(b)
	}
	hits := 0
	for range 20_000 {
		url := "https://" + []string{"a", "a.b", "ab.a.b"}[rnd.IntN(3)] + "/" + word("ab/.", 8)
		pat := strings.Trim(word("ab/.^*", 6), "*")
		if pat == "" {
			continue
		}
		flags := []uint16{0, flagLeft, flagHost, flagRight, flagHost | flagRight, flagLeft | flagRight}[rnd.IntN(6)]
		if flags&flagLeft != 0 {
			pat = "https://" + pat
		}
		s := new(scratch)
		r := request(t, url, "", Script)
		s.load(r, compile(t, "||x^"))
		var got bool
		if strings.ContainsAny(pat, "*^") {
			got = matchGlob(s.lower, pat, flags, s.host)
		} else {
			got = matchPlain(s.lower, pat, flags, s.host)
		}
		if want := patternRegexp(pat, flags, false).MatchString(url); got != want {
			t.Fatalf("%q with flags %b on %s: %v, want %v", pat, flags, url, got, want)
		}
		if got {
			hits++
		}
	}
	if hits < 1000 {
		t.Errorf("only %d hits", hits)
	}
}

// TestFold compares the eight-at-a-time folding and cutting with the plain way.
func TestFold(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := range 300 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.IntN(256))
			if rnd.IntN(3) > 0 {
				b[i] = "abzAZ019%./:-_@[`{"[rnd.IntN(18)]
			}
		}
		var s folded
		copy(s.hold(n), b)
		s.fold()
		for i, c := range b {
			if s.text()[i] != fold[c] {
				t.Fatalf("%q becomes %q", c, s.text()[i])
			}
			if s.masks[i/64]>>(i%64)&1 == 1 != isToken(fold[c]) {
				t.Fatalf("%q is taken for a token or not", c)
			}
		}
	}
}

// TestKeys checks that a word has the same key in a rule and in a request, wherever it stands.
func TestKeys(t *testing.T) {
	for _, w := range []string{"a", "ab", "analyt", "analytic", "analytics", "googlesyndication", strings.Repeat("x", 300)} {
		for _, before := range []string{"", "z/", "https://www.example.com/"} {
			text := before + w
			var f folded
			copy(f.hold(len(text)), text)
			if got := f.word(len(before), len(text)); got != word(w) {
				t.Errorf("%q after %q: %x, want %x", w, before, got, word(w))
			}
		}
	}
	for _, host := range []string{"com", "a.b", "www.example.com", "a.bb.ccc.dddddddd.eeeeeeeee.ffffffffffffffffffff.com", strings.Repeat("ab.", 60) + "com"} {
		var f folded
		copy(f.hold(len(host)), host)
		f.fold()
		parts := f.suffixes(nil, 0, len(host))
		if len(parts) != strings.Count(host, ".")+1 {
			t.Errorf("%s has %d suffixes", host, len(parts))
		}
		for _, p := range parts {
			if p.hash != hostHash(host[p.at:]) {
				t.Errorf("%s: the hash of %s differs", host, host[p.at:])
			}
		}
	}
}

func TestHostSets(t *testing.T) {
	for _, tt := range []struct {
		set   string
		in    string // hosts joined by spaces
		notIn string
	}{
		{"a.com", "a.com x.a.com", "ba.com com a.com.b"},
		{"~a.com", "b.com com", "a.com x.a.com"},
		{"a.com|~x.a.com", "a.com y.a.com", "x.a.com z.x.a.com b.com"},
		{"a.com|~x.a.com|y.x.a.com", "a.com y.x.a.com", "x.a.com"},
		{"a.*", "a.com a.co.uk x.a.de", "a.b.com b.a"},
		{"x.a.*", "x.a.com y.x.a.co.uk", "a.com"},
		{"a.*|~a.de", "a.com", "a.de x.a.de"},
		{"~a.*|a.de", "a.de x.a.de", "a.com b.com"},
		{"a.com|~a.com", "", "a.com b.com"},
		{"A.com|ПРИМЕР.рф", "a.com xn--e1afmkfd.xn--p1ai", "b.com"},
		{"192.0.2.1|[::1]", "192.0.2.1 [::1]", "192.0.2.2"},
	} {
		e := compile(t, "/path$domain="+tt.set, "/other$to="+tt.set)
		for want, hosts := range map[bool]string{true: tt.in, false: tt.notIn} {
			for _, h := range strings.Fields(hosts) {
				if _, got := e.Match(request(t, "https://q.example/path", "https://"+h+"/", Script)); got != want {
					t.Errorf("domain=%s: page %s: %v", tt.set, h, got)
				}
				if _, got := e.Match(request(t, "https://"+h+"/other", "", Script)); got != want {
					t.Errorf("to=%s: host %s: %v", tt.set, h, got)
				}
			}
		}
	}
}

func TestRequiredLiterals(t *testing.T) {
	for src, want := range map[string]string{
		`(?i)^https?:\/\/Tracker\.com\/`: "tracker.com",
		`(a|b)cdef`:                      "cdef",
		`(?:abcd)+x?`:                    "abcd",
		`(abcd)*`:                        "",
		`(abcd){2,}`:                     "abcd",
		`[a-z]{4}`:                       "",
	} {
		got := strings.Join(requiredLiterals(src, nil), " ")
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

// TestDotsBeforeNothing matches hosts whose last label is empty, with and without something behind them.
func TestDotsBeforeNothing(t *testing.T) {
	e := compile(t, "||a^", "||b*c", "||^x", "/tail-", "||*y^")
	for _, u := range []string{"https://a..", "https://a../", "https://..", "https://.", "https://b..c", "https://a..x/"} {
		r := Request{URL: []byte(u), HostStart: 8, HostEnd: len(u), Type: Image}
		if i := strings.IndexByte(u[8:], '/'); i >= 0 {
			r.HostEnd = 8 + i
		}
		got, _ := e.Match(&r)
		want, _ := e.reference().match(&r)
		if got.Rule != want.Rule {
			t.Errorf("%s: %q, by the reference %q", u, got.Rule, want.Rule)
		}
	}
}

// TestTails: no page that a rule names may be taken for one that none names; nearly all others are.
func TestTails(t *testing.T) {
	named := []string{"x.co", "vk.com", "abc.org", "abcd.org", "example.com", "shop.example.net", "bücher.example", "a.very.long.name.example.co.uk"}
	known := newTails(named)
	for _, host := range named {
		for _, sub := range []string{"", "w.", "www.", "a.b.c.", strings.Repeat("x", 60) + "."} {
			if !known.may(sub + host) {
				t.Errorf("%s%s is named", sub, host)
			}
		}
	}
	for _, host := range []string{"www.example.org", "wvk.community", "abcdefgh.org", "notexampled.net", "www.shops.net"} {
		if known.may(host) {
			t.Errorf("%s is looked at", host)
		}
	}
}
