package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
)

// state asks what is permitted to a visitor with these fields.
func (i *instance) state(fields ...string) string {
	i.t.Helper()
	_, body := follow(i.t, "http://"+i.addr+"/.consent/state", fields...)
	_, rest, _ := strings.Cut(body, `"granted":`)
	permitted, _, _ := strings.Cut(rest, ",")
	return permitted
}

// asked reports whether the page of a visitor with that cookie opens the banner.
func (i *instance) asked(cookies string) bool {
	i.t.Helper()
	_, page := follow(i.t, "http://"+i.addr+"/", "Cookie", cookies, "Sec-Fetch-Dest", "document")
	return strings.Contains(page, `data-consent-state="ask"`)
}

// TestPolicyVersions: a new version of the policy asks nobody; one that is material suspends what was agreed to until the
// visitor is asked, and a refusal stays one; each record names the version it was given under.
func TestPolicyVersions(t *testing.T) {
	i := newInstance(t, trackingPage)
	with := func(version string) {
		i.options = "store bolt " + i.bolt() + "\npolicy_version " + version
		i.start()
	}
	with("1")
	choose := func(answer string, fields ...string) string {
		res, _ := post(t, "http://"+i.addr+"/.consent/choose", "choice="+answer, append(fields, "Accept", "application/json")...)
		return token(t, res)
	}
	yes, no := choose("accept"), choose("refuse")
	with("2")
	if i.state("Cookie", yes) == nothing || i.asked(yes) || i.asked(no) {
		t.Errorf("a version that is not material: %s is permitted, asked %v, %v", i.state("Cookie", yes), i.asked(yes), i.asked(no))
	}
	with("3 material")
	if i.state("Cookie", yes) != nothing || !i.asked(yes) || i.asked(no) {
		t.Errorf("a material version: %s is permitted, asked %v, %v", i.state("Cookie", yes), i.asked(yes), i.asked(no))
	}
	again := choose("accept", "Cookie", yes)
	if i.state("Cookie", again) == nothing || i.asked(again) {
		t.Errorf("after a new answer %s is permitted, asked %v", i.state("Cookie", again), i.asked(again))
	}
	with("4 material 3") // a version later the change of before is still the last material one
	if i.state("Cookie", again) == nothing || i.asked(again) {
		t.Error("a version after the material one asks again")
	}
	export := mustCommand(t, "records", "export", "--address="+i.admin)
	if strings.Count(export, `"policy_version":"1"`) != 2 || strings.Count(export, `"policy_version":"3"`) != 1 {
		t.Errorf("the records name other versions:\n%s", export)
	}
}

// TestSignalsOfTheSite: a site that says it does not answer DNT keeps what was agreed to when DNT comes, and still honours
// GPC; by default both refuse. What is claimed is what is done.
func TestSignalsOfTheSite(t *testing.T) {
	for options, want := range map[string]struct{ dnt, gpc, tk, support string }{
		"":             {"3", "3", "N", "true"}, // necessary and functional
		"signals gpc":  {"31", "3", "C", "true"},
		"signals dnt":  {"3", "31", "N", "false"},
		"signals none": {"31", "31", "C", "false"},
	} {
		i := newInstance(t, trackingPage)
		i.options = "store bolt " + i.bolt() + "\n" + options
		i.start()
		res, _ := post(t, "http://"+i.addr+"/.consent/choose", "choice=accept", "Accept", "application/json")
		yes := token(t, res)
		if got := i.state("Cookie", yes, "DNT", "1"); got != want.dnt {
			t.Errorf("%q with DNT permits %s, want %s", options, got, want.dnt)
		}
		if got := i.state("Cookie", yes, "Sec-GPC", "1"); got != want.gpc {
			t.Errorf("%q with GPC permits %s, want %s", options, got, want.gpc)
		}
		page, _ := follow(t, "http://"+i.addr+"/", "Cookie", yes, "DNT", "1")
		if got := page.Header.Get("Tk"); !strings.HasPrefix(got, want.tk) {
			t.Errorf("%q with DNT claims %q, want %s", options, got, want.tk)
		}
		if _, body := follow(t, "http://"+i.addr+"/.well-known/gpc.json"); !strings.Contains(body, `"gpc":`+want.support) {
			t.Errorf("%q claims %s", options, body)
		}
		i.stop()
	}
}

// TestWithdrawalAtAnyTime: with no script, with no answer of before, after a material change, and with a cookie that no key
// signed: withdrawal is taken, and nothing is permitted after it.
func TestWithdrawalAtAnyTime(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options = "store bolt " + i.bolt()
	i.start()
	choose := "http://" + i.addr + "/.consent/choose"
	res, _ := post(t, choose, "choice=accept", "Accept", "application/json")
	yes := token(t, res)
	if _, page := follow(t, "http://"+i.addr+"/.consent/", "Cookie", yes); !strings.Contains(page, `value="withdraw"`) || strings.Contains(page, "<script") {
		t.Error("the preference centre has no way to withdraw that works without a script")
	}
	if _, page := follow(t, "http://"+i.addr+"/", "Cookie", yes, "Sec-Fetch-Dest", "document"); !strings.Contains(page, `/.consent/`) {
		t.Error("the page has no way to the preference centre")
	}
	i.options += "\npolicy_version 2 material"
	i.start()
	for what, cookies := range map[string]string{"agreed": yes, "nobody": "", "forged": yes[:len(yes)-4] + "AAAA"} {
		res, _ := post(t, choose, "choice=withdraw", "Cookie", cookies)
		if res.StatusCode != http.StatusSeeOther || i.state("Cookie", token(t, res)) != nothing {
			t.Errorf("%s: %d, then %s", what, res.StatusCode, i.state("Cookie", token(t, res)))
		}
	}
	if got := i.state("Cookie", yes); got != nothing {
		t.Errorf("the cookie of before permits %s", got)
	}
}

// TestRetention: with a retention of 90 days records that ended longer ago are destroyed at the start, newer ones stay, and
// what is left verifies.
func TestRetention(t *testing.T) {
	i := newInstance(t, trackingPage)
	s, err := bolt.Open(i.bolt(), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	terms := consent.Terms{Asked: consent.OptionalPurposes, PolicyVersion: "1"}
	days := map[int]consent.ID{}
	for _, ago := range []int{1000, 91, 89, 1} {
		at := time.Now().Add(-time.Duration(ago) * 24 * time.Hour)
		k := consent.Token{ID: consent.NewID(), Denied: consent.OptionalPurposes, Seq: 1, At: at}
		r := consent.NewRecord("shop.example", &terms, &consent.Signals{}, &k, consent.EventRefused, at)
		r.Method = consent.MethodBanner
		if err := s.Append(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		days[ago] = k.ID
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	i.options = "store bolt " + i.bolt() + "\nretention 90d"
	i.start()
	at := "--address=" + i.admin
	eventually(t, "old records to be swept", func() bool { return strings.Count(mustCommand(t, "records", "list", at), "\n") == 3 })
	list := mustCommand(t, "records", "list", at)
	for ago, id := range days {
		if strings.Contains(list, id.String()) != (ago < 90) {
			t.Errorf("the record of %d days ago: listed %v", ago, ago >= 90)
		}
	}
	if out := mustCommand(t, "records", "verify", at); !strings.Contains(out, "2 of them erased") {
		t.Errorf("verify: %s", out)
	}
}

// TestKeyRotation: a new key in front of the old one signs answers and the records' chain from the reload on, answers of before
// still count, and the chain verifies; without the old one, answers of before do not count.
func TestKeyRotation(t *testing.T) {
	i := newInstance(t, trackingPage)
	older, newer := consent.GenerateKey().Secret(), consent.GenerateKey().Secret()
	with := func(keys string) {
		i.options = "store bolt " + i.bolt() + "\nkey " + keys
		i.start()
	}
	signedBy := func() string {
		i.choose("refuse") // so that the chain has a head of now
		out := mustCommand(t, "records", "verify", "--address="+i.admin)
		if !strings.Contains(out, "signed to the end") {
			t.Errorf("verify: %s", out)
		}
		_, key, _ := strings.Cut(out, `"key":"`)
		return key[:16]
	}
	with(older)
	res, _ := post(t, "http://"+i.addr+"/.consent/choose", "choice=accept", "Accept", "application/json")
	yes, first := token(t, res), signedBy()
	with(newer + " " + older)
	if i.state("Cookie", yes) == nothing {
		t.Error("with the new key in front the old answer does not count")
	}
	if second := signedBy(); second == first {
		t.Error("the chain is still signed with the old key")
	}
	with(newer)
	if got := i.state("Cookie", yes); got != nothing {
		t.Errorf("without the old key the old answer still permits %s", got)
	}
}
