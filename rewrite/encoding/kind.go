package encoding

import (
	"bytes"
	"strings"
)

// Kind is what a browser makes of a body when it navigates to it or loads it as what it says it is.
type Kind uint8

// The kinds of body. A KindMultipart body is a series of documents to one engine (multipart/x-mixed-replace), which no
// rewriter here can follow.
const (
	KindNeedMore Kind = iota // the prefix does not tell yet
	KindOther
	KindHTML
	KindXML // XHTML, SVG, XSLT and other XML: scripts run in it
	KindCSS
	KindJSON
	KindMultipart
)

// sniffLength is the length of the resource header (MIME Sniffing, 5.2).
const sniffLength = 1445

// KindOf tells the kind of a body from its Content-Type (several fields joined by commas, "" for none), X-Content-Type-Options:
// nosniff, and its first bytes, decoded. Where the type is absent, invalid or one of those that the standard calls unknown,
// markup at the beginning makes it a document (MIME Sniffing, 7.1; Firefox's sniffer knows more tags, so any tag
// counts). The answer is KindNeedMore only if end is false and more bytes can change it.
func KindOf(contentType string, nosniff bool, prefix []byte, end bool) Kind {
	essence, _ := mediaType(contentType)
	switch {
	case essence == "text/html":
		return KindHTML
	case isXML(essence):
		return KindXML
	case essence == "text/css":
		return KindCSS
	case essence == "application/json", essence == "text/json", strings.HasSuffix(essence, "+json"):
		return KindJSON
	case essence == "multipart/x-mixed-replace":
		return KindMultipart
	case essence != "", nosniff:
		return KindOther
	}
	return sniff(prefix, end)
}

// isXML follows MIME Sniffing, 4.6 "XML MIME type".
func isXML(essence string) bool {
	return strings.HasSuffix(essence, "+xml") || essence == "text/xml" || essence == "application/xml" || essence == "text/xsl"
}

// mediaType returns the essence of a Content-Type in lower case and its charset. Of a list the last valid member
// counts (Fetch, 3.3 "extract a MIME type"), and hands on its charset to one of the same essence. The essence is "" where
// browsers sniff: for no, invalid and unknown types.
func mediaType(field string) (essence, charset string) {
	for field != "" {
		var member string
		member, field = cutOutsideQuotes(field, ',')
		typ, params := cutOutsideQuotes(member, ';')
		typ = strings.Trim(typ, " \t\r\n\f")
		if i := strings.IndexAny(typ, " \t("); i >= 0 {
			typ = typ[:i] // Chromium ends a type there, others call it invalid and sniff: both can be markup
		}
		typ = strings.ToLower(typ)
		if major, minor, ok := strings.Cut(typ, "/"); !ok || !token(major) || !token(minor) || typ == "*/*" {
			continue
		}
		if typ != essence {
			charset = ""
		}
		essence = typ
		if c := parameter(params, "charset"); c != "" {
			charset = c
		}
	}
	if essence == "unknown/unknown" || essence == "application/unknown" {
		essence = ""
	}
	return essence, charset
}

func token(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// parameter returns the first parameter of that name.
func parameter(params, name string) string {
	for params != "" {
		var p string
		p, params = cutOutsideQuotes(params, ';')
		k, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.Trim(k, " \t\r\n"), name) {
			return strings.ReplaceAll(strings.Trim(v, " \t\r\n\"'"), `\`, "")
		}
	}
	return ""
}

func cutOutsideQuotes(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// sniff tells markup from anything else.
func sniff(prefix []byte, end bool) Kind {
	end = end || len(prefix) >= sniffLength
	if !end && len(prefix) < 3 && (strings.HasPrefix("\xef\xbb\xbf", string(prefix)) || prefix[0] >= 0xfe) {
		return KindNeedMore // it may become a byte order mark
	}
	text := bytes.TrimPrefix(prefix, []byte("\xef\xbb\xbf"))
	if utf16 := bomOf(prefix); utf16 == "utf-16le" || utf16 == "utf-16be" {
		text = bytes.ReplaceAll(prefix[2:], []byte{0}, nil)
	}
	text = bytes.TrimLeft(text, "\t\n\f\r ")
	switch {
	case len(text) < 5 && !end:
		if len(text) > 0 && text[0] != '<' {
			return KindOther
		}
		return KindNeedMore
	case len(text) < 2 || text[0] != '<':
		return KindOther
	case bytes.HasPrefix(text, []byte("<?xml")):
		return KindXML
	}
	if c := text[1] | 0x20; 'a' <= c && c <= 'z' || text[1] == '!' || text[1] == '?' || text[1] == '/' {
		return KindHTML
	}
	return KindOther
}

// XHTML reports whether the beginning of an XML document, in an encoding that ASCII is a part of, shows that no style
// sheet makes another document of it and that its root is html in the XHTML namespace, by its default namespace: elements
// without a prefix are HTML's in it (Namespaces in XML, 6.2). Where the beginning does not tell, it is not.
func XHTML(prefix []byte) bool {
	tag, ok := bytes.CutPrefix(afterProlog(prefix), []byte("<html"))
	if !ok {
		return false
	}
	for {
		attr := bytes.TrimLeft(tag, " \t\r\n")
		name, value, found := bytes.Cut(attr, []byte("="))
		value = bytes.TrimLeft(value, " \t\r\n")
		if len(attr) == len(tag) || !found || bytes.ContainsAny(name, "<>/&\"'") || len(value) == 0 || value[0] != '"' && value[0] != '\'' {
			return false
		}
		end := bytes.IndexByte(value[1:], value[0])
		if end < 0 {
			return false
		}
		if string(bytes.TrimRight(name, " \t\r\n")) == "xmlns" {
			return string(value[1:1+end]) == "http://www.w3.org/1999/xhtml"
		}
		tag = value[end+2:]
	}
}

// afterProlog returns what follows the prolog, nil where that cannot be told or a style sheet is named.
func afterProlog(prefix []byte) []byte {
	prefix = bytes.TrimPrefix(prefix, []byte("\xef\xbb\xbf"))
	for {
		prefix = bytes.TrimLeft(prefix, " \t\r\n")
		end := ""
		switch {
		case bytes.HasPrefix(prefix, []byte("<?xml-stylesheet")):
			return nil
		case bytes.HasPrefix(prefix, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(prefix, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(prefix, []byte("<!")):
			end = ">"
		default:
			return prefix
		}
		i := bytes.Index(prefix, []byte(end))
		if i < 0 || end == ">" && bytes.IndexByte(prefix[:i], '[') >= 0 {
			return nil // further on, or behind a subset that is not read here
		}
		prefix = prefix[i+len(end):]
	}
}
