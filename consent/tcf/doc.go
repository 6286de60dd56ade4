// Package tcf reads the consent strings of the IAB: TC strings of the Transparency and Consent Framework 2, the Global
// Privacy Platform and US Privacy, as far as they say something about purposes.
//
// The strings come from cookies, so from anybody: every reader looks at MaxLen bytes at most, does not allocate in
// proportion to what the string claims, and ends. What is malformed, of an unknown version or out of date is no answer.
//
// What the strings grant is read strictly: legitimate interest is not consent, and not having opted out is not opting in.
package tcf

import "errors"

// MaxLen is the longest string that is looked at, in bytes.
const MaxLen = 8 << 10

// Errors of the readers.
var (
	ErrTooLong   = errors.New("tcf: string is longer than 8 KiB")
	ErrMalformed = errors.New("tcf: malformed")
	ErrVersion   = errors.New("tcf: unknown version")
)
