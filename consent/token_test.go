package consent_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

const site = "example.com"

var now = time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC)

// key returns the same key on each call, so that goldens and fuzz seeds stay.
func key(b byte) consent.Key {
	secret := sha256.Sum256([]byte{b})
	k, err := consent.ParseKey(base64.StdEncoding.EncodeToString(secret[:]))
	if err != nil {
		panic(err)
	}
	return k
}

func ring(t testing.TB, current consent.Key, old ...consent.Key) *consent.Keyring {
	t.Helper()
	r, err := consent.NewKeyring(current, old...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func exampleToken() consent.Token {
	k := consent.Token{
		ID: id(7), Granted: consent.Purposes(consent.Functional | consent.Analytics),
		Denied:  consent.Purposes(consent.Marketing | consent.Social),
		Version: consent.VersionOf("2026-02"), At: now.Add(-time.Hour), Signals: consent.SignalDNT, Seq: 4,
	}
	k.Vendors.Set(1, true)
	k.Vendors.Set(64, false)
	return k
}

func randomToken(r *rand.Rand) consent.Token {
	k := consent.Token{
		Granted: consent.Purposes(r.UintN(32)), Denied: consent.Purposes(r.UintN(32)),
		Version: consent.Version(r.Uint64()), At: time.Unix(r.Int64N(1<<40), 0).UTC(),
		Signals: consent.SignalSet(r.UintN(4)), Seq: r.Uint32(),
	}
	k.Granted &^= k.Denied
	for i := range k.ID {
		k.ID[i] = byte(r.Uint32())
	}
	highest, most := uint(256), 300
	if r.IntN(3) == 0 {
		highest, most = consent.MaxVendor+2, 25 // so many fit whatever their numbers are
	}
	for range r.IntN(most) {
		k.Vendors.Set(uint16(r.UintN(highest)), r.IntN(2) == 0)
	}
	return k
}

func TestTokenRoundTrip(t *testing.T) {
	keys, r := ring(t, key(1)), rand.New(rand.NewPCG(1, 2))
	tokens := []consent.Token{{At: time.Unix(0, 0).UTC()}, exampleToken()}
	for range 2000 {
		tokens = append(tokens, randomToken(r))
	}
	for _, want := range tokens {
		value := string(keys.Sign(nil, site, &want))
		if len(value) > consent.MaxTokenLen {
			t.Fatalf("%d characters", len(value))
		}
		got, err := keys.Verify(site, value)
		if err != nil || got != want {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
		}
		if again := string(keys.Sign(nil, site, &got)); again != value {
			t.Fatalf("signed differently: %s, %s", value, again)
		}
	}
}

func TestTokenStaysWithin160BytesWithItsName(t *testing.T) {
	var k consent.Token
	for n := range uint16(256) {
		k.Vendors.Set(n, n%2 == 0)
	}
	cookie := consent.Cookie{Secure: true}.Name() + "=" + string(ring(t, key(1)).Sign(nil, site, &k))
	if len(cookie) > 160 {
		t.Errorf("%d bytes", len(cookie))
	}
	plain := consent.Cookie{Secure: true}.Name() + "=" + string(ring(t, key(1)).Sign(nil, site, &consent.Token{}))
	t.Logf("%d bytes with every vendor, %d with none", len(cookie), len(plain))
}

// sign computes the signature of a payload a second time, with nothing but crypto/hmac.
func sign(payload []byte) string {
	secret := sha256.Sum256([]byte{1})
	derive := hmac.New(sha256.New, secret[:])
	derive.Write([]byte("caddy-consent token v1"))
	mac := hmac.New(sha256.New, derive.Sum(nil))
	fmt.Fprintf(mac, "\x00\x0b%s%s", site, payload)
	return base64.RawURLEncoding.EncodeToString(append(payload, mac.Sum(nil)[:16]...))
}

// TestTokenFormat signs payloads by hand: the signature is HMAC-SHA-256-128 of site and payload, another format is not
// read, and a purpose in both sets is refused.
func TestTokenFormat(t *testing.T) {
	keys, k := ring(t, key(1)), exampleToken()
	value := string(keys.Sign(nil, site, &k))
	payload := func() []byte {
		b, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		return b[: len(b)-16 : len(b)-16]
	}
	if got := sign(payload()); got != value {
		t.Fatalf("by hand: %s, signed: %s", got, value)
	}
	secret := sha256.Sum256([]byte{1})
	name := hmac.New(sha256.New, secret[:])
	name.Write([]byte("caddy-consent key id"))
	b := payload()
	if want := name.Sum(nil)[:4]; string(b[1:5]) != string(want) || key(1).ID() != hex.EncodeToString(want) {
		t.Errorf("key id % x, by hand % x", b[1:5], want)
	}
	b[0] = 3
	if _, err := keys.Verify(site, sign(b)); !errors.Is(err, consent.ErrTokenMalformed) {
		t.Errorf("another format: %v", err)
	}
	// Sparse: nothing, a number of the dense form, a cut varint, a long spelling, numbers beyond the last.
	for _, tail := range []string{"", "\x02", "\xff", "\x81\x80", "\x80\x88\x00", "\xfe\x17\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		b := append(payload()[:41], tail...)
		b[0] = 2
		if got, err := keys.Verify(site, sign(b)); !errors.Is(err, consent.ErrTokenMalformed) {
			t.Errorf("sparse vendors % x: %+v, %v", tail, got, err)
		}
	}
	b = payload()
	b[5], b[6] = 255, byte(social)
	if got, err := keys.Verify(site, sign(b)); err != nil || got.Granted != consent.AllPurposes&^social || got.Denied != social {
		t.Errorf("both sets: %+v, %v", got, err)
	}
	for _, tail := range [][]byte{{1, 0}, {243}, make([]byte, 52)} {
		if _, err := keys.Verify(site, sign(append(payload()[:41], tail...))); !errors.Is(err, consent.ErrTokenMalformed) {
			t.Errorf("vendors % x: %v", tail, err)
		}
	}
}

func TestTokenRefused(t *testing.T) {
	k := exampleToken()
	good := string(ring(t, key(1)).Sign(nil, site, &k))
	link := ring(t, key(1)).SignLink(site, consent.Link{ID: id(1), Expiry: now})
	for _, c := range []struct {
		name, site, value string
		keys              *consent.Keyring
		want              error
	}{
		{"itself", site, good, ring(t, key(1)), nil},
		{"by an old key", site, good, ring(t, key(2), key(1)), nil},
		{"key gone", site, good, ring(t, key(2)), consent.ErrTokenKey},
		{"other site", "example.org", good, ring(t, key(1)), consent.ErrTokenForged},
		{"site and payload shifted", site + "\x01", good, ring(t, key(1)), consent.ErrTokenForged},
		{"a link", site, link, ring(t, key(1)), consent.ErrTokenMalformed},
		{"empty", site, "", ring(t, key(1)), consent.ErrTokenMalformed},
		{"padded", site, good + "=", ring(t, key(1)), consent.ErrTokenMalformed},
		{"line break inside", site, good[:8] + "\n" + good[8:], ring(t, key(1)), consent.ErrTokenMalformed},
		{"quoted", site, `"` + good + `"`, ring(t, key(1)), consent.ErrTokenMalformed},
		{"longer", site, good + "AAAA", ring(t, key(1)), consent.ErrTokenForged},
		{"vast", site, strings.Repeat("A", 1<<20), ring(t, key(1)), consent.ErrTokenMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := c.keys.Verify(c.site, c.value); !errors.Is(err, c.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestMutatedTokens accepts no changed token: 10^5 of them, or as many as CONSENT_MUTATIONS says.
func TestMutatedTokens(t *testing.T) {
	count := 100_000
	if n, err := strconv.Atoi(os.Getenv("CONSENT_MUTATIONS")); err == nil {
		count = n
	}
	keys, r := ring(t, key(1), key(2)), rand.New(rand.NewPCG(3, 4))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var value, other []byte
	for i := range count {
		if i%64 == 0 {
			a, b := randomToken(r), randomToken(r)
			value, other = keys.Sign(value[:0], site, &a), keys.Sign(other[:0], site, &b)
		}
		bad := append([]byte(nil), value...)
		switch r.IntN(6) {
		case 0: // one character
			bad[r.IntN(len(bad))] = alphabet[r.IntN(64)]
		case 1: // one bit
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		case 2: // cut
			bad = bad[:r.IntN(len(bad))]
		case 3: // one's head, another's tail
			at := 1 + r.IntN(min(len(bad), len(other))-1)
			bad = append(bad[:at], other[at:]...)
		case 4: // a piece inserted or repeated
			at := r.IntN(len(bad))
			bad = append(bad[:at:at], append([]byte{alphabet[r.IntN(64)]}, bad[at:]...)...)
		case 5: // many characters
			for range 1 + r.IntN(20) {
				bad[r.IntN(len(bad))] = alphabet[r.IntN(64)]
			}
		}
		if string(bad) == string(value) || string(bad) == string(other) {
			continue
		}
		if k, err := keys.Verify(site, string(bad)); err == nil {
			t.Fatalf("accepted %s, made of %s: %+v", bad, value, k)
		}
	}
}

func TestStrictestTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		a, b := randomToken(r), randomToken(r)
		if r.IntN(2) == 0 {
			b.Version = a.Version
		}
		s := consent.Strictest(a, b)
		if s != consent.Strictest(b, a) && a.Seq != b.Seq {
			t.Fatal("depends on the order")
		}
		if s.Granted&^(a.Granted&b.Granted) != 0 || s.Denied != a.Denied|b.Denied || s.Granted&s.Denied != 0 || s.Signals != a.Signals&b.Signals || s.At.After(a.At) || s.At.After(b.At) {
			t.Fatalf("%v/%v and %v/%v give %v/%v", a.Granted, a.Denied, b.Granted, b.Denied, s.Granted, s.Denied)
		}
		for n, granted := range s.Vendors.All() {
			if granted && (!a.Vendors.Granted(n) || !b.Vendors.Granted(n)) {
				t.Fatalf("vendor %d", n)
			}
		}
	}
}

func TestParseKey(t *testing.T) {
	secret := sha256.Sum256([]byte("secret"))
	std, url := base64.StdEncoding.EncodeToString(secret[:]), base64.RawURLEncoding.EncodeToString(secret[:])
	for _, text := range []string{std, url, " " + std + "\n", strings.TrimRight(std, "=")} {
		if k, err := consent.ParseKey(text); err != nil || k.Secret() != url {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "secret", url[:40], url + "AAAA", "!" + url[1:], strings.Repeat("A", 43)} {
		_, err := consent.ParseKey(text)
		if err == nil {
			t.Errorf("accepted %q", text)
			continue
		}
		if !strings.Contains(err.Error(), "openssl rand") || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: the error must name the fix and not the text: %v", text, err)
		}
	}
}

func TestKeyNeverPrintsItself(t *testing.T) {
	k := key(9)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		if out := fmt.Sprintf(verb, k); strings.Contains(out, k.Secret()) || strings.Contains(out, fmt.Sprintf("%d", sha256.Sum256([]byte{9}))[1:30]) {
			t.Errorf("%s prints %s", verb, out)
		}
	}
}

func TestNewKeyringRefuses(t *testing.T) {
	if _, err := consent.NewKeyring(consent.Key{}); err == nil {
		t.Error("accepted an unset key")
	}
	if _, err := consent.NewKeyring(key(1), key(2), key(1)); err == nil {
		t.Error("accepted one key twice")
	}
}

func FuzzToken(f *testing.F) {
	keys := ring(f, key(1))
	k := exampleToken()
	f.Add(string(keys.Sign(nil, site, &k)))
	f.Add(strings.Repeat("A", 76))
	f.Fuzz(func(t *testing.T, value string) {
		k, err := keys.Verify(site, value)
		if err != nil {
			if k != (consent.Token{}) {
				t.Error("an error with a token")
			}
			return
		}
		if string(keys.Sign(nil, site, &k)) != value {
			t.Error("accepted what it would not sign")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	keys, k := ring(b, key(1)), exampleToken()
	value := string(keys.Sign(nil, site, &k))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := keys.Verify(site, value); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleKeyring() {
	keys, err := consent.NewKeyring(consent.GenerateKey())
	if err != nil {
		panic(err)
	}
	answer := consent.Token{ID: consent.NewID(), Denied: consent.OptionalPurposes, At: time.Now()}
	value := string(keys.Sign(nil, "example.com", &answer))
	back, err := keys.Verify("example.com", value)
	fmt.Println(back.Denied, err)
	_, err = keys.Verify("example.org", value)
	fmt.Println(err)
	// Output:
	// functional,analytics,marketing,social <nil>
	// consent token: signature does not match this site and these keys
}
