package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Salt hides a record behind its commitment: when both are destroyed, the commitment says nothing about
// the person any more, not even to somebody who guesses the whole record.
type Salt [16]byte

// NewSalt returns a salt from the system's random source.
func NewSalt() (s Salt) {
	_, _ = rand.Read(s[:]) // never fails, crypto/rand
	return s
}

// Kind says what an entry of the chain is.
type Kind uint8

// The kinds of entry. An erasure names the entries whose content was destroyed, so that a content that
// is missing without one is noticed.
const (
	KindRecord  Kind = 1
	KindErasure Kind = 2
)

// Each hash has its own domain, so that no value can be taken for one of another sort.
const (
	commitDomain = "consent commitment 1\x00"
	linkDomain   = "consent link 1\x00"
	headDomain   = "consent head 1\x00"
)

// Commit returns the commitment to a body: SHA-256 over domain, salt and body.
func Commit(salt Salt, body []byte) (c consent.Hash) {
	h := sha256.New()
	h.Write([]byte(commitDomain))
	h.Write(salt[:])
	h.Write(body)
	h.Sum(c[:0])
	return c
}

// Link is one entry of the chain without its content. The zero Link stands before the first entry,
// which has index 1.
type Link struct {
	Index      uint64
	Kind       Kind
	Commitment consent.Hash
	Hash       consent.Hash // over the hash before it, index, kind and commitment
}

// Next returns the link that follows l.
func (l Link) Next(kind Kind, commitment consent.Hash) Link {
	n := Link{Index: l.Index + 1, Kind: kind, Commitment: commitment}
	b := make([]byte, 0, len(linkDomain)+len(l.Hash)+8+1+len(commitment))
	b = append(b, linkDomain...)
	b = append(b, l.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, n.Index)
	b = append(b, byte(kind))
	b = append(b, commitment[:]...)
	n.Hash = sha256.Sum256(b)
	return n
}

// KeyID names a signing key: the first eight bytes of the SHA-256 of its public half, in hexadecimal.
type KeyID string

// KeyIDOf returns the name of a public key.
func KeyIDOf(pub ed25519.PublicKey) KeyID {
	sum := sha256.Sum256(pub)
	return KeyID(hex.EncodeToString(sum[:8]))
}

// Checkpoint is how many entries lie between two heads that a store keeps for ever.
const Checkpoint = 256

// Head says how long the chain was at a time and which hash it ended with. A signed head that is kept
// elsewhere (printed, mailed to the data protection officer) proves that nothing before it was changed
// or cut off since: hand it to Verify as an anchor.
type Head struct {
	Index     uint64       `json:"index"`
	Hash      consent.Hash `json:"hash"`
	Time      time.Time    `json:"time"`
	Key       KeyID        `json:"key,omitempty"`
	Signature []byte       `json:"signature,omitempty"` // Ed25519 (RFC 8032)
}

func (h Head) message() []byte {
	b := append([]byte(headDomain), h.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Index)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Time.UnixMilli()))
	return append(b, h.Key...)
}

// ErrUnknownKey is the error for a head whose key is not among those given.
var ErrUnknownKey = errors.New("signed with a key that was not given")

// Signer signs the heads of a chain and checks them. It is safe for concurrent use. A nil Signer leaves heads unsigned and
// checks none.
type Signer struct {
	keys atomic.Pointer[signingKeys]
}

// signingKeys are what a Signer signs with and trusts; they are immutable.
type signingKeys struct {
	key     ed25519.PrivateKey
	id      KeyID
	trusted map[KeyID]ed25519.PublicKey
}

// NewSigner returns a signer with a key of its own and the public halves of those used before, so that
// older heads still count after a rotation.
func NewSigner(key ed25519.PrivateKey, older ...ed25519.PublicKey) (*Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("store: signing key has %d bytes: give an Ed25519 private key of %d bytes, as ed25519.NewKeyFromSeed returns it", len(key), ed25519.PrivateKeySize)
	}
	k := &signingKeys{key: key, trusted: map[KeyID]ed25519.PublicKey{}}
	for i, pub := range append(older[:len(older):len(older)], key.Public().(ed25519.PublicKey)) {
		if len(pub) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("store: older key %d has %d bytes: give Ed25519 public keys of %d bytes", i+1, len(pub), ed25519.PublicKeySize)
		}
		k.id = KeyIDOf(pub)
		k.trusted[k.id] = pub
	}
	s := new(Signer)
	s.keys.Store(k)
	return s, nil
}

// Renew makes the signer sign with, and trust, the keys of another from now on: an open store changes its keys so. Neither is
// nil.
func (s *Signer) Renew(by *Signer) { s.keys.Store(by.keys.Load()) }

// Sign returns the head for the chain that ends with l at that time, which is kept to the millisecond.
func (s *Signer) Sign(l Link, at time.Time) Head {
	h := Head{Index: l.Index, Hash: l.Hash, Time: at.UTC().Truncate(time.Millisecond)}
	if s != nil {
		k := s.keys.Load()
		h.Key = k.id
		h.Signature = ed25519.Sign(k.key, h.message())
	}
	return h
}

// Check returns nil if the head carries a valid signature, [ErrUnknownKey] if the key is not known, and
// an error that wraps [ErrTampered] for anything else.
func (s *Signer) Check(h Head) error {
	if s == nil || h.Key == "" {
		return fmt.Errorf("head %d: %w", h.Index, ErrUnknownKey)
	}
	pub, ok := s.keys.Load().trusted[h.Key]
	if !ok {
		return fmt.Errorf("head %d: key %.20q: %w", h.Index, string(h.Key), ErrUnknownKey)
	}
	if !ed25519.Verify(pub, h.message(), h.Signature) {
		return fmt.Errorf("head %d: signature does not match: %w", h.Index, ErrTampered)
	}
	return nil
}
