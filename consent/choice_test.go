package consent_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// number knows vendors by names such as v7.
func number(vendor string) (uint16, bool) {
	var n uint16
	_, err := fmt.Sscanf(vendor, "v%d", &n)
	return n, err == nil
}

func TestParseChoice(t *testing.T) {
	var vendors consent.VendorChoices
	vendors.Set(7, true)
	vendors.Set(8, false)
	for _, c := range []struct {
		form string
		want consent.Choice
		err  string
	}{
		{"choice=accept", consent.Choice{Answer: consent.Accept}, ""},
		{"choice=refuse", consent.Choice{Answer: consent.Refuse}, ""},
		{"choice=withdraw", consent.Choice{Answer: consent.Withdraw}, ""},
		{"choice=save", consent.Choice{Answer: consent.Save}, ""},
		{"choice=save&purpose=analytics&purpose=social", consent.Choice{Answer: consent.Save, Purposes: analytics | social}, ""},
		{"choice=save&purpose=analytics&vendor=&vendor=", consent.Choice{Answer: consent.Save, Purposes: analytics, VendorsListed: true}, ""},
		{"choice=save&vendor=%2Bv7&vendor=-v8", consent.Choice{Answer: consent.Save, Vendors: vendors, VendorsListed: true}, ""},
		{"choice=save&scope=vendor&vendor=%2Bv7&vendor=-v8&vendor=%2Bv8",
			consent.Choice{Answer: consent.Save, Vendors: vendors, VendorsListed: true, VendorsOnly: true}, ""},
		{"", consent.Choice{}, "choice"},
		{"choice=maybe", consent.Choice{}, "maybe"},
		{"choice=accept&choice=refuse", consent.Choice{}, "exactly one"},
		{"choice=save&purpose=telepathy", consent.Choice{}, "telepathy"},
		{"choice=save&vendor=v7", consent.Choice{}, "+id"},
		{"choice=save&vendor=%2Bnobody", consent.Choice{}, `unknown id "nobody"`},
		{"choice=save&vendor=-v3000", consent.Choice{}, "purpose"},
		{"choice=save&vendor=%2Bv0", consent.Choice{}, "purpose"},
		{"choice=save&scope=vendor&vendor=", consent.Choice{}, "vendor"},
		{"choice=refuse" + strings.Repeat("&vendor=", 2000), consent.Choice{Answer: consent.Refuse, VendorsListed: true}, ""},
		{"choice=save" + strings.Repeat("&purpose=social", 600), consent.Choice{}, "fields"},
		{"choice=save" + strings.Repeat("&vendor=-v8", 600), consent.Choice{}, "fields"},
	} {
		form, _ := url.ParseQuery(c.form)
		got, err := consent.ParseChoice(form, number)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%.60s: got %+v, %v", c.form, got, err)
		}
	}
}

func TestChoose(t *testing.T) {
	all := consent.Terms{Asked: optional}
	save := func(p consent.Purposes) consent.Choice { return consent.Choice{Answer: consent.Save, Purposes: p} }
	accept, refuse := consent.Choice{Answer: consent.Accept}, consent.Choice{Answer: consent.Refuse}
	always := consent.Choice{Answer: consent.Save, VendorsOnly: true, VendorsListed: true}
	always.Vendors.Set(7, true)
	never := save(marketing)
	never.VendorsListed = true
	never.Vendors.Set(8, false)
	withVendors := func(k consent.Token) consent.Token {
		k.Vendors.Set(5, true)
		k.Vendors.Set(6, false)
		return k
	}
	gpc := func(s consent.Signals) consent.Signals { s.GPC = true; return s }
	unsure := func(change func(*consent.Signals)) consent.Signals {
		s := valid(token(analytics, 0, 0))
		change(&s)
		return s
	}

	for _, c := range []struct {
		name    string
		terms   consent.Terms
		signals consent.Signals
		choice  consent.Choice
		want    string // granted | denied | vendors | event
	}{
		{"accept", all, consent.Signals{}, accept, "functional,analytics,marketing,social|none||given"},
		{"accept all there is to ask", consent.Terms{Asked: analytics}, consent.Signals{}, accept, "analytics|none||given"},
		{"accept over a refusal", all, valid(token(0, optional, 0)), accept, "functional,analytics,marketing,social|none||given"},
		{"accept on a child-directed site", consent.Terms{Asked: optional, ChildDirected: true}, consent.Signals{}, accept, "functional,analytics,social|none||given"},
		{"accept on one over a refusal", consent.Terms{Asked: optional, ChildDirected: true}, valid(token(0, optional, 0)), accept, "functional,analytics,social|none||given"},
		{"accept a new purpose only", all, valid(token(analytics, functional|marketing, 0)), accept, "analytics,social|functional,marketing||given"},
		{"accept a new purpose, beside vendors", all, valid(withVendors(token(analytics, functional|marketing, 0))), accept, "analytics,social|functional,marketing|5+ 6- |given"},
		{"accept with GPC", all, gpc(consent.Signals{}), accept, "functional,analytics,marketing,social|none||given"},
		{"refuse", all, consent.Signals{}, refuse, "none|functional,analytics,marketing,social||refused"},
		{"refuse after a grant", all, valid(withVendors(token(analytics, 0, 0))), refuse, "none|functional,analytics,marketing,social||withdrawn"},
		{"withdraw", all, valid(token(analytics, 0, 0)), consent.Choice{Answer: consent.Withdraw}, "none|functional,analytics,marketing,social||withdrawn"},
		{"refuse after a grant that lapsed", consent.Terms{Asked: optional, Lifetime: 1}, valid(token(analytics, 0, 0)), refuse, "none|functional,analytics,marketing,social||refused"},
		{"refuse a vendor while the store is down", all, func() consent.Signals {
			s := valid(withVendors(token(0, 0, 0)))
			s.TokenState = consent.TokenSuperseded
			return s
		}(), refuse, "none|functional,analytics,marketing,social||withdrawn"},
		{"refuse while the store is down", all, unsure(func(s *consent.Signals) { s.TokenState = consent.TokenSuperseded }), refuse,
			"none|functional,analytics,marketing,social||withdrawn"},
		{"refuse while a platform is down", all, unsure(func(s *consent.Signals) { s.Stored.Unknown = true }), refuse,
			"none|functional,analytics,marketing,social||withdrawn"},
		{"withdraw a vendor's grant", all, valid(withVendors(token(0, optional, 0))), refuse, "none|functional,analytics,marketing,social||withdrawn"},
		{"save", all, consent.Signals{}, save(analytics), "analytics|functional,marketing,social||given"},
		{"save nothing", all, consent.Signals{}, save(0), "none|functional,analytics,marketing,social||refused"},
		{"save what nobody asked", consent.Terms{Asked: analytics}, consent.Signals{}, save(optional | 128), "analytics|none||given"},
		{"save keeps refused vendors", all, valid(withVendors(token(optional, 0, 0))), save(marketing), "marketing|functional,analytics,social|6- |given"},
		{"save with a list of vendors", all, valid(withVendors(token(optional, 0, 0))), never, "marketing|functional,analytics,social|8- |given"},
		{"a vendor, first answer", all, consent.Signals{}, always, "none|none|7+ |given"},
		{"a vendor, beside purposes", all, valid(withVendors(token(analytics, marketing, 0))), always, "analytics|marketing|5+ 6- 7+ |given"},
		{"a vendor, after GPC came", all, gpc(valid(withVendors(token(functional|analytics, 0, 0)))), always, "functional|none|6- 7+ |given"},
		{"a vendor, GPC seen", all, gpc(valid(withVendors(token(functional|analytics, 0, consent.SignalGPC)))), always, "functional,analytics|none|5+ 6- 7+ |given"},
		{"a vendor, grants suspended", consent.Terms{Asked: optional, Material: 9}, valid(withVendors(token(analytics, marketing, 0))), always, "none|marketing|6- 7+ |given"},
		{"a vendor, forged cookie", all, consent.Signals{TokenState: consent.TokenInvalid, Token: token(optional, 0, 0)}, always, "none|none|7+ |given"},
		{"an answer nobody defined", all, consent.Signals{}, consent.Choice{Answer: 77, Purposes: optional}, "none|functional,analytics,marketing,social||refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, event := consent.Choose(&c.terms, &c.signals, c.choice, now)
			var vendors strings.Builder
			for n, granted := range k.Vendors.All() {
				fmt.Fprintf(&vendors, "%d%c ", n, map[bool]rune{true: '+', false: '-'}[granted])
			}
			if got := fmt.Sprintf("%v|%v|%s|%s", k.Granted, k.Denied, vendors.String(), event); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if k.Signals != c.signals.Set() || k.Version != c.terms.Material {
				t.Errorf("signals %v, version %v", k.Signals, k.Version)
			}
		})
	}
}

func TestChooseKeepsWhoAndCounts(t *testing.T) {
	terms, s := consent.Terms{Asked: optional}, consent.Signals{}
	first, _ := consent.Choose(&terms, &s, consent.Choice{Answer: consent.Accept}, now)
	if first.ID.IsZero() || first.Seq != 1 || !first.At.Equal(now) {
		t.Fatalf("%+v", first)
	}
	s = valid(first)
	later := now.Add(time.Hour)
	second, _ := consent.Choose(&terms, &s, consent.Choice{Answer: consent.Refuse}, later)
	if second.ID != first.ID || second.Seq != 2 || !second.At.Equal(later) {
		t.Errorf("%+v", second)
	}
	s = consent.Signals{Token: first, TokenState: consent.TokenInvalid}
	if third, _ := consent.Choose(&terms, &s, consent.Choice{Answer: consent.Refuse}, later); third.ID == first.ID || third.ID.IsZero() {
		t.Error("took an ID from a token that is not authentic")
	}
}

func TestChooseMakesNothingYounger(t *testing.T) {
	terms, s := consent.Terms{Asked: analytics | social}, valid(token(analytics, 0, 0))
	one := consent.Choice{Answer: consent.Save, VendorsOnly: true}
	one.Vendors.Set(7, true)
	for _, c := range []consent.Choice{one, {Answer: consent.Accept}} {
		if k, _ := consent.Choose(&terms, &s, c, now.Add(time.Hour)); !k.At.Equal(s.Token.At) {
			t.Errorf("%+v: a grant of %v is now of %v", c, s.Token.At, k.At)
		}
	}
	s.Token.At = now.Add(time.Minute) // by another clock
	if k, _ := consent.Choose(&terms, &s, one, now); !k.At.Equal(now) {
		t.Errorf("an answer of %v is now of %v", now, k.At)
	}
}

// TestChooseProperties signs the token of a choice and decides again.
func TestChooseProperties(t *testing.T) {
	r, keys := rand.New(rand.NewPCG(11, 12)), ring(t, key(1))
	for range 20_000 {
		terms, s := randomTerms(r), randomSignals(r)
		c := consent.Choice{
			Answer: consent.Answer(r.UintN(6)), Purposes: randomPurposes(r), VendorsOnly: r.IntN(2) == 0,
			VendorsListed: r.IntN(2) == 0, Vendors: randomToken(r).Vendors,
		}
		k, event := consent.Choose(&terms, &s, c, now)
		back, err := keys.Verify(site, string(keys.Sign(nil, site, &k)))
		if err != nil || back != k {
			t.Fatalf("%+v is signed as %+v, %v", k, back, err)
		}
		before := consent.Decide(&terms, &s, now)
		s.Token, s.TokenState = back, consent.TokenValid
		after := consent.Decide(&terms, &s, now)
		refuses := c.Answer != consent.Accept && c.Answer != consent.Save
		for p := consent.Purpose(2); p <= consent.Social; p <<= 1 {
			for v := range uint16(30) {
				if refuses && after.Permits(p, v) {
					t.Fatalf("%v of %d is permitted after a refusal", p, v)
				}
				asked := c.Vendors.Granted(v) || c.Answer == consent.Accept || !c.VendorsOnly && c.Purposes.Has(p)
				// Refusals that a broken or superseded cookie made stricter for one request end with it.
				if c.Answer == consent.Save && c.VendorsOnly && !asked && after.Permits(p, v) && !before.Permits(p, v) && before.Regime == after.Regime && !before.Vendors.Refused(v) {
					t.Fatalf("%v of %d is permitted by a choice about others\n%+v\n%+v\n%+v", p, v, c, before, after)
				}
			}
		}
		if (event == consent.EventGiven) == (k.Granted == 0 && k.Vendors == withoutGrants(k.Vendors)) {
			t.Fatalf("%s for %+v", event, k)
		}
	}
}

func withoutGrants(v consent.VendorChoices) (w consent.VendorChoices) {
	for n, granted := range v.All() {
		if !granted {
			w.Set(n, false)
		}
	}
	return w
}

func TestVendorChoices(t *testing.T) {
	var v consent.VendorChoices
	if !v.IsZero() || v.Set(0, true) || v.Set(consent.MaxVendor+1, true) || !v.IsZero() {
		t.Error("took a number that cannot carry a choice")
	}
	for _, n := range []uint16{1, 63, 64, 128, consent.MaxVendor} {
		v.Set(n, true)
		if !v.Granted(n) || v.Refused(n) {
			t.Errorf("%d is not granted", n)
		}
		v.Set(n, false)
		if v.Granted(n) || !v.Refused(n) {
			t.Errorf("%d is not refused", n)
		}
	}
	var got []uint16
	for n := range v.All() {
		got = append(got, n)
	}
	if fmt.Sprint(got) != fmt.Sprint([]int{1, 63, 64, 128, consent.MaxVendor}) {
		t.Error(got)
	}
	for range v.All() {
		break
	}
}

func FuzzChoice(f *testing.F) {
	f.Add("choice=save&purpose=analytics&vendor=%2Bv7")
	f.Add("choice=save&scope=vendor&vendor=-v8")
	f.Fuzz(func(t *testing.T, query string) {
		form, _ := url.ParseQuery(query)
		c, err := consent.ParseChoice(form, number)
		if err != nil {
			return
		}
		terms := consent.Terms{Asked: optional}
		k, _ := consent.Choose(&terms, &consent.Signals{}, c, now)
		if !strings.Contains(query, "accept") && !strings.Contains(query, "save") && (k.Granted != 0 || withoutGrants(k.Vendors) != k.Vendors) {
			t.Errorf("granted %+v", k)
		}
	})
}

func ExampleChoose() {
	terms := consent.Terms{Asked: consent.OptionalPurposes}
	form := url.Values{"choice": {"save"}, "purpose": {"analytics"}}
	choice, err := consent.ParseChoice(form, func(string) (uint16, bool) { return 0, false })
	if err != nil {
		panic(err)
	}
	answer, event := consent.Choose(&terms, &consent.Signals{}, choice, time.Now())
	fmt.Println(event, answer.Granted, answer.Denied)
	// Output: given analytics functional,marketing,social
}

func TestRemember(t *testing.T) {
	all := consent.Terms{Asked: optional}
	gpc := func(s consent.Signals) consent.Signals { s.GPC = true; return s }
	withVendor := token(functional|analytics, 0, 0)
	withVendor.Vendors.Set(7, true)
	withVendor.Vendors.Set(8, false)
	for _, c := range []struct {
		name    string
		signals consent.Signals
		want    string // granted | denied, "" for nothing to remember
	}{
		{"no signal", consent.Signals{}, ""},
		{"first visit", gpc(consent.Signals{}), "none|analytics,marketing,social"},
		{"already remembered", gpc(valid(token(0, analytics|marketing|social, 0))), ""},
		{"beats older grants for good", gpc(valid(withVendor)), "functional|analytics,marketing,social"},
		{"a grant aware of it stays", gpc(valid(token(analytics, 0, consent.SignalGPC))), "analytics|marketing,social"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, ok := consent.Remember(&all, &c.signals, now)
			if !ok {
				if c.want != "" || k != (consent.Token{}) {
					t.Errorf("nothing remembered: %+v", k)
				}
				return
			}
			if got := fmt.Sprintf("%v|%v", k.Granted, k.Denied); got != c.want || k.ID != c.signals.Token.ID || k.Vendors.Granted(7) {
				t.Errorf("got %s, %+v", got, k)
			}
			later := valid(k)
			if d := consent.Decide(&all, &later, now); d.Permitted&^necessary != k.Granted || d.Denied != k.Denied {
				t.Errorf("without the signal: %v", d.String())
			}
			if _, again := consent.Remember(&all, &later, now); again {
				t.Error("is remembered twice")
			}
		})
	}
}

func TestCookieAge(t *testing.T) {
	refusal, grant := token(0, optional, 0), token(optional, 0, 0)
	vendor := grant
	vendor.Vendors.Set(7, false)
	const day = 24 * time.Hour
	for _, c := range []struct {
		terms consent.Terms
		token consent.Token
		want  time.Duration
	}{
		{consent.Terms{}, refusal, 180 * day}, {consent.Terms{}, grant, 180 * day},
		{consent.Terms{Lifetime: 90 * day}, grant, 90 * day},
		{consent.Terms{Regime: consent.OptOut}, refusal, 400 * day}, {consent.Terms{Regime: consent.OptOut}, grant, 180 * day},
		{consent.Terms{Regime: consent.ByRegion}, refusal, 400 * day}, {consent.Terms{Regime: consent.NoticeOnly}, vendor, 400 * day},
	} {
		if got := c.terms.CookieAge(&c.token); got != c.want {
			t.Errorf("%v %v: %v", c.terms.Regime, c.token.Denied, got)
		}
	}
}

func ExampleRemember() {
	terms, s := consent.Terms{Asked: consent.OptionalPurposes}, consent.Signals{GPC: true}
	answer, ok := consent.Remember(&terms, &s, time.Now())
	fmt.Println(answer.Denied, answer.ID.IsZero(), ok)
	// Output: analytics,marketing,social true true
}
