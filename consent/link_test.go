package consent_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

func TestLink(t *testing.T) {
	keys := ring(t, key(1))
	want := consent.Link{ID: id(5), Expiry: now.Add(time.Hour)}
	segment := keys.SignLink(site, want)
	if len(segment) != consent.MaxLinkLen {
		t.Errorf("%d characters", len(segment))
	}
	k := exampleToken()
	token := string(keys.Sign(nil, site, &k))
	for _, c := range []struct {
		name, site, segment string
		keys                *consent.Keyring
		at                  time.Time
		ok                  bool
	}{
		{"itself", site, segment, keys, now, true},
		{"by an old key", site, segment, ring(t, key(2), key(1)), now, true},
		{"at the last moment", site, segment, keys, want.Expiry.Add(-1), true},
		{"expired", site, segment, keys, want.Expiry, false},
		{"other site", "example.org", segment, keys, now, false},
		{"key gone", site, segment, ring(t, key(2)), now, false},
		{"a token", site, token, keys, now, false},
		{"a token of that length", site, (token + token)[:consent.MaxLinkLen], keys, now, false},
		{"cut", site, segment[:len(segment)-1], keys, now, false},
		{"longer", site, segment + "A", keys, now, false},
		{"line breaks inside", site, segment[:8] + "\n\r" + segment[8:len(segment)-2], keys, now, false},
		{"line break", site, segment[:len(segment)-1] + "\n", keys, now, false},
		{"empty", site, "", keys, now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.keys.VerifyLink(c.site, c.segment, c.at)
			if c.ok && (err != nil || got != want) || !c.ok && (!errors.Is(err, consent.ErrLink) || got != consent.Link{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	if _, err := keys.Verify(site, segment); err == nil {
		t.Error("a link passes for a token")
	}
	late := consent.Link{ID: id(5), Expiry: time.Unix(1<<33+7, 0).UTC()}
	if got, err := keys.VerifyLink(site, keys.SignLink(site, late), now); err != nil || got != late {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestLinkUse: a record tells that a link was used, and that another was not; its ID is like any other.
func TestLinkUse(t *testing.T) {
	for i := range 200 {
		segment := fmt.Sprint("link", i)
		one, two := consent.LinkUse(segment), consent.LinkUse(segment)
		if one == two || !consent.LinkUsed(segment, one) || !consent.LinkUsed(segment, two) || consent.LinkUsed(segment+"x", one) || consent.LinkUsed(segment, consent.NewID()) {
			t.Errorf("%s: %v, %v", segment, one, two)
		}
		if strings.HasPrefix(one.String(), "-") {
			t.Errorf("%s looks like an option", one)
		}
	}
}

func TestLinkHidesWhoseItIs(t *testing.T) {
	keys := ring(t, key(1))
	l := consent.Link{ID: id(5), Expiry: now}
	one, two := keys.SignLink(site, l), keys.SignLink(site, l)
	if one == two || one[10:] == two[10:] || strings.Contains(one, l.ID.String()[2:20]) {
		t.Errorf("%s and %s tell that they are of one visitor", one, two)
	}
}

func TestMutatedLinks(t *testing.T) {
	keys, r := ring(t, key(1)), rand.New(rand.NewPCG(1, 1))
	good := keys.SignLink(site, consent.Link{ID: id(5), Expiry: now.Add(time.Hour)})
	for range 10_000 {
		b := []byte(good)
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		if l, err := keys.VerifyLink(site, string(b), now); err == nil {
			t.Fatalf("accepted %s: %+v", b, l)
		}
	}
}

func FuzzLink(f *testing.F) {
	keys := ring(f, key(1))
	f.Add("")
	f.Add(strings.Repeat("A", consent.MaxLinkLen))
	f.Fuzz(func(t *testing.T, s string) {
		if l, err := keys.VerifyLink(site, s, time.Time{}); err == nil {
			t.Errorf("accepted %q: %+v", s, l)
		}
	})
}

func ExampleKeyring_SignLink() {
	keys, _ := consent.NewKeyring(consent.GenerateKey())
	visitor := consent.NewID()
	segment := keys.SignLink("example.com", consent.Link{ID: visitor, Expiry: time.Now().Add(14 * 24 * time.Hour)})
	l, err := keys.VerifyLink("example.com", segment, time.Now())
	fmt.Println(l.ID == visitor, err)
	// Output: true <nil>
}
