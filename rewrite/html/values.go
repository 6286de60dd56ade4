package html

import (
	"bytes"
	"iter"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// fields yields the parts of s between any of the separators, without empty ones.
func fields(s []byte, separators string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(s) > 0 {
			i := bytes.IndexAny(s, separators)
			part := s
			if i >= 0 {
				part, s = s[:i], s[i+1:]
			} else {
				s = nil
			}
			if len(part) > 0 && !yield(part) {
				return
			}
		}
	}
}

// linkUse returns what a link does with its URL: nothing unless one of its types contacts a host.
func (r *Rewriter) linkUse(tag []byte, t *tag, u use) use {
	if u.role != roleURL {
		return u
	}
	u.role = roleLink
	for rel := range fields(r.value(tag, t, attrRel), " \t\n\f\r") {
		var buf [32]byte
		lower := appendLower(buf[:0], rel)
		d, ok := rewrite.LinkDestination(string(lower))
		if !ok {
			continue
		}
		if string(lower) == "preload" {
			d, _ = rewrite.PreloadDestination(string(appendLower(buf[:0], ascii.TrimSpace(r.value(tag, t, attrAs)))))
			return use{u.attr, roleURL, d}
		}
		if u.role == roleLink || d == rewrite.DestinationStyle {
			u.role, u.destination = roleURL, d
		}
	}
	return u
}

// metaUse returns what a meta does with its content: it is a URL only in a refresh or a policy.
func (r *Rewriter) metaUse(tag []byte, t *tag, u use) use {
	if u.attr != attrContent {
		return u
	}
	equiv := r.value(tag, t, attrHTTPEquiv)
	switch {
	case equalFoldAny(equiv, "refresh"):
	case equalFoldAny(equiv, "content-security-policy"):
		r.o.Dynamic = r.o.Dynamic || bytes.Contains(bytes.ToLower(r.value(tag, t, attrContent)), []byte("'strict-dynamic'"))
		return use{u.attr, roleCSP, rewrite.DestinationReport}
	case equalFoldAny(equiv, "content-security-policy-report-only"):
		return use{u.attr, roleCSP, rewrite.DestinationReport}
	default:
		u.role = roleNone
	}
	return u
}

func equalFoldAny(s []byte, lower string) bool { return ascii.EqualFold(ascii.TrimSpace(s), lower) }

// appendLower appends s in lower case, as far as dst has room.
func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if len(dst) == cap(dst) {
			return dst
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// judgeCSP takes report-uri directives with a gated URL out of a policy. (CSP Level 3, 6.5.1)
func (r *Rewriter) judgeCSP(id attrID, s []byte) {
	start := len(r.text)
	gated := false
	for directive := range fields(s, ";") {
		name, urls := ascii.TrimSpace(directive), []byte(nil)
		if i := bytes.IndexAny(name, " \t\n\f\r"); i >= 0 {
			name, urls = name[:i], name[i:]
		}
		if ascii.EqualFold(name, "report-uri") && r.judgeURLs(roleURLs, urls).Gate {
			gated = true
			continue
		}
		r.text = append(append(r.text, directive...), ';')
	}
	if gated {
		r.replace(id, start)
	}
}

// replace notes that an attribute's value becomes r.text[start:].
func (r *Rewriter) replace(id attrID, start int) {
	p := &r.plan
	p.changed = true
	p.replaced |= 1 << id
	p.values[id].start, p.values[id].end = start, len(r.text)
}

const beaconAttrs = attrSet(1<<attrWidth | 1<<attrHeight | 1<<attrStyle | 1<<attrHidden)

// isBeacon reports the shape of a tracking pixel: at most 1×1, or hidden by its own attributes or style. What is hidden
// but has a size of its own is a picture that waits for its turn, like the wheel that turns while something loads.
func (r *Rewriter) isBeacon(tag []byte, t *tag) bool {
	hidden, small := t.seen.has(attrHidden), false
	if t.seen.has(attrStyle) {
		var byStyle bool
		byStyle, small = hiddenStyle(r.value(tag, t, attrStyle))
		hidden = hidden || byStyle
	}
	if small || !t.seen.has(attrWidth) || !t.seen.has(attrHeight) {
		return hidden || small
	}
	width := r.value(tag, t, attrWidth)
	narrow, wide := tiny(width), sized(width)
	height := r.value(tag, t, attrHeight)
	return narrow && tiny(height) || hidden && !(wide && sized(height))
}

// sized reports a length of more than one pixel.
func sized(s []byte) bool {
	s = ascii.TrimSpace(s)
	return len(s) > 0 && '1' <= s[0] && s[0] <= '9' && !tiny(s)
}

// tiny reports a length of 0 or 1 pixel.
func tiny(s []byte) bool {
	s = ascii.TrimSpace(s)
	return len(s) > 0 && (s[0] == '0' || s[0] == '1') && (len(s) == 1 || s[1] == '.' || s[1] == 'p' || s[1] == 'P' || s[1] == ' ')
}

// hiddenStyle reports declarations that hide an element, and those that make it a pixel.
func hiddenStyle(s []byte) (hidden, small bool) {
	width, height := false, false
	for declaration := range fields(s, ";") {
		name, value, _ := bytes.Cut(declaration, []byte{':'})
		name, value = ascii.TrimSpace(name), ascii.TrimSpace(value)
		switch {
		case ascii.EqualFold(name, "display") && hasPrefixFold(value, "none"), ascii.EqualFold(name, "visibility") && hasPrefixFold(value, "hidden"),
			ascii.EqualFold(name, "opacity") && len(value) > 0 && bytes.Trim(value, "0.") == nil:
			hidden = true
		case ascii.EqualFold(name, "width"):
			width = tiny(value)
		case ascii.EqualFold(name, "height"):
			height = tiny(value)
		}
	}
	return hidden, width && height
}
