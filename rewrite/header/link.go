package header

import (
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/reference"
)

// link drops the gated link-values of a Link field (RFC 8288, 3) and keeps the others byte for byte. What is not
// a link-value is dropped too, because engines differ in what they make of it.
func (e *editor) link(field, value string) string {
	if strings.IndexByte(value, '<') < 0 {
		return value
	}
	var kept strings.Builder
	dropped := false
	for rest := value; rest != ""; {
		var text string
		start := len(value) - len(rest)
		text, rest = cutLink(rest)
		if trim(text) == "" {
			continue
		}
		if e.keepsLink(field, text) {
			if dropped {
				if kept.Len() > 0 {
					kept.WriteString(", ")
				}
				kept.WriteString(trim(text))
			}
			continue
		}
		if !dropped {
			dropped = true
			kept.WriteString(strings.Trim(value[:start], ", \t"))
		}
	}
	if !dropped {
		return value
	}
	return kept.String()
}

// keepsLink reports whether a link-value stays: it is not malformed, and neither its target nor its imagesrcset is gated.
func (e *editor) keepsLink(field, text string) bool {
	l, ok := parseLink(text)
	if !ok || !l.fetches {
		return ok
	}
	if e.judge(l.target, field, l.destination).Gate {
		return false
	}
	for candidate := range reference.Srcset([]byte(l.imageSrcset)) {
		if e.judge(string(candidate), field, rewrite.DestinationImage).Gate {
			return false
		}
	}
	return true
}

// cutLink returns what is before the next comma outside of <…> and "…".
func cutLink(s string) (text, rest string) {
	inAngle, inQuote := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inQuote:
			if c == '\\' {
				i++
			} else if c == '"' {
				inQuote = false
			}
		case inAngle:
			n := strings.IndexByte(s[i:], '>')
			if n < 0 {
				return s, ""
			}
			i, inAngle = i+n, false
		case c == '<':
			inAngle = true
		case c == '"':
			inQuote = true
		case c == ',':
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// linkValue is what a browser reads from a link-value.
type linkValue struct {
	target, imageSrcset string
	destination         rewrite.Destination
	fetches             bool
}

func parseLink(s string) (l linkValue, ok bool) {
	s = trim(s)
	end := strings.IndexByte(s, '>')
	if s == "" || s[0] != '<' || end < 0 {
		return l, false
	}
	l.target = trim(s[1:end])
	s = s[end+1:]
	as := ""
	for {
		s = trimLeft(s)
		if s == "" {
			break
		}
		if s[0] != ';' {
			return l, false
		}
		var name, value string
		if name, value, s, ok = cutParam(s[1:]); !ok {
			return l, false
		}
		switch {
		case strings.EqualFold(name, "rel"):
			l.relations(value)
		case strings.EqualFold(name, "as"):
			as = value
		case strings.EqualFold(name, "imagesrcset"):
			l.imageSrcset = value
		}
	}
	if d, known := rewrite.PreloadDestination(strings.ToLower(as)); known && l.destination != rewrite.DestinationConnect {
		l.destination = d
	}
	return l, true
}

// relations adds the link types of one rel. Several rel parameters are an error that engines treat differently, so
// all are looked at.
func (l *linkValue) relations(rel string) {
	for r := range strings.FieldsSeq(rel) {
		if d, ok := rewrite.LinkDestination(strings.ToLower(r)); ok {
			l.destination, l.fetches = d, true
		}
	}
}

// cutParam reads `name`, `name=token` or `name="quoted"` and returns what follows.
func cutParam(s string) (name, value, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] != '=' && s[i] != ';' && s[i] != '"' && s[i] != '<' && s[i] != '>' {
		i++
	}
	if i == len(s) {
		return trim(s), "", "", true
	}
	name = trim(s[:i])
	if s[i] == ';' {
		return name, "", s[i:], true
	}
	if s[i] != '=' {
		return "", "", "", false
	}
	s = trimLeft(s[i+1:])
	if s != "" && s[0] == '"' {
		value, rest, ok = unquote(s[1:], false)
		return name, value, rest, ok
	}
	i = strings.IndexByte(s, ';')
	if i < 0 {
		i = len(s)
	}
	value = trim(s[:i])
	return name, value, s[i:], strings.IndexByte(value, '"') < 0
}

// unquote reads a quoted string after its opening quote: backslash escapes one character (RFC 9110, 5.6.4), and where json
// is set \u a UTF-16 code unit (RFC 8259, 7). Without a closing quote it returns what there is, and ok false.
func unquote(s string, json bool) (value, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] != '"' && s[i] != '\\' {
		i++
	}
	if i < len(s) && s[i] == '"' {
		return s[:i], s[i+1:], true
	}
	var b strings.Builder
	for i = 0; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			return b.String(), s[i+1:], true
		}
		if c == '\\' && i+1 < len(s) {
			i++
			c = s[i]
			if n, ok := hex4(s[i+1:]); ok && json && c == 'u' {
				b.WriteRune(n)
				i += 4
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String(), "", false
}

// trim and trimLeft remove optional white space (RFC 9110, 5.6.3). Unlike the functions of package strings they build no set.
func trim(s string) string {
	s = trimLeft(s)
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

func trimLeft(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// eachQuoted calls f for every quoted string in s, with JSON's \u escapes for ASCII undone as well; text after
// an opening quote that is never closed counts as one.
func eachQuoted(s string, f func(string)) {
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return
		}
		s = s[i+1:]
		value, rest, ok := unquote(s, true)
		f(value)
		if !ok {
			return
		}
		s = rest
	}
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		d := ascii.HexValue(s[i])
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
