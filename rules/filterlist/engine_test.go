package filterlist

import (
	"bytes"
	"errors"
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

func TestCacheRoundTrip(t *testing.T) {
	e := realLists(t)
	var b bytes.Buffer
	n, err := e.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	t.Logf("%d bytes", n)
	c, err := ReadEngine(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pageRequests(t) {
		want, wb := e.Match(&p.req)
		if got, gb := c.Match(&p.req); got != want || gb != wb {
			t.Fatalf("%s: %+v, was %+v", p.req.URL, got, want)
		}
	}
	var again bytes.Buffer
	if _, err := c.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Error("what was read is not written the same", err)
	}
}

func TestCacheDamage(t *testing.T) {
	e := compile(t, "||a.com^", "/ads/*$domain=b.com|c.*", "@@||a.com/x$document", "/re[0-9]+/", "$removeparam=x,domain=b.com", "||q.com^$method=get")
	var b bytes.Buffer
	if _, err := e.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for i := range b.Len() {
		x := bytes.Clone(b.Bytes())
		x[i] ^= 0x55
		if _, err := ReadEngine(bytes.NewReader(x)); !errors.Is(err, ErrCache) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := ReadEngine(bytes.NewReader(b.Bytes()[:i])); !errors.Is(err, ErrCache) {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
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
