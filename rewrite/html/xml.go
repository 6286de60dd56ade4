package html

import (
	"bytes"
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
)

// entities are the general entities that a document's internal subset declares, bounded. (XML 1.0, 4.2)
type entities struct {
	names, values [][]byte
}

const (
	maxEntities = 64
	// maxExpansion bounds what a value may grow to: entities can double it with every level; maxReplacements bounds how
	// often one is replaced: entities can name each other in a circle.
	maxExpansion    = 8 << 10
	maxReplacements = 256
)

// add reads the entity declarations of an internal subset. It reports whether all can be told: whether none holds markup,
// and there are neither too many nor any that grow too large.
func (e *entities) add(subset []byte) bool {
	for {
		i := bytes.Index(subset, []byte("<!ENTITY"))
		if i < 0 {
			break
		}
		subset = bytes.TrimLeft(subset[i+len("<!ENTITY"):], " \t\r\n")
		n := bytes.IndexAny(subset, " \t\r\n>")
		if n <= 0 {
			continue
		}
		name := subset[:n]
		subset = bytes.TrimLeft(subset[n:], " \t\r\n")
		if len(subset) == 0 || subset[0] != '"' && subset[0] != '\'' {
			return false
		}
		end := bytes.IndexByte(subset[1:], subset[0])
		if end < 0 || len(e.names) == maxEntities {
			return false
		}
		e.names = append(e.names, bytes.Clone(name))
		e.values = append(e.values, appendText(nil, subset[1:1+end], false))
		subset = subset[1+end:]
	}
	for _, v := range e.values {
		if v, whole := e.expand(v); !whole || bytes.IndexByte(v, '<') >= 0 {
			return false
		}
	}
	return true
}

// expand replaces references to declared entities, in what came out of them too. It reports whether it replaced all.
func (e *entities) expand(s []byte) (out []byte, whole bool) {
	replaced := 0
	for i := 0; len(e.names) > 0 && i < len(s); { // most documents declare none
		if s[i] != '&' {
			i++
			continue
		}
		end := bytes.IndexByte(s[i:], ';')
		if end < 0 {
			break
		}
		j := slices.IndexFunc(e.names, func(name []byte) bool { return bytes.Equal(s[i+1:i+end], name) })
		if j < 0 {
			i++
			continue
		}
		if replaced++; replaced > maxReplacements || len(s)+len(e.values[j]) > maxExpansion {
			return s, false
		}
		s = bytes.Join([][]byte{s[:i], e.values[j], s[i+end+1:]}, nil)
	}
	return s, true
}

// xmlOther sees DOCTYPEs and processing instructions of XML. What is too large to be held is dropped up to the first '>'.
func (r *Rewriter) xmlOther(k kind, b []byte, start, end int) int {
	if r.dropping {
		r.pass(b, start)
		r.done = end
		r.dropping = r.tok.state != stateData
		return end
	}
	if r.o.Policy == nil || r.hold.on || k != kindDoctype && k != kindPI {
		return end
	}
	if end-start > r.o.Limit/2 {
		r.limited = true
		r.pass(b, start)
		end = start + bytes.IndexByte(b[start:], '>') + 1
		r.done = end
		return end
	}
	if k == kindDoctype {
		r.xmlDoctype(b, start, end)
	} else if bytes.HasPrefix(b[start:end], []byte("<?xml-stylesheet")) {
		r.xmlStylesheet(b, start, end)
	}
	return end
}

// xmlDoctype reads the entities, and takes a DOCTYPE's subset out if it has what could hide a contact: default attributes,
// external entities, parameter entities, or entities that hold markup or cannot be told.
func (r *Rewriter) xmlDoctype(b []byte, start, end int) {
	piece := b[start:end]
	open := bytes.IndexByte(piece, '[')
	shut := bytes.LastIndexByte(piece, ']')
	if open < 0 || shut < open {
		return
	}
	subset := piece[open+1 : shut]
	if bytes.Contains(subset, []byte("<!ATTLIST")) || bytes.Contains(subset, []byte("SYSTEM")) || bytes.Contains(subset, []byte("PUBLIC")) ||
		!r.entities.add(subset) {
		r.entities = entities{}
		r.pass(b, start+open)
		r.done = start + shut + 1
	}
}

// xmlStylesheet judges the style sheet that a processing instruction names. (Associating Style Sheets with XML, 4)
func (r *Rewriter) xmlStylesheet(b []byte, start, end int) {
	piece := b[start:end]
	for s := range attributes(append(bytes.Clone(bytes.TrimSuffix(piece, []byte("?>"))), '>'), len("<?xml-stylesheet")) {
		if string(piece[s.nameStart:s.nameEnd]) != "href" {
			continue
		}
		r.res.Element, r.res.Attribute, r.res.Beacon, r.res.Destination = "xml-stylesheet", "href", false, rewrite.DestinationStyle
		if v := r.judgeURL(r.decode(piece[s.valueStart:s.valueEnd])); v.Gate {
			r.pass(b, start)
			r.done = end
			return
		}
	}
}
