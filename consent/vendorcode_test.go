package consent_test

import (
	"math/rand/v2"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
)

// catalogued is how many vendors the catalogue has, and more.
const catalogued = 1200

// TestEachVendorAlone: every number, and every number next to some others, survives the cookie, agreed to or refused.
func TestEachVendorAlone(t *testing.T) {
	keys := ring(t, key(1))
	for n := uint16(1); n <= consent.MaxVendor; n++ {
		for _, others := range [][]uint16{nil, {1, 255, 256}, {1200, 1201, consent.MaxVendor}} {
			k := exampleToken()
			for _, o := range others {
				k.Vendors.Set(o, o%2 == 0)
			}
			k.Vendors.Set(n, n%3 == 0)
			value := string(keys.Sign(nil, site, &k))
			if got, err := keys.Verify(site, value); err != nil || got != k || !got.Vendors.Fits() {
				t.Fatalf("%d: got %+v, %v", n, got, err)
			}
		}
	}
}

// TestRoomForVendors draws sets of vendors of any size out of the whole catalogue: what fits survives unchanged within 160
// bytes with the cookie's name; what does not is signed so that nothing more is permitted, and no refusal is lost.
func TestRoomForVendors(t *testing.T) {
	keys, r := ring(t, key(1)), rand.New(rand.NewPCG(3, 4))
	terms := consent.Terms{Asked: optional}
	most, least := 0, catalogued
	for round := range 3000 {
		k := consent.Token{ID: id(1), Granted: randomPurposes(r) & optional, At: now}
		size := 1 + r.IntN(round%120+1)
		for range size {
			k.Vendors.Set(uint16(1+r.UintN(catalogued)), r.IntN(2) == 0)
		}
		count := 0
		for range k.Vendors.All() {
			count++
		}
		value := string(keys.Sign(nil, site, &k))
		if n := len(consent.Cookie{Secure: true}.Name() + "=" + value); n > 160 {
			t.Fatalf("%d vendors take %d bytes", count, n)
		}
		got, err := keys.Verify(site, value)
		if err != nil {
			t.Fatal(err)
		}
		if k.Vendors.Fits() {
			if most = max(most, count); got != k {
				t.Fatalf("got %+v, want %+v", got, k)
			}
			continue
		}
		least = min(least, count)
		before := consent.Decide(&terms, &consent.Signals{Token: k, TokenState: consent.TokenValid}, now)
		after := consent.Decide(&terms, &consent.Signals{Token: got, TokenState: consent.TokenValid}, now)
		for n := uint16(0); n <= catalogued; n++ {
			for _, p := range optional.List() {
				if after.Permits(p, n) && !before.Permits(p, n) {
					t.Fatalf("%v of vendor %d is permitted by a cookie that had no room", p, n)
				}
			}
		}
	}
	t.Logf("of %d vendors at random, up to %d fit; the fewest that did not were %d", catalogued, most, least)
	if least < 26 {
		t.Errorf("%d vendors did not fit: 25 always do", least)
	}
}

// TestTooManyVendors: a form with more single answers than fit is refused with the way out; of those that come one by one
// the refusals stay.
func TestTooManyVendors(t *testing.T) {
	terms, s := consent.Terms{Asked: optional}, consent.Signals{}
	form := map[string][]string{"choice": {"save"}}
	for n := range 100 {
		form["vendor"] = append(form["vendor"], "-v"+string(rune('a'+n/26))+string(rune('a'+n%26)))
	}
	number := func(id string) (uint16, bool) { return uint16(id[1]-'a')*300 + uint16(id[2]-'a')*7 + 300, true }
	if _, err := consent.ParseChoice(form, number); err == nil {
		t.Error("took 100 answers that do not fit")
	}
	for n := range uint16(catalogued) {
		var c consent.Choice
		c.Answer, c.VendorsOnly = consent.Save, true
		c.Vendors.Set(n+1, n%7 != 0)
		refusesAll := s.Token.Denied == optional
		k, _ := consent.Choose(&terms, &s, c, now)
		s.Token, s.TokenState = k, consent.TokenValid
		d := consent.Decide(&terms, &s, now)
		for m := uint16(0); m <= n; m += 7 {
			if d.Permits(consent.Analytics, m+1) {
				t.Fatalf("after %d answers vendor %d is permitted, which was refused", n+1, m+1)
			}
		}
		if !k.Vendors.Fits() || refusesAll && k.Denied != optional {
			t.Fatalf("after %d answers: %+v", n+1, k)
		}
	}
}
