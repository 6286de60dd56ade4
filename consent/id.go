package consent

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// ID is a random 128-bit identifier of one visitor's consent on one site, or of one record. It is drawn when the visitor
// answers, is never derived from anything about the visitor and never shared between sites.
type ID [16]byte

// NewID returns a fresh random ID. Its text never begins with "-", which command lines would take for an option.
func NewID() ID {
	var id ID
	for id.IsZero() || id[0]>>2 == 62 { // 62 is "-" in base64url
		_, _ = rand.Read(id[:]) // crypto/rand.Read never fails: it ends the program instead
	}
	return id
}

// IsZero reports whether the ID is unset.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the ID as 22 characters of base64url.
func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// MarshalText returns String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(text []byte) error {
	v, err := ParseID(string(text))
	if err == nil {
		*id = v
	}
	return err
}

var errID = errors.New("consent id: want 22 characters of base64url")

// ParseID reads what String wrote, and nothing else.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 22 {
		return id, errID
	}
	if n, err := strictBase64.Decode(id[:], []byte(s)); err != nil || n != len(id) { // line breaks are skipped
		return ID{}, errID
	}
	return id, nil
}

// strictBase64 refuses non-zero trailing bits, so that one value has one spelling.
var strictBase64 = base64.RawURLEncoding.Strict()

// hasBreak finds the line breaks that encoding/base64 would skip.
func hasBreak(s string) bool { return strings.ContainsAny(s, "\r\n") }
