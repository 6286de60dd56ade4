package caddymodule

import (
	"crypto/rand"
	"encoding/base64"
)

// markHeader tells the guard of the page that fetched a piece of markup by which mark to know what was gated in it; scripts
// of other origins cannot read it, nobody can foretell it, and what the app or another origin says under this name is not
// believed: markup that was stored with a chosen mark would be revived.
const markHeader = "Consent-Mark"

// responseMark returns the response's random value. Most responses need none.
func (x *exchange) responseMark() string {
	if x.mark == "" {
		x.mark = newMark()
	}
	return x.mark
}

// newMark returns a random value of 96 bits, which no markup that was stored earlier can contain.
func newMark() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
