// Package consent decides, from what a request says and what its visitor chose, which purposes are permitted, and holds
// the proof of it.
//
// The way through: a Reader turns raw header fields into Signals; Decide turns Signals and the site's Terms into a
// Decision; Choose turns a visitor's answer into the next Token, which a Keyring signs for the cookie; a Record is the
// entry that proves the answer later.
//
// Callers MUST send Sec-GPC and DNT upstream unchanged, MUST store a Record durably before they hand out a Token that
// grants anything, and MUST hold a token that grants anything against the newest answer in the store
// (Signals.Reconcile), or a kept cookie outlives a withdrawal. Everything here is a pure function or an immutable value,
// safe for concurrent use and without goroutines; only a RegionDatabase changes, when it is told to read its file again.
package consent
