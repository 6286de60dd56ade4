package consent_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// visitor is a browser with one site's cookie, and the site's store of the newest answer of each ID.
type visitor struct {
	t      *testing.T
	terms  consent.Terms
	reader *consent.Reader
	keys   *consent.Keyring
	cookie consent.Cookie
	header http.Header
	now    time.Time
	jar    string
	kept   string
	latest map[consent.ID]consent.Token
	last   consent.Event
}

func newVisitor(t *testing.T) *visitor {
	keys := ring(t, key(1))
	return &visitor{
		t: t, terms: consent.Terms{Asked: optional}, keys: keys, reader: reader(t, nil), cookie: consent.Cookie{Secure: true},
		header: http.Header{}, now: now, latest: map[consent.ID]consent.Token{},
	}
}

// signals reads a request, and asks the store whether the token was overtaken, as a gateway does.
func (v *visitor) signals() consent.Signals {
	h := v.header.Clone()
	if v.jar != "" {
		h.Set("Cookie", v.cookie.Name()+"="+v.jar)
	}
	s := v.reader.Read(h, netip.Addr{}, v.now)
	if l, known := v.latest[s.Token.ID]; known {
		s.Reconcile(l.Seq, l.Granted, l.Denied, l.Vendors)
	}
	return s
}

// do takes one step of a journey, in the words of the table below.
func (v *visitor) do(step string) {
	v.t.Helper()
	verb, rest, _ := strings.Cut(step, " ")
	switch verb {
	case "send":
		name, value, _ := strings.Cut(rest, "=")
		v.header.Set(name, value)
	case "stop":
		v.header.Del(rest)
	case "post":
		v.post(v.signals(), rest)
	case "race": // two tabs answer at once; the second answer's cookie stays
		first, second, _ := strings.Cut(rest, " | ")
		s := v.signals()
		v.post(s, first)
		v.post(s, second)
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			v.t.Fatal(err)
		}
		v.now = v.now.Add(d)
	case "keep":
		v.kept = v.jar
	case "replay":
		v.jar = v.kept
	case "tamper":
		v.jar = v.jar[:20] + "AAAA" + v.jar[24:]
	case "forget":
		v.jar = ""
	case "remember":
		s := v.signals()
		if k, ok := consent.Remember(&v.terms, &s, v.now); ok {
			v.set(&k)
		}
	case "material":
		v.terms.Material = consent.VersionOf(rest)
	case "ask":
		v.terms.Asked, _ = consent.ParsePurposes(rest)
	case "regime":
		v.terms.Regime, _ = consent.ParseRegime(rest)
	default:
		v.t.Fatalf("no such step: %s", step)
	}
}

func (v *visitor) post(s consent.Signals, form string) {
	v.t.Helper()
	values, err := url.ParseQuery(strings.ReplaceAll(form, "+", "%2B"))
	if err != nil {
		v.t.Fatal(err)
	}
	c, err := consent.ParseChoice(values, number)
	if err != nil {
		v.t.Fatal(err)
	}
	k, event := consent.Choose(&v.terms, &s, c, v.now)
	r := consent.NewRecord(site, &v.terms, &s, &k, event, v.now)
	if r.Event != event || r.Seq != k.Seq || r.PrincipalID != k.ID {
		v.t.Fatalf("the record tells another story: %+v", r)
	}
	if l, known := v.latest[k.ID]; known && l.Seq == k.Seq {
		v.latest[k.ID] = consent.Strictest(l, k)
	} else {
		v.latest[k.ID] = k
	}
	v.last = event
	v.set(&k)
}

// set goes through Set-Cookie, as a browser would see it.
func (v *visitor) set(k *consent.Token) {
	v.t.Helper()
	field := v.cookie.Set(string(v.keys.Sign(nil, site, k)), v.terms.CookieAge(k))
	c, err := http.ParseSetCookie(field)
	if err != nil || !c.HttpOnly || !c.Secure {
		v.t.Fatalf("%s: %v", field, err)
	}
	v.jar = c.Value
}

// TestJourneys walks whole stories: after the steps, what is permitted, whether the visitor is asked, and the Tk value.
func TestJourneys(t *testing.T) {
	for _, c := range []struct{ name, steps, want string }{
		{"first visit", "", "necessary|asked|N"},
		{"accept and go on", "post choice=accept; wait 24h", "necessary,functional,analytics,marketing,social||C"},
		{"refuse and go on", "post choice=refuse; wait 24h", "necessary||N"},
		{"choose analytics", "post choice=save&purpose=analytics", "necessary,analytics||C"},
		{"withdraw", "post choice=accept; wait 1h; post choice=withdraw", "necessary||N"},
		{"replay after withdrawal", "post choice=accept; keep; wait 1h; post choice=withdraw; replay", "necessary|asked|N"},
		{"replay after choosing less", "post choice=accept; keep; post choice=save&purpose=analytics; replay", "necessary|asked|N"},
		{"answer again after a replay", "post choice=accept; keep; post choice=withdraw; replay; post choice=save&purpose=social", "necessary,social||C"},
		{"tamper with a grant", "post choice=accept; tamper", "necessary|asked|N"},
		{"tamper with a refusal under opt-out", "regime opt-out; post choice=refuse; tamper", "necessary|asked|N"},
		{"half a year", "post choice=accept; wait 4319h", "necessary,functional,analytics,marketing,social||C"},
		{"and an hour", "post choice=accept; wait 4320h", "necessary|asked|N"},
		{"a clock set back a year", "post choice=accept; wait -8760h", "necessary|asked|N"},
		{"a clock ten years ahead", "post choice=accept; wait 87600h", "necessary|asked|N"},
		{"a refusal, and a clock ten years ahead", "post choice=refuse; wait 87600h", "necessary||N"},
		{"GPC from the start", "send Sec-GPC=1", "necessary||N"},
		{"GPC after a grant", "post choice=accept; send Sec-GPC=1", "necessary,functional||N"},
		{"GPC after a grant, then none, not remembered", "post choice=accept; send Sec-GPC=1; stop Sec-GPC", "necessary,functional,analytics,marketing,social||C"},
		{"GPC after a grant, then none, remembered", "post choice=accept; send Sec-GPC=1; remember; stop Sec-GPC", "necessary,functional||N"},
		{"GPC remembered under opt-out", "regime opt-out; send Sec-GPC=1; remember; stop Sec-GPC; wait 9000h", "necessary,functional||N"},
		{"GPC forgotten under opt-out", "regime opt-out; send Sec-GPC=1; stop Sec-GPC", "necessary,functional,analytics,marketing,social||T"},
		{"a grant in sight of GPC", "send Sec-GPC=1; post choice=accept; wait 24h", "necessary,functional,analytics,marketing,social||C"},
		{"a grant in sight of GPC, then DNT too", "send Sec-GPC=1; post choice=accept; send DNT=1", "necessary,functional||N"},
		{"a grant in sight of GPC after it was remembered", "send Sec-GPC=1; remember; post choice=save&purpose=analytics", "necessary,analytics||C"},
		{"a vendor in sight of DNT keeps DNT for the rest", "post choice=accept; send DNT=1; post choice=save&scope=vendor&vendor=+v7", "necessary,functional||C"},
		{"a new purpose", "ask analytics; post choice=accept; ask analytics,social", "necessary,analytics|asked|C"},
		{"a new purpose, accepted", "ask analytics,marketing; post choice=save&purpose=analytics; ask analytics,marketing,social; post choice=accept", "necessary,analytics,social||C"},
		{"a new purpose, refused", "ask analytics; post choice=accept; ask analytics,social; post choice=refuse", "necessary||N"},
		{"a material change", "material 1; post choice=accept; material 2", "necessary|asked|N"},
		{"a material change, taken back", "material 1; post choice=accept; material 2; material 1", "necessary,functional,analytics,marketing,social||C"},
		{"a material change leaves refusals", "material 1; post choice=refuse; material 2", "necessary||N"},
		{"a vendor does not renew a grant", "post choice=accept; wait 4319h; post choice=save&scope=vendor&vendor=+v7; wait 1h", "necessary|asked|N"},
		{"an old refusal brought back, and answered again", "post choice=refuse; keep; post choice=accept; post choice=accept; replay; post choice=save&purpose=social", "necessary,social||C"},
		{"a refusal wins a race", "post choice=save; race choice=refuse | choice=accept", "necessary||N"},
		{"in either order", "post choice=save; race choice=accept | choice=refuse", "necessary||N"},
		{"two choices race", "post choice=save; race choice=save&purpose=analytics&purpose=social | choice=save&purpose=analytics&purpose=marketing", "necessary,analytics||C"},
		{"two vendors race", "post choice=save; race choice=save&scope=vendor&vendor=-v7 | choice=save&scope=vendor&vendor=+v7", "necessary||N"},
		{"after a race", "post choice=save; race choice=refuse | choice=accept; post choice=accept", "necessary,functional,analytics,marketing,social||C"},
		{"cookies cleared", "post choice=accept; forget", "necessary|asked|N"},
		{"opt-out, refused, moved to opt-in", "regime opt-out; post choice=refuse; regime opt-in", "necessary||N"},
		{"opt-out, silent, moved to opt-in", "regime opt-out; regime opt-in", "necessary|asked|N"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVisitor(t)
			for _, step := range strings.Split(c.steps, "; ") {
				if step != "" {
					v.do(step)
				}
			}
			s := v.signals()
			d := consent.Decide(&v.terms, &s, v.now)
			asked := map[bool]string{true: "asked"}[d.Ask != 0]
			if got := fmt.Sprintf("%v|%s|%c", d.Permitted, asked, d.TrackingStatus()); got != c.want {
				t.Errorf("got  %s\nwant %s\n%v", got, c.want, d.String())
			}
		})
	}
}

func TestJourneyEvents(t *testing.T) {
	v := newVisitor(t)
	for _, c := range []struct {
		step string
		want consent.Event
	}{
		{"post choice=refuse", consent.EventRefused},
		{"post choice=accept", consent.EventGiven},
		{"post choice=save&purpose=analytics", consent.EventGiven},
		{"post choice=withdraw", consent.EventWithdrawn},
		{"post choice=withdraw", consent.EventRefused},
		{"post choice=save&scope=vendor&vendor=+v9", consent.EventGiven},
		{"post choice=save&scope=vendor&vendor=-v9", consent.EventWithdrawn},
	} {
		if v.do(c.step); v.last != c.want {
			t.Errorf("%s: %s, want %s", c.step, v.last, c.want)
		}
	}
}

// TestConcurrentUse is for the race detector: one reader and one keyring serve many requests at once.
func TestConcurrentUse(t *testing.T) {
	r, keys, h, terms := reader(t, nil), ring(t, key(1)), hotHeader(t), consent.Terms{Asked: optional}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				s := r.Read(h, netip.Addr{}, now)
				if d := consent.Decide(&terms, &s, now); !d.Granted.Has(consent.Functional) {
					t.Error("lost the grant")
				}
				k := token(consent.Purposes(i), 0, 0)
				if back, err := keys.Verify(site, string(keys.Sign(nil, site, &k))); err != nil || back.Granted != k.Granted {
					t.Errorf("%+v, %v", back, err)
				}
			}
		})
	}
	wg.Wait()
}
