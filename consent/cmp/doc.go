// Package cmp reads what other consent management platforms stored in cookies, so that a site can keep its own banner and
// have the answers enforced.
//
// Every reader gives a three-state answer per purpose: granted, denied, or undecided. That a platform's cookie is there
// is no consent: many platforms store their defaults before any answer, so each reader has a test of its own for whether
// the visitor decided. What a reader does not understand is undecided.
//
// Cookies are hostile input: a value beyond 8 KiB is not looked at, percent-encoding is undone at most twice, JSON is
// validated before it is read, and of several cookies of one name only what all of them grant is granted.
package cmp
