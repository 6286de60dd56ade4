package consent_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
)

func regions(t testing.TB, changes map[string]consent.Regime) *consent.Regions {
	t.Helper()
	r, err := consent.NewRegions(changes)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegionsFind(t *testing.T) {
	table := regions(t, map[string]consent.Regime{"US-CA": consent.OptIn, "GB": consent.OptOut})
	for _, c := range []struct {
		code, want string
		regime     consent.Regime
	}{
		{"US", "US", consent.OptOut}, {"us-tx", "US-TX", consent.OptOut}, {"US-CA", "US-CA", consent.OptIn},
		{"CA", "CA", consent.OptOut}, {"CA-QC", "CA-QC", consent.OptIn}, {"AU", "AU", consent.NoticeOnly},
		{"GB", "GB", consent.OptOut}, {"GB-ENG", "GB-ENG", consent.OptOut}, {"DE", "DE", consent.OptIn},
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

func TestNewRegionsRefuses(t *testing.T) {
	_, err := consent.NewRegions(map[string]consent.Regime{"Germany": consent.OptIn, "FR": consent.ByRegion})
	if err == nil || !strings.Contains(err.Error(), "Germany") || !strings.Contains(err.Error(), "FR") {
		t.Error(err)
	}
}

func TestRegimeNames(t *testing.T) {
	for r := consent.OptIn; r <= consent.ByRegion; r++ {
		if back, err := consent.ParseRegime(r.String()); err != nil || back != r {
			t.Errorf("%v: %v, %v", r, back, err)
		}
	}
	if _, err := consent.ParseRegime("whatever"); err == nil || !strings.Contains(err.Error(), "opt-out") {
		t.Error(err)
	}
}

func TestRegionFromHeader(t *testing.T) {
	read := regions(t, nil).FromHeader("cf-ipcountry", "cf-region-code")
	for _, c := range []struct {
		country, sub []string
		want         string
	}{
		{[]string{"US"}, nil, "US opt-out"},
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
	if err := os.WriteFile(path, database(), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := regions(t, nil).OpenDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
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
		if _, err := regions(t, nil).OpenDatabase(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), ".mmdb file") {
			t.Error(err)
		}
	}
}

// database writes a file of the MaxMind DB format 2.0 by hand: an IPv4 tree of two nodes, in which 64.0.0.0/2 is Texas.
func database() []byte {
	text := func(s string) []byte { return append([]byte{2<<5 | byte(len(s))}, s...) }
	dict := func(pairs ...[]byte) []byte {
		return append([]byte{7<<5 | byte(len(pairs)/2)}, slices.Concat(pairs...)...)
	}
	uint16of := func(v uint16) []byte { return binary.BigEndian.AppendUint16([]byte{5<<5 | 2}, v) }
	uint32of := func(v uint32) []byte { return binary.BigEndian.AppendUint32([]byte{6<<5 | 4}, v) }
	list := func(items ...[]byte) []byte {
		return append([]byte{byte(len(items)), 11 - 7}, slices.Concat(items...)...)
	}

	const nodes = 2
	const missing, found = nodes, nodes + 16
	var b bytes.Buffer
	for _, record := range []uint32{1, missing, missing, found} { // node 0: left, right; node 1: left, right
		b.Write([]byte{byte(record >> 16), byte(record >> 8), byte(record)})
	}
	b.Write(make([]byte, 16))
	b.Write(dict(text("country"), dict(text("iso_code"), text("US")),
		text("subdivisions"), list(dict(text("iso_code"), text("TX")))))
	b.WriteString("\xab\xcd\xefMaxMind.com")
	b.Write(dict(
		text("node_count"), uint32of(nodes), text("record_size"), uint16of(24), text("ip_version"), uint16of(4),
		text("database_type"), text("Test-City"), text("binary_format_major_version"), uint16of(2),
		text("binary_format_minor_version"), uint16of(0), text("build_epoch"), append([]byte{8, 9 - 7}, make([]byte, 8)...),
		text("languages"), list(text("en")), text("description"), dict(text("en"), text("test")),
	))
	return b.Bytes()
}

func ExampleRegions_FromHeader() {
	table, err := consent.NewRegions(map[string]consent.Regime{"BR": consent.OptOut})
	if err != nil {
		panic(err)
	}
	read := table.FromHeader("X-Country", "")
	fmt.Println(read(http.Header{"X-Country": {"BR"}}, netip.Addr{}).Regime)
	fmt.Println(read(http.Header{}, netip.Addr{}).Regime)
	// Output:
	// opt-out
	// opt-in
}
