package consent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// Link is what a preference-centre link in a mail stands for: leave to look at, and then to answer for, one consent ID
// without a login. By itself it is no answer: an endpoint MUST NOT change anything because of a link alone, only because
// of the form that the opened page posts.
type Link struct {
	ID     ID        // whose preferences
	Expiry time.Time // until when the link opens, to the second
}

// ErrLink is the error of every link that does not open: tampered with, made for another site or use, or expired. It does
// not say which.
var ErrLink = errors.New("consent link: not valid, or no longer")

const (
	linkFormat = 'L'
	linkNonce  = 12
	linkPlain  = len(ID{}) + 5
	linkLen    = 1 + len(keyID{}) + linkNonce + linkPlain + 16
)

// MaxLinkLen is the length of a signed link in characters of base64url.
const MaxLinkLen = (linkLen*8 + 5) / 6

// SignLink returns the link as one URL path segment bound to site. It is sealed with AES-256-GCM, so that neither a log,
// nor a Referer, nor the mail's carrier learns the ID. Up to 2^32 links may be made with one key.
func (r *Keyring) SignLink(site string, l Link) string {
	k := &r.keys[0]
	head := append([]byte{linkFormat}, k.id[:]...)
	nonce := make([]byte, linkNonce)
	_, _ = rand.Read(nonce) // never fails, see NewID
	at := uint64(min(max(l.Expiry.Unix(), 0), 1<<40-1))
	plain := append(l.ID[:], byte(at>>32))
	plain = binary.BigEndian.AppendUint32(plain, uint32(at))
	return strictBase64.EncodeToString(k.link.Seal(append(head, nonce...), nonce, plain, linkData(head, site)))
}

// VerifyLink returns the link of a path segment that SignLink made for the same site and that has not expired at now.
func (r *Keyring) VerifyLink(site, segment string, now time.Time) (Link, error) {
	if len(segment) != MaxLinkLen {
		return Link{}, ErrLink
	}
	b, err := strictBase64.DecodeString(segment)
	if err != nil || len(b) != linkLen || b[0] != linkFormat { // shorter by the line breaks, which are skipped
		return Link{}, ErrLink
	}
	const head = 1 + len(keyID{})
	k := r.find(keyID(b[1:]))
	if k == nil {
		return Link{}, ErrLink
	}
	plain, err := k.link.Open(nil, b[head:head+linkNonce], b[head+linkNonce:], linkData(b[:head], site))
	if err != nil {
		return Link{}, ErrLink
	}
	l := Link{ID: ID(plain)}
	at := plain[len(l.ID):]
	l.Expiry = time.Unix(int64(at[0])<<32|int64(binary.BigEndian.Uint32(at[1:])), 0).UTC()
	if !now.Before(l.Expiry) {
		return Link{}, ErrLink
	}
	return l, nil
}

// LinkUse returns a new record ID for an answer that is given through a link. LinkUsed tells it from others, so that a record
// of it says that the link was used. It does not tell the link. Two answers that are given at once have different IDs: a
// store would take a second one of the same ID for a repetition of the first, and keep no record of it.
func LinkUse(segment string) ID {
	id, use := NewID(), linkUse(segment)
	copy(id[:], use[:])
	return id
}

// LinkUsed reports whether a record ID is that of an answer given through the link.
func LinkUsed(segment string, record ID) bool {
	use := linkUse(segment)
	return [len(use)]byte(record[:]) == use
}

// linkUse is the part of a record ID that tells the link.
func linkUse(segment string) (use [8]byte) {
	sum := sha256.Sum256([]byte("caddy-consent link use " + segment))
	copy(use[:], sum[:])
	use[0] &= 0x7f // see NewID
	return use
}

func linkData(head []byte, site string) []byte {
	return append(append([]byte(nil), head...), site...)
}

func newLinkCipher(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
