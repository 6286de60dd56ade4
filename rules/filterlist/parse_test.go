package filterlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// TestDropped holds every reason for which a line is dropped.
func TestDropped(t *testing.T) {
	for line, reason := range map[string]string{
		"||a.com^$app=org.example":                 `option "app" is not supported`,
		"||a.com^$foo":                             `option "foo" is not supported`,
		"||a.com^$replace=/a/b/":                   `option "replace" is not supported`,
		"||a.com^$header=x":                        `option "header" is not supported`,
		"||a.com^$popunder":                        `option "popunder" is not supported`,
		"||a.com^$inline-script":                   `option "inline-script" is not supported`,
		"||a.com^$webrtc":                          `option "webrtc" is not supported`,
		"@@||a.com^$genericblock":                  `option "genericblock" is not supported`,
		"||a.com^$script=1":                        `option "script" takes no value`,
		"||a.com^$~important":                      `option "important" cannot be negated`,
		"||a.com^$~all":                            `option "all" cannot be negated`,
		"||a.com^$~domain=b.com":                   `option "domain" cannot be negated`,
		"||a.com^$domain=":                         `"" is not a host name`,
		"||a.com^$domain=/re/":                     `"/re/" is not a host name`,
		"||a.com^$domain=b.com|":                   `"" is not a host name`,
		"||a.com^$denyallow=~b.com,domain=c.com":   `option "denyallow" takes plain hosts only`,
		"||a.com^$method=brew":                     `unknown method "brew"`,
		"||a.com^$method=get|~post":                `option "method" mixes names with and without ~`,
		"||a.com^$3p,1p":                           "first- and third-party exclude each other",
		"||a.com^$script,~script":                  "no resource type is left",
		"||a.com^$csp=report-uri /x":               `option "csp" must not report`,
		"||a.com^$csp":                             "the modifier needs a value",
		"||a.com^$csp=x,redirect=y":                "more than one modifier",
		"||a.com^$rewrite=https://b.com/":          `option "rewrite" takes abp-resource: only`,
		"||a.com^$generichide":                     "this option is for exceptions only",
		"@@||a.com^$elemhide,script":               "an exception for cosmetic rules with resource types",
		"ab":                                       "the pattern is too short: it would match almost any URL",
		"*":                                        "the pattern is too short: it would match almost any URL",
		"@@*":                                      "the pattern is too short: it would match almost any URL",
		"|http":                                    "",
		"two words":                                "a space or control character, which no URL holds",
		"a\x01b":                                   "a space or control character, which no URL holds",
		`/(?=a)b/`:                                 "the regular expression is not supported: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
		`/(a)\1/`:                                  "the regular expression is not supported: error parsing regexp: invalid escape sequence: `\\1`",
		`/(a{500}){500}/`:                          "the regular expression is not supported: error parsing regexp: invalid repeat count: `{500}`",
		`/(ab{1,30}){1,30}c{900}/`:                 "the regular expression has more than 1000 states",
		"/" + strings.Repeat("ab", 1100) + "/":     "the regular expression is longer than 2048 bytes",
		"192.0.2.7 intranet.example.com":           "a hosts line with a real address does not block",
		"||a.com^$removeparam=/(?<!x)y/":           "the regular expression is not supported: error parsing regexp: invalid named capture",
		"!#include list.txt":                       "includes are not loaded here",
		"!#if (a":                                  `the condition "(a" is not understood`,
		"!#else":                                   "!#else without !#if",
		"!#endif":                                  "!#endif without !#if",
		"||" + strings.Repeat("a.", 9000) + "com^": "the line is longer than 16384 bytes",
	} {
		_, rep, err := Parse("list", strings.NewReader("||keep.com^\n"+line+"\n"), Limits{})
		if err != nil {
			t.Errorf("%s: %v", cut(line, 50), err)
			continue
		}
		if reason == "" {
			if rep.Rules != 2 {
				t.Errorf("%s: %+v", line, rep)
			}
			continue
		}
		if rep.Dropped == 0 || !strings.HasPrefix(rep.Drops[0].Reason, reason) || rep.Drops[0].List != "list" || rep.Drops[0].Line != 2 {
			t.Errorf("%s: %+v, want %q", cut(line, 50), rep, reason)
		}
		if rep.Rules != 1 {
			t.Errorf("%s: %d rules are in force", cut(line, 50), rep.Rules)
		}
	}
}

func TestShortLines(t *testing.T) {
	_, rep, err := Parse("list", strings.NewReader("||a.com^\n||"+strings.Repeat("b", 60)+".com^\n"), Limits{MaxLine: 50})
	if err != nil || rep.Rules != 1 || rep.Dropped != 1 || rep.Drops[0].Reason != "the line is longer than 50 bytes" {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestSkipped(t *testing.T) {
	const text = "[Adblock Plus 2.0]\n! comment\n# comment\n#\n####\n\nexample.com##.ad\n##.ad\nexample.com,~b.com#@#.ad\n#@#.ad\na.com#?#div\n" +
		"a.com#$#body{}\na.com#%#x()\na.com##+js(x)\n[$path=/a]b.com##.ad\n/a.b/##.ad\na.com$$script[x]\na.com##^script\n@@||a.com^$ghide\n" +
		"127.0.0.1 localhost\n::1 localhost ip6-localhost\n||a.com^\n"
	_, rep, err := Parse("l", strings.NewReader("\xEF\xBB\xBF"+strings.ReplaceAll(text, "\n", "\r\n")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := Report{List: "l", Lines: 22, Rules: 1, Cosmetic: 13, Comments: 8}
	if fmt.Sprint(*rep) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", *rep, want)
	}
}

func TestHostsFile(t *testing.T) {
	const text = "# hosts\n127.0.0.1 localhost\n0.0.0.0 ads.example.net track.example.net # both\n:: Six.Example.net\n0.0.0.0 0.0.0.0\n"
	l, rep, err := Parse("hosts", strings.NewReader(text), Limits{})
	if err != nil || rep.Rules != 3 || rep.Dropped != 0 {
		t.Fatal(rep, err)
	}
	e, err := Compile(l)
	if err != nil {
		t.Fatal(err)
	}
	for host, line := range map[string]int{"ads.example.net": 3, "x.track.example.net": 3, "six.example.net": 4, "example.net": 0} {
		res, _ := e.Match(request(t, "https://"+host+"/", "", Script))
		if res.Line != line {
			t.Errorf("%s: line %d, want %d", host, res.Line, line)
		}
	}
}

func TestDirectives(t *testing.T) {
	files := map[string]string{
		"more.txt":  "||included.com^\n!#include more.txt\n",
		"large.txt": strings.Repeat("||large.com^\n", 100),
	}
	limits := Limits{
		Defined: map[string]bool{"ext_x": true},
		Include: func(path string) (io.ReadCloser, error) {
			if s, ok := files[path]; ok {
				return io.NopCloser(strings.NewReader(s)), nil
			}
			return nil, errors.New("no such list")
		},
	}
	for text, want := range map[string]string{
		"!#if ext_x\n||a.com^\n!#else\n||b.com^\n!#endif":              "||a.com^",
		"!#if !ext_x\n||a.com^\n!#else\n||b.com^\n!#endif":             "||b.com^",
		"!#if ext_y || (ext_x && !ext_z)\n||a.com^\n!#endif":           "||a.com^",
		"!#if ext_y\n!#if ext_x\n||a.com^\n!#endif\n!#endif\n||c.com^": "||c.com^",
		"!#if )\n||a.com^\n!#else\n||b.com^\n!#endif\n||c.com^":        "||c.com^",
		"!#if true\n||a.com^\n!#endif":                                 "||a.com^",
		"!#if false\n!#include more.txt\n!#endif\n||a.com^":            "||a.com^",
		"||a.com^\n!#include more.txt":                                 "||a.com^ ||included.com^ ||included.com^ ||included.com^ ||included.com^",
		"||a.com^\n!#include ../x.txt":                                 "||a.com^",
		"||a.com^\n!#include https://x.com/x.txt":                      "||a.com^",
		"||a.com^\n!#include none.txt":                                 "||a.com^",
		"||a.com^\n!#safari_cb_affinity":                               "||a.com^",
	} {
		l, rep, err := Parse("list", strings.NewReader(text), limits)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		e, _ := Compile(l)
		var got []string
		for i := range e.rules {
			got = append(got, e.text(&e.rules[i]))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s; %v", text, s, want, rep.Drops)
		}
	}
	limits.MaxBytes = 600
	if _, _, err := Parse("list", strings.NewReader("!#include large.txt"), limits); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large include: %v", err)
	}
}

func TestIncludedRuleNamesItsFile(t *testing.T) {
	limits := Limits{Include: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("! x\n||b.com^")), nil }}
	l, _, err := Parse("list", strings.NewReader("||a.com^\n!#include more.txt"), limits)
	if err != nil {
		t.Fatal(err)
	}
	other, _, _ := Parse("other", strings.NewReader("||c.com^"), Limits{})
	e, _ := Compile(other, l)
	res, _ := e.Match(request(t, "https://b.com/", "", Script))
	if res.List != "more.txt" || res.Line != 2 || res.ListIndex != 1 {
		t.Errorf("%+v", res)
	}
	if got := e.Lists(); len(got) != 2 || got[0].Name != "other" || got[1].Name != "list" || got[0].SHA256 == got[1].SHA256 {
		t.Errorf("%+v", got)
	}
}

// endless yields the same bytes for ever.
type endless []byte

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e)
	}
	return n, nil
}

func TestBadInput(t *testing.T) {
	limits := Limits{}
	if raceEnabled { // which makes it ten times slower
		limits = Limits{MaxBytes: 2 << 20, MaxRules: 100_000}
	}
	regexps := strings.Repeat("/(a[bc]{1,30}){1,30}x/\n", 5000)
	for name, tt := range map[string]struct {
		in   io.Reader
		want error
	}{
		"100 MB":              {io.LimitReader(endless("||ads.example.com^$script,domain=example.com|example.net\n"), 100<<20), ErrTooLarge},
		"endless line":        {endless("a"), ErrTooLarge},
		"line of 1 MB":        {strings.NewReader(strings.Repeat("||a.com^\n", 30) + strings.Repeat("a", 1<<20) + "\n"), nil},
		"regular expressions": {strings.NewReader("||a.com^\n" + regexps), ErrNotAList},
		"NUL bytes":           {strings.NewReader("||a.com^\n\x00\x00\x00"), ErrNotAList},
		"NUL bytes later":     {strings.NewReader(strings.Repeat("||a.com^\n", 100) + "\x00\x00\n"), nil},
		"UTF-16":              {strings.NewReader("|\x00|\x00a\x00.\x00c\x00"), ErrNotAList},
		"gzip":                {strings.NewReader("\x1f\x8b\x08\x00\x00"), ErrNotAList},
		"HTML":                {strings.NewReader("\n<!DOCTYPE html><html><body>404"), ErrNotAList},
		"prose":               {strings.NewReader(strings.Repeat("the list has moved to another place\n", 30)), ErrNotAList},
		"JSON":                {strings.NewReader(`{ "error": "not found" }`), ErrNotAList},
		"many names a line":   {strings.NewReader(strings.Repeat("0.0.0.0"+strings.Repeat(" a.b", 4000)+"\n", 300)), ErrTooMany},
		"many domains a line": {strings.NewReader(strings.Repeat("||a.com^$domain="+strings.Repeat("Ab.c|", 3000)+"x.y\n", 100)), nil},
		"many stars":          {strings.NewReader(strings.Repeat("*a", 8000) + "\n"), nil},
		"a failing reader":    {io.MultiReader(strings.NewReader("||a.com^\n"), failing{}), errFailing},
	} {
		start := time.Now()
		l, rep, err := Parse(name, tt.in, limits)
		if !errors.Is(err, tt.want) || (err == nil) != (l != nil) || rep == nil {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: the error %q does not name the list", name, err)
		}
		if d := time.Since(start); d > 8*time.Second {
			t.Errorf("%s took %v", name, d)
		} else if testing.Verbose() {
			t.Logf("%s: %v, %v", name, d, err)
		}
		if l != nil && len(l.blob) > 64<<20 {
			t.Errorf("%s keeps %d bytes", name, len(l.blob))
		}
	}
}

type failing struct{}

var errFailing = errors.New("connection lost")

func (failing) Read([]byte) (int, error) { return 0, errFailing }

// TestLongURL bounds the time of the worst that a page can ask.
func TestLongURL(t *testing.T) {
	e := realLists(t)
	for _, part := range []string{"a", "/ads", "/analytics", "-=*^", ".com/hit", "aaaaaaaa."} {
		url := "https://www.example.com/" + strings.Repeat(part, 64<<10/len(part))
		r := request(t, url, "https://dood.ws/", Script)
		d := time.Hour
		for try := 0; try < 5 && d > time.Second; try++ { // a busy machine may stop it once
			start := time.Now()
			e.Match(r)
			d = min(d, time.Since(start))
		}
		if d > time.Second {
			t.Errorf("64 KiB of %q took %v", part, d)
		} else if testing.Verbose() {
			t.Logf("64 KiB of %q: %v", part, d)
		}
	}
	for _, r := range []Request{{}, {URL: []byte("x"), HostStart: 5, HostEnd: 9}, {URL: []byte("https://a"), HostStart: 9, HostEnd: 8},
		{URL: []byte("https://."), HostStart: 8, HostEnd: 9, PageHost: "."}, {PageHost: strings.Repeat("a.", 5000)},
		{URL: bytes.Repeat([]byte{0xFF}, 100), HostEnd: 100}} {
		e.Match(&r)
	}
}

// TestKeyless: of the rules that have to be tried on every URL a list has few; a rule that a URL can call for is none.
func TestKeyless(t *testing.T) {
	for _, tt := range []struct {
		rule string
		want bool
	}{
		{"||a.com^", false}, {"||a.com/x", false}, {"/ads/*", false}, {"/ads/", true}, {"-banner.", false}, {"abc*def", true}, {"abcdef", true}, {"|https:", true},
		{"abcdef$domain=a.com", false}, {"abcdef$domain=~a.com", true}, {"abcdef$to=a.com", false}, {"$ping,third-party", true}, {"/a.*b/", true},
		{"/\\/ads\\.js/", false}, {"/(a|b)*c$/$domain=a.com", false}, {"||a*b^", true}, {".com/x", false}, {"x.y", true},
	} {
		l, _, err := Parse("test", strings.NewReader(tt.rule+"\n"), Limits{})
		if err != nil || l.Len() != 1 {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		e, err := Compile(l)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(e.block.always) > 0; got != tt.want {
			t.Errorf("%s has to be tried on every URL: %v, want %v", tt.rule, got, tt.want)
		}
		var n network
		if err := n.parse(tt.rule); err != nil || keyless(&n) != tt.want {
			t.Errorf("%s is taken for one that has to be tried on every URL: %v, want %v; %v", tt.rule, keyless(&n), tt.want, err)
		}
	}
	var text strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&text, "||n%d.example^\n||m%d.example^\n||o%d.example^\nabc%d*def\n/%s%dc$/\n", n, n, n, n, strings.Repeat("(a|b)*", 50), n)
	}
	l, rep, err := Parse("test", strings.NewReader(text.String()), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(l)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.block.always) > maxKeyless || len(e.block.always) == 0 || rep.Dropped < 5000 || rep.Rules < 15000 || !strings.Contains(rep.Drops[0].String(), "every URL") {
		t.Errorf("%d rules are tried on every URL; %d dropped, %d kept; %v", len(e.block.always), rep.Dropped, rep.Rules, rep.Drops[0])
	}
}
