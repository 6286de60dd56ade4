package header

import (
	"net/http"
	"slices"
	"strings"
)

// Rewritten removes from a response whose body is changed on the way what is true of the original bytes only: its length,
// digests (RFC 9530), signatures (RFC 9421), ranges, and what it is a dictionary for (RFC 9842).
func Rewritten(h http.Header) {
	for _, field := range originals {
		delete(h, field)
	}
}

// originals are the fields that are true of the original bytes only.
var originals = [...]string{
	"Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Signature", "Signature-Input", "Accept-Ranges", "Use-As-Dictionary",
}

// RewrittenTrailers removes the same from trailers, announced or not (http.TrailerPrefix), of a body that has ended.
func RewrittenTrailers(h http.Header) {
	for _, field := range originals {
		delete(h, field)
		delete(h, http.TrailerPrefix+field)
	}
}

// Marked reports whether a request's If-None-Match or If-Match may hold a tag that MarkETag made.
func Marked(h http.Header) bool {
	marked := func(v string) bool { return strings.Contains(v, strongMark) || strings.Contains(v, weakMark) }
	return slices.ContainsFunc(h["If-None-Match"], marked) || slices.ContainsFunc(h["If-Match"], marked)
}

// The marks say whether the original entity tag was strong or weak, so that it can be given back as it was.
const (
	strongMark = "-cs."
	weakMark   = "-cw."
)

// MarkETag makes the entity tag of a response depend on state, the consent state that its body was rendered for, and weak,
// because two renderings are never the same bytes (RFC 9110, 8.8.1). It removes Last-Modified, which cannot tell states
// apart. It must be called for a 304 as well as for the response that it confirms. state is of [A-Za-z0-9_-].
func MarkETag(h http.Header, state string) {
	delete(h, "Last-Modified")
	values := h["Etag"]
	if len(values) == 0 {
		return
	}
	opaque, weak, ok := entityTag(values[0])
	if !ok || !writable(values[0]) {
		delete(h, "Etag")
		return
	}
	if _, _, marked := unmark(opaque, state); marked {
		return
	}
	mark := strongMark
	if weak {
		mark = weakMark
	}
	h["Etag"] = []string{`W/"` + opaque + mark + state + `"`}
}

// Conditional makes a request's preconditions right for the origin: a tag that MarkETag made for this state is
// given back its original form. Tags of another state, tags that were never marked, "*" and dates would let
// the origin confirm a page that was rendered under another consent, so they are removed (If-None-Match, If-Modified-Since).
// Ranges of a rewritten body mean nothing and are removed too. If-Match protects the origin's resource, not a
// rendering, so its tags are unmarked whatever their state.
func Conditional(h http.Header, state string) {
	for _, field := range [...]string{"If-Modified-Since", "Range", "If-Range"} {
		delete(h, field)
	}
	if tags := unmarked(h["If-None-Match"], state, false); tags != "" {
		h["If-None-Match"] = []string{tags}
	} else {
		delete(h, "If-None-Match")
	}
	if values := h["If-Match"]; len(values) > 0 {
		h["If-Match"] = []string{unmarked(values, "", true)}
	}
}

// unmarked rewrites a list of entity tags; those without a mark of that state stay only if others may.
func unmarked(values []string, state string, others bool) string {
	var list []string
	rest := strings.Join(values, ",")
	for rest != "" {
		var tag string
		tag, rest = cutTag(strings.TrimLeft(rest, ", \t"))
		opaque, _, ok := entityTag(tag)
		if ok {
			if original, weak, marked := unmark(opaque, state); marked {
				tag = `"` + original + `"`
				if weak {
					tag = "W/" + tag
				}
				list = append(list, tag)
				continue
			}
		}
		if others && tag != "" {
			list = append(list, tag)
		}
	}
	return strings.Join(list, ", ")
}

// WithoutDictionaries makes a request ask for no body that only somebody with an earlier body could read (RFC 9842, 2.2 and 5).
func WithoutDictionaries(h http.Header) {
	delete(h, "Available-Dictionary")
	delete(h, "Dictionary-Id")
	for i, v := range h["Accept-Encoding"] {
		if indexFold(v, "dc") < 0 {
			continue
		}
		codings := slices.DeleteFunc(strings.Split(v, ","), func(c string) bool {
			name, _, _ := strings.Cut(c, ";")
			name = trim(name)
			return strings.EqualFold(name, "dcb") || strings.EqualFold(name, "dcz")
		})
		h["Accept-Encoding"] = slices.Clone(h["Accept-Encoding"])
		h["Accept-Encoding"][i] = trim(strings.Join(codings, ","))
	}
}

// cutTag returns the text before the next comma outside of quotes. Entity tags know no escapes.
func cutTag(s string) (tag, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return strings.TrimRight(s[:i], " \t"), s[i+1:]
		}
	}
	return strings.TrimRight(s, " \t"), ""
}

// entityTag reads `"opaque"` or `W/"opaque"` (RFC 9110, 8.8.3).
func entityTag(s string) (opaque string, weak, ok bool) {
	if t, found := strings.CutPrefix(s, "W/"); found {
		s, weak = t, true
	}
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' || strings.IndexByte(s[1:len(s)-1], '"') >= 0 {
		return "", false, false
	}
	return s[1 : len(s)-1], weak, true
}

// unmark splits a marked tag; with an empty state a mark of any state is taken off.
func unmark(opaque, state string) (original string, weak, ok bool) {
	for _, mark := range [...]string{strongMark, weakMark} {
		i := strings.LastIndex(opaque, mark)
		if i < 0 {
			continue
		}
		if got := opaque[i+len(mark):]; got == state || state == "" && stateLike(got) {
			return opaque[:i], mark == weakMark, true
		}
	}
	return "", false, false
}

func stateLike(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '-') {
			return false
		}
	}
	return s != ""
}
