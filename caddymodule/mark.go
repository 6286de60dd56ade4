package caddymodule

import (
	"crypto/rand"
	"encoding/base64"
)

// newMark returns a response's random value: 96 bits, which no markup that was stored earlier can contain.
func newMark() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
