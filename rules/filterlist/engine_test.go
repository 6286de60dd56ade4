package filterlist

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// compile makes an engine of one list; a dropped line fails the test.
func compile(t testing.TB, lines ...string) *Engine {
	t.Helper()
	l, rep, err := Parse("test", strings.NewReader(strings.Join(lines, "\n")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range rep.Drops {
		t.Fatal(d)
	}
	e, err := Compile(l)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func request(t testing.TB, url, page string, typ Type) *Request {
	t.Helper()
	r, err := NewRequest(url, page, typ)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// TestAgreement compares the engine with the reference matcher on random requests and random subsets of real rules.
// FILTERLIST_PAIRS sets the number of pairs of a rule set and a request.
func TestAgreement(t *testing.T) {
	pairs := 10_000
	if raceEnabled {
		pairs = 2000
	}
	if n, err := strconv.Atoi(os.Getenv("FILTERLIST_PAIRS")); err == nil {
		pairs = n
	}
	var lines []string
	for _, n := range []string{"easyprivacy", "easylist", "fanboy-social-thirdparty"} {
		for _, s := range strings.Split(string(corpus(t, "lists/"+n+".txt")), "\n") {
			if s != "" && classify(s) == kindNetwork {
				lines = append(lines, s)
			}
		}
	}
	lines = append(lines, syntheticRules()...)
	reqs := pageRequests(t)
	seed := uint64(20)
	rnd := rand.New(rand.NewPCG(seed, 1))
	hits := 0
	for done := 0; done < pairs; {
		set := make([]string, 0, 80)
		for range 60 {
			set = append(set, lines[rnd.IntN(len(lines))])
		}
		synthetic := syntheticRules()
		for range 5 {
			set = append(set, synthetic[rnd.IntN(len(synthetic))])
		}
		l, _, err := Parse("random", strings.NewReader(strings.Join(set, "\n")), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := Compile(l)
		if err != nil {
			t.Fatal(err)
		}
		ref := e.reference()
		for range 200 {
			r := randomRequest(rnd, reqs, set)
			got, blocked := e.Match(&r)
			want, wantBlocked := ref.match(&r)
			if blocked != wantBlocked || (got.Rule == "") != (want.Rule == "") || got.Important != want.Important {
				t.Fatalf("seed %d: %s as %s on %s %s third=%v:\nengine    %v %+v\nreference %v %+v", seed, r.URL, r.Type, r.PageHost, r.Method,
					r.ThirdParty, blocked, got, wantBlocked, want)
			}
			if got.Rule != "" {
				hits++
			}
			done++
		}
	}
	t.Logf("%d pairs agree, %d of them with a hit", pairs, hits)
	if hits < pairs/20 {
		t.Error("too few hits to mean anything")
	}
}

// syntheticRules exercise what the real lists hardly use.
func syntheticRules() []string {
	return strings.Split(`ads$important
@@ads$important,script
@@||com^$document
@@||net^$document,important
/track$method=post|put
/track$method=~get
*$to=google.*|~www.google.com
||com^$denyallow=google.com|facebook.com,domain=com|net
script$from=~com
pixel$domain=google.*|~mail.google.*
/.gif$match-case
.GIF$match-case
$strict3p,image
$strict1p
js|
|https://www.
|http:*.js|
||g*.com^
||www.google
^ad^
&*=*^
/[a-z]{3}\.js/
/^https?:\/\/www\.[a-z]+\.com\/.*[0-9]{5}/$third-party
@@/\.css$/
||com^$script
||co.uk^*/a
-*-*-*.
||facebook.com/tr*^
*/*?*=1&$image
.js?*$script,domain=net|org|co.uk
||cdn*.*.net^$third-party
||com:8080^
||com|
com/|
http*|`, "\n")
}

// randomRequest returns a real request, changed at random, or one made from a rule.
func randomRequest(rnd *rand.Rand, reqs []pageRequest, rules []string) Request {
	r := reqs[rnd.IntN(len(reqs))].req
	url := string(r.URL)
	switch rnd.IntN(4) {
	case 0: // the literal parts of a rule
		rule, _ := splitOptions(strings.TrimPrefix(rules[rnd.IntN(len(rules))], "@@"))
		fill := []string{"/", "?", "a", "&x=1", ".", "-"}[rnd.IntN(6)]
		body := strings.NewReplacer("|", "", "*", fill, "^", "/").Replace(rule)
		if strings.HasPrefix(rule, "||") {
			url = "https://" + []string{"", "www.", "x."}[rnd.IntN(3)] + body
		} else {
			url += body
		}
	case 1: // some bytes changed
		b := []byte(url)
		for range 3 {
			i := r.HostStart + rnd.IntN(len(b)-r.HostStart)
			if b[i] == '/' || b[i] == ':' {
				continue
			}
			b[i] = "abcxyz019.-_%/?&=ABC:*^"[rnd.IntN(map[bool]int{true: 11, false: 23}[i < r.HostEnd])]
		}
		url = string(b)
	case 2:
		url = url[:r.HostEnd] + strings.ToUpper(url[r.HostEnd:])
	}
	page := "https://" + reqs[rnd.IntN(len(reqs))].req.PageHost
	switch rnd.IntN(6) {
	case 0:
		page = "https://" + string(r.Host())
	case 1:
		page = ""
	case 2:
		page = "https://" + []string{"www.google.co.uk", "mail.google.de", "google.com", "example.net", "a.b.co.uk."}[rnd.IntN(5)]
	}
	x, err := NewRequest(url, page, 1<<rnd.IntN(14))
	if err != nil {
		return r
	}
	x.Method = []string{"", "GET", "POST", "PUT", "BREW"}[rnd.IntN(5)]
	return x
}

func TestMatchAllocates(t *testing.T) {
	e := realLists(t)
	reqs := pageRequests(t)[:500]
	got := testing.AllocsPerRun(20, func() {
		for i := range reqs {
			e.Match(&reqs[i].req)
		}
	})
	if got > float64(len(reqs))/100 && !raceEnabled {
		t.Errorf("%v allocations in %d matches", got, len(reqs))
	}
}

func TestConcurrent(t *testing.T) {
	e := realLists(t)
	reqs := pageRequests(t)[:2000]
	errs := make(chan error, 4)
	for range 4 {
		go func() {
			for i := range reqs {
				want := reqs[i].req.URL[0]
				r := reqs[i].req
				e.Match(&r)
				if r.URL[0] != want {
					errs <- fmt.Errorf("request %d was changed", i)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestMatch(t *testing.T) {
	const page = "https://www.example.com/"
	for _, tt := range []struct {
		rules string // joined by spaces that no rule holds
		url   string
		page  string
		typ   Type
		want  string // the rule that blocks, "" for none, @@… for the exception that lifts a block
	}{
		// anchors and wildcards
		{"||ads.com^", "https://ads.com/", page, Script, "||ads.com^"},
		{"||ads.com^", "https://x.ads.com:8443/a", page, Script, "||ads.com^"},
		{"||ads.com^", "https://bads.com/", page, Script, ""},
		{"||ads.com^", "https://ads.com.evil.org/", page, Script, ""},
		{"||ads.com^", "https://ADS.com./x", page, Script, "||ads.com^"},
		{"||ads.com^", "https://example.org/?u=https://ads.com/", page, Script, ""},
		{"||ads.com^", "https://user:ads.com@example.org/", page, Script, ""},
		{"||com^", "https://a.com/", page, Script, "||com^"},
		{"||[2001:db8::1]^", "https://[2001:db8::1]/", page, Script, "||[2001:db8::1]^"},
		{"||ads.com", "https://ads.community/", page, Script, "||ads.com"},
		{"||ads.com/x", "https://ads.com/xy", page, Script, "||ads.com/x"},
		{"||ads.*/x^", "https://ads.net/x", page, Script, "||ads.*/x^"},
		{"|https://a.com|", "https://a.com/", page, Script, ""},
		{"|https://a.com/|", "https://a.com/", page, Script, "|https://a.com/|"},
		{"/b.js|", "https://a.com/b.js", page, Script, "/b.js|"},
		{"/b.js|", "https://a.com/b.js?c", page, Script, ""},
		{"^ad^", "https://a.com/ad", page, Script, "^ad^"},
		{"^ad^", "https://a.com/ad%2F", page, Script, ""},
		{"^ad.^", "https://a.com/ad.", page, Script, "^ad.^"},
		{"-banner-*.gif|", "https://a.com/x-banner-1.gif", page, Image, "-banner-*.gif|"},
		{"*banner*", "https://a.com/xbannery", page, Image, "*banner*"},
		{"/ads/*", "https://a.com/ads/", page, Image, "/ads/*"},
		{"tracker.example.net", "https://tracker.example.net/a", page, Image, "tracker.example.net"},
		{"tracker.example.net", "https://a.com/?tracker.example.net", page, Image, ""},
		{"ad.js", "https://a.com/bad.js", page, Script, "ad.js"},
		{"/TRACK.js", "https://a.com/track.js", page, Script, "/TRACK.js"},
		{"/TRACK.js$match-case", "https://a.com/track.js", page, Script, ""},
		{"/TRACK.js$match-case", "https://a.com/TRACK.js", page, Script, "/TRACK.js$match-case"},
		{"||пример.рф^", "https://xn--e1afmkfd.xn--p1ai/", page, Script, "||пример.рф^"},
		{"/реклама.", "https://a.com/%D1%80%D0%B5%D0%BA%D0%BB%D0%B0%D0%BC%D0%B0.js", page, Script, "/реклама."},
		// regular expressions
		{`/ad[0-9]{2}\.js/`, "https://a.com/ad12.js", page, Script, `/ad[0-9]{2}\.js/`},
		{`/AD[0-9]{2}\.js$/$script`, "https://a.com/ad12.js", page, Script, `/AD[0-9]{2}\.js$/$script`},
		{`/AD[0-9]{2}\.js/$match-case`, "https://a.com/ad12.js", page, Script, ``},
		{`/^https?:\/\/[a-z]{8}\.com\//$domain=b.com`, "https://abcdefgh.com/", "https://b.com", Script, `/^https?:\/\/[a-z]{8}\.com\//$domain=b.com`},
		// types
		{"||ads.com^$script", "https://ads.com/", page, Image, ""},
		{"||ads.com^$~script", "https://ads.com/", page, Image, "||ads.com^$~script"},
		{"||ads.com^$~script", "https://ads.com/", page, Script, ""},
		{"||ads.com^$frame,xhr", "https://ads.com/", page, Subdocument, "||ads.com^$frame,xhr"},
		{"||ads.com^$css", "https://ads.com/", page, Stylesheet, "||ads.com^$css"},
		{"||ads.com^$beacon", "https://ads.com/", page, Ping, "||ads.com^$beacon"},
		{"||ads.com^$object-subrequest", "https://ads.com/", page, Object, "||ads.com^$object-subrequest"},
		{"||ads.com^", "https://ads.com/", page, Document, ""},
		{"||ads.com^", "https://ads.com/", page, Popup, ""},
		{"||ads.com^$all", "https://ads.com/", page, Document, "||ads.com^$all"},
		{"||ads.com^$doc", "https://ads.com/", page, Document, "||ads.com^$doc"},
		{"||ads.com^$popup", "https://ads.com/", page, Script, ""},
		{"||ads.com^", "https://ads.com/", page, 0, "||ads.com^"},
		// parties
		{"/t.js$third-party", "https://a.com/t.js", page, Script, "/t.js$third-party"},
		{"/t.js$3p", "https://cdn.example.com/t.js", page, Script, ""},
		{"/t.js$~third-party", "https://cdn.example.com/t.js", page, Script, "/t.js$~third-party"},
		{"/t.js$~1p", "https://a.com/t.js", page, Script, "/t.js$~1p"},
		{"/t.js$strict1p", "https://cdn.example.com/t.js", page, Script, ""},
		{"/t.js$strict3p", "https://cdn.example.com/t.js", page, Script, "/t.js$strict3p"},
		{"/t.js$strict3p", "https://www.example.com/t.js", page, Script, ""},
		{"/t.js$third-party", "https://b.github.io/t.js", "https://a.github.io/", Script, "/t.js$third-party"},
		// hosts
		{"/t.js$domain=example.com", "https://a.com/t.js", page, Script, "/t.js$domain=example.com"},
		{"/t.js$domain=example.com|~www.example.com", "https://a.com/t.js", page, Script, ""},
		{"/t.js$domain=~example.com|www.example.com", "https://a.com/t.js", page, Script, "/t.js$domain=~example.com|www.example.com"},
		{"/t.js$from=example.*", "https://a.com/t.js", "https://www.example.co.uk/", Script, "/t.js$from=example.*"},
		{"/t.js$from=example.*", "https://a.com/t.js", "https://example.evil.com/", Script, ""},
		{"/t.js$from=example.*|~example.de", "https://a.com/t.js", "https://example.de/", Script, ""},
		{"/t.js$from=Example.COM", "https://a.com/t.js", page, Script, "/t.js$from=Example.COM"},
		{"/t.js$domain=ample.com", "https://a.com/t.js", page, Script, ""},
		{"/t.js$domain=example.com", "https://a.com/t.js", "", Script, ""},
		{"$script,to=a.com|b.*", "https://x.a.com/", page, Script, "$script,to=a.com|b.*"},
		{"$script,to=a.com|b.*", "https://b.co.uk/", page, Script, "$script,to=a.com|b.*"},
		{"$script,to=a.com|~x.a.com", "https://x.a.com/", page, Script, ""},
		{"$script,3p,denyallow=a.com|b.com", "https://x.a.com/", page, Script, ""},
		{"$script,3p,denyallow=a.com|b.com", "https://c.com/", page, Script, "$script,3p,denyallow=a.com|b.com"},
		{"/tt$method=post", "https://a.com/tt", page, XHR, ""},
		{"/tt$method=post|get,xhr", "https://a.com/tt", page, XHR, "/tt$method=post|get,xhr"},
		{"/t.js$method=~post|~put,xhr", "https://a.com/t.js", page, XHR, "/t.js$method=~post|~put,xhr"},
		// exceptions
		{"||ads.com^ @@||ads.com/ok.js", "https://ads.com/ok.js", page, Script, "@@||ads.com/ok.js"},
		{"||ads.com^ @@||ads.com/ok.js$image", "https://ads.com/ok.js", page, Script, "||ads.com^"},
		{"||ads.com^$important @@||ads.com/ok.js", "https://ads.com/ok.js", page, Script, "||ads.com^$important"},
		{"||ads.com^$important @@||ads.com^$important", "https://ads.com/ok.js", page, Script, "@@||ads.com^$important"},
		{"||ads.com^ ||ads.com/x$important @@||ads.com^", "https://ads.com/x", page, Script, "||ads.com/x$important"},
		{"||ads.com^ @@||example.com^$document", "https://ads.com/x", page, Script, "@@||example.com^$document"},
		{"||ads.com^ @@||example.com/path$document", "https://ads.com/x", page, Script, "||ads.com^"},
		{"||ads.com^ @@||example.com^$document,generichide", "https://ads.com/x", page, Script, "@@||example.com^$document,generichide"},
		{"||ads.com^ @@||example.com^$generichide", "https://ads.com/x", page, Script, "||ads.com^"},
		{"||ads.com^ @@//www.$document", "https://ads.com/x", page, Script, "@@//www.$document"},
		{"||ads.com^ ||ads.com^$badfilter", "https://ads.com/x", page, Script, ""},
		{"||ads.com^$script,3p ||ads.com^$badfilter,third-party,script", "https://ads.com/x", page, Script, ""},
		{"||ads.com^$domain=a.com|example.com ||ads.com^$domain=example.com|a.com,badfilter", "https://ads.com/x", page, Script, ""},
		{"||ads.com^$script ||ads.com^$badfilter", "https://ads.com/x", page, Script, "||ads.com^$script"},
		// a redirect blocks, a redirect-rule does not, and their exceptions leave the block
		{"||ads.com^$redirect=noop.js", "https://ads.com/x", page, Script, "||ads.com^$redirect=noop.js"},
		{"||ads.com^$redirect-rule=noop.js", "https://ads.com/x", page, Script, ""},
		{"||ads.com^ @@||ads.com^$redirect-rule", "https://ads.com/x", page, Script, "||ads.com^"},
		{"||ads.com^$csp=script-src_'none'", "https://ads.com/x", page, Subdocument, ""},
		{"||ads.com^$removeparam=x", "https://ads.com/?x", page, XHR, ""},
	} {
		e := compile(t, strings.Split(tt.rules, " ")...)
		r := request(t, tt.url, tt.page, tt.typ)
		res, blocked := e.Match(r)
		got := res.Exception.Rule
		if blocked {
			got = res.Rule
		}
		if got != tt.want {
			t.Errorf("%s: %s as %s on %s: %q, want %q", tt.rules, tt.url, tt.typ, tt.page, got, tt.want)
		}
		if _, ref := e.reference().match(r); ref != blocked {
			t.Errorf("%s: %s: the reference says %v", tt.rules, tt.url, ref)
		}
	}
}
