// Package encoding turns a response body into bytes that can be tokenised, and back: it undoes content codings, finds the
// character encoding, or all that it may be, transcodes to UTF-8, and tells what kind of document a browser would make of
// the body; on the way out it encodes and compresses again.
package encoding

import "strings"

// coding is a content coding (RFC 9110, 8.4.1).
type coding uint8

const (
	identity coding = iota
	gzipCoding
	deflateCoding
	brotliCoding
	zstdCoding
	unknownCoding
	ignoredCoding
)

// maxCodings bounds how often a body may have been encoded.
const maxCodings = 4

// Supported reports whether NewDecoder can undo all codings of a Content-Encoding field value. The empty value and
// "identity" are supported and need no decoder (see Identity), and so does a value that names nothing that any browser
// undoes, such as "none" or "utf-8": browsers show the body as it is.
func Supported(codings string) bool {
	_, ok := parseCodings(codings)
	return ok
}

// Identity reports whether a Content-Encoding field value names no coding at all, so that the body can be read as it is.
func Identity(codings string) bool {
	list, ok := parseCodings(codings)
	return ok && len(list) == 0
}

// parseCodings returns the codings in the order in which they were applied, without identity.
func parseCodings(field string) (list []coding, ok bool) {
	ignored := false
	for field != "" {
		var name string
		name, field, _ = strings.Cut(field, ",")
		switch c := codingOf(strings.Trim(name, " \t")); c {
		case identity:
		case ignoredCoding:
			ignored = true
		case unknownCoding:
			return nil, false
		default:
			if len(list) == maxCodings {
				return nil, false
			}
			list = append(list, c)
		}
	}
	return list, !ignored || len(list) == 0 // with others, browsers differ in what they make of it
}

func codingOf(name string) coding {
	for c, names := range [...][]string{
		identity:      {"", "identity"},
		gzipCoding:    {"gzip", "x-gzip"},
		deflateCoding: {"deflate"},
		brotliCoding:  {"br"},
		zstdCoding:    {"zstd"},
		unknownCoding: {"dcb", "dcz", "compress", "x-compress", "sdch", "bzip2", "x-bzip2", "exi", "pack200-gzip"},
	} {
		for _, n := range names {
			if strings.EqualFold(n, name) {
				return coding(c)
			}
		}
	}
	return ignoredCoding
}
