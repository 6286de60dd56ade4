package html

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// A script or style in XML or in foreign content is text with markup in it: references stand for characters, CDATA
// sections for their content, comments for nothing, and what is in elements within it does not count: its child text
// content does. (DOM, 4.10; SVG 2, 6.2)

// childText reads the child text content of an element from its source, as foreign content or XML.
type childText struct {
	r     *Rewriter
	el    *element
	flat  bool // all that is not markup is read, whatever element that is in
	text  []byte
	cuts  []int // where in text the element may have ended, depending on what is around it
	names []int // where in the source the names of elements end whose content is not followed, unless they are renamed
	stack [32]uint64
	depth int // of stack: the elements open within this one, 0 for one that no tag of its own ends
	at    int // in the source
	state childState
	tags  bool // tags were seen
	inner bool // the source ends within a tag, comment or section
}

type childState uint8

const (
	childOpen    childState = iota // the source ends within the element
	childEnded                     // before at
	childTangled                   // it has more than maxCuts of either, or is deeper than stack
)

// maxCuts is how many ends are tried, and how many names changed.
const maxCuts = 8

// hidden, with the response's mark behind it, ends the name of an element that hides from a style what may be its text: no
// page can end it.
const hidden = "-consent-"

// childText reads s, which follows the element's start tag.
func (r *Rewriter) childText(el *element, s []byte) (c childText) {
	c.r, c.el = r, el
	c.read(s)
	return c
}

// flatText reads all text behind the start tag of a style, up to its end tag. Where browsers load ahead they look for imports
// in that: they know no elements within a style. (Chromium's TokenPreloadScanner, Gecko's ImportScanner)
func (r *Rewriter) flatText(s []byte) (c childText) {
	c.r, c.el, c.flat = r, elStyle, true
	c.read(s)
	return c
}

func (c *childText) read(s []byte) {
	c.r.unread = false
	for c.state == childOpen && c.at < len(s) {
		i := bytes.IndexByte(s[c.at:], '<')
		if i < 0 {
			i = len(s) - c.at
		}
		c.add(s[c.at : c.at+i])
		if c.at += i; c.at < len(s) {
			c.markup(s[c.at:])
		}
	}
}

// isFlat reports whether text is the same as markup: it has none.
func isFlat(s []byte) bool { return bytes.IndexByte(s, '<') < 0 && bytes.IndexByte(s, '&') < 0 }

// add takes text in which references count.
func (c *childText) add(s []byte) {
	if c.depth == 0 || c.flat {
		c.text = c.r.appendMarkupText(c.text, s)
	}
}

// markup takes what begins at the '<' of rest.
func (c *childText) markup(rest []byte) {
	var n int
	switch {
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		section := rest[9:]
		if n = bytes.Index(section, []byte("]]>")); n >= 0 {
			section, n = section[:n], n+12
		}
		if c.depth == 0 || c.flat {
			c.text = append(c.text, section...)
		}
	case bytes.HasPrefix(rest, []byte("<!--")):
		if n, _ = commentEndOf(c.r.o.XML)(rest[4:], true, true); n >= 0 {
			n += 4
		}
	case len(rest) > 1 && ascii.IsLetter(rest[1]), len(rest) > 2 && rest[1] == '/' && ascii.IsLetter(rest[2]):
		n = c.tag(rest)
		if c.state != childOpen {
			return
		}
	case len(rest) > 1 && rest[1] == '?' && c.r.o.XML:
		n, _ = piEnd(rest, false, true)
	case len(rest) > 1 && beginsMarkup(rest[1]):
		n = bytes.IndexByte(rest, '>') + 1
	default:
		c.add(rest[:1])
		n = 1
	}
	if c.inner = n <= 0; c.inner {
		n = len(rest)
	}
	c.at += n
}

// tag takes the tag that s begins with, and returns its length, -1 if it has no end.
func (c *childText) tag(s []byte) int {
	from := 1
	if s[1] == '/' {
		from = 2
	}
	nameEnd := from
	for nameEnd < len(s) && nameByte[s[nameEnd]] != 0 {
		nameEnd++
	}
	n, selfClosing := tagEnd(s, nameEnd)
	if n < 0 {
		return -1
	}
	c.tags = true
	name := s[from:nameEnd]
	if c.flat {
		c.nest(name, from == 2, selfClosing)
		return n
	}
	if from == 2 {
		c.endTag(name)
	} else {
		c.startTag(s[:n], name, selfClosing)
	}
	return n
}

// nest counts the styles within one that is read flat.
func (c *childText) nest(name []byte, end, selfClosing bool) {
	switch {
	case !ascii.EqualFold(name, c.el.name):
	case !end && !selfClosing:
		c.depth++
	case end:
		if c.depth--; c.depth < 0 {
			c.state = childEnded
		}
	}
}

func (c *childText) startTag(tag, name []byte, selfClosing bool) {
	switch el := lookupElement(keyOf(name), name); {
	case el.flags&flagBreakout != 0, el == elFont && breaksOut(tag, 1+len(name)):
		c.state = childEnded
	case selfClosing:
	case c.depth == len(c.stack), el.flags&flagPoint != 0 && len(c.names) == maxCuts:
		c.state = childTangled
	case el.flags&flagPoint != 0:
		c.names = append(c.names, c.at+1+len(name))
		c.push(0)
	case c.hides(name):
		c.push(0)
	default:
		c.push(hash(name))
	}
}

func (c *childText) push(name uint64) {
	c.stack[c.depth] = name
	c.depth++
}

// endAt takes the element's own end tag behind the source.
func (c *childText) endAt() {
	switch {
	case c.state != childOpen || c.inner:
	case c.flat:
		c.nest([]byte(c.el.name), true, false)
	default:
		c.endTag([]byte(c.el.name))
	}
}

// hides reports whether a name is that of an element that hides.
func (c *childText) hides(name []byte) bool {
	mark := c.r.o.Mark
	n := len(name) - len(mark) - len(hidden)
	return n > 0 && hasPrefixFold(name[n:], hidden) && bytes.EqualFold(name[n+len(hidden):], []byte(mark))
}

// endTag closes an element within this one, this one, or one around it. (13.2.6.5 "any other end tag")
func (c *childText) endTag(name []byte) {
	h := hash(name)
	for i := c.depth - 1; i >= 0; i-- {
		if c.stack[i] == h {
			c.depth = i
			return
		}
	}
	switch {
	case ascii.EqualFold(name, c.el.name):
		c.state = childEnded
	case len(c.cuts) == maxCuts:
		c.state = childTangled
	case len(c.cuts) == 0 || c.cuts[len(c.cuts)-1] < len(c.text):
		c.cuts = append(c.cuts, len(c.text))
	}
}

// breaksOut reports whether a font tag ends foreign content.
func breaksOut(tag []byte, nameEnd int) bool {
	for s := range attributes(tag, nameEnd) {
		if name := tag[s.nameStart:s.nameEnd]; ascii.EqualFold(name, "color") || ascii.EqualFold(name, "face") || ascii.EqualFold(name, "size") {
			return true
		}
	}
	return false
}

// tagEnd returns the length of the tag that s begins with, its name ending at nameEnd; -1 if it has no end.
func tagEnd(s []byte, nameEnd int) (n int, selfClosing bool) {
	for p := nameEnd; ; {
		_, next, found := nextAttr(s, p)
		switch found {
		case attrMore:
			return -1, false
		case attrNone:
			return next, next-2 >= p && s[next-2] == '/'
		}
		p = next
	}
}
