package consent

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
)

// Key is a 256-bit secret from which the keys for tokens and links are derived. It never prints itself: String gives its
// public id, Secret the text to store.
type Key struct{ secret [32]byte }

// GenerateKey returns a fresh random key.
func GenerateKey() Key {
	var k Key
	_, _ = rand.Read(k.secret[:]) // never fails, see NewID
	return k
}

// ParseKey reads a key from the base64 of its 32 bytes: standard or URL alphabet, padded or not. Errors name the fix and
// never hold the text.
func ParseKey(text string) (Key, error) {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Key{}, errors.New("consent key: not base64; make one with: openssl rand -base64 32")
	}
	if len(b) != 32 {
		return Key{}, fmt.Errorf("consent key: holds %d bytes, want 32; make one with: openssl rand -base64 32", len(b))
	}
	if bytes.Count(b, b[:1]) == len(b) {
		return Key{}, errors.New("consent key: all bytes are equal; make one with: openssl rand -base64 32")
	}
	return Key{[32]byte(b)}, nil
}

// Secret returns the text that ParseKey reads: base64url, 43 characters.
func (k Key) Secret() string { return base64.RawURLEncoding.EncodeToString(k.secret[:]) }

// ID returns the key's public name of 8 hexadecimal digits, which tokens carry.
func (k Key) ID() string { id := k.id(); return hex.EncodeToString(id[:]) }

// String returns the ID, so that no log ever holds the secret.
func (k Key) String() string { return "consent key " + k.ID() }

// Format prints String for every verb: %d would print the bytes.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

func (k Key) id() keyID {
	sum := k.derive("key id")
	return keyID(sum[:])
}

// derive returns the key for one use, so that a link can never pass for a token.
func (k Key) derive(use string) [32]byte {
	m := hmac.New(sha256.New, k.secret[:])
	m.Write([]byte("caddy-consent " + use))
	return [32]byte(m.Sum(nil))
}

type keyID [4]byte

// Keyring signs with one key and verifies with that and older ones, so that keys can be replaced without losing the
// answers of visitors. It is immutable and safe for concurrent use.
type Keyring struct{ keys []ringKey }

type ringKey struct {
	id   keyID
	macs *sync.Pool // of *tokenMAC
	link cipher.AEAD
}

// NewKeyring returns a ring that signs with current and accepts what any of the keys signed. Remove an old key once the
// consent lifetime has passed since it was current. Keys that share an id are refused.
func NewKeyring(current Key, old ...Key) (*Keyring, error) {
	r := &Keyring{}
	for _, k := range append([]Key{current}, old...) {
		if k == (Key{}) {
			return nil, errors.New("consent keyring: a key is unset; use GenerateKey or ParseKey")
		}
		if r.find(k.id()) != nil {
			return nil, fmt.Errorf("consent keyring: %v is there twice; remove one", k)
		}
		link, err := newLinkCipher(k.derive("link v1"))
		if err != nil {
			return nil, err
		}
		secret := k.derive("token v1")
		r.keys = append(r.keys, ringKey{k.id(), &sync.Pool{New: func() any {
			return &tokenMAC{hash: hmac.New(sha256.New, secret[:])}
		}}, link})
	}
	return r, nil
}

func (r *Keyring) find(id keyID) *ringKey {
	for i := range r.keys {
		if r.keys[i].id == id {
			return &r.keys[i]
		}
	}
	return nil
}

// tokenMAC is a keyed hash that is used again, because making one costs more than computing it.
type tokenMAC struct {
	hash hash.Hash
	in   []byte
	sum  [sha256.Size]byte
}

// mac returns HMAC-SHA-256(length of site, site, payload), truncated to 128 bits (RFC 2104 section 5).
func (k *ringKey) mac(site string, payload []byte) [tokenMACSize]byte {
	m := k.macs.Get().(*tokenMAC)
	m.in = append(m.in[:0], byte(len(site)>>8), byte(len(site)))
	m.in = append(append(m.in, site...), payload...)
	m.hash.Reset()
	m.hash.Write(m.in)
	m.hash.Sum(m.sum[:0])
	out := [tokenMACSize]byte(m.sum[:])
	k.macs.Put(m)
	return out
}
