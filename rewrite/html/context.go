package html

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// context is what the tokenizer's own view must know of the tree: whether any browser could read raw text, a CDATA section
// or the inside of noscript differently here. It may say so where it is not the case, never the other way round.
type context struct {
	// stack holds the open elements from the outermost svg or math on, while they are certain.
	stack    [32]node
	depth    int
	lost     bool // the tree could not be followed inside of svg or math: foreign content may be anywhere from here on
	selects  bool // in select, by the old rules (before whatwg/html#10548)
	mixed    bool // select holds what may keep it open over its end tag
	frameset bool // a frameset was seen: all but frames may be ignored
	noscript bool // in noscript: raw text to a browser with JavaScript
	template bool // a template was seen
	columns  bool // col in a template: all but templates is ignored (13.2.6.4.12)
}

// node is an open element inside of svg or math.
type node struct {
	name  uint64
	html  bool // in the HTML namespace
	point bool // an integration point
}

// any reports whether views may differ.
func (c *context) any() bool {
	return c.depth > 0 || c.lost || c.selects || c.frameset || c.noscript || c.columns
}

// foreign reports whether, as far as the tree was followed, an element that begins here is one of SVG or MathML. (13.2.6.5)
func (c *context) foreign() bool {
	if c.depth == 0 || c.lost || c.selects || c.frameset || c.noscript || c.columns {
		return false
	}
	top := &c.stack[c.depth-1]
	return !top.html && !top.point
}

// startTag follows a start tag of a flagged element, or of any while any() holds.
func (c *context) startTag(el *element, name []byte, selfClosing bool) {
	if el.flags&flagContext != 0 {
		c.mode(el)
	}
	if c.depth == 0 {
		if el.flags&flagForeign != 0 && !selfClosing {
			c.mixed = c.mixed || c.selects
			c.push(node{name: hash(name)})
		}
		return
	}
	top := &c.stack[c.depth-1]
	if !top.html && !top.point {
		c.inForeign(el, name, selfClosing)
		return
	}
	switch { // an HTML element in an integration point
	case el.flags&flagForeign != 0:
		if !selfClosing {
			c.push(node{name: hash(name)})
		}
	case el.flags&flagVoid != 0:
	case el.flags&(flagRaw|flagScript|flagSimple) != 0:
		c.push(node{name: hash(name), html: true})
	default:
		c.lost = true // it may close others or be ignored
	}
}

// mode follows the elements whose insertion modes ignore raw-text elements.
func (c *context) mode(el *element) {
	switch el {
	case elSelect:
		c.selects = true
	case elFrameset:
		c.frameset = true
	case elNoscript:
		c.noscript = true
	case elTemplate:
		c.template = true
		c.mixed = c.mixed || c.selects
	case elCol:
		c.columns = c.columns || c.template
	}
}

// inForeign follows a start tag whose parent is an SVG or MathML element that is no integration point. (13.2.6.5)
func (c *context) inForeign(el *element, name []byte, selfClosing bool) {
	switch {
	case el == elFont:
		c.lost = true // depends on its attributes
	case el.flags&flagBreakout != 0:
		for c.depth > 0 && !c.stack[c.depth-1].html && !c.stack[c.depth-1].point {
			c.depth--
		}
		if c.depth > 0 {
			c.lost = true
		}
	case !selfClosing:
		c.push(node{name: hash(name), point: el.flags&flagPoint != 0})
	}
}

func (c *context) push(n node) {
	if c.depth == len(c.stack) {
		c.lost = true
		return
	}
	c.stack[c.depth] = n
	c.depth++
}

// endTag follows an end tag while any() holds.
func (c *context) endTag(el *element, tagName []byte) {
	switch el {
	case elNoscript:
		c.noscript = false
	case elSelect:
		c.selects = c.selects && c.mixed
	}
	if c.depth == 0 {
		return
	}
	name := hash(tagName)
	if c.stack[c.depth-1].html {
		if c.stack[c.depth-1].name == name {
			c.depth--
		} else {
			c.lost = true
		}
		return
	}
	for i := c.depth - 1; i >= 0 && !c.stack[i].html; i-- {
		if c.stack[i].name == name {
			c.depth = i
			return
		}
	}
	c.lost = true
}

// ambiguousComment returns the index in a comment (or a piece of one) from which on views may differ, -1 for none: a CDATA
// section in foreign content, or what may end noscript.
func (c *context) ambiguousComment(s []byte, first bool) int {
	if !c.any() {
		return -1
	}
	if first && bytes.HasPrefix(s, []byte("<![CDATA[")) {
		return 0
	}
	if !c.noscript {
		return -1
	}
	from := 0
	if first {
		from = 1
	}
	if i := bytes.IndexByte(s[from:], '<'); i >= 0 {
		return from + i
	}
	return -1
}

// sameText reports whether every view agrees on where raw text ends: nothing in it looks like markup, but for whole CDATA
// sections without any.
func sameText(s []byte) bool {
	for {
		i := bytes.IndexByte(s, '<')
		if i < 0 {
			return true
		}
		s = s[i:]
		if !bytes.HasPrefix(s, []byte("<![CDATA[")) {
			return false
		}
		end := bytes.Index(s, []byte("]]>"))
		if end < 0 || bytes.IndexByte(s[1:end], '<') >= 0 {
			return false
		}
		s = s[end:]
	}
}

// hash is the 64-bit FNV-1a hash of a name's lower case.
func hash(name []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range name {
		h = (h ^ uint64(nameByte[c])) * 1099511628211
	}
	return h
}

// containsFold reports whether s contains lower in any case. lower begins with '<'.
func containsFold(s []byte, lower string) bool {
	for {
		i := bytes.IndexByte(s, '<')
		if i < 0 || len(s)-i < len(lower) {
			return false
		}
		if s = s[i:]; ascii.EqualFold(s[:len(lower)], lower) {
			return true
		}
		s = s[1:]
	}
}
