package javascript

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// Scripts spell addresses in ways that only running them would tell: ['https://a','.example'].join(''), atob('aHR0…'),
// String.fromCharCode(104,…), 'https://aXX.example'.replace('XX',''), 'elpmaxe.a'.split('').reverse().join(''),
// 'https://'.concat('a','.example'), decodeURIComponent('https%3A%2F%2Fa.example'). Where all that goes into such a call
// are literals, its value is known without running anything.

// Bounds of what is spelled out.
const (
	maxVeiledPasses = 3       // one call inside another
	maxVeiled       = 4 << 10 // bytes of one value, and of the array or string that it is made of
)

// unveil returns the script with such calls replaced by their values, nil if there is none. What they spell that looks like
// a script of its own is appended, and so are the scripts in data: URLs.
func unveil(text []byte) []byte {
	var out []byte
	limit := 2*len(text) + maxVeiled
	for range maxVeiledPasses {
		next := unveilOnce(text)
		if next == nil || len(next) > limit {
			break
		}
		text, out = next, next
	}
	if code := dataScripts(text); code != nil && len(text)+len(code) <= limit {
		out = slices.Concat(text, code)
	}
	return out
}

func unveilOnce(text []byte) []byte {
	var out, code []byte
	array, done := array{start: -1}, 0
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], '(')
		if n < 0 {
			break
		}
		i += n
		if i < 2 || !veilEnd(text[i-2], text[i-1]) {
			continue
		}
		start, end, value, ok := evaluate(text, i, &array)
		if !ok || start < done {
			continue
		}
		if len(out)+len(code) > 2*len(text)+maxVeiled { // nobody writes so
			break
		}
		out = appendLiteral(append(out, text[done:start]...), value)
		if bytes.IndexByte(value, '(') >= 0 && bytes.IndexByte(value, ')') >= 0 {
			code = append(append(code, "\n;"...), value...)
		}
		done, i = end, end-1
	}
	if done == 0 {
		return nil
	}
	return append(append(out, text[done:]...), code...)
}

// veilEnd reports whether the name of a function that evaluate knows ends in these letters.
func veilEnd(a, b byte) bool {
	switch uint16(a)<<8 | uint16(b) {
	case 'i'<<8 | 'n', 'o'<<8 | 'b', 'p'<<8 | 'e', 'n'<<8 | 't', 'R'<<8 | 'I', 'd'<<8 | 'e', 'c'<<8 | 'e', 'a'<<8 | 't', 'i'<<8 | 't':
		return true
	}
	return false
}

// evaluate finds the value of the call whose arguments open at text[open]; the call is text[start:end]. array is what was seen of
// arrays before it.
func evaluate(text []byte, open int, array *array) (start, end int, value []byte, ok bool) {
	name := open
	for name > 0 && nameByte(text[name-1]) {
		name--
	}
	a := arguments{text: text, pos: open + 1}
	for start = name; start > 0 && (text[start-1] == '.' || nameByte(text[start-1])); start-- { // String., window.
	}
	switch string(text[name:open]) {
	case "join":
		separator := a.literal()
		if start = array.before(text, name); start < 0 || len(array.values)*len(separator) > maxVeiled {
			return 0, 0, nil, false
		}
		value = bytes.Join(array.values, separator)
	case "atob":
		value = decodeBase64(a.literal())
		a.failed = a.failed || value == nil
	case "unescape", "decodeURIComponent", "decodeURI":
		encoded := a.literal()
		value = decodePercent(encoded)
		a.failed = a.failed || bytes.Equal(value, encoded) // nothing is hidden by it
	case "fromCharCode":
		value = a.characters()
	case "replace":
		old, all := a.pattern()
		a.failed = a.failed || !a.next()
		count := 1
		if all {
			count = -1
		}
		start, value = literalBefore(text, name)
		by := a.literal()
		a.failed = a.failed || len(by)*(1+len(value)/max(len(old), 1)) > maxVeiled
		if !a.failed {
			value = bytes.Replace(value, old, by, count)
		}
	case "concat":
		start, value = literalBefore(text, name)
		for first := true; first || a.next(); first = false {
			value = append(value, a.literal()...)
		}
	case "split":
		start, value = literalBefore(text, name)
		a.failed = a.failed || len(a.literal()) > 0 || !a.end(')') || !a.word(".reverse().join(") || len(a.literal()) > 0
		slices.Reverse(value)
	default:
		return 0, 0, nil, false
	}
	if start < 0 || a.failed || !a.end(')') || len(value) == 0 {
		return 0, 0, nil, false
	}
	return start, a.pos, value, true
}

// arguments reads literals, in a call or an array, from left to right.
type arguments struct {
	text   []byte
	pos    int
	failed bool
}

func (a *arguments) space() { a.pos = skipBlank(a.text, a.pos) }

// end takes a closing bracket.
func (a *arguments) end(c byte) bool {
	a.space()
	if a.failed || a.pos == len(a.text) || a.text[a.pos] != c {
		return false
	}
	a.pos++
	return true
}

// next takes the comma before another argument.
func (a *arguments) next() bool { return a.end(',') }

// word takes code without white space in it.
func (a *arguments) word(w string) bool {
	if !bytes.HasPrefix(a.text[a.pos:], []byte(w)) {
		return false
	}
	a.pos += len(w)
	return true
}

// literal reads a string literal and returns its value.
func (a *arguments) literal() []byte {
	a.space()
	end := -1
	if a.pos < len(a.text) {
		end = literalEnd(a.text, a.pos)
	}
	if a.failed || end < 0 {
		a.failed = true
		return nil
	}
	value := unescape(nil, a.text[a.pos+1:end])
	a.pos = end + 1
	return value
}

// literalEnd returns where the string literal that begins at text[at] ends, -1 if there is none on the line.
func literalEnd(text []byte, at int) int {
	quote := text[at]
	if !isQuote(quote) {
		return -1
	}
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return i
		case c == '\n' && quote != '`':
			return -1
		case c == '\\':
			i++
		case c == '$' && quote == '`' && i+1 < len(text) && text[i+1] == '{':
			return -1
		}
	}
	return -1
}

// characters reads numbers and returns the characters that they stand for.
func (a *arguments) characters() (value []byte) {
	for first := true; first || a.next(); first = false {
		a.space()
		start := a.pos
		for a.pos < len(a.text) && ascii.Alphanumeric(a.text[a.pos]) {
			a.pos++
		}
		n, err := strconv.ParseUint(string(a.text[start:a.pos]), 0, 16)
		if err != nil {
			a.failed = true
			return nil
		}
		value = append(value, string(rune(n))...)
	}
	return value
}

// pattern reads what is to be replaced: a string, or a regular expression of plain letters and digits.
func (a *arguments) pattern() (old []byte, all bool) {
	a.space()
	if a.pos == len(a.text) || a.text[a.pos] != '/' {
		old = a.literal()
		a.failed = a.failed || len(old) == 0
		return old, false
	}
	a.pos++
	start := a.pos
	for a.pos < len(a.text) && (ascii.Alphanumeric(a.text[a.pos]) || strings.IndexByte("_-#@!~%&:;, ", a.text[a.pos]) >= 0) {
		a.pos++
	}
	old = a.text[start:a.pos]
	if len(old) == 0 || !a.word("/") {
		a.failed = true
		return nil, false
	}
	for a.pos < len(a.text) && ascii.Alphanumeric(a.text[a.pos]) {
		all = all || a.text[a.pos] == 'g'
		a.pos++
	}
	return old, all
}

// receiver returns where what stands before the method text[name:] ends: before a dot.
func receiver(text []byte, name int) int {
	i := name - 1
	for i >= 0 && text[i] <= ' ' {
		i--
	}
	if i < 0 || text[i] != '.' {
		return -1
	}
	for i--; i >= 0 && text[i] <= ' '; i-- {
	}
	return i
}

// array is an array of string literals, read from its bracket on as far as the methods went of which it may be the receiver.
// So brackets and what follows them are looked at once, however many methods there are.
type array struct {
	seen   int // brackets before it have been found
	start  int // the last one, -1 for none
	rest   arguments
	values [][]byte
	end    int // its end, 0 while that is not known
}

// before makes a the array in front of the method text[name:], and returns where it begins, -1 if there is none.
func (a *array) before(text []byte, name int) int {
	end := receiver(text, name)
	if end < a.seen || text[end] != ']' {
		return -1
	}
	if i := bytes.LastIndexByte(text[a.seen:end], '['); i >= 0 {
		*a = array{start: a.seen + i, rest: arguments{text: text, pos: a.seen + i + 1}}
	}
	a.seen = end
	if a.start < 0 || end-a.start > maxVeiled {
		return -1
	}
	for a.end == 0 && !a.rest.failed && a.rest.pos <= end {
		a.values = append(a.values, a.rest.literal())
		if a.rest.end(']') {
			a.end = a.rest.pos - 1
		} else {
			a.rest.failed = !a.rest.next()
		}
	}
	if a.end != end {
		return -1
	}
	return a.start
}

// literalBefore returns where the string literal before a method begins, -1 if there is none, and its value. It goes back to the
// quote before the one that ends it: behind an earlier method's.
func literalBefore(text []byte, name int) (start int, value []byte) {
	end := receiver(text, name)
	if end < 1 || !isQuote(text[end]) || escaped(text, end) {
		return -1, nil
	}
	for start = end - 1; start >= 0 && end-start < maxVeiled; start-- {
		if text[start] != text[end] || escaped(text, start) {
			continue
		}
		if literalEnd(text, start) == end {
			return start, unescape(nil, text[start+1:end])
		}
		break
	}
	return -1, nil
}

// decodeBase64 decodes as atob does, which takes white space and a missing end (WHATWG Infra, "forgiving-base64 decode").
func decodeBase64(s []byte) []byte {
	s = bytes.Join(bytes.Fields(s), nil)
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(s)))
	n, err := base64.RawStdEncoding.Decode(out, bytes.TrimRight(s, "="))
	if err != nil || n == 0 {
		return nil
	}
	return out[:n]
}

// decodePercent decodes %XX.
func decodePercent(s []byte) []byte {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if r, n := ascii.Hex(s[i+1:i+3], 2); n == 2 {
				out = append(out, byte(r))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// appendLiteral writes a string literal.
func appendLiteral(dst, value []byte) []byte {
	dst = append(dst, '"')
	for _, c := range value {
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n', '\r':
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
