// Package cookie reads and edits the Cookie and Set-Cookie fields without losing what net/http would: names with colons
// or brackets, values with quotes, backslashes or raw JSON, nameless cookies and duplicates (RFC 6265bis).
package cookie

import (
	"strings"
	"unsafe"
)

// MaxPair is the length in bytes above which a pair is no cookie of a browser (RFC 6265bis, 5.6, caps name and value at
// 4096 bytes together; twice that leaves room for other clients).
const MaxPair = 8192

// Each calls f for every pair of the Cookie fields in their order, until f returns false. Duplicates are kept, nothing
// is decoded. A pair without "=" has an empty name (RFC 6265bis, 5.8.3). A pair longer than MaxPair is given with
// an empty value, so that a reader takes it for malformed and not for absent. f must neither change nor keep its
// arguments.
func Each(header []string, f func(name, value []byte) bool) {
	for _, line := range header {
		for line != "" {
			var pair string
			pair, line = cut(line)
			if pair == "" {
				continue
			}
			name, value := split(pair)
			if len(pair) > MaxPair {
				value = ""
			}
			if !f(view(name), view(value)) {
				return
			}
		}
	}
}

// Filter returns the Cookie fields without the pairs that keep rejects, and how many those were. It returns header itself,
// without allocating, when nothing is removed; otherwise a new slice in which kept pairs have their order and bytes
// and are joined by "; ", and fields that became empty are gone (nil when all are). A pair without "=" is judged by all of
// its text, because many applications read that as a name. keep must neither change nor keep its argument.
func Filter(header []string, keep func(name []byte) bool) (out []string, removed int) {
	for i, line := range header {
		kept, n := filterLine(line, keep)
		if n > 0 && removed == 0 {
			out = append(make([]string, 0, len(header)), header[:i]...)
		}
		removed += n
		if removed > 0 && kept != "" {
			out = append(out, kept)
		}
	}
	if removed == 0 {
		return header, 0
	}
	if len(out) == 0 {
		return nil, removed
	}
	return out, removed
}

func filterLine(line string, keep func(name []byte) bool) (string, int) {
	var b strings.Builder
	removed := 0
	for rest := line; rest != ""; {
		before := len(line) - len(rest)
		var pair string
		pair, rest = cut(rest)
		if pair == "" {
			continue
		}
		if !keep(view(WireName(pair))) {
			if removed == 0 {
				b.Grow(len(line))
				b.WriteString(strings.TrimRight(line[:before], "; \t"))
			}
			removed++
			continue
		}
		if removed > 0 {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(pair)
		}
	}
	if removed == 0 {
		return line, 0
	}
	return b.String(), removed
}

// WireName returns the name under which an application finds a cookie that arrives as this pair: what is before the first
// "=", or everything. A nameless cookie whose value holds a "=" arrives as if it had a name; judge it by this one.
func WireName(pair string) string {
	if i := strings.IndexByte(pair, '='); i >= 0 {
		return trim(pair[:i])
	}
	return trim(pair)
}

// cut returns the trimmed text before the first ";" and what follows it.
func cut(line string) (pair, rest string) {
	if i := strings.IndexByte(line, ';'); i >= 0 {
		return trim(line[:i]), line[i+1:]
	}
	return trim(line), ""
}

// split divides a pair at its first "="; without one all of it is the value.
func split(pair string) (name, value string) {
	if i := strings.IndexByte(pair, '='); i >= 0 {
		return trim(pair[:i]), trim(pair[i+1:])
	}
	return "", trim(pair)
}

// trim removes what RFC 6265bis calls WSP, and nothing else, from both ends.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// view lends s as bytes. Callbacks promise not to write to it.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // no copy on each request
