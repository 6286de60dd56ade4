// Package css replaces the gated URLs of style sheets, style elements and style attributes while they stream, and leaves
// every other byte as it is.
//
// It tokenises as CSS Syntax 3 does: comments, strings, escapes, url() with and without quotes, bad strings and bad URLs. It
// asks about url() and src(), @import, image-set() and image(), and about absolute URLs in the strings of custom properties,
// which can become any of these through var(). @namespace names nothing that is fetched and is left out.
package css

import (
	"io"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// defaultLimit is how much of one token is held back before it is judged by what is known of it.
const defaultLimit = 64 << 10

// Options are what a style sheet is rewritten with. They may serve several sheets of one response, one at a time.
type Options struct {
	// Policy judges; Element is "style" in what it is asked. It must not be nil.
	Policy rewrite.Policy
	// Resolve writes to dst[:0] the absolute URL of a reference with the sheet's base, without fragment, and tells where its
	// host is; ok is false for what contacts nobody. The method of that name in package url is one. It must not be nil.
	Resolve func(dst, ref []byte) (abs []byte, hostStart, hostEnd int, ok bool)
	// Mark is the response's random value, of [A-Za-z0-9_-].
	Mark string
	// Limit bounds the bytes held back, 0 stands for 64 KiB. A longer URL is judged by its beginning; if it is gated, it is
	// dropped for good.
	Limit int
	// Readings are how the sheet may be read; the zero value is UTF-8.
	Readings encoding.Readings
	// OnChange, if not nil, is told of each URL that was replaced.
	OnChange func(v rewrite.Verdict)

	ref, abs []byte
	resource rewrite.Resource
	nested   bool
	careful  bool // see unconcerned; for tests
}

// Append appends src to dst with its gated URLs replaced. It does not allocate when nothing is replaced and dst is large
// enough. It suits style attributes (decoded) and the whole text of style elements.
func Append(dst, src []byte, o *Options) []byte {
	if o.Readings.Open() && encoding.Swallows(src, 0) {
		src = encoding.AppendApart(nil, src, 0)
	}
	s := scanner{Options: o, dst: dst, declaration: true, top: true}
	s.scan(src, true)
	return s.dst
}

// Rewriter rewrites one style sheet that is written to it in any pieces; the output does not depend on them. It serves
// one goroutine at a time.
type Rewriter struct {
	s     scanner
	carry []byte
	apart []byte
	last  byte // the one before, for AppendApart
}

// NewRewriter returns a Rewriter that writes to w.
func NewRewriter(w io.Writer, o *Options) *Rewriter {
	return &Rewriter{s: scanner{Options: o, w: w, declaration: true, top: true}}
}

// Write rewrites p, holding back at most a token that is not complete. It returns the error of the writer below.
func (r *Rewriter) Write(p []byte) (int, error) {
	n := len(p)
	if r.s.Readings.Open() && n > 0 {
		last := r.last
		if r.last = p[n-1]; encoding.Swallows(p, last) {
			r.apart = encoding.AppendApart(r.apart[:0], p, last)
			p = r.apart
		}
	}
	for len(r.carry) > 0 && len(p) > 0 && r.s.err == nil {
		held := len(r.carry)
		piece := min(len(p), max(256, held))
		r.carry = append(r.carry, p[:piece]...)
		used := r.s.scan(r.carry, false)
		if used >= held {
			p = p[used-held:]
			r.carry = r.carry[:0]
			break
		}
		p = p[piece:]
		r.carry = append(r.carry[:0], r.carry[used:]...)
	}
	if len(p) > 0 && r.s.err == nil {
		used := r.s.scan(p, false)
		r.carry = append(r.carry, p[used:]...)
	}
	if r.s.err != nil {
		return 0, r.s.err
	}
	return n, nil
}

// Flush reports the state of the Rewriter: all but an incomplete token is written already.
func (r *Rewriter) Flush() error { return r.s.err }

// Close ends the sheet: a token that is cut short counts as CSS Syntax 3 says. The writer below stays open.
func (r *Rewriter) Close() error {
	if r.s.err == nil {
		r.s.scan(r.carry, true)
		r.carry = nil
	}
	return r.s.err
}
