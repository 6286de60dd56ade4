// Package rules says, for a request, an inline script, a cookie or a storage key of a page, whether it serves tracking, by
// which rule and for which purpose.
//
// A Set joins a catalogue of vendors with filter lists. It is immutable and safe for concurrent use; judging a request by
// the catalogue allocates nothing. What the Set answers is why something may have to be gated; whether it is gated depends
// on a visitor's decision and is not its business.
package rules
