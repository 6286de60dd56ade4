package consent_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

func reader(t testing.TB, change func(*consent.ReaderConfig)) *consent.Reader {
	t.Helper()
	c := consent.ReaderConfig{Site: site, Keys: ring(t, key(1)), Cookie: consent.Cookie{Secure: true}}
	if change != nil {
		change(&c)
	}
	r, err := consent.NewReader(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stored is a platform that always reads the same.
type stored consent.Stored

func (s stored) Read(consent.Cookies, time.Time) consent.Stored { return consent.Stored(s) }

// TestPlatforms: of several platforms a refusal of any counts, and none grants while one could not be asked.
func TestPlatforms(t *testing.T) {
	yes, no, unknown := stored{Granted: analytics | marketing}, stored{Denied: marketing}, stored{Unknown: true}
	for _, c := range []struct {
		platforms []consent.Platform
		want      consent.Purposes
	}{
		{nil, necessary},
		{[]consent.Platform{yes}, necessary | analytics | marketing},
		{[]consent.Platform{yes, no}, necessary | analytics},
		{[]consent.Platform{no, yes}, necessary | analytics},
		{[]consent.Platform{yes, unknown}, necessary},
		{[]consent.Platform{unknown, yes}, necessary},
	} {
		r := reader(t, func(config *consent.ReaderConfig) { config.Platforms = c.platforms })
		s := r.Read(http.Header{}, netip.Addr{}, now)
		if d := consent.Decide(&consent.Terms{Asked: optional}, &s, now); d.Permitted != c.want {
			t.Errorf("%+v: %v, want %v", c.platforms, d.Permitted, c.want)
		}
	}
}

// TestReadDNT follows the grammar of W3C Tracking Preference Expression, section 5.2.
func TestReadDNT(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   consent.DNT
	}{
		{nil, consent.DNTUnset},
		{[]string{"1"}, consent.DNTDeny},
		{[]string{"0"}, consent.DNTAllow},
		{[]string{"1xyz"}, consent.DNTDeny},
		{[]string{"0xyz!~"}, consent.DNTAllow},
		{[]string{"1, 0"}, consent.DNTDeny},
		{[]string{"1\x00"}, consent.DNTDeny},
		{[]string{"0 1"}, consent.DNTUnset},
		{[]string{"0,1"}, consent.DNTUnset},
		{[]string{`0"`}, consent.DNTUnset},
		{[]string{`0\`}, consent.DNTUnset},
		{[]string{"0\x7f"}, consent.DNTUnset},
		{[]string{""}, consent.DNTUnset},
		{[]string{"2"}, consent.DNTUnset},
		{[]string{"yes"}, consent.DNTUnset},
		{[]string{"null"}, consent.DNTUnset},
		{[]string{"0", "0"}, consent.DNTUnset},
		{[]string{"0", "1"}, consent.DNTDeny},
		{[]string{"", "1"}, consent.DNTDeny},
	} {
		if got := consent.ReadDNT(c.values); got != c.want {
			t.Errorf("%q: got %d, want %d", c.values, got, c.want)
		}
	}
}

// TestReadGPC follows the Sec-GPC section of W3C Global Privacy Control: exactly one character.
func TestReadGPC(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   bool
	}{
		{nil, false}, {[]string{"1"}, true}, {[]string{"0"}, false}, {[]string{""}, false}, {[]string{"11"}, false},
		{[]string{"1 "}, false}, {[]string{"1;x"}, false}, {[]string{"1,1"}, false}, {[]string{"?1"}, false},
		{[]string{"true"}, false}, {[]string{"0", "1"}, true}, {[]string{"1", "1"}, true}, {[]string{"0", "2"}, false},
	} {
		if got := consent.ReadGPC(c.values); got != c.want {
			t.Errorf("%q: got %v", c.values, got)
		}
	}
}

func TestCookiesAll(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"a=1; b=2"}, "a|1 b|2"},
		{[]string{"a=1;b=2;", "c=3"}, "a|1 b|2 c|3"},
		{[]string{" a = 1 \t;\tb=2"}, "a|1 b|2"},
		{[]string{"a=b=c"}, "a|b=c"},
		{[]string{"a;=b;=;;  ;a="}, "|a |b a|"},
		{[]string{`cc={"level":["a","b"]}; x=1`}, `cc|{"level":["a","b"]} x|1`},
		{[]string{"real_cookie_banner-v:3_blog:1=ts%3A"}, "real_cookie_banner-v:3_blog:1|ts%3A"},
		{[]string{"a[0]=\xff\"\\"}, "a[0]|\xff\"\\"},
		{[]string{"a=1; a=2"}, "a|1 a|2"},
	} {
		var got []string
		for name, value := range consent.Cookies(c.lines).All() {
			got = append(got, name+"|"+value)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %q", c.lines, got)
		}
	}
	for name := range (consent.Cookies{"a=1; b=2"}).All() {
		if name != "a" {
			t.Error("did not stop")
		}
		break
	}
}

func TestReadToken(t *testing.T) {
	keys := ring(t, key(1))
	sign := func(k consent.Token) string { return "__Host-consent=" + string(keys.Sign(nil, site, &k)) }
	grant, refusal := token(optional, 0, 0), token(analytics, marketing|social, 0)
	refusal.ID, refusal.Seq = id(2), 2
	foreign := "__Host-consent=" + string(keys.Sign(nil, "other.example", &grant))
	none := consent.Token{}
	for _, c := range []struct {
		name  string
		lines []string
		state consent.TokenState
		want  consent.Token
	}{
		{"no cookie", nil, consent.TokenNone, none},
		{"one", []string{"a=b; " + sign(grant) + "; c=d"}, consent.TokenValid, grant},
		{"in a second field", []string{"a=b", sign(grant)}, consent.TokenValid, grant},
		{"the other name", []string{strings.TrimPrefix(sign(grant), "__Host-")}, consent.TokenNone, none},
		{"name in other case", []string{strings.Replace(sign(grant), "_H", "_h", 1)}, consent.TokenNone, none},
		{"other site", []string{foreign}, consent.TokenInvalid, none},
		{"empty", []string{"__Host-consent="}, consent.TokenInvalid, none},
		{"twice the same", []string{sign(grant) + ";" + sign(grant)}, consent.TokenValid, grant},
		{"grant and refusal", []string{sign(grant) + ";" + sign(refusal)}, consent.TokenValid, consent.Strictest(grant, refusal)},
		{"refusal and grant", []string{sign(refusal), sign(grant)}, consent.TokenValid, consent.Strictest(grant, refusal)},
		{"grant and forgery", []string{sign(grant) + ";" + foreign}, consent.TokenSuperseded, grant},
		{"forgery and grant", []string{foreign + ";" + sign(grant)}, consent.TokenSuperseded, grant},
		{"a flood", []string{strings.Repeat(sign(grant)+";", 5)}, consent.TokenInvalid, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := reader(t, nil).Read(http.Header{"Cookie": c.lines}, netip.Addr{}, now)
			if s.TokenState != c.state || s.Token != c.want {
				t.Errorf("got %d %+v\nwant %d %+v", s.TokenState, s.Token, c.state, c.want)
			}
		})
	}
}

type fixed consent.Stored

func (f fixed) Read(consent.Cookies, time.Time) consent.Stored { return consent.Stored(f) }

func TestReadPlatformsAndRegion(t *testing.T) {
	r := reader(t, func(c *consent.ReaderConfig) {
		c.Platforms = []consent.Platform{fixed{Granted: analytics | social}, fixed{Granted: marketing, Denied: social}}
		c.Region = func(h http.Header, a netip.Addr) consent.Region {
			return consent.Region{Country: [2]byte{h.Get("X")[0], a.String()[0]}}
		}
	})
	s := r.Read(http.Header{"X": {"Q"}, "Sec-Gpc": {"1"}, "Dnt": {"1"}}, netip.MustParseAddr("192.0.2.1"), now)
	want := consent.Signals{
		DNT: consent.DNTDeny, GPC: true, Stored: consent.Stored{Granted: analytics | marketing, Denied: social},
		Region: consent.Region{Country: [2]byte{'Q', '1'}},
	}
	if s != want {
		t.Errorf("got %+v", s)
	}
	if s.Set() != consent.SignalDNT|consent.SignalGPC {
		t.Errorf("set %v", s.Set())
	}
}

func TestNewReaderNamesAllThatIsMissing(t *testing.T) {
	_, err := consent.NewReader(consent.ReaderConfig{})
	if err == nil || !strings.Contains(err.Error(), "site") || !strings.Contains(err.Error(), "keys") {
		t.Error(err)
	}
	if _, err := consent.NewReader(consent.ReaderConfig{Site: strings.Repeat("a", 1<<16), Keys: ring(t, key(1))}); err == nil {
		t.Error("accepted a site of 64 KiB")
	}
}

func TestSetCookie(t *testing.T) {
	for _, c := range []struct {
		cookie consent.Cookie
		age    time.Duration
		want   string
	}{
		{consent.Cookie{Secure: true}, time.Hour, "__Host-consent=v; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"},
		{consent.Cookie{}, time.Hour, "consent=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"},
		{consent.Cookie{Secure: true, Domain: "example.com"}, time.Hour,
			"consent=v; Path=/; Max-Age=3600; Domain=example.com; Secure; HttpOnly; SameSite=Lax"},
		{consent.Cookie{Secure: true}, -1, "__Host-consent=v; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"},
	} {
		if got := c.cookie.Set("v", c.age); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if _, err := http.ParseSetCookie(c.cookie.Set("v", c.age)); err != nil {
			t.Error(err)
		}
	}
}

// FuzzReader holds the tokenizer against a plain one, and what is read against the rule that only a signed token grants.
func FuzzReader(f *testing.F) {
	k := token(optional, 0, 0)
	good := string(ring(f, key(1)).Sign(nil, site, &k))
	for _, seed := range []string{"", "a=b; __Host-consent=" + good, "__Host-consent=x", ";;=;", "a=\xff\x00", strings.Repeat(";", 8192)} {
		f.Add(seed, "1", "1")
	}
	r := reader(f, nil)
	f.Fuzz(func(t *testing.T, cookie, dnt, gpc string) {
		var pairs, plain []string
		for name, value := range (consent.Cookies{cookie}).All() {
			pairs = append(pairs, name+"="+value)
		}
		for _, piece := range strings.Split(cookie, ";") {
			name, value, found := strings.Cut(piece, "=")
			if !found {
				name, value = "", name
			}
			if p := strings.Trim(name, " \t") + "=" + strings.Trim(value, " \t"); p != "=" {
				plain = append(plain, p)
			}
		}
		if !slices.Equal(pairs, plain) {
			t.Errorf("%q and %q", pairs, plain)
		}
		s := r.Read(http.Header{"Cookie": {cookie}, "Dnt": {dnt}, "Sec-Gpc": {gpc}}, netip.Addr{}, now)
		d := consent.Decide(&consent.Terms{Asked: optional}, &s, now)
		if d.Granted != necessary && !strings.Contains(cookie, good) {
			t.Errorf("granted %v", d.Granted)
		}
		if strings.HasPrefix(dnt, "1") && d.Permits(consent.Analytics, 0) {
			t.Error("ignored DNT: 1")
		}
	})
}

// hotHeader is what a usual browser sends: some cookies of others, then ours.
func hotHeader(b testing.TB) http.Header {
	k := exampleToken()
	k.Version = 0
	value := string(ring(b, key(1)).Sign(nil, site, &k))
	return http.Header{
		"Dnt": {"1"}, "Sec-Gpc": {"1"}, "Accept": {"text/html"},
		"Cookie": {"session=5f2c9a70a1b94c3c8f1d; _ga=GA1.1.1234567890.1700000000; theme=dark; __Host-consent=" + value},
	}
}

// BenchmarkHotRequest is the whole way from header to decision, signature included.
func BenchmarkHotRequest(b *testing.B) {
	r, h, terms := reader(b, nil), hotHeader(b), consent.Terms{Asked: optional}
	b.ReportAllocs()
	for b.Loop() {
		s := r.Read(h, netip.Addr{}, now)
		if d := consent.Decide(&terms, &s, now); !d.Permits(consent.Functional, 0) {
			b.Fatal("not granted")
		}
	}
}

func TestHotRequestDoesNotAllocate(t *testing.T) {
	r, h, terms := reader(t, nil), hotHeader(t), consent.Terms{Asked: optional}
	if n := testing.AllocsPerRun(1000, func() {
		s := r.Read(h, netip.Addr{}, now)
		d := consent.Decide(&terms, &s, now)
		_ = d.Permits(consent.Functional, 1)
	}); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

func ExampleReader() {
	keys, _ := consent.NewKeyring(consent.GenerateKey())
	r, err := consent.NewReader(consent.ReaderConfig{Site: "example.com", Keys: keys, Cookie: consent.Cookie{Secure: true}})
	if err != nil {
		panic(err)
	}
	s := r.Read(http.Header{"Sec-Gpc": {"1"}}, netip.Addr{}, time.Now())
	d := consent.Decide(&consent.Terms{Asked: consent.OptionalPurposes}, &s, time.Now())
	fmt.Println(s.Set(), d.Denied)
	// Output: GPC analytics,marketing,social
}

func TestReconcile(t *testing.T) {
	for _, c := range []struct {
		name            string
		state           consent.TokenState
		seq             uint32
		granted, denied consent.Purposes
		want            string
	}{
		{"an older answer", consent.TokenValid, 0, 0, optional, "1 analytics,marketing|social"},
		{"the same answer", consent.TokenValid, 1, analytics | marketing, social, "1 analytics,marketing|social"},
		{"a stricter one at once", consent.TokenValid, 1, analytics, 0, "1 analytics|social"},
		{"a refusal at once", consent.TokenValid, 1, optional, analytics, "1 marketing|analytics,social"},
		{"a newer answer", consent.TokenValid, 2, optional, 0, "3 analytics,marketing|social"},
		{"no authentic token", consent.TokenInvalid, 9, optional, 0, "2 analytics,marketing|social"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := consent.Signals{Token: token(analytics|marketing, social, 0), TokenState: c.state}
			s.Reconcile(c.seq, c.granted, c.denied, consent.VendorChoices{})
			if got := fmt.Sprintf("%d %v|%v", s.TokenState, s.Token.Granted, s.Token.Denied); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
