package consent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"time"
)

// Token is a visitor's answer as the consent cookie carries it.
type Token struct {
	ID      ID            // the visitor's consent ID on this site
	Granted Purposes      // agreed to
	Denied  Purposes      // refused; what is in both sets is refused
	Vendors VendorChoices // individual answers
	Version Version       // the last material version of the policy when the visitor answered
	At      time.Time     // when the visitor answered, UTC, to the second
	Signals SignalSet     // what the browser said when the visitor answered
	Seq     uint32        // rises with each answer of this ID
}

// Version identifies a policy version within a Token. The zero Version is that of the empty name.
type Version uint64

// VersionOf returns the Version of a policy version's name.
func VersionOf(name string) Version {
	if name == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(name))
	return Version(binary.BigEndian.Uint64(sum[:]))
}

// Errors of Verify. Each means: no consent.
var (
	ErrTokenMalformed = errors.New("consent token: malformed")
	ErrTokenKey       = errors.New("consent token: signed with a key that is not in the keyring")
	ErrTokenForged    = errors.New("consent token: signature does not match this site and these keys")
)

// Layout of a token, big-endian, before base64url: format 1, key id 4, granted 1, denied 1, signals 1, version 8,
// time 5 (Unix seconds), sequence 4, ID 16, vendors 0 to 51 (see vendorBytes), MAC 16.
const (
	formatDense  = 1
	formatSparse = 2
	tokenHead    = 41
	tokenMACSize = 16
	tokenMin     = tokenHead + tokenMACSize
	tokenMax     = tokenMin + vendorBytes
)

// MaxTokenLen is the length of the longest cookie value that Sign makes: with the name __Host-consent and its equals sign
// it stays within 160 bytes.
const MaxTokenLen = (tokenMax*8 + 5) / 6

// Sign appends t as a cookie value bound to site. It allocates only to grow dst. Of individual answers that do not fit it
// keeps what permits less (see Choose).
func (r *Keyring) Sign(dst []byte, site string, t *Token) []byte {
	var buf [tokenMax]byte
	k := &r.keys[0]
	if !t.Vendors.Fits() {
		t = t.fitting()
	}
	b := append(buf[:0], formatDense)
	b = append(b, k.id[:]...)
	b = append(b, byte(t.Granted&AllPurposes&^t.Denied), byte(t.Denied&AllPurposes), byte(t.Signals))
	b = binary.BigEndian.AppendUint64(b, uint64(t.Version))
	at := uint64(min(max(t.At.Unix(), 0), 1<<40-1))
	b = append(b, byte(at>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(at))
	b = binary.BigEndian.AppendUint32(b, t.Seq)
	b = append(b, t.ID[:]...)
	if t.Vendors.sparse() {
		b[0], b = formatSparse, t.Vendors.appendSparse(b)
	} else {
		b = t.Vendors.appendDense(b)
	}
	mac := k.mac(site, b)
	return strictBase64.AppendEncode(dst, append(b, mac[:]...))
}

// Verify returns the token of a cookie value that Sign made for the same site with a key of the ring; any other value is
// one of the errors above. It compares in constant time and does not allocate. It does not judge age or version: Decide
// does.
func (r *Keyring) Verify(site, value string) (Token, error) {
	var text [MaxTokenLen]byte
	var buf [tokenMax]byte
	if len(value) > MaxTokenLen || hasBreak(value) {
		return Token{}, ErrTokenMalformed
	}
	n, err := strictBase64.Decode(buf[:], text[:copy(text[:], value)])
	if err != nil || n < tokenMin || buf[0] != formatDense && buf[0] != formatSparse {
		return Token{}, ErrTokenMalformed
	}
	payload, mac := buf[:n-tokenMACSize], buf[n-tokenMACSize:n]
	k := r.find(keyID(payload[1:5]))
	if k == nil {
		return Token{}, ErrTokenKey
	}
	if want := k.mac(site, payload); subtle.ConstantTimeCompare(want[:], mac) != 1 {
		return Token{}, ErrTokenForged
	}
	return parseToken(payload)
}

// parseToken reads an authentic payload of at least tokenHead bytes.
func parseToken(b []byte) (Token, error) {
	vendors, ok := parseVendors(b[0], b[tokenHead:])
	if !ok {
		return Token{}, ErrTokenMalformed
	}
	t := Token{
		Granted: Purposes(b[5]) & AllPurposes, Denied: Purposes(b[6]) & AllPurposes, Signals: SignalSet(b[7]),
		Version: Version(binary.BigEndian.Uint64(b[8:])),
		At:      time.Unix(int64(b[16])<<32|int64(binary.BigEndian.Uint32(b[17:])), 0).UTC(),
		Seq:     binary.BigEndian.Uint32(b[21:]),
		ID:      ID(b[25:tokenHead]),
		Vendors: vendors,
	}
	t.Granted &^= t.Denied
	return t, nil
}

// fitting returns the token with as many individual answers as there is room for, and permits no more than t does.
func (t *Token) fitting() *Token {
	out, ok := *t, false
	if out.Vendors, ok = t.Vendors.fitting(); !ok {
		out.Granted, out.Denied, out.Vendors = 0, OptionalPurposes, VendorChoices{}
	}
	return &out
}

// Strictest returns what two answers have in common: refused by either, agreed to by both, of the older age, with the
// signals that both saw. Where two answers race, or two cookies arrive, the result permits no more than either alone.
func Strictest(a, b Token) Token {
	out := a
	if b.Seq > a.Seq {
		out.ID, out.Seq, out.Version = b.ID, b.Seq, b.Version
	}
	out.Denied = a.Denied | b.Denied
	out.Granted = a.Granted & b.Granted &^ out.Denied
	out.Vendors = a.Vendors.strictest(b.Vendors)
	out.Signals = a.Signals & b.Signals
	if b.At.Before(a.At) {
		out.At = b.At
	}
	if a.Version != b.Version {
		out.Granted, out.Vendors = 0, out.Vendors.withoutGrants()
	}
	return out
}
