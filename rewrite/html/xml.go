package html

import (
	"bytes"
)

// entities are the general entities that a document's internal subset declares, bounded. (XML 1.0, 4.2)
type entities struct {
	names, values [][]byte
}

const maxEntities = 64

// add reads the entity declarations of an internal subset.
func (e *entities) add(subset []byte) {
	for {
		i := bytes.Index(subset, []byte("<!ENTITY"))
		if i < 0 || len(e.names) == maxEntities {
			return
		}
		subset = bytes.TrimLeft(subset[i+len("<!ENTITY"):], " \t\r\n")
		n := bytes.IndexAny(subset, " \t\r\n>")
		if n <= 0 {
			continue
		}
		name := subset[:n]
		subset = bytes.TrimLeft(subset[n:], " \t\r\n")
		if len(subset) == 0 || subset[0] != '"' && subset[0] != '\'' {
			continue
		}
		end := bytes.IndexByte(subset[1:], subset[0])
		if end < 0 {
			return
		}
		e.names = append(e.names, bytes.Clone(name))
		e.values = append(e.values, appendText(nil, subset[1:1+end], false))
		subset = subset[1+end:]
	}
}

// maxExpansion bounds what a value may grow to: entities can double it with every level.
const maxExpansion = 8 << 10

// expand replaces references to declared entities, in what came out of them too.
func (e *entities) expand(s []byte) []byte {
	for i := 0; len(e.names) > 0 && i < len(s) && len(s) < maxExpansion; i++ {
		if s[i] != '&' {
			continue
		}
		end := bytes.IndexByte(s[i:], ';')
		if end < 0 {
			break
		}
		for j, name := range e.names {
			if bytes.Equal(s[i+1:i+end], name) {
				s = bytes.Join([][]byte{s[:i], e.values[j], s[i+end+1:]}, nil)
				if !bytes.Contains(e.values[j], append(append([]byte{'&'}, name...), ';')) {
					i-- // look at what came out
				}
				break
			}
		}
	}
	return s
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
// external entities or parameter entities.
func (r *Rewriter) xmlDoctype(b []byte, start, end int) {
	piece := b[start:end]
	open := bytes.IndexByte(piece, '[')
	shut := bytes.LastIndexByte(piece, ']')
	if open < 0 || shut < open {
		return
	}
	subset := piece[open+1 : shut]
	if bytes.Contains(subset, []byte("<!ATTLIST")) || bytes.Contains(subset, []byte("SYSTEM")) || bytes.Contains(subset, []byte("PUBLIC")) ||
		bytes.Contains(subset, []byte("<!ENTITY %")) {
		r.pass(b, start+open)
		r.done = start + shut + 1
		return
	}
	r.entities.add(subset)
}

// xmlStylesheet judges the style sheet that a processing instruction names. (Associating Style Sheets with XML, 4)
func (r *Rewriter) xmlStylesheet(b []byte, start, end int) {
	piece := b[start:end]
	for s := range attributes(append(bytes.Clone(bytes.TrimSuffix(piece, []byte("?>"))), '>'), len("<?xml-stylesheet")) {
		if string(piece[s.nameStart:s.nameEnd]) != "href" {
			continue
		}
		r.res.Element, r.res.Attribute, r.res.Beacon, r.res.Destination = "xml-stylesheet", "href", false, linkRels["stylesheet"]
		if v := r.judgeURL(r.decode(piece[s.valueStart:s.valueEnd])); v.Gate {
			r.pass(b, start)
			r.done = end
			return
		}
	}
}
