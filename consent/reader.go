package consent

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// Signals are what one request says about its visitor's will. They are plain values that outlive the request.
type Signals struct {
	DNT        DNT
	GPC        bool
	Token      Token // meaningful unless TokenState is TokenNone or TokenInvalid
	TokenState TokenState
	Stored     Stored // what other consent platforms stored
	Region     Region
}

// Set returns the refusing signals that the browser sent.
func (s *Signals) Set() SignalSet {
	var set SignalSet
	if s.DNT == DNTDeny {
		set |= SignalDNT
	}
	if s.GPC {
		set |= SignalGPC
	}
	return set
}

// Reconcile holds the token against the newest answer that the store knows of its ID. A newer answer supersedes the token.
// Of two answers with one sequence number, given in two tabs or on two nodes at once, only what both permit counts, so
// that a refusal wins the race whichever cookie arrived last. A token that is newer than the store's answer stays.
func (s *Signals) Reconcile(seq uint32, granted, denied Purposes, vendors VendorChoices) {
	k := &s.Token
	switch {
	case s.TokenState != TokenValid || seq < k.Seq:
	case seq > k.Seq:
		s.TokenState, k.Seq = TokenSuperseded, seq // the next answer must come after the newest, not race it
	default:
		k.Denied |= denied
		k.Granted &= granted &^ k.Denied
		k.Vendors = k.Vendors.strictest(vendors)
	}
}

// TokenState says what became of the consent cookie.
type TokenState uint8

// The states.
const (
	TokenNone       TokenState = iota // there is no consent cookie
	TokenValid                        // authentic; Decide judges its age and version
	TokenInvalid                      // malformed, forged, of another site or of an unknown key: no consent
	TokenSuperseded                   // authentic, but the store knows a newer answer (see Reconcile): refusals hold, nothing else
)

// Stored is a three-state answer per purpose that another platform stored: granted, denied, or in neither set where the
// visitor has not answered. A purpose in both sets is denied.
type Stored struct {
	Granted, Denied Purposes
	// Unknown says that a platform could not be asked. It may hold a refusal, so that nothing else can grant.
	Unknown bool
}

// Strictest joins what several sources stored: denied by any is denied, else granted by any is granted; unknown to any is
// unknown.
func (s Stored) Strictest(o Stored) Stored {
	denied := s.Denied | o.Denied
	return Stored{(s.Granted | o.Granted) &^ denied, denied, s.Unknown || o.Unknown}
}

// Platform reads what another consent platform stored in cookies. Implementations are immutable, bounded and total: what
// they do not understand is undecided. Package cmp has them.
type Platform interface {
	Read(cookies Cookies, now time.Time) Stored
}

// ReaderConfig says what a Reader reads.
type ReaderConfig struct {
	// Site is the name that tokens are bound to, such as the site's host name. Required.
	Site string
	// Keys verify the consent cookie. Required.
	Keys *Keyring
	// Cookie says which name the consent cookie has.
	Cookie Cookie
	// Platforms are other platforms whose stored answers count; the strictest wins.
	Platforms []Platform
	// Region tells where the visitor is; nil leaves the region unknown. It must be safe for concurrent use.
	Region func(h http.Header, remote netip.Addr) Region
}

// Reader reads the signals of requests. It is immutable and safe for concurrent use.
type Reader struct {
	config ReaderConfig
	name   string
}

// NewReader compiles a configuration. The error names all that is missing.
func NewReader(c ReaderConfig) (*Reader, error) {
	var errs []error
	if c.Site == "" {
		errs = append(errs, errors.New("consent reader: site is empty; name the site that tokens are bound to"))
	}
	if len(c.Site) > 0xffff {
		errs = append(errs, errors.New("consent reader: site is longer than 65535 bytes"))
	}
	if c.Keys == nil {
		errs = append(errs, errors.New("consent reader: no keys; make a keyring with NewKeyring"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Reader{config: c, name: c.Cookie.Name()}, nil
}

// Read returns the signals of one request: header fields as net/http holds them (canonical names, raw values), the
// peer's address where the region depends on it, and the present time, by which a platform's answer may have lapsed.
// Without platforms and region it does not allocate.
func (r *Reader) Read(h http.Header, remote netip.Addr, now time.Time) Signals {
	s := Signals{DNT: ReadDNT(h["Dnt"]), GPC: ReadGPC(h["Sec-Gpc"])}
	cookies := Cookies(h["Cookie"])
	s.Token, s.TokenState = r.readToken(cookies)
	for _, p := range r.config.Platforms {
		s.Stored = s.Stored.Strictest(p.Read(cookies, now))
	}
	if r.config.Region != nil {
		s.Region = r.config.Region(h, remote)
	}
	return s
}

// maxTokenCookies bounds the signatures that one request can make us compute.
const maxTokenCookies = 4

// readToken takes the strictest of all consent cookies. One that does not verify next to one that does takes the grants
// away and leaves the refusals: whoever can set a second cookie must not gain by it.
func (r *Reader) readToken(cookies Cookies) (t Token, state TokenState) {
	seen, broken := 0, false
	for name, value := range cookies.All() {
		if name != r.name {
			continue
		}
		if seen++; seen > maxTokenCookies {
			return Token{}, TokenInvalid
		}
		next, err := r.config.Keys.Verify(r.config.Site, value)
		switch {
		case err != nil:
			broken = true
		case state == TokenNone:
			t, state = next, TokenValid
		default:
			t = Strictest(t, next)
		}
	}
	switch {
	case broken && state == TokenValid:
		state = TokenSuperseded
	case broken:
		state = TokenInvalid
	}
	return t, state
}

// ReadDNT reads the values of the DNT fields of a request (W3C Tracking Preference Expression, section 5.2): the first
// character decides, extension characters may follow. Of several fields, or after a malformed one, only a refusal counts.
func ReadDNT(values []string) DNT {
	dnt := DNTUnset
	for _, v := range values {
		switch {
		case v == "":
		case v[0] == '1':
			return DNTDeny
		case v[0] == '0' && len(values) == 1 && isDNTExtension(v[1:]):
			dnt = DNTAllow
		}
	}
	return dnt
}

// isDNTExtension checks DNT-extension, section 5.2: no control character, space, quote, comma or backslash.
func isDNTExtension(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '"' || c == ',' || c == '\\' {
			return false
		}
	}
	return true
}

// ReadGPC reads the values of the Sec-GPC fields of a request (W3C Global Privacy Control, "The Sec-GPC Header Field"):
// true if one of them is exactly 1.
func ReadGPC(values []string) bool { return slices.Contains(values, "1") }
