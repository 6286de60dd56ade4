package encoding

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/transform"
)

// PrescanLength is how many bytes of a document are enough for Sniff (HTML, 13.2.3.2).
const PrescanLength = 1024

// Sniff returns the name, in lower case, of the character encoding that a browser decodes the body with: from a byte order mark, the
// Content-Type, or what the document itself says (HTML, 13.2.3.2; XML 1.0, appendix F; CSS Syntax 3, 3.2). certain is false
// when nothing says so and the name is only the default of the kind: windows-1252 for HTML, utf-8 for others. A style
// sheet whose first PrescanLength bytes hold letters beyond ASCII in UTF-8 is certain: no other encoding looks like it.
//
// What an HTML document says after PrescanLength bytes browsers heed in different ways (Chromium in the head only, Firefox
// anywhere, by reading the page again): it counts only where the encoding is not Transparent.
func Sniff(contentType string, prefix []byte) (name string, certain bool) {
	if name = bomOf(prefix); name != "" {
		return name, true
	}
	essence, label := mediaType(contentType)
	if name = lookup(label); name != "" {
		return name, true
	}
	switch {
	case isXML(essence):
		if name = xmlEncoding(prefix); name != "" {
			return name, true
		}
		return "utf-8", true
	case essence == "text/css":
		if name = cssEncoding(prefix); name != "" {
			return name, true
		}
	case essence == "text/html", essence == "":
		if name = Prescan(prefix[:min(len(prefix), PrescanLength)]); name != "" {
			return name, true
		}
		if name = Prescan(prefix); name != "" && !Transparent(name) {
			return name, true
		}
		return "windows-1252", false
	}
	return "utf-8", essence == "text/css" && isUTF8(prefix)
}

// isUTF8 reports whether the beginning of b holds characters beyond ASCII, all in UTF-8; the last may be cut off.
func isUTF8(b []byte) bool {
	b = b[:min(len(b), PrescanLength)]
	for i := len(b) - 1; i >= 0 && i > len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				b = b[:i]
			}
			break
		}
	}
	return !isASCII(b) && utf8.Valid(b)
}

// bomOf follows Encoding, 6 "BOM sniff".
func bomOf(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return "utf-8"
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "utf-16be"
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return "utf-16le"
	}
	return ""
}

// lookup returns the name of the encoding of a label, "" for an unknown one (Encoding, 4.2 "get an encoding").
func lookup(label string) string {
	if label == "" {
		return ""
	}
	_, name := charset.Lookup(label)
	return name
}

// declared is lookup for a document's own declaration, which, being readable, cannot be in UTF-16.
func declared(label []byte) string {
	switch name := lookup(string(label)); name {
	case "utf-16le", "utf-16be":
		return "utf-8"
	case "x-user-defined":
		return "windows-1252"
	default:
		return name
	}
}

// cssEncoding reads @charset, which must stand at the very beginning and in exactly this form.
func cssEncoding(b []byte) string {
	rest, ok := bytes.CutPrefix(b, []byte(`@charset "`))
	if !ok {
		return ""
	}
	label, _, ok := bytes.Cut(rest[:min(len(rest), PrescanLength)], []byte(`";`))
	if !ok {
		return ""
	}
	return declared(label)
}

// xmlEncoding reads the XML declaration (HTML, 13.2.3.2 "get an XML encoding").
func xmlEncoding(b []byte) string {
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return ""
	}
	b, _, ok := bytes.Cut(b, []byte{'>'})
	if !ok {
		return ""
	}
	_, b, ok = bytes.Cut(b, []byte("encoding"))
	if !ok {
		return ""
	}
	b = bytes.TrimLeft(b, controls)
	if len(b) == 0 || b[0] != '=' {
		return ""
	}
	b = bytes.TrimLeft(b[1:], controls)
	if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
		return ""
	}
	label, _, ok := bytes.Cut(b[1:], b[:1])
	if !ok || bytes.ContainsAny(label, controls) {
		return ""
	}
	return declared(label)
}

// controls are the bytes up to the space.
const controls = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "

// Transparent reports whether a document in that encoding can be tokenised as bytes with the same result: no byte of
// ASCII can be part of another character. Among those of the standard, that is so for UTF-8 and all single-byte encodings. In Shift_JIS,
// GBK, gb18030, Big5 and EUC-KR letters, digits and the backslash can be; ISO-2022-JP switches what all bytes mean; UTF-16 has
// no bytes of ASCII. These need a Transcoder. Any encoding but UTF-8 needs one if the document is to be asked for hosts
// outside of ASCII: "trªcker" is "tracker" to a browser in every encoding (UTS 46).
func Transparent(name string) bool {
	switch name {
	case "utf-16le", "utf-16be", "iso-2022-jp", "shift_jis", "gbk", "gb18030", "big5", "euc-kr", "replacement":
		return false
	}
	return lookup(name) != ""
}

// ErrUnknownEncoding is returned for a name that is no label of the Encoding standard.
var ErrUnknownEncoding = errors.New("character encoding: unknown")

// NewTranscoder returns a writer that decodes what is written to it from the named encoding and writes it to w in UTF-8, as
// the Encoding standard says, errors as U+FFFD. A character that is cut off between two writes is held back, nothing
// else; Close ends the text and leaves w open. The response must then say charset=utf-8. For UTF-8 the bytes pass as they are.
func NewTranscoder(name string, w io.Writer) (io.WriteCloser, error) {
	e, canonical := charset.Lookup(name)
	switch {
	case e == nil:
		return nil, ErrUnknownEncoding
	case canonical == "utf-8":
		return passing{w}, nil
	}
	return transform.NewWriter(w, e.NewDecoder()), nil
}

type passing struct{ io.Writer }

func (passing) Close() error { return nil }

// NewUndeclared returns a writer for a document whose encoding nothing tells for certain, in front of one that takes it for
// ASCII with more. A browser may come to another conclusion: from a meta element further on, from the page that a style sheet
// belongs to, or by a guess. So that it finds the same markup then, NUL (half of each letter in UTF-16) and ESC
// (which switches what all bytes mean in ISO-2022-JP) become SUB, which means nothing anywhere.
func NewUndeclared(w io.Writer) io.Writer { return &undeclaredWriter{w: w} }

type undeclaredWriter struct {
	w   io.Writer
	buf []byte
}

func (u *undeclaredWriter) Write(p []byte) (int, error) {
	if bytes.IndexByte(p, 0) < 0 && bytes.IndexByte(p, 0x1b) < 0 {
		return u.w.Write(p)
	}
	u.buf = append(u.buf[:0], p...)
	for i, c := range u.buf {
		if c == 0 || c == 0x1b {
			u.buf[i] = 0x1a
		}
	}
	if _, err := u.w.Write(u.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}
