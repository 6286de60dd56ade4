package consent_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

const (
	functional = consent.Purposes(consent.Functional)
	analytics  = consent.Purposes(consent.Analytics)
	marketing  = consent.Purposes(consent.Marketing)
	social     = consent.Purposes(consent.Social)
	optional   = consent.OptionalPurposes
	necessary  = consent.Purposes(consent.Necessary)
)

// token returns a valid token of an hour ago.
func token(granted, denied consent.Purposes, seen consent.SignalSet) consent.Token {
	return consent.Token{ID: id(1), Granted: granted, Denied: denied, At: now.Add(-time.Hour), Signals: seen, Seq: 1}
}

func valid(k consent.Token) consent.Signals {
	return consent.Signals{Token: k, TokenState: consent.TokenValid}
}

func TestDecide(t *testing.T) {
	all := consent.Terms{Asked: optional}
	with := func(f func(*consent.Terms)) consent.Terms { u := all; f(&u); return u }
	signals := func(s consent.Signals, f func(*consent.Signals)) consent.Signals { f(&s); return s }
	accepted := valid(token(optional, 0, 0))
	gpc := func(s *consent.Signals) { s.GPC = true }
	dnt := func(s *consent.Signals) { s.DNT = consent.DNTDeny }

	for _, c := range []struct {
		name    string
		terms   consent.Terms
		signals consent.Signals
		want    string // permitted | denied | asked | Tk
	}{
		{"nothing said", all, consent.Signals{}, "necessary|none|functional,analytics,marketing,social|N"},
		{"zero terms", consent.Terms{}, accepted, "necessary|none|none|N"},
		{"accepted", all, accepted, "necessary,functional,analytics,marketing,social|none|none|C"},
		{"refused", all, valid(token(0, optional, 0)), "necessary|functional,analytics,marketing,social|none|N"},
		{"in both sets", all, valid(token(optional, social, 0)), "necessary,functional,analytics,marketing|social|none|C"},
		{"necessary refused", all, valid(token(0, consent.AllPurposes, 0)), "necessary|functional,analytics,marketing,social|none|N"},
		{"DNT", all, signals(consent.Signals{}, dnt), "necessary|analytics,marketing,social|none|N"},
		{"DNT: 0", all, consent.Signals{DNT: consent.DNTAllow}, "necessary|none|functional,analytics,marketing,social|N"},
		{"GPC beats an older grant", all, signals(accepted, gpc), "necessary,functional|analytics,marketing,social|none|N"},
		{"a grant aware of GPC beats it", all, signals(valid(token(analytics, 0, consent.SignalGPC)), gpc),
			"necessary,analytics|marketing,social|none|C"},
		{"a grant aware of GPC does not beat DNT", all, signals(signals(valid(token(optional, 0, consent.SignalGPC)), gpc), dnt),
			"necessary,functional|analytics,marketing,social|none|N"},
		{"an opt-out outlives its header", all, valid(token(0, analytics|marketing|social, consent.SignalGPC)),
			"necessary|analytics,marketing,social|functional|N"},
		{"DNT disregarded", with(func(u *consent.Terms) { u.DisregardDNT = true }), signals(accepted, dnt),
			"necessary,functional,analytics,marketing,social|none|none|C"},
		{"DNT disregarded, GPC not", with(func(u *consent.Terms) { u.DisregardDNT = true }), signals(signals(accepted, dnt), gpc),
			"necessary,functional|analytics,marketing,social|none|N"},
		{"GPC disregarded", with(func(u *consent.Terms) { u.DisregardGPC = true }), signals(accepted, gpc),
			"necessary,functional,analytics,marketing,social|none|none|C"},
		{"GPC disregarded under opt-out", with(func(u *consent.Terms) { u.DisregardGPC = true; u.Regime = consent.OptOut }),
			consent.Signals{GPC: true}, "necessary,functional,analytics,marketing,social|none|none|D"},
		{"new purpose asks for itself", all, valid(token(analytics, functional|marketing, 0)),
			"necessary,analytics|functional,marketing|social|C"},
		{"granted but not asked any more", with(func(u *consent.Terms) { u.Asked = analytics }), accepted, "necessary,analytics|none|none|C"},
		{"material change", with(func(u *consent.Terms) { u.Material = consent.VersionOf("2") }), valid(token(analytics, marketing, 0)),
			"necessary|marketing|functional,analytics,social|N"},
		{"change that is not material", with(func(u *consent.Terms) { u.PolicyVersion = "2" }), accepted,
			"necessary,functional,analytics,marketing,social|none|none|C"},
		{"lapsed", with(func(u *consent.Terms) { u.Lifetime = time.Hour }), valid(token(analytics, marketing, 0)),
			"necessary|marketing|functional,analytics,social|N"},
		{"of the future", all, valid(consent.Token{Granted: optional, At: now.Add(6 * time.Minute)}),
			"necessary|none|functional,analytics,marketing,social|N"},
		{"clocks a little apart", all, valid(consent.Token{Granted: optional, At: now.Add(4 * time.Minute)}),
			"necessary,functional,analytics,marketing,social|none|none|C"},
		{"superseded", all, signals(valid(token(analytics, marketing, 0)), func(s *consent.Signals) { s.TokenState = consent.TokenSuperseded }),
			"necessary|marketing|functional,analytics,social|N"},
		{"forged", all, signals(accepted, func(s *consent.Signals) { s.TokenState = consent.TokenInvalid }),
			"necessary|none|functional,analytics,marketing,social|N"},
		{"child-directed", with(func(u *consent.Terms) { u.ChildDirected = true }), accepted,
			"necessary,functional,analytics,social|marketing|none|C"},
		{"platform", all, consent.Signals{Stored: consent.Stored{Granted: analytics, Denied: social}},
			"necessary,analytics|social|functional,marketing|C"},
		{"platform's refusal beats our grant", all, signals(accepted, func(s *consent.Signals) { s.Stored.Denied = social }),
			"necessary,functional,analytics,marketing|social|none|C"},
		{"our refusal beats a platform's grant", all, signals(valid(token(0, optional, 0)), func(s *consent.Signals) { s.Stored.Granted = optional }),
			"necessary|functional,analytics,marketing,social|none|N"},
		{"GPC beats a platform's grant", all, consent.Signals{GPC: true, Stored: consent.Stored{Granted: optional}},
			"necessary,functional|analytics,marketing,social|none|N"},
		{"platform's grant", all, consent.Signals{Stored: consent.Stored{Granted: optional}}, "necessary,functional,analytics,marketing,social|none|none|C"},
		{"a platform could not be asked", all, signals(valid(token(analytics, marketing, 0)), func(s *consent.Signals) { s.Stored = consent.Stored{Granted: optional, Unknown: true} }),
			"necessary|marketing|none|N"},
		{"opt-out, a platform could not be asked", with(func(u *consent.Terms) { u.Regime = consent.OptOut }),
			consent.Signals{Stored: consent.Stored{Denied: social, Unknown: true}}, "necessary|social|none|N"},
		{"opt-out", with(func(u *consent.Terms) { u.Regime = consent.OptOut }), consent.Signals{},
			"necessary,functional,analytics,marketing,social|none|none|T"},
		{"opt-out with GPC", with(func(u *consent.Terms) { u.Regime = consent.OptOut }), consent.Signals{GPC: true},
			"necessary,functional|analytics,marketing,social|none|N"},
		{"opt-out with a lapsed refusal", with(func(u *consent.Terms) { u.Regime = consent.OptOut; u.Lifetime = time.Minute }),
			valid(token(0, optional, 0)), "necessary|functional,analytics,marketing,social|none|N"},
		{"opt-out with a broken cookie", with(func(u *consent.Terms) { u.Regime = consent.OptOut }),
			consent.Signals{TokenState: consent.TokenInvalid}, "necessary|none|functional,analytics,marketing,social|N"},
		{"opt-out, superseded", with(func(u *consent.Terms) { u.Regime = consent.OptOut }), signals(valid(token(analytics, marketing, 0)),
			func(s *consent.Signals) { s.TokenState = consent.TokenSuperseded }), "necessary|marketing|functional,analytics,social|N"},
		{"by region, unknown", with(func(u *consent.Terms) { u.Regime = consent.ByRegion }), consent.Signals{},
			"necessary|none|functional,analytics,marketing,social|N"},
		{"by region, notice", with(func(u *consent.Terms) { u.Regime = consent.ByRegion }),
			consent.Signals{Region: consent.Region{Regime: consent.NoticeOnly}}, "necessary,functional,analytics,marketing,social|none|none|T"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := consent.Decide(&c.terms, &c.signals, now)
			if got := fmt.Sprintf("%v|%v|%v|%c", d.Permitted, d.Denied, d.Ask, d.TrackingStatus()); got != c.want {
				t.Errorf("got  %s\nwant %s\n%v", got, c.want, d.String())
			}
		})
	}
}

func TestVendorChoicesInDecisions(t *testing.T) {
	const youtube, meta, other = 7, 200, 9
	k := token(marketing, social, 0)
	k.Vendors.Set(youtube, true)
	k.Vendors.Set(meta, false)
	k.Vendors.Set(0, true)
	terms := consent.Terms{Asked: optional}
	for _, c := range []struct {
		name    string
		change  func(*consent.Terms, *consent.Signals)
		purpose consent.Purpose
		vendor  uint16
		want    bool
	}{
		{"agreed to, purpose refused", nil, consent.Social, youtube, true},
		{"another vendor of it", nil, consent.Social, other, false},
		{"refused, purpose agreed to", nil, consent.Marketing, meta, false},
		{"another vendor of it", nil, consent.Marketing, other, true},
		{"no number", nil, consent.Social, 0, false},
		{"number out of range", nil, consent.Social, 60000, false},
		{"necessary", nil, consent.Necessary, meta, true},
		{"two purposes", nil, consent.Marketing | consent.Social, other, false},
		{"no purpose", nil, 0, youtube, false},
		{"unknown purpose", nil, 128, youtube, false},
		{"GPC later", func(_ *consent.Terms, s *consent.Signals) { s.GPC = true }, consent.Social, youtube, false},
		{"GPC seen", func(_ *consent.Terms, s *consent.Signals) { s.GPC = true; s.Token.Signals = consent.SignalGPC }, consent.Social, youtube, true},
		{"GPC later, functional vendor", func(_ *consent.Terms, s *consent.Signals) { s.GPC = true }, consent.Functional, youtube, true},
		{"platform refused", func(_ *consent.Terms, s *consent.Signals) { s.Stored.Denied = social }, consent.Social, youtube, false},
		{"child-directed", func(u *consent.Terms, _ *consent.Signals) { u.ChildDirected = true }, consent.Marketing, youtube, false},
		{"material change", func(u *consent.Terms, _ *consent.Signals) { u.Material = 1 }, consent.Social, youtube, false},
		{"lapsed", func(u *consent.Terms, _ *consent.Signals) { u.Lifetime = 1 }, consent.Social, youtube, false},
		{"lapsed, the refusal holds", func(u *consent.Terms, _ *consent.Signals) { u.Lifetime = 1; u.Regime = consent.OptOut }, consent.Marketing, meta, false},
		{"superseded", func(_ *consent.Terms, s *consent.Signals) { s.TokenState = consent.TokenSuperseded }, consent.Social, youtube, false},
		{"forged", func(_ *consent.Terms, s *consent.Signals) { s.TokenState = consent.TokenInvalid }, consent.Social, youtube, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, s := terms, valid(k)
			if c.change != nil {
				c.change(&u, &s)
			}
			d := consent.Decide(&u, &s, now)
			if got := d.Permits(c.purpose, c.vendor); got != c.want {
				t.Errorf("got %v; %v", got, d.String())
			}
		})
	}
}

func randomPurposes(r *rand.Rand) consent.Purposes { return consent.Purposes(r.UintN(256)) }

func randomTerms(r *rand.Rand) consent.Terms {
	return consent.Terms{
		Asked: randomPurposes(r), Material: consent.Version(r.UintN(2)), Regime: consent.Regime(r.UintN(5)),
		ChildDirected: r.IntN(4) == 0, DisregardDNT: r.IntN(4) == 0, DisregardGPC: r.IntN(4) == 0,
		Lifetime: []time.Duration{0, time.Hour, -1}[r.IntN(3)],
	}
}

func randomSignals(r *rand.Rand) consent.Signals {
	s := consent.Signals{
		DNT: consent.DNT(r.UintN(4)), GPC: r.IntN(2) == 0, TokenState: consent.TokenState(r.UintN(5)), Token: randomToken(r),
		Stored: consent.Stored{Granted: randomPurposes(r), Denied: randomPurposes(r) & consent.Purposes(r.UintN(256)), Unknown: r.IntN(8) == 0},
		Region: consent.Region{Regime: consent.Regime(r.UintN(5))},
	}
	s.Token.Version &= 1
	s.Token.At = now.Add(time.Duration(r.IntN(200)-190) * time.Minute)
	return s
}

// permitsMore returns what b permits and a does not, "" for nothing.
func permitsMore(a, b *consent.Decision) string {
	for p := consent.Purpose(1); p <= consent.Social; p <<= 1 {
		for v := range uint16(258) { // random tokens answer about numbers below
			if b.Permits(p, v) && !a.Permits(p, v) {
				return fmt.Sprintf("%v of vendor %d", p, v)
			}
		}
	}
	return ""
}

// TestDecideProperties changes one thing at random and checks what must hold whatever the rest is.
func TestDecideProperties(t *testing.T) {
	stricter := map[string]func(*rand.Rand, *consent.Terms, *consent.Signals){
		"DNT: 1 added":       func(_ *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.DNT = consent.DNTDeny },
		"Sec-GPC: 1 added":   func(_ *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.GPC = true },
		"token refuses more": func(r *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.Token.Denied |= randomPurposes(r) },
		"token grants less":  func(r *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.Token.Granted &= randomPurposes(r) },
		"token saw less":     func(_ *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.Token.Signals = 0 },
		"vendor refused": func(r *rand.Rand, _ *consent.Terms, s *consent.Signals) {
			s.Token.Vendors.Set(uint16(r.UintN(258)), false)
		},
		"platform refuses":     func(r *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.Stored.Denied |= randomPurposes(r) },
		"platform grants less": func(r *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.Stored.Granted &= randomPurposes(r) },
		"platform unknown":     func(_ *rand.Rand, _ *consent.Terms, s *consent.Signals) { s.Stored.Unknown = true },
		"child-directed":       func(_ *rand.Rand, t *consent.Terms, _ *consent.Signals) { t.ChildDirected = true },
		"opt-in":               func(_ *rand.Rand, t *consent.Terms, _ *consent.Signals) { t.Regime = consent.OptIn },
		"DNT is honoured":      func(_ *rand.Rand, t *consent.Terms, _ *consent.Signals) { t.DisregardDNT = false },
		"GPC is honoured":      func(_ *rand.Rand, t *consent.Terms, _ *consent.Signals) { t.DisregardGPC = false },
		"second token": func(r *rand.Rand, _ *consent.Terms, s *consent.Signals) {
			s.Token = consent.Strictest(s.Token, randomToken(r))
		},
		"superseded": func(_ *rand.Rand, _ *consent.Terms, s *consent.Signals) {
			if s.TokenState == consent.TokenValid {
				s.TokenState = consent.TokenSuperseded
			}
		},
	}
	for name, change := range stricter {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			for range 300 {
				terms, s := randomTerms(r), randomSignals(r)
				u, v := terms, s
				change(r, &u, &v)
				before, after := consent.Decide(&terms, &s, now), consent.Decide(&u, &v, now)
				if more := permitsMore(&before, &after); more != "" {
					t.Fatalf("%s is permitted after, not before\n%+v\n%+v\n%+v\n%+v", more, terms, s, u, v)
				}
			}
		})
	}
	t.Run("always", func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for range 20_000 {
			terms, s := randomTerms(r), randomSignals(r)
			d := consent.Decide(&terms, &s, now)
			checkDecision(t, &terms, &s, &d)
		}
	})
}

func checkDecision(t *testing.T, terms *consent.Terms, s *consent.Signals, d *consent.Decision) {
	t.Helper()
	fail := func(why string) { t.Helper(); t.Fatalf("%s\n%+v\n%+v\n%+v", why, terms, s, d) }
	noConsent := s.TokenState != consent.TokenValid
	switch {
	case d.Granted&d.Denied != 0, d.Granted&^d.Permitted != 0, d.Permitted&d.Denied != 0:
		fail("the sets contradict each other")
	case d.Granted&^consent.AllPurposes|d.Denied&^optional|d.Permitted&^consent.AllPurposes != 0:
		fail("an unknown purpose")
	case d.Ask&(d.Granted|d.Denied) != 0, d.Ask&^terms.Asked != 0, d.Ask&necessary != 0:
		fail("asks what is decided or not to be asked")
	case d.Granted&^(terms.Asked|necessary) != 0:
		fail("grants what nobody asked")
	case noConsent && d.Granted&^(s.Stored.Granted|necessary) != 0:
		fail("grants without a valid token")
	case terms.ChildDirected && d.Permits(consent.Marketing, 3):
		fail("marketing to children")
	case d.Regime > consent.NoticeOnly:
		fail("an unknown regime in force")
	}
	for _, p := range optional.List() {
		i := strings.Count(fmt.Sprintf("%b", p), "0")
		if (d.By[i] == consent.SourceNone) != (!d.Granted.Has(p) && !d.Denied.Has(p) && !d.Permitted.Has(p)) {
			fail("a decision by nobody about " + p.String())
		}
	}
	if strings.Contains("NCTD", string(d.TrackingStatus())) == false {
		fail("not a tracking status")
	}
}

func TestSourceNames(t *testing.T) {
	var names []string
	for s := consent.SourceNone; s <= consent.SourceRegime+1; s++ {
		names = append(names, s.String())
	}
	if got := strings.Join(names, " "); got != "none necessary terms token dnt gpc platform regime " {
		t.Error(got)
	}
}

func TestSignalDecided(t *testing.T) {
	terms := consent.Terms{Asked: optional}
	for _, c := range []struct {
		s    consent.Signals
		want string
	}{
		{consent.Signals{}, ""},
		{consent.Signals{GPC: true}, "GPC"},
		{consent.Signals{GPC: true, DNT: consent.DNTDeny}, "DNT,GPC"},
		{consent.Signals{GPC: true, Token: token(0, optional, 0), TokenState: consent.TokenValid}, ""},
	} {
		d := consent.Decide(&terms, &c.s, now)
		if got := d.SignalDecided().String(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.s, got, c.want)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	terms, s := consent.Terms{Asked: optional}, valid(exampleToken())
	b.ReportAllocs()
	for b.Loop() {
		d := consent.Decide(&terms, &s, now)
		if d.Permits(consent.Marketing, 5) {
			b.Fatal("granted")
		}
	}
}

func ExampleDecide() {
	terms := consent.Terms{Asked: consent.OptionalPurposes}
	old := consent.Token{Granted: consent.OptionalPurposes, At: time.Now()}
	d := consent.Decide(&terms, &consent.Signals{GPC: true, Token: old, TokenState: consent.TokenValid}, time.Now())
	fmt.Println(d.String())
	fmt.Println(d.Permits(consent.Marketing, 0), d.Ask != 0, string(d.TrackingStatus()))
	// Output:
	// necessary=granted;by=necessary, functional=granted;by=token, analytics=denied;by=gpc, marketing=denied;by=gpc, social=denied;by=gpc
	// false false N
}
