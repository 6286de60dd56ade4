package consent_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func id(b byte) (id consent.ID) {
	for i := range id {
		id[i] = b
	}
	return id
}

func exampleRecord() consent.Record {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	return consent.Record{
		SchemaVersion: consent.SchemaVersion, RecordID: id(1), PrincipalID: id(2), Seq: 3, Site: "example.com",
		Event: consent.EventGiven, Time: at, Expiry: at.AddDate(0, 0, 180),
		Granted: consent.Purposes(consent.Analytics), Denied: consent.Purposes(consent.Marketing | consent.Social),
		Vendors: map[string]bool{"youtube": true, "matomo": false},
		Notice:  consent.Notice{ID: "banner", Version: "3", Language: "de", SHA256: consent.Hash{0xab}},
		Method:  consent.MethodBanner, Signals: consent.SignalGPC, LawfulBasis: "consent", PolicyVersion: "2026-02",
		BrowserMajor: "Firefox 140",
		Controllers:  []consent.Party{{Name: "Halden Cycles AB", URL: "/imprint"}}, Information: []consent.PII{{Type: "cookie identifiers"}},
	}
}

func TestRecordGolden(t *testing.T) {
	got, err := exampleRecord().Receipt()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/receipt.json", append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/receipt.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(got)) != strings.TrimSpace(string(want)) {
		t.Errorf("receipt differs from testdata/receipt.json:\n%s", got)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for name, r := range map[string]consent.Record{
		"full":      exampleRecord(),
		"withdrawn": {Event: consent.EventWithdrawn, Denied: optional},
		"bare":      {Event: consent.EventRefused, Granted: consent.Purposes(consent.Necessary)},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var back consent.Record
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r, back) {
				t.Errorf("got %+v\nwant %+v", back, r)
			}
			if b2, _ := json.Marshal(back); string(b2) != string(b) {
				t.Errorf("not canonical:\n%s\n%s", b, b2)
			}
		})
	}
}

func TestRecordRefusedWinsInBothSets(t *testing.T) {
	r := consent.Record{Event: consent.EventGiven, Granted: consent.AllPurposes, Denied: consent.Purposes(consent.Social)}
	b, _ := json.Marshal(r)
	if !strings.Contains(string(b), `"social":"denied"`) {
		t.Errorf("%s", b)
	}
}

func TestRecordRefusesWhatItDoesNotUnderstand(t *testing.T) {
	good, _ := json.Marshal(exampleRecord())
	for _, c := range []struct{ old, new string }{
		{`"analytics":"granted"`, `"analytics":"maybe"`},
		{`"analytics":"granted"`, `"telepathy":"granted"`},
		{`"event_state":"given"`, `"event_state":"assumed"`},
		{`"GPC"`, `"SMOKE"`},
		{`"regime":"opt-in"`, `"regime":"opt"`},
		{`"schema_version"`, `"ip":"192.0.2.1","schema_version"`},
		{`"event_time":"2026`, `"event_time":"26`},
		{`"sha256":"ab`, `"sha256":"abab`},
	} {
		bad := strings.Replace(string(good), c.old, c.new, 1)
		if bad == string(good) {
			t.Fatalf("%s is not in the record", c.old)
		}
		var r consent.Record
		if err := json.Unmarshal([]byte(bad), &r); err == nil {
			t.Errorf("accepted %s", c.new)
		}
	}
}

// TestRecordVersions: records of the version before are read; those of the next are no forgery, and not read.
func TestRecordVersions(t *testing.T) {
	const old = `{"schema_version":"1.0","record_id":"AQEBAQEBAQEBAQEBAQEBAQ","pii_principal_id":"AgICAgICAgICAgICAgICAg","sequence":3,"site":"example.com",` +
		`"event_state":"given","event_time":"2026-03-01T12:00:00.123Z","expiry":"2026-08-28T12:00:00.123Z","purposes":{"analytics":"granted","marketing":"denied"},` +
		`"privacy_notice":{"id":"banner","version":"3","language":"de","sha256":"ab00000000000000000000000000000000000000000000000000000000000000"},"method":"banner",` +
		`"signals":["GPC"],"regime":"opt-in","lawful_basis":"consent","policy_version":"2026-02","browser":"Firefox 140"}`
	var r consent.Record
	if err := json.Unmarshal([]byte(old), &r); err != nil || r.Granted != analytics || r.Controllers != nil || r.SchemaVersion != "1.0" {
		t.Errorf("1.0: %v, %+v", err, r)
	}
	if b, err := json.Marshal(r); err != nil || string(b) != old {
		t.Errorf("1.0 written again, %v:\n%s\n%s", err, b, old)
	}
	for version, newer := range map[string]bool{"1.2": true, "1.10": true, "2.0": true, "1.1": false, "1.0": false, "0.9": false, "": false, "x": false} {
		text := strings.Replace(old, `"1.0"`, `"`+version+`","new_member":1`, 1)
		if err := json.Unmarshal([]byte(text), &r); err == nil || errors.Is(err, consent.ErrNewer) != newer {
			t.Errorf("%q with an unknown member: %v", version, err)
		}
	}
}

func ExampleRecord_Receipt() {
	r := consent.Record{Event: consent.EventRefused, Denied: consent.OptionalPurposes}
	b, err := r.Receipt()
	fmt.Println(strings.Contains(string(b), `"marketing": "denied"`), err)
	// Output: true <nil>
}

func TestNewRecord(t *testing.T) {
	terms := consent.Terms{Asked: optional, PolicyVersion: "2026-02", Lifetime: time.Hour, Regime: consent.OptOut}
	s := consent.Signals{GPC: true}
	k := token(analytics, marketing, consent.SignalGPC)
	r := consent.NewRecord(site, &terms, &s, &k, consent.EventGiven, now)
	want := consent.Record{
		SchemaVersion: consent.SchemaVersion, RecordID: r.RecordID, PrincipalID: k.ID, Seq: k.Seq, Site: site,
		Event: consent.EventGiven, Time: now, Expiry: k.At.Add(time.Hour), Granted: analytics, Denied: marketing,
		Signals: consent.SignalGPC, Regime: consent.OptOut, LawfulBasis: "consent", PolicyVersion: "2026-02",
	}
	if !reflect.DeepEqual(r, want) || r.RecordID.IsZero() {
		t.Errorf("got %+v", r)
	}
	k = token(0, optional, 0)
	if r := consent.NewRecord(site, &terms, &s, &k, consent.EventRefused, now); !r.Expiry.IsZero() {
		t.Errorf("a refusal expires at %v", r.Expiry)
	}
}

func TestBrowserMajor(t *testing.T) {
	for ua, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                 "Firefox 140",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                        "Chrome 126",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87":      "Edge 126",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                  "Safari 17",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1": "Firefox 127",
		"curl/8.5.0": "", "": "", "Firefox/": "", "Chrome/x": "", "Version/4": "",
		"Firefox/123456789": "Firefox 1234",
	} {
		if got := consent.BrowserMajor(ua); got != want {
			t.Errorf("%s: %q", ua, got)
		}
	}
}

func FuzzRecord(f *testing.F) {
	good, _ := json.Marshal(exampleRecord())
	f.Add(good)
	f.Add([]byte(`{"event_state":"given","regime":"opt-in"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, back consent.Record
		if json.Unmarshal(data, &r) != nil {
			return
		}
		b, err := json.Marshal(r)
		if err != nil {
			return // a year beyond 9999
		}
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if b2, _ := json.Marshal(back); string(b2) != string(b) {
			t.Errorf("%s\n%s", b, b2)
		}
	})
}
