package javascript

import (
	"bytes"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// What a script may say without the sieve seeing it: escape sequences and joined pieces.

// spells reports whether the script may spell a host or a mark with escape sequences (ECMA-262, 12.9.4). One that stands for
// a quote, a slash, a space or another character that is in none of them does no harm.
func (v *sieve) spells(text []byte, q *asker) bool {
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			return false
		}
		i += n
		for i+1 < len(text) && text[i] == '\\' && text[i+1] == '\\' {
			i += 2
		}
		if i+1 >= len(text) {
			return false
		}
		if text[i] != '\\' {
			continue
		}
		c, n := text[i+1], 2
		if c == 'u' || c == 'x' {
			if i+2 < len(text) && text[i+2] == '{' {
				return true
			}
			var value rune
			value, n = ascii.Hex(text[i+2:], 2+2*int(c&1))
			if n += 2; value < utf8.RuneSelf && runBytes[value] {
				return true
			}
			c = byte(min(value, utf8.RuneSelf))
		} else if spelling[c] && (c == '\n' || c == '\r' || v.unescaped(text, i, q)) {
			return true
		}
		if v.odd[c] && v.beside(text, i, i+n) {
			return true
		}
		i += 2
	}
}

// beside reports whether a mark's name stands beside text[from:to].
func (v *sieve) beside(text []byte, from, to int) bool {
	start, end := from, to
	for start > 0 && from-start <= maxMark && plainName(text[start-1]) {
		start--
	}
	for end < len(text) && end-to <= maxMark && plainName(text[end]) && text[end] != '\\' {
		end++
	}
	return v.anchored(text[start:from]) != nil || v.anchored(text[to:end]) != nil
}

// anchored returns the marks with that name.
func (v *sieve) anchored(name []byte) []anchor {
	if !v.names.has(name) {
		return nil
	}
	return v.anchors[string(name)]
}

// spelling has the characters that are part of a host or a mark, or nothing at all, when they follow a backslash.
var spelling = func() (t [256]bool) {
	for c := range t {
		t[c] = hostByte(byte(c)) || plainName(byte(c)) && c != '\\' || c == '\n' || c == '\r'
	}
	for _, c := range "nrtvbf0" {
		t[c] = false
	}
	return t
}()

// unescaped looks at the run of characters around text[i] as it is without backslashes.
func (v *sieve) unescaped(text []byte, i int, q *asker) bool {
	from, to := i, i
	for from > 0 && runBytes[text[from-1]] {
		from--
	}
	for to < len(text) && runBytes[text[to]] {
		to++
	}
	var buffer [128]byte
	if to-from > len(buffer) {
		return true
	}
	run := buffer[:0]
	for i := from; i < to; i++ {
		c := text[i]
		if c == '\\' && i+1 < to {
			i++
			switch c = text[i]; c {
			case 'x', 'u':
				return true
			case 'n', 'r', 't', 'v', 'b', 'f', '0':
				c = ' '
			}
		}
		run = append(run, c)
	}
	for from = 0; from < len(run); from = to + 1 {
		for to = from; to < len(run) && plainName(run[to]); to++ {
		}
		if v.anchored(run[from:to]) != nil {
			return true
		}
	}
	for i, c := range run {
		if c == '.' {
			start, end := hostAround(run, i)
			if q.known(run[start:end]) {
				return true
			}
		}
	}
	return false
}

// joins reports whether the script may join two string literals within a host.
func joins(text []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], '+')
		if n < 0 {
			return false
		}
		i += n
		right := skipBlank(text, i+1)
		if right == len(text) {
			return false
		}
		switch q := text[right]; q {
		case '"', '\'', '`', '/', '<', '-':
		default:
			if q < utf8.RuneSelf {
				continue
			}
		}
		left := i - 1
		for left >= 0 && text[left] <= ' ' {
			left--
		}
		if left >= 0 && (joinsHosts(text, left, right) || bytes.ContainsAny(text[left:i], "\r\n") && comments(text[:left+1])) {
			return true
		}
	}
}

// joinsHosts reports whether a host may go on from what ends at text[left] to what begins at text[right]; what it cannot
// tell, such as behind a comment, may.
func joinsHosts(text []byte, left, right int) bool {
	switch q := text[left]; q {
	case '"', '\'', '`':
	case '{':
		return left > 0 && text[left-1] == '$'
	default:
		return q == '/' || q >= utf8.RuneSelf
	}
	if isQuote(text[right]) {
		return left == 0 || right+1 == len(text) || joinsHost[text[left-1]] && joinsHost[text[right+1]]
	}
	return true
}

// comments reports whether the last line of text may end in a comment.
func comments(text []byte) bool {
	line := text[bytes.LastIndexAny(text, "\r\n")+1:]
	return bytes.Contains(line, []byte("//")) || bytes.Contains(line, []byte("--"))
}

// joinsHost has the characters of hosts, and those of which it is not certain that they are the literal's.
var joinsHost = func() (t [256]bool) {
	for c := range t {
		t[c] = hostByte(byte(c)) || c == '"' || c == '\'' || c == '`' || c == '\\' || c == '\n' || c == '\r'
	}
	return t
}()

// skipBlank returns the index of the next byte from i on that is no white space.
func skipBlank(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' {
		i++
	}
	return i
}
