package consent_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/regiontest"
)

func TestRegionsFind(t *testing.T) {
	table := consent.DefaultRegions()
	for _, c := range []struct {
		code, want string
		regime     consent.Regime
	}{
		{"US", "US", consent.OptOut}, {"us-tx", "US-TX", consent.OptOut}, {"US-CA", "US-CA", consent.OptOut},
		{"CA", "CA", consent.OptOut}, {"CA-QC", "CA-QC", consent.OptIn}, {"AU", "AU", consent.NoticeOnly},
		{"AU-NSW", "AU-NSW", consent.NoticeOnly}, {"DE", "DE", consent.OptIn},
		{"XX", "XX", consent.OptIn}, {"T1", "T1", consent.OptIn},
		{"", "", consent.OptIn}, {"U", "", consent.OptIn}, {"USA", "", consent.OptIn}, {"US-", "", consent.OptIn},
		{"US-TEXAS", "", consent.OptIn}, {"US ", "", consent.OptIn}, {"U\x00", "", consent.OptIn}, {"ÜS", "", consent.OptIn},
		{"US-T\x00", "", consent.OptIn}, {"US, DE", "", consent.OptIn},
	} {
		if r := table.Find(c.code); r.String() != c.want || r.Regime != c.regime {
			t.Errorf("%q: %q, %v", c.code, r, r.Regime)
		}
	}
}

func TestRegimeNames(t *testing.T) {
	for r := consent.OptIn; r <= consent.ByRegion; r++ {
		if back, err := consent.ParseRegime(r.String()); err != nil || back != r {
			t.Errorf("%v: %v, %v", r, back, err)
		}
	}
	if got := fmt.Sprint(consent.OptIn, consent.OptOut, consent.NoticeOnly, consent.ByRegion, consent.ByRegion+1); got != "opt-in opt-out notice by-region " {
		t.Error(got)
	}
	if _, err := consent.ParseRegime("whatever"); err == nil || !strings.Contains(err.Error(), "opt-out") {
		t.Error(err)
	}
}

func TestRegionFromHeader(t *testing.T) {
	read := consent.DefaultRegions().FromHeader("cf-ipcountry", "cf-region-code")
	for _, c := range []struct {
		country, sub []string
		want         string
	}{
		{[]string{"US"}, nil, "US opt-out"},
		{[]string{"US-CA"}, []string{"TX"}, "US-CA opt-out"},
		{[]string{"us"}, []string{"zz"}, "US-ZZ opt-out"},
		{[]string{"U:"}, nil, " opt-in"},
		{[]string{"u~"}, nil, " opt-in"},
		{[]string{"U`"}, nil, " opt-in"},
		{[]string{"U/"}, nil, " opt-in"},
		{[]string{"US-CA"}, nil, "US-CA opt-out"},
		{[]string{"CA"}, []string{"ON"}, "CA-ON opt-out"},
		{[]string{"CA"}, []string{"QC"}, "CA-QC opt-in"},
		{[]string{"CA"}, []string{"CA-QC"}, "CA-QC opt-in"},
		{[]string{"CA"}, nil, "CA opt-in"}, // it may be Quebec
		{[]string{"CA"}, []string{"Ontario"}, " opt-in"},
		{[]string{"US", "US"}, nil, " opt-in"},
		{nil, []string{"TX"}, " opt-in"},
		{[]string{""}, nil, " opt-in"},
	} {
		r := read(http.Header{"Cf-Ipcountry": c.country, "Cf-Region-Code": c.sub}, netip.Addr{})
		if got := r.String() + " " + r.Regime.String(); got != c.want {
			t.Errorf("%v %v: got %q, want %q", c.country, c.sub, got, c.want)
		}
	}
}

func TestRegionDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regions.mmdb")
	if err := os.WriteFile(path, regiontest.Database("US"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := consent.DefaultRegions().OpenDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"64.0.0.1": "US-TX opt-out", "192.0.2.1": " opt-in", "::ffff:64.0.0.1": "US-TX opt-out", "2001:db8::1": " opt-in",
	} {
		r := db.Region(nil, netip.MustParseAddr(addr))
		if got := r.String() + " " + r.Regime.String(); got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
	if r := db.Region(nil, netip.Addr{}); r != (consent.Region{}) {
		t.Errorf("no address is in %v", r)
	}
}

func TestOpenDatabaseNamesPathAndFix(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.mmdb")
	if err := os.WriteFile(broken, []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{broken, broken + ".gone"} {
		if _, err := consent.DefaultRegions().OpenDatabase(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), ".mmdb file") {
			t.Error(err)
		}
	}
}

// TestDatabaseIsReplaced writes over the file, cuts it off, removes and replaces it, while addresses are looked up: what was
// read last stays in use until something that can be read is there.
func TestDatabaseIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regions.mmdb")
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(regiontest.Database("US"))
	db, err := consent.DefaultRegions().OpenDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	where := func() string { r := db.Region(nil, netip.MustParseAddr("64.0.0.1")); return r.String() }
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := where(); got != "US-TX" && got != "DE-TX" {
					t.Errorf("in %q", got)
					return
				}
			}
		})
	}
	step := func(what string, wantChanged, wantErr bool, want string) {
		t.Helper()
		changed, err := db.Refresh()
		if changed != wantChanged || (err != nil) != wantErr || where() != want {
			t.Errorf("%s: changed %v, %v, in %s", what, changed, err, where())
		}
	}
	step("untouched", false, false, "US-TX")
	write(regiontest.Database("US")[:100])
	step("cut off", false, true, "US-TX")
	write([]byte("not a database, but as long as one is: it is written over in place, the worst that can happen"))
	step("written over", false, true, "US-TX")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	step("gone", false, true, "US-TX")
	german := regiontest.Database("DE")
	write(german)
	step("replaced", true, false, "DE-TX")
	step("untouched again", false, false, "DE-TX")
	next := path + ".next"
	if err := errors.Join(os.WriteFile(next, regiontest.Database("US"), 0o600), os.Rename(next, path)); err != nil {
		t.Fatal(err)
	}
	step("moved over", true, false, "US-TX")
	write(german)
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	step("written over with as much", true, false, "DE-TX")
	close(stop)
	wg.Wait()
}

func ExampleRegions_FromHeader() {
	read := consent.DefaultRegions().FromHeader("X-Country", "")
	fmt.Println(read(http.Header{"X-Country": {"US"}}, netip.Addr{}).Regime)
	fmt.Println(read(http.Header{}, netip.Addr{}).Regime)
	// Output:
	// opt-out
	// opt-in
}
