package catalogue

import "github.com/caddy-consent/caddy-consent/consent"

// Vendor is one party, as its data file describes it. See the package comment for how patterns are written.
type Vendor struct {
	// ID is the file's name without ".json": lower-case letters, digits and hyphens.
	ID string
	// Number never changes and is never used again for another vendor: consent tokens store it. It is 1 or more.
	Number uint16
	// Name and Org are what a visitor reads: the service, and who runs it.
	Name, Org string
	// Purpose is the vendor's default purpose.
	Purpose consent.Purpose
	// Category says what kind of service it is: "web-analytics", "ads", "chat", "video", "fonts" …
	Category string
	// Pass is true where the vendor has a purpose but is not gated unless the operator requires it: no public list or
	// tracker database takes it for tracking, and pages break without it.
	Pass bool
	// Declared is true for a vendor from the operator's own file: hosts that it names are gated also where they are
	// subdomains of the site that visitors are on.
	Declared bool
	// Hosts are hosts that, with all their subdomains, serve nothing else.
	Hosts []string
	// Patterns are the vendor's URLs on hosts that also serve other things, those of its npm packages included.
	Patterns []string
	// Embeds are patterns of what a visitor would see, a player or a map: they are gated although Pass is true.
	Embeds []string
	// Passes are patterns that are let through although a host or shorter pattern of any vendor matches.
	Passes []string
	// Payment are patterns that are necessary where a payment is made, and gated elsewhere.
	Payment []string
	// Paths are patterns of paths ("/matomo.php") that give the vendor's software away on any host, the site's own
	// included.
	Paths []string
	// Labels are first labels of a host ("stats", also as "stats2") that give tracking away where no other vendor has the
	// host. A vendor with labels stands for all whom nobody knows; its Paths count on other sites' hosts only.
	Labels []string
	// Inline are fragments of JavaScript whose tokens appear in the vendor's loader or configuration. A string literal
	// that ends in * is a prefix.
	Inline []string
	// Globals are the names that the vendor's script defines on window.
	Globals []string
	// Cookies are the names (with * as a wildcard) of cookies set on the site's own domain; ThirdPartyCookies those on
	// the vendor's.
	Cookies, ThirdPartyCookies []Cookie
	// Storage are names (with * as a wildcard) of localStorage and sessionStorage keys.
	Storage []string
	// Stubs stand in for the globals while the vendor is gated.
	Stubs []Stub
	// Links say how an embed's address becomes one that a visitor can follow.
	Links []Link
	// Policy and OptOut are addresses for the preference centre; "" if there is none.
	Policy, OptOut string
	// Examples are real URLs, scripts and names that must match; Benign look-alikes that must not.
	Examples, Benign Examples
}

// Cookie is a cookie's name and how long it is kept, as documented ("2y", "session"; "" if unknown).
type Cookie struct{ Name, Retention string }

// Stub is the shape of a stand-in for one global.
type Stub struct {
	// Global is the name on window.
	Global string `json:"global"`
	// Kind is what it is until then: "function", "array", "object" (that is no function) or "constructor". Whatever a page
	// asks of it, it has.
	Kind string `json:"kind"`
}

// Link turns the URL of an embed into one to follow: the * of To takes what the * of From matched, in
// the path or as the value of a parameter. A To that is * alone takes a parameter that holds the whole address.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Examples are inputs to try a vendor's rules with.
type Examples struct {
	URLs    []string `json:"urls,omitempty"`
	Scripts []string `json:"scripts,omitempty"`
	Cookies []string `json:"cookies,omitempty"`
}
