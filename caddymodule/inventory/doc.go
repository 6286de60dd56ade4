// Package inventory remembers what sites were seen to contact and store, and tells the disclosure ledger what of it was let
// through.
//
// It holds counts, hosts, rules and example paths, nothing of visitors: of a path what may name a person is left out. What a
// client can invent, host names, paths, cookies and claims, is bounded, pushes out nothing that visitors asked for, names no vendor to
// visitors and discloses nothing. A response is counted in a Tally of its own, without a lock, and added once.
package inventory
