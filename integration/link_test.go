package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// mailed is a link as the command prints it with --json.
type mailed struct {
	URL, Path string
	ID        string
	Recorded  bool
}

func (i *instance) link(args ...string) (l mailed) {
	i.t.Helper()
	out := mustCommand(i.t, append([]string{"link", "--site=shop.example", "--url=http://" + i.addr, "--address=" + i.admin, "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &l); err != nil {
		i.t.Fatalf("%v: %s", err, out)
	}
	return l
}

// follow gets an address as a browser that follows a link in a mail.
func follow(t testing.TB, address string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(fields); n += 2 {
		r.Header.Set(fields[n], fields[n+1])
	}
	res, body := answer(t, r)
	return res, string(body)
}

var linkField = regexp.MustCompile(`name="link" value="([^"]*)"`)

// TestPreferenceLink: a link out of a mail opens the preference centre for its consent id without a login, takes one answer, and
// nothing else; whoever tampers with it, comes late or comes twice is told so.
func TestPreferenceLink(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options, i.directive = "store bolt "+i.bolt(), "consent {\n site shop.example\n}"
	i.start()
	base := "http://" + i.addr
	choose := base + "/.consent/choose"
	res, body := post(t, choose, "choice=accept", "Accept", "application/json")
	yes := token(t, res)
	id := consentID.FindString(strings.SplitN(mustCommand(t, "records", "list", "--address="+i.admin), "\n", 2)[1])
	l := i.link("--id=" + id)
	if l.ID != id || !l.Recorded || strings.Contains(l.URL, id) {
		t.Fatalf("%+v of %s, %s", l, id, body)
	}
	for range 2 { // a mail scanner, then the person
		res, page := follow(t, l.URL)
		if res.StatusCode != http.StatusOK || len(res.Header["Set-Cookie"]) > 0 || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Referrer-Policy") != "strict-origin" {
			t.Errorf("opened: %d %v", res.StatusCode, res.Header)
		}
		if !strings.Contains(page, `value="withdraw"`) || strings.Contains(fmt.Sprint(res.Header, page), id) || !strings.Contains(page, `value="analytics" autocomplete="off" aria-describedby="about-analytics" checked`) {
			t.Errorf("the page does not show what is granted, or tells the id:\n%s", page)
		}
	}
	_, page := follow(t, l.URL)
	fields := linkField.FindAllStringSubmatch(page, -1)
	if len(fields) != 2 || fields[0][1] != fields[1][1] || !strings.HasSuffix(l.Path, fields[0][1]) {
		t.Fatalf("the forms carry %v", fields)
	}
	segment := fields[0][1]
	if res, _ := post(t, choose, "choice=withdraw&from=preferences&link="+segment, "Sec-Fetch-Site", "cross-site"); res.StatusCode != http.StatusForbidden {
		t.Errorf("sent by another site: %d", res.StatusCode)
	}
	res, _ = post(t, choose, "choice=withdraw&from=preferences&return=/.consent/&link="+segment)
	if location := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || location != "/.consent/" {
		t.Fatalf("withdrawn by link: %d to %s", res.StatusCode, location)
	}
	if no := token(t, res); granted(t, base, no) != nothing || granted(t, base, yes) != nothing {
		t.Errorf("after a withdrawal by link the browser is granted %s, the one of before %s", granted(t, base, no), granted(t, base, yes))
	}
	list := mustCommand(t, "records", "list", "--address="+i.admin)
	if strings.Count(list, id) != 2 || !strings.Contains(list, "withdrawn") || !strings.Contains(list, "preference-centre") {
		t.Errorf("on record:\n%s", list)
	}
	i.refuses(l.URL, segment, "used already")
	bad := segment[:20] + string(segment[20]^1) + segment[21:]
	i.refuses(base+"/.consent/link/"+bad, bad, "not valid")
	i.refuses(base+"/.consent/link/", "", "")
	if got := granted(t, base, "consent="+segment); got != nothing {
		t.Errorf("as a cookie the link grants %s", got)
	}
	short := i.link("--id="+id, "--for=1s")
	eventually(t, "a link of one second to expire", func() bool {
		res, _ := follow(t, short.URL)
		return res.StatusCode == http.StatusGone
	})
	i.refuses(short.URL, short.URL[strings.LastIndexByte(short.URL, '/')+1:], "no longer")
	if n := strings.Count(mustCommand(t, "records", "list", "--address="+i.admin), "\n"); n != 3 {
		t.Errorf("%d lines of records, want a head and two", n)
	}
}

// refuses checks that a link neither opens nor writes, and that the visitor is told why.
func (i *instance) refuses(address, segment, why string) {
	i.t.Helper()
	if res, page := follow(i.t, address); res.StatusCode != http.StatusGone || !strings.Contains(page, why) || !strings.Contains(page, `role="alert"`) || linkField.MatchString(page) {
		i.t.Errorf("%s opens: %d\n%s", address, res.StatusCode, page)
	}
	if segment == "" {
		return
	}
	for _, answer := range []string{"accept", "refuse"} {
		res, page := post(i.t, "http://"+i.addr+"/.consent/choose", "choice="+answer+"&link="+segment)
		if res.StatusCode != http.StatusGone || len(res.Header["Set-Cookie"]) > 0 || !strings.Contains(page, why) {
			i.t.Errorf("%s writes: %d %q\n%s", address, res.StatusCode, res.Header["Set-Cookie"], page)
		}
	}
}

// TestLinkOfAStranger: somebody who never answered is asked by mail; the answer is on record under the id that was printed
// with the link, and of two links to one person one answer does not use up the other.
func TestLinkOfAStranger(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options, i.directive = "store bolt "+i.bolt()+"\npolicy_version 2 material", "consent {\n site shop.example\n}"
	i.start()
	choose := "http://" + i.addr + "/.consent/choose"
	one := i.link()
	two := i.link("--id=" + one.ID)
	if one.Recorded || one.Path == two.Path || one.ID != two.ID {
		t.Fatalf("%+v %+v", one, two)
	}
	segment := func(l mailed) string { return l.Path[strings.LastIndexByte(l.Path, '/')+1:] }
	res, _ := post(t, choose, "choice=save&purpose=analytics&from=preferences&link="+segment(one))
	if got := granted(t, "http://"+i.addr, token(t, res)); got != "5" {
		t.Errorf("granted %s, want necessary and analytics", got)
	}
	if _, page := follow(t, two.URL); !strings.Contains(page, `value="withdraw"`) {
		t.Errorf("the second link does not show the answer that came by the first:\n%s", page)
	}
	post(t, choose, "choice=refuse&from=preferences&link="+segment(two))
	list := mustCommand(t, "records", "show", one.ID, "--address="+i.admin)
	if strings.Count(list, `"method": "preference-centre"`) != 2 || !strings.Contains(list, `"sequence": 2`) {
		t.Errorf("on record: %s", list)
	}
	for args, want := range map[string]string{
		"link": "--site", "link --site=nowhere.example": "nowhere.example", "link --site=shop.example --for=100d": "90 days",
		"link --site=shop.example --id=x": "22 characters", "link --site=shop.example --url=x": "https://shop.example",
	} {
		if out, err := consentCommand(t, append(strings.Fields(args), "--address="+i.admin)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q\n%s", args, err, want, out)
		}
	}
}

// TestLinkInABrowser opens a link in Chromium, leaves for the site, opens it again and answers; no request tells another host,
// or the site behind, about the link.
func TestLinkInABrowser(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	i := newInstance(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.URL.String()+" "+r.Referer())
		mu.Unlock()
		trackingPage(w, r)
	}))
	i.options, i.directive = "store bolt "+i.bolt(), "consent {\n site shop.example\n}"
	i.start()
	d := lab.NewDoor(t)
	d.Site("shop.example", i.addr)
	id := consent.NewID().String()
	l := i.link("--id="+id, "--url=https://shop.example")
	b := lab.NewBrowser(t, d)
	b.Open(t, l.URL)
	b.Click(t, "href", "/")
	eventually(t, "the site's own page", func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) > 0 })
	b = b.Tab(t)
	b.Open(t, l.URL)
	b.Click(t, "name", "choice", "value", "accept")
	eventually(t, "the answer to be on record", func() bool { return strings.Contains(i.api("/consent/records?id="+id), `"given"`) })
	eventually(t, "the cookie", func() bool { return len(b.Cookies(t)) > 0 })
	segment := l.Path[strings.LastIndexByte(l.Path, '/')+1:]
	mu.Lock()
	defer mu.Unlock()
	for _, s := range seen {
		if strings.Contains(s, segment) || strings.Contains(s, id) {
			t.Errorf("the site saw the link: %s", s)
		}
	}
	for _, c := range d.Contacts() {
		if strings.Contains(c.Path, segment) {
			t.Errorf("%s saw the link", c.Host)
		}
	}
	if show := mustCommand(t, "records", "show", id, "--address="+i.admin); !strings.Contains(show, `"event_state": "given"`) {
		t.Errorf("on record: %s", show)
	}
}

// TestLinkAtOnce: two answers through one link at the same time are both on record, and only what both agree to counts; a
// withdrawal is recorded however many answers came from that network.
func TestLinkAtOnce(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options, i.directive = "store bolt "+i.bolt(), "consent {\n site shop.example\n}"
	i.start()
	base := "http://" + i.addr
	for range 10 {
		l := i.link()
		segment := l.Path[strings.LastIndexByte(l.Path, '/')+1:]
		var wg sync.WaitGroup
		var mu sync.Mutex
		var said []string
		for _, answer := range []string{"accept", "refuse", "accept", "refuse"} {
			wg.Go(func() {
				res, _ := post(t, base+"/.consent/choose", "choice="+answer+"&from=preferences&link="+segment)
				mu.Lock()
				defer mu.Unlock()
				if res.StatusCode == http.StatusSeeOther {
					said = append(said, answer)
				}
			})
		}
		wg.Wait()
		list := mustCommand(t, "records", "show", l.ID, "--address="+i.admin)
		if n := strings.Count(list, `"record_id"`); n != len(said) {
			t.Fatalf("%d answers were taken, %v, and %d are on record:\n%s", len(said), said, n, list)
		}
	}
	segment := func(l mailed) string { return l.Path[strings.LastIndexByte(l.Path, '/')+1:] }
	one := i.link()
	two := i.link("--id=" + one.ID)
	res, _ := post(t, base+"/.consent/choose", "choice=accept&link="+segment(one))
	yes := token(t, res)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 { // more than one network may have recorded in a minute
				_, _, _ = send(base+"/.consent/choose", "choice=refuse")
			}
		})
	}
	wg.Wait()
	if res, _ := post(t, base+"/.consent/choose", "choice=withdraw&from=preferences&link="+segment(two)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("withdrawn by link: %d", res.StatusCode)
	}
	if got := granted(t, base, yes); got != nothing {
		t.Errorf("after a withdrawal by link the browser of before is granted %s", got)
	}
}
