package javascript

import "sync"

// Vendor is who may be recognised.
type Vendor struct {
	// Marks are fragments of JavaScript whose tokens stand in the vendor's loader or configuration, as
	// catalogue.Vendor.Inline has them.
	Marks []string
	// Weight decides between the vendors of one script: that of the greatest weight is named.
	Weight int
	// Whole is true where the vendor's code comes inline as a whole, so that its length says nothing.
	Whole bool
}

// Addresses tells a Recogniser whose an address is. Hosts are in lower case, of at most 253 bytes; neither method may keep
// what it is given.
type Addresses interface {
	// Host reports whether a URL of the host may be a vendor's. It may say so too often, but never too seldom.
	Host(host []byte) bool
	// URL returns the number of the vendor whose URL it is, and the rule that says so; else Foreign or Neutral. path begins
	// with a slash or is empty, query is what follows a question mark.
	URL(host, path, query []byte) (vendor int, rule string)
}

// What Addresses.URL answers where no vendor's number is: Foreign for an address of which nothing is known or that is let
// through as its vendor's, Neutral for one that says nothing about the script.
const (
	Foreign = -1
	Neutral = -2
)

// Finding is what a script was recognised by.
type Finding struct {
	// Vendor is the vendor's number: its place in what New was given.
	Vendor int
	// Rule is the mark, or what Addresses.URL said.
	Rule string
	// Mixed is true for a script most of which is not the vendor's.
	Mixed bool
}

// Recogniser finds vendors in scripts. It is immutable and safe for concurrent use.
type Recogniser struct {
	vendors []Vendor
	marks   markIndex
	sieve   *sieve
	readers sync.Pool // one is too large for a stack
}

// New makes a Recogniser. hosts are the names of all hosts of which, or of whose subdomains, Addresses.Host may be true; one
// that ends in a dot ("google.") stands for that label before any top-level domain.
func New(vendors []Vendor, hosts []string) *Recogniser {
	r := &Recogniser{vendors: vendors}
	for i, v := range vendors {
		for _, m := range v.Marks {
			r.marks.add(m, int32(i))
		}
	}
	r.sieve = newSieve(r.marks.list, hosts)
	return r
}

// Find says whose loader or configuration the script is.
func (r *Recogniser) Find(text []byte, a Addresses) (Finding, bool) {
	x, ok := r.readers.Get().(*reader)
	if !ok {
		x = new(reader)
	}
	x.Recogniser, x.Addresses = r, a
	f, ok := x.find(text)
	if !ok {
		if plain := unveil(text); plain != nil {
			f, ok = x.find(plain)
		}
	}
	x.state, x.Addresses = state{}, nil // keep nothing of the text
	r.readers.Put(x)
	return f, ok
}
