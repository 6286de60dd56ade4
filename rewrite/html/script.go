package html

import "bytes"

// scriptState is where in the script data states the tokenizer is (WHATWG HTML, 13.2.5.15 to 13.2.5.31).
type scriptState uint8

const (
	scriptNormal scriptState = iota
	scriptEscaped
	scriptDoubleEscaped
)

// scriptData implements the script data states: "<!--" hides nothing from "</script", but a "<script" after it does.
func (t *tokenizer) scriptData(b []byte, p int, eof bool) (kind, int, int) {
	for {
		i := t.scriptEvent(b[p:])
		if i < 0 {
			return kindMore, len(b), len(b)
		}
		p += i
		n, more := t.scriptStep(b[p:])
		switch {
		case n < 0:
			t.tag.reset(true)
			t.state = stateTag
			return t.inTag(b, p)
		case more && !eof:
			return kindMore, p, p
		}
		p += max(n, 1)
	}
}

// scriptEvent returns the index of the next byte that may change the state, -1 for none.
func (t *tokenizer) scriptEvent(s []byte) int {
	if t.script == scriptNormal {
		return bytes.IndexByte(s, '<')
	}
	return bytes.IndexAny(s, "<-")
}

// scriptStep looks at s, which begins with '<' or '-'. It returns how many bytes it used, -1 for an end tag that ends the
// script, and whether it needs more bytes to tell.
func (t *tokenizer) scriptStep(s []byte) (n int, more bool) {
	if s[0] == '-' {
		return t.dashes(s)
	}
	if t.script != scriptDoubleEscaped {
		switch matchEndTag(s, "script") {
		case matched:
			return -1, false
		case undecided:
			return 0, true
		}
	}
	switch t.script {
	case scriptNormal:
		if len(s) < 4 {
			return 0, isPrefixFold(s, "<!--")
		}
		if string(s[:4]) == "<!--" {
			t.script = scriptEscaped
			return 2, false // the two dashes count for "-->"
		}
	case scriptEscaped:
		switch matchName(s[1:], "script") {
		case matched:
			t.script = scriptDoubleEscaped
			return len("<script") + 1, false
		case undecided:
			return 0, true
		}
	case scriptDoubleEscaped:
		switch matchEndTag(s, "script") {
		case matched:
			t.script = scriptEscaped
			return len("</script") + 1, false
		case undecided:
			return 0, true
		}
	}
	return 1, false
}

// dashes ends the escaped states at two or more dashes and a '>'.
func (t *tokenizer) dashes(s []byte) (n int, more bool) {
	for n < len(s) && s[n] == '-' {
		n++
	}
	if n == len(s) {
		return max(n-2, 0), true
	}
	if n >= 2 && s[n] == '>' {
		t.script = scriptNormal
		n++
	}
	return n, false
}
