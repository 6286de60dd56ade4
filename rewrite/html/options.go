package html

import (
	"errors"
	"io"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// ErrLimit is what [Rewriter.Limited] returns after something was larger than [Options.Limit] or more entangled than is
// followed, and had to be judged by its beginning, or was made inert unseen.
var ErrLimit = errors.New("html: a tag, script, style or document within a document is too large or too entangled to be judged whole")

// defaultLimit is the memory that one stream may hold.
const defaultLimit = 64 << 10

// Options configure the rewriting of one document.
type Options struct {
	// Policy judges. With nil nothing is judged; Head and Body are still injected.
	Policy rewrite.Policy
	// Base is the document's URL; a base element overrides it as in a browser. Without it relative URLs are not judged.
	Base *url.URL
	// Mark is the response's random value for marks: 16 of [A-Za-z0-9_-].
	Mark string
	// Head writes what is injected first in head, Body what is right after the body start tag, or at the end of a document
	// without one: markup that leaves the tokenizer in the data state. What they write is handed on in the same pieces.
	// Nil injects nothing.
	Head, Body func(w io.Writer)
	// Srcdoc writes what is injected first in a document in an attribute that runs scripts of its own (HTML, 4.8.5 "srcdoc"):
	// none in the page around it sees them in time. Nil injects nothing.
	Srcdoc func(w io.Writer)
	// Limit is how many bytes of the document one stream may hold; 0 means 64 KiB. A larger tag has its attributes judged
	// one by one; a larger URL, style or document in an attribute is made inert unless it is a data: URL that contacts
	// nobody; of a larger script the beginning is judged; a larger style in XML or foreign content streams as the tree has it.
	Limit int
	// Dynamic is true where the site's own policy trusts whatever a script inserts ('strict-dynamic', CSP 3, 8.2), as what is put
	// back is. So that nothing runs which that policy refused, a gated script without Nonce is put back by no one: where it may
	// run, it does from the next view of the page on. A policy in a meta element is found here.
	Dynamic bool
	Nonce   string
	// Fragment is true for what is not a whole document: nothing is injected. Nor can it be in XML but where the root is html
	// in the XHTML namespace, which must be the default one.
	Fragment bool
	// XML selects the rules of XML: XHTML, SVG and other XML documents.
	XML bool
	// Readings are how the document may be read; the zero value is UTF-8.
	Readings encoding.Readings
	// Link, if not nil, is shown the target of each link and form that holds a '=', and the host it leads to. It appends to
	// dst what the target is to be instead, or reports false. The bytes are valid during the call only.
	Link func(dst, target, host []byte) (out []byte, changed bool)

	depth  int                     // of srcdoc documents
	onGate func(v rewrite.Verdict) // is told of each change in such a document; nil in the outermost one
}
