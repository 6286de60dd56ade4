package encoding

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// Prescan looks for what an HTML document says about its encoding before it is parsed (HTML, 13.2.3.2 "prescan a byte
// stream to determine its encoding"): a meta element, or else an XML declaration or the shape of one in UTF-16. It returns
// the encoding's name, "" if there is none within b.
func Prescan(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("<\x00?\x00x\x00")):
		return "utf-16le"
	case bytes.HasPrefix(b, []byte("\x00<\x00?\x00x")):
		return "utf-16be"
	}
	s := prescanner{b: b}
	for s.i < len(b) {
		if name := s.markup(); name != "" {
			return name
		}
	}
	return xmlEncoding(b)
}

type prescanner struct {
	b []byte
	i int
}

// markup goes on to the next "<" and past what it begins; it returns the encoding if that is a meta element that tells one.
func (s *prescanner) markup() string {
	n := bytes.IndexByte(s.b[s.i:], '<')
	if n < 0 {
		s.i = len(s.b)
		return ""
	}
	s.i += n
	rest := s.b[s.i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		end := bytes.Index(rest[2:], []byte("-->"))
		if end < 0 {
			s.i = len(s.b)
			return ""
		}
		s.i += 2 + end + 3
	case len(rest) > 5 && ascii.EqualFold(rest[1:5], "meta") && (ascii.IsSpace(rest[5]) || rest[5] == '/'):
		s.i += 5
		return s.meta()
	case len(rest) > 1 && ascii.IsLetter(rest[1]), len(rest) > 2 && rest[1] == '/' && ascii.IsLetter(rest[2]):
		for s.i < len(s.b) && !ascii.IsSpace(s.b[s.i]) && s.b[s.i] != '>' {
			s.i++
		}
		for {
			if name, _ := s.attribute(); name == nil {
				break
			}
		}
	case len(rest) > 1 && (rest[1] == '!' || rest[1] == '/' || rest[1] == '?'):
		end := bytes.IndexByte(rest, '>')
		if end < 0 {
			s.i = len(s.b)
			return ""
		}
		s.i += end + 1
	default:
		s.i++
	}
	return ""
}

// meta reads the attributes of a meta element.
func (s *prescanner) meta() string {
	var pragma, pragmaNeeded, known bool
	var label string
	seen := map[string]bool{}
	for {
		name, value := s.attribute()
		if name == nil {
			break
		}
		if seen[string(name)] || len(seen) > 64 {
			continue
		}
		seen[string(name)] = true
		switch string(name) {
		case "http-equiv":
			pragma = pragma || string(value) == "content-type"
		case "content":
			if c := metaCharset(value); c != nil && !known {
				if label = declared(c); label != "" {
					known, pragmaNeeded = true, true
				}
			}
		case "charset":
			label, known, pragmaNeeded = declared(value), true, false
		}
	}
	if !known || pragmaNeeded && !pragma || s.i == len(s.b) { // the last: the prescan ends within the element
		return ""
	}
	return label
}

// attribute follows "get an attribute"; name is nil when there is no further one. Letters are made lower-case.
func (s *prescanner) attribute() (name, value []byte) {
	for s.i < len(s.b) && (ascii.IsSpace(s.b[s.i]) || s.b[s.i] == '/') {
		s.i++
	}
	if s.i == len(s.b) || s.b[s.i] == '>' {
		return nil, nil
	}
	name = []byte{}
	for ; s.i < len(s.b); s.i++ {
		c := s.b[s.i]
		if c == '=' && len(name) > 0 || ascii.IsSpace(c) || c == '/' || c == '>' {
			break
		}
		name = append(name, ascii.Lower(c))
	}
	s.spaces()
	if s.i == len(s.b) || s.b[s.i] != '=' {
		return name, nil
	}
	s.i++
	s.spaces()
	if s.i == len(s.b) {
		return nil, nil
	}
	if q := s.b[s.i]; q == '"' || q == '\'' {
		for s.i++; s.i < len(s.b) && s.b[s.i] != q; s.i++ {
			value = append(value, ascii.Lower(s.b[s.i]))
		}
		if s.i < len(s.b) {
			s.i++
		}
		return name, value
	}
	for ; s.i < len(s.b) && !ascii.IsSpace(s.b[s.i]) && s.b[s.i] != '>'; s.i++ {
		value = append(value, ascii.Lower(s.b[s.i]))
	}
	return name, value
}

func (s *prescanner) spaces() {
	for s.i < len(s.b) && ascii.IsSpace(s.b[s.i]) {
		s.i++
	}
}

// metaCharset follows "extracting a character encoding from a meta element" (HTML, 2.4.4); nil for none.
func metaCharset(content []byte) []byte {
	for {
		n := bytes.Index(content, []byte("charset"))
		if n < 0 {
			return nil
		}
		content = bytes.TrimLeft(content[n+len("charset"):], "\t\n\f\r ")
		if len(content) > 0 && content[0] == '=' {
			break
		}
	}
	content = bytes.TrimLeft(content[1:], "\t\n\f\r ")
	if len(content) == 0 {
		return nil
	}
	if q := content[0]; q == '"' || q == '\'' {
		label, _, ok := bytes.Cut(content[1:], content[:1])
		if !ok {
			return nil
		}
		return label
	}
	if n := bytes.IndexAny(content, "\t\n\f\r ;"); n >= 0 {
		content = content[:n]
	}
	return content
}
