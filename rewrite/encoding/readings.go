package encoding

import (
	"bytes"
	"iter"
	"sync"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// Readings are the character encodings in which a browser may read a document that is tokenised as bytes. The zero value is UTF-8
// alone. What is ASCII is the same in all of them; the rest matters in two places. Letters beyond ASCII may spell a host
// that is ASCII ("trªcker", full-width forms; UTS 46). And where the encoding is not known, a byte beyond ASCII may be half
// of a character whose other half looks like ASCII: in Shift_JIS, GBK and Big5 the backslash after it escapes nothing then.
type Readings struct {
	list []encoding.Encoding
	open bool
}

// ReadIn returns the one reading of a document in the named encoding, which must be Transparent.
func ReadIn(name string) Readings {
	e, canonical := charset.Lookup(name)
	if e == nil || canonical == "utf-8" {
		return Readings{}
	}
	return Readings{list: []encoding.Encoding{e}}
}

// ReadAnyhow returns all readings, for a document of which nothing tells the encoding: a browser may learn it later than
// the gateway can wait, from elsewhere, or guess.
func ReadAnyhow() Readings { return anyReading() }

var anyReading = sync.OnceValue(func() Readings {
	r := Readings{open: true}
	for _, name := range [...]string{
		"windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257",
		"windows-1258", "windows-874", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8",
		"iso-8859-10", "iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16", "ibm866", "koi8-r", "koi8-u", "macintosh",
		"x-mac-cyrillic", "shift_jis", "gb18030", "big5", "euc-kr", "euc-jp",
	} {
		if e, err := htmlindex.Get(name); err == nil {
			r.list = append(r.list, e)
		}
	}
	return r
})

// multibyte is how many encodings at the end of all readings have characters of more than one byte.
const multibyte = 5

// Open reports whether there is more than one reading.
func (r Readings) Open() bool { return r.open }

// maxRead bounds how much is read in more than one way.
const maxRead = 4 << 10

// Of yields s in UTF-8, in every way it may be read: s itself if that is ASCII, else first as declared, but also as it is,
// because a script reads what it fetches in UTF-8, whatever was declared (Fetch, 5.3 "text()"). Of more than 4 KiB in an open
// encoding the beginning is read, which in a URL is where the host is.
func (r Readings) Of(s []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		switch {
		case len(r.list) == 0 || isASCII(s):
			yield(s)
		case r.open:
			if yield(s) {
				decoded(s[:min(len(s), maxRead)], r.list, yield)
			}
		case decoded(s, r.list, yield):
			yield(s)
		}
	}
}

// Scripts yields s, and, in UTF-8, what else it may be where that can differ in what begins and ends a string.
func (r Readings) Scripts(s []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if yield(s) && r.open && (Swallows(s, 0) || bytes.IndexByte(s, '`') >= 0 && !isASCII(s)) {
			decoded(s, r.list[len(r.list)-multibyte:], yield)
		}
	}
}

// decoded yields s as each of the list reads it. It reports whether more was wanted.
func decoded(s []byte, list []encoding.Encoding, yield func([]byte) bool) bool {
	for _, e := range list {
		text, err := e.NewDecoder().Bytes(s)
		if err == nil && !yield(text) {
			return false
		}
	}
	return true
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// Swallows reports whether a byte beyond ASCII stands right before a backslash, brace or at-sign, which it could swallow;
// last is the byte before s, 0 for none.
func Swallows(s []byte, last byte) bool {
	for _, c := range s {
		if last >= 0x80 && swallowed(c) {
			return true
		}
		last = c
	}
	return false
}

// swallowed reports the bytes that mean something in CSS or JSON and are the second half of characters, too. No quote,
// slash, parenthesis or bracket of a tag is among them: second halves begin at 0x40.
func swallowed(c byte) bool { return c == '\\' || c == '{' || c == '}' || c == '@' }

// AppendApart appends s to dst with a space between each byte beyond ASCII and what it could swallow. No encoding has a
// character that ends with a space, so that all readings agree with that of the bytes.
func AppendApart(dst, s []byte, last byte) []byte {
	for _, c := range s {
		if last >= 0x80 && swallowed(c) {
			dst = append(dst, ' ')
		}
		dst = append(dst, c)
		last = c
	}
	return dst
}
