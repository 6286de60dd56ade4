// Package filterlist answers, for one request of a page, whether a filter list blocks it and by which line, and what the
// lists' modifiers change of a page's policy and of a URL's query.
//
// It reads the network rules of Adblock Plus, uBlock Origin and AdGuard lists and hosts files. A rule that it does not
// understand in full is dropped and reported, never widened. Cosmetic rules are counted and skipped.
package filterlist
