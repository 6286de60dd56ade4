package encoding

import (
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// NewEncoder returns a writer that encodes the UTF-8 written to it into the named encoding for w. A character that the
// encoding lacks becomes a numeric character reference, as in a form that a browser submits (Encoding, 4.1 "html" error
// mode). Close ends the text and leaves w open. UTF-16 cannot be encoded to, as in browsers: it encodes as UTF-8.
func NewEncoder(name string, w io.Writer) (io.WriteCloser, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, ErrUnknownEncoding
	}
	return transform.NewWriter(w, encoding.HTMLEscapeUnsupported(e.NewEncoder())), nil
}
