package encoding

import (
	"bytes"
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
	t := transform.Transformer(encoding.HTMLEscapeUnsupported(e.NewEncoder()))
	if canonical, _ := htmlindex.Name(e); canonical == "shift_jis" {
		t = shiftJIS{t}
	}
	return transform.NewWriter(w, t), nil
}

// shiftJIS also encodes U+0080, which is one byte there (Encoding, 12.3.2 "Shift_JIS encoder"): a reference to that number
// would be one to the euro sign (HTML, 13.2.5.80).
type shiftJIS struct{ transform.Transformer }

func (t shiftJIS) Transform(dst, src []byte, atEOF bool) (written, read int, err error) {
	for err == nil && read < len(src) {
		if rest, ok := bytes.CutPrefix(src[read:], []byte("\u0080")); ok {
			if written == len(dst) {
				return written, read, transform.ErrShortDst
			}
			dst[written] = 0x80
			written, read = written+1, len(src)-len(rest)
			continue
		}
		end, last := len(src), atEOF
		if i := bytes.Index(src[read:], []byte("\u0080")); i > 0 {
			end, last = read+i, true
		}
		var w, r int
		w, r, err = t.Transformer.Transform(dst[written:], src[read:end], last)
		written, read = written+w, read+r
	}
	return written, read, err
}
