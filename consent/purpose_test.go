package consent_test

import (
	"fmt"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
)

func TestPurposeNames(t *testing.T) {
	for i, p := range consent.AllPurposes.List() {
		if back, err := consent.ParsePurpose(p.String()); err != nil || back != p || p != 1<<i {
			t.Errorf("%v: %v, %v", p, back, err)
		}
	}
	for _, p := range []consent.Purpose{0, 3, 32, 255} {
		if p.String() != "" {
			t.Errorf("%d is called %s", p, p)
		}
	}
	if _, err := consent.ParsePurpose("Analytics"); err == nil {
		t.Error("names are in lower case")
	}
}

func TestPurposesNames(t *testing.T) {
	for s := consent.Purposes(0); s <= consent.AllPurposes; s++ {
		if back, err := consent.ParsePurposes(s.String()); err != nil || back != s {
			t.Errorf("%v: %v, %v", s, back, err)
		}
	}
	if _, err := consent.ParsePurposes("analytics,,social"); err == nil {
		t.Error("accepted an empty name")
	}
	if s, err := consent.ParsePurposes(""); err != nil || s != 0 || consent.AllPurposes.Has(0) {
		t.Error(s, err)
	}
	if s, err := consent.ParsePurposes(" analytics , social"); err != nil || s != analytics|social {
		t.Error(s, err)
	}
}

func TestIDText(t *testing.T) {
	want := consent.NewID()
	if got, err := consent.ParseID(want.String()); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "AAAA", "AQEBAQEBAQEBAQEBAQEBAR", "AQEBAQEBAQEBAQEBAQEB\nA", "AQEBAQEBAQEBAQEBAQEB\n\n", "AQEBAQEBAQEB\r\rAQEBAQEB", "AQEBAQEBAQEBAQEBAQEBA="} {
		if _, err := consent.ParseID(bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func ExamplePurposes() {
	p := consent.Purposes(consent.Analytics).With(consent.Social)
	fmt.Println(p, p.Has(consent.Marketing))
	// Output: analytics,social false
}
