// Package rules says, for a request, an inline script or a cookie of a page, whether it serves tracking, by which rule and
// for which purpose. What a script in the page needs to judge for itself, storage keys included, GuardVendors hands out.
//
// A Set joins a catalogue of vendors with filter lists. It is immutable and safe for concurrent use; judging a request
// allocates nothing. What the Set answers is why something may have to be gated; whether it is gated depends
// on a visitor's decision and is not its business.
package rules
