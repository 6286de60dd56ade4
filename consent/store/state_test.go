package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

func randomState(r *rand.Rand) store.State {
	events := []consent.Event{consent.EventGiven, consent.EventRefused, consent.EventWithdrawn}
	methods := []consent.Method{consent.MethodBanner, consent.MethodPreferences, consent.MethodPlaceholder, consent.MethodAPI, ""}
	s := store.State{
		Seq: uint32(r.IntN(3)), Event: events[r.IntN(len(events))], Denied: consent.Purposes(r.IntN(32)), Signals: consent.SignalSet(r.IntN(4)),
		Method: methods[r.IntN(len(methods))], Time: storetest.Epoch.Add(time.Duration(r.IntN(3)) * time.Second),
		RecordID: consent.ID{byte(r.IntN(256)), byte(r.IntN(256))}, Index: uint64(r.IntN(9)),
	}
	s.Granted = consent.Purposes(r.IntN(32)) &^ s.Denied
	if r.IntN(2) == 0 {
		s.Expiry = s.Time.Add(time.Duration(1+r.IntN(3)) * time.Hour)
	}
	for _, v := range []string{"a", "b", "c"} {
		if k := r.IntN(3); k > 0 {
			if s.Vendors == nil {
				s.Vendors = map[string]bool{}
			}
			s.Vendors[v] = k == 1
		}
	}
	return s
}

func TestMergeIsStrict(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	what := func(s store.State) string { return fmt.Sprint(s.Seq, s.Granted, s.Denied, s.Vendors) }
	for range 5_000 {
		a, b, c := randomState(r), randomState(r), randomState(r)
		m := store.Merge(a, b)
		if got := store.Merge(b, a); !reflect.DeepEqual(m, got) && a.RecordID != b.RecordID {
			t.Fatalf("depends on the order\n%+v\n%+v", m, got)
		}
		if what(store.Merge(m, c)) != what(store.Merge(a, store.Merge(b, c))) {
			t.Fatalf("depends on the grouping: %+v %+v %+v", a, b, c)
		}
		if what(store.Merge(a, a)) != what(a) {
			t.Fatalf("a state merged with itself is another: %+v", a)
		}
		if a.Seq > b.Seq && !reflect.DeepEqual(m, a) {
			t.Fatalf("the newer one does not win: %+v", m)
		}
		if a.Seq != b.Seq {
			continue
		}
		if m.Granted&^(a.Granted&b.Granted) != 0 || m.Granted&m.Denied != 0 || (a.Denied|b.Denied)&^m.Denied != 0 {
			t.Fatalf("purposes: %+v and %+v gave %+v", a, b, m)
		}
		for _, s := range []store.State{a, b} {
			if !s.Expiry.IsZero() && (m.Expiry.IsZero() || m.Expiry.After(s.Expiry)) || !m.Expiry.IsZero() && a.Expiry.IsZero() && b.Expiry.IsZero() {
				t.Fatalf("expiry: %v and %v gave %v", a.Expiry, b.Expiry, m.Expiry)
			}
		}
		for v, granted := range m.Vendors {
			if granted && !(a.Vendors[v] && b.Vendors[v]) {
				t.Fatalf("vendor %s: %+v and %+v gave %+v", v, a, b, m)
			}
		}
		for _, s := range []store.State{a, b} {
			for v, granted := range s.Vendors {
				if !granted && (m.Vendors == nil || m.Vendors[v]) {
					t.Fatalf("a vendor's refusal is lost: %+v", m)
				}
			}
		}
	}
}

func TestStateOf(t *testing.T) {
	r := storetest.Record(site, consent.NewID(), 3, storetest.All)
	r.Denied = consent.Purposes(consent.Social)
	r.Time = r.Time.Add(123456).In(time.FixedZone("", 7200))
	r.Vendors = map[string]bool{"x": false}
	s := store.StateOf(r)
	if s.Granted.Has(consent.Social) || !s.Denied.Has(consent.Social) {
		t.Error("a purpose in both sets is not refused")
	}
	if s.Time.Location() != time.UTC || s.Time.Nanosecond()%1e6 != 0 {
		t.Errorf("time %v", s.Time)
	}
	r.Vendors["x"] = true
	if s.Vendors["x"] {
		t.Error("the state shares the record's map")
	}
}

func TestGrants(t *testing.T) {
	for want, states := range map[bool][]store.State{
		false: {{}, {Granted: consent.Purposes(consent.Necessary)}, {Vendors: map[string]bool{"a": false}}, {Denied: storetest.All}},
		true:  {{Granted: consent.Purposes(consent.Functional)}, {Vendors: map[string]bool{"a": false, "b": true}}},
	} {
		for _, s := range states {
			if s.Grants() != want {
				t.Errorf("%+v: %v", s, !want)
			}
		}
	}
}

func TestStateBinary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		s := randomState(r)
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back store.State
		if err := back.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("%+v became %+v, %v", s, back, err)
		}
		if err := back.UnmarshalBinary(b[:r.IntN(len(b))]); err == nil {
			t.Fatal("a part was read")
		}
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] = byte(255 - r.IntN(2))
			if err := back.UnmarshalBinary(bad); err == nil {
				if again, err := back.MarshalBinary(); err != nil || !bytes.Equal(again, bad) {
					t.Fatalf("%x was read as %+v", bad, back)
				}
			}
		}
	}
}

func FuzzState(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 5 {
		b, _ := randomState(r).MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s store.State
		if s.UnmarshalBinary(b) != nil {
			return
		}
		back, err := s.MarshalBinary()
		if err != nil || !bytes.Equal(b, back) {
			t.Errorf("%x was read, %x written, %v", b, back, err)
		}
	})
}

const day = 24 * time.Hour

func TestRetention(t *testing.T) {
	at := func(d int) time.Time { return storetest.Epoch.Add(time.Duration(d) * day) }
	given := func(d int) store.State {
		return store.State{Seq: uint32(d + 1), Event: consent.EventGiven, Granted: storetest.All, Time: at(d), Expiry: at(d + 180), Method: consent.MethodBanner}
	}
	refused := func(d int) store.State {
		return store.State{Seq: uint32(d + 1), Event: consent.EventRefused, Denied: storetest.All, Time: at(d), Method: consent.MethodBanner}
	}
	centre := func(s store.State) store.State { s.Method = consent.MethodPreferences; return s }
	r := store.DefaultRetention()
	for name, c := range map[string]struct {
		states []store.State
		keep   int    // last day on which nothing is past
		then   string // what is past on the day after
	}{
		"a refusal, from the answer":               {[]store.State{refused(0)}, 1095, "[true]"},
		"a grant, from when it lapsed":             {[]store.State{given(0)}, 180 + 1095, "[true]"},
		"superseded, from then":                    {[]store.State{given(0), refused(10)}, 10 + 1095, "[true true]"},
		"superseded by a later grant":              {[]store.State{given(0), given(100)}, 100 + 1095, "[true false]"},
		"preference centre, withdrawn":             {[]store.State{centre(given(0)), centre(refused(20))}, 20 + 90, "[true true]"},
		"preference centre, lapsed":                {[]store.State{centre(given(0))}, 180 + 90, "[true]"},
		"banner and preference centre":             {[]store.State{given(0), centre(refused(20))}, 20 + 90, "[false true]"},
		"a clock that was behind does not shorten": {[]store.State{given(0), func() store.State { s := given(50); s.Time = at(-400); return s }()}, 1095, "[true false]"},
	} {
		for d := 0; d <= c.keep; d++ {
			for i, past := range r.Past(at(d), c.states) {
				if past {
					t.Fatalf("%s: state %d is past on day %d", name, i, d)
				}
			}
		}
		if got := fmt.Sprint(r.Past(at(c.keep+1), c.states)); got != c.then {
			t.Errorf("%s: on day %d %s, want %s", name, c.keep+1, got, c.then)
		}
	}
	long := centre(given(0))
	long.Expiry = at(1000)
	if p := r.Past(at(365), []store.State{long}); p[0] {
		t.Error("still valid, a year after the last activity: gone too early")
	}
	if p := r.Past(at(366), []store.State{long}); !p[0] {
		t.Error("still valid, more than a year without activity: kept")
	}
	var forever store.Retention
	if p := forever.Past(at(1e5), []store.State{given(0), centre(refused(1))}); p[0] || p[1] {
		t.Error("zero keeps for ever")
	}
	if len(r.Past(at(1), nil)) != 0 {
		t.Error("no states")
	}
}
