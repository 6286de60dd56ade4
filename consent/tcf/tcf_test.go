package tcf_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/tcf"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func answers(s consent.Stored) string { return s.Granted.String() + "|" + s.Denied.String() }

func TestTCPurposes(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name     string
		purposes []int
		age      time.Duration
		want     string
	}{
		{"all", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 0, "functional,analytics,marketing|none"},
		{"none, though legitimate interest in all", nil, 0, "none|functional,analytics,marketing"},
		{"all but access to the device", []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 0, "none|functional,analytics,marketing"},
		{"measurement of content", []int{1, 8}, 0, "analytics|functional,marketing"},
		{"audiences", []int{1, 9}, 0, "analytics|functional,marketing"},
		{"profiles alone", []int{1, 3, 5}, 0, "none|functional,analytics,marketing"},
		{"personalised advertising", []int{1, 3, 4}, 0, "marketing|functional,analytics"},
		{"advertising and content that are not personalised", []int{1, 4, 6}, 0, "none|functional,analytics,marketing"},
		{"personalised content", []int{1, 5, 6}, 0, "functional|analytics,marketing"},
		{"improvement of services", []int{1, 10}, 0, "none|functional,analytics,marketing"},
		{"a purpose there is not", []int{1, 24}, 0, "none|functional,analytics,marketing"},
		{"a year old", []int{1, 9}, 365 * day, "analytics|functional,marketing"},
		{"out of date", []int{1, 9}, 397 * day, "none|none"},
		{"of the future", []int{1, 9}, -2 * day, "none|none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tc, err := tcf.ParseTC(core(2, now.Add(-c.age), c.purposes...))
			if err != nil {
				t.Fatal(err)
			}
			if got := answers(tc.Stored(now)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTCFields(t *testing.T) {
	updated := time.Date(2026, 5, 1, 12, 0, 0, 300e6, time.UTC)
	tc, err := tcf.ParseTC(core(2, updated, 1, 24) + "." + (&writer{}).uint(1, 3).uint(5, 16).uint(0, 6).String())
	if want := (tcf.TC{Updated: updated, Consents: 1 | 1<<23}); err != nil || tc != want {
		t.Errorf("got %+v, %v", tc, err)
	}
	if tc.Consent(0) || !tc.Consent(1) || !tc.Consent(24) || tc.Consent(25) || tc.Consent(-1) || tc.Consent(64) {
		t.Error("Consent")
	}
}

func TestParseTCRefuses(t *testing.T) {
	good := core(2, now, 1)
	for _, c := range []struct {
		name, s string
		want    error
	}{
		{"itself", good, nil},
		{"of the greatest length", good + ".Q" + strings.Repeat("A", tcf.MaxLen-len(good)-2), nil},
		{"one longer", good + ".Q" + strings.Repeat("A", tcf.MaxLen-len(good)-1), tcf.ErrTooLong},
		{"with two segments, padded", good + ".QA==.YA=", nil},
		{"a segment after an empty one", good + "..QA", tcf.ErrMalformed},
		{"padded", good + "==", nil},
		{"with a segment", good + ".QA", nil},
		{"of a length that base64 does not have", good[:37], nil},
		{"empty", "", tcf.ErrMalformed},
		{"version 1", core(1, now, 1), tcf.ErrVersion},
		{"version 3", core(3, now, 1), tcf.ErrVersion},
		{"cut before the vendors", good[:35], tcf.ErrMalformed},
		{"wrong alphabet", good[:30] + "*" + good[31:], tcf.ErrMalformed},
		{"not ASCII", good[:30] + "ü" + good[32:], tcf.ErrMalformed},
		{"empty segment", good + ".", tcf.ErrMalformed},
		{"bad segment", good + ".I!", tcf.ErrMalformed},
		{"space", good + " ", tcf.ErrMalformed},
		{"too long", good + strings.Repeat(".QA", 4000), tcf.ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			if tc, err := tcf.ParseTC(c.s); !errors.Is(err, c.want) {
				t.Errorf("got %+v, %v", tc, err)
			}
		})
	}
}

// TestPublishedStrings reads the example strings of the GPP specification and of its implementations.
func TestPublishedStrings(t *testing.T) {
	const tc = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
	for _, c := range []struct {
		s        string
		hasTC    bool
		optedOut bool
	}{
		{"DBABM~" + tc, true, false},
		{"DBACNY~" + tc + "~1YNN", true, false},
		{"DBACNY~" + tc + "~1YYN", true, true},
		{"DBABLA~BVAoAAAAAABk.QA", false, false},
	} {
		g, err := tcf.ParseGPP(c.s)
		if err != nil || g.HasTC != c.hasTC || g.OptedOut != c.optedOut || g.GPC {
			t.Errorf("%s: %+v, %v", c.s, g, err)
		}
	}
	got, err := tcf.ParseTC(tc)
	if want := time.Date(2022, 4, 20, 22, 0, 0, 0, time.UTC); err != nil || got.Updated != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestGPPOptOut(t *testing.T) {
	offsets := map[int][]int{ // sale, sharing, targeted advertising
		7: {18, 20, 22}, 8: {12, 14}, 9: {12, 14}, 10: {12, 14}, 11: {14, 16}, 12: {12, 14}, 13: {12, 14}, 14: {12, 14},
		15: {12, 14}, 16: {12, 14}, 17: {12, 14}, 18: {14, 16}, 19: {12, 14}, 20: {12, 14}, 21: {12, 14}, 22: {12, 14},
		23: {12, 14}, 24: {22, 24}, 25: {22, 24}, 26: {22, 24}, 27: {22, 24},
	}
	for id, fields := range offsets {
		for at := 6; at < 40; at += 2 {
			for value := range uint64(4) {
				s := header(id) + "~" + section(1, map[int]uint64{at: value})
				g, err := tcf.ParseGPP(s)
				want := false
				for _, f := range fields {
					want = want || f == at && value == 1
				}
				if err != nil || g.OptedOut != want {
					t.Fatalf("section %d, offset %d, value %d: %v, %v", id, at, value, g.OptedOut, err)
				}
			}
		}
	}
}

func TestGPPStored(t *testing.T) {
	out := map[int]uint64{18: 1, 12: 1}
	for _, c := range []struct {
		name, s, want string
	}{
		{"nothing", "DBAA", "none|none"},
		{"not opted out is not consent", header(7) + "~" + section(1, map[int]uint64{18: 2, 20: 2, 22: 2}), "none|none"},
		{"usnat", header(7) + "~" + section(1, out), "none|marketing,social"},
		{"usnat version 2", header(7) + "~" + section(2, out), "none|marketing,social"},
		{"usnat of a later version", header(7) + "~" + section(3, out), "none|none"},
		{"GPC subsection", header(7) + "~" + section(1, nil) + ".YA", "none|analytics,marketing,social"},
		{"GPC subsection, short", header(7) + "~" + section(1, nil) + ".Y", "none|analytics,marketing,social"},
		{"no GPC", header(7) + "~" + section(1, nil) + ".QA", "none|none"},
		{"subsection of another kind", header(7) + "~" + section(1, nil) + ".oA", "none|none"},
		{"GPC subsection, padded, after another", header(7) + "~" + section(1, nil) + "=.oA==.YA==", "none|analytics,marketing,social"},
		{"opted out of targeted advertising only", header(12) + "~" + section(1, map[int]uint64{14: 1}), "none|marketing,social"},
		{"a state's layout of a later version", header(9) + "~" + section(2, out), "none|none"},
		{"California's of a later version", header(8) + "~" + section(2, out), "none|none"},
		{"one of a notice, later", header(11) + "~" + section(2, map[int]uint64{14: 1}), "none|none"},
		{"one of later laws, later", header(24) + "~" + section(2, map[int]uint64{22: 1}), "none|none"},
		{"opted out in the first of two", header(6, 7) + "~1YYN~" + section(1, nil), "none|marketing,social"},
		{"the last section there can be", header(63) + "~x", "none|none"},
		{"a section nobody knows", header(40) + "~***", "none|none"},
		{"two sections", header(2, 12) + "~" + core(2, now, 1, 3, 4, 9) + "~" + section(1, out), "analytics|functional,marketing,social"},
		{"US Privacy", header(6) + "~1YYN", "none|marketing,social"},
		{"a range", func() string {
			w := (&writer{}).uint(3, 6).uint(1, 6).uint(1, 12).uint(1, 1).fibonacci(9).fibonacci(2)
			return w.String() + "~" + section(1, nil) + "~" + section(1, map[int]uint64{12: 1}) + "~" + section(1, nil)
		}(), "none|marketing,social"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := tcf.ParseGPP(c.s)
			if err != nil {
				t.Fatal(err)
			}
			if got := answers(g.Stored(now)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseGPPRefuses(t *testing.T) {
	ranges := func(first, length int) string {
		return (&writer{}).uint(3, 6).uint(1, 6).uint(1, 12).uint(1, 1).fibonacci(first).fibonacci(length).String()
	}
	body := section(1, nil)
	for _, c := range []struct {
		name, s string
		want    error
	}{
		{"empty", "", tcf.ErrMalformed},
		{"a TC string", core(2, now, 1), tcf.ErrMalformed},
		{"cut header", "DB", tcf.ErrMalformed},
		{"header of a wrong alphabet", "DBAA*", tcf.ErrMalformed},
		{"a number that no counter holds", (&writer{}).uint(3, 6).uint(1, 6).uint(1, 12).uint(0, 64).uint(0, 28).uint(3, 2).String() + "~" + body, tcf.ErrMalformed},
		{"another kind", (&writer{}).uint(2, 6).uint(1, 6).uint(0, 12).String(), tcf.ErrMalformed},
		{"a section beyond the last", header(64) + "~" + body, tcf.ErrMalformed},
		{"a range beyond the last", ranges(62, 2) + "~" + body + "~" + body + "~" + body, tcf.ErrMalformed},
		{"a range without the sections", ranges(7, 2) + "~" + body + "~" + body, tcf.ErrMalformed},
		{"a section of a wrong alphabet", header(7) + "~" + body + "*", tcf.ErrMalformed},
		{"version 2", (&writer{}).uint(3, 6).uint(2, 6).uint(0, 12).String(), tcf.ErrVersion},
		{"fewer sections than ids", header(7, 8) + "~" + body, tcf.ErrMalformed},
		{"more sections than ids", header(7) + "~" + body + "~" + body, tcf.ErrMalformed},
		{"a vast range", ranges(1, 65534) + "~" + body, tcf.ErrMalformed},
		{"a range up to the counter's limit", ranges(65535, 1) + "~" + body, tcf.ErrMalformed},
		{"4095 items", (&writer{}).uint(3, 6).uint(1, 6).uint(4095, 12).uint(0, 600).String() + "~" + body, tcf.ErrMalformed},
		{"zeros without end", (&writer{}).uint(3, 6).uint(1, 6).uint(1, 12).uint(0, 64).uint(0, 64).String() + "~" + body, tcf.ErrMalformed},
		{"cut section", header(7) + "~BV", tcf.ErrMalformed},
		{"empty section", header(7) + "~", tcf.ErrMalformed},
		{"empty subsection", header(7) + "~" + body + ".", tcf.ErrMalformed},
		{"bad EU section", header(2) + "~" + body, tcf.ErrMalformed},
		{"bad US Privacy", header(6) + "~yes", tcf.ErrMalformed},
		{"wrong alphabet", "DB&A~" + body, tcf.ErrMalformed},
		{"too many sections", header(7) + strings.Repeat("~"+body, 100), tcf.ErrMalformed},
		{"too long", header(7) + "~" + strings.Repeat("A", 9000), tcf.ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			if g, err := tcf.ParseGPP(c.s); !errors.Is(err, c.want) || g != (tcf.GPP{}) {
				t.Errorf("got %+v, %v", g, err)
			}
		})
	}
}

func TestUSPrivacy(t *testing.T) {
	for _, c := range []struct {
		s, want string
		err     error
	}{
		{"1YYN", "none|marketing,social", nil}, {"1yyn", "none|marketing,social", nil}, {"1-Y-", "none|marketing,social", nil},
		{"1YNY", "none|none", nil}, {"1---", "none|none", nil},
		{"", "none|none", tcf.ErrMalformed}, {"1YY", "none|none", tcf.ErrMalformed}, {"1YYNN", "none|none", tcf.ErrMalformed},
		{"2YYN", "none|none", tcf.ErrVersion}, {"1YXN", "none|none", tcf.ErrMalformed}, {"1XYN", "none|none", tcf.ErrMalformed}, {"1Yé", "none|none", tcf.ErrMalformed},
	} {
		u, err := tcf.ParseUSPrivacy(c.s)
		if !errors.Is(err, c.err) || answers(u.Stored()) != c.want {
			t.Errorf("%q: %s, %v", c.s, answers(u.Stored()), err)
		}
	}
}

// TestHostileStrings mutates good strings: whatever comes out, no reader may grant what the purposes bits do not say,
// and 50,000 of them must take no time worth naming.
func TestHostileStrings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	seeds := []string{
		core(2, now, 1, 3, 4, 5, 6, 8, 9), header(2, 6, 7, 12) + "~" + core(2, now, 1, 9) + "~1YNN~" + section(1, nil) + ".YA~" + section(1, nil),
		header(1, 3, 8, 21, 55) + "~A~B~C~D~E",
	}
	for range 50_000 {
		b := []byte(seeds[r.IntN(len(seeds))])
		for range 1 + r.IntN(6) {
			b[r.IntN(len(b))] = byte(r.UintN(256))
		}
		s := string(b[:r.IntN(len(b)+1)])
		if tc, err := tcf.ParseTC(s); err == nil && tc.Stored(now).Granted != 0 && !tc.Consent(1) {
			t.Fatalf("%q grants without purpose 1", s)
		}
		g, err := tcf.ParseGPP(s)
		if err != nil && g != (tcf.GPP{}) {
			t.Fatalf("%q: an error with a result", s)
		}
		_, _ = tcf.ParseUSPrivacy(s)
	}
}

func TestReadersDoNotAllocateByClaim(t *testing.T) {
	s := header(7) + "~" + section(1, nil)
	if n := testing.AllocsPerRun(100, func() { _, _ = tcf.ParseGPP(s) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
	s = core(2, now, 1)
	if n := testing.AllocsPerRun(100, func() { _, _ = tcf.ParseTC(s) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func fuzz(f *testing.F, read func(string) (consent.Stored, error)) {
	for _, s := range []string{
		core(2, now, 1, 9), "DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA", "DBABLA~BVAoAAAAAABk.QA", "1YNN", "", "~", ".",
		(&writer{}).uint(3, 6).uint(1, 6).uint(4095, 12).uint(1<<63, 64).String() + "~A", strings.Repeat("~", 8192), strings.Repeat("D", 8192),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		stored, err := read(s)
		if err != nil && stored != (consent.Stored{}) {
			t.Errorf("an error with %+v", stored)
		}
		if stored.Granted&stored.Denied != 0 || stored.Granted.Has(consent.Social) {
			t.Errorf("%+v", stored)
		}
	})
}

func FuzzTC(f *testing.F) {
	fuzz(f, func(s string) (consent.Stored, error) {
		tc, err := tcf.ParseTC(s)
		return tc.Stored(now), err
	})
}

func FuzzGPP(f *testing.F) {
	fuzz(f, func(s string) (consent.Stored, error) {
		g, err := tcf.ParseGPP(s)
		return g.Stored(now), err
	})
}

func FuzzUSPrivacy(f *testing.F) {
	fuzz(f, func(s string) (consent.Stored, error) {
		u, err := tcf.ParseUSPrivacy(s)
		return u.Stored(), err
	})
}

func BenchmarkParseTC(b *testing.B) {
	s := core(2, now, 1, 9)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tcf.ParseTC(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseGPP(b *testing.B) {
	s := header(2, 7) + "~" + core(2, now, 1, 9) + "~" + section(1, nil) + ".YA"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tcf.ParseGPP(s); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleParseTC() {
	tc, err := tcf.ParseTC("CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA")
	fmt.Println(tc.Updated.Year(), tc.Consent(1), err)
	// Output: 2022 false <nil>
}

func ExampleParseGPP() {
	g, err := tcf.ParseGPP("DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YYN")
	fmt.Println(g.HasTC, g.OptedOut, err)
	// Output: true true <nil>
}

func ExampleParseUSPrivacy() {
	u, err := tcf.ParseUSPrivacy("1YYN")
	fmt.Println(u.Stored().Denied, err)
	// Output: marketing,social <nil>
}
