package javascript

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// foldSize is how much of a joined string is kept. A longer one is looked through in pieces that overlap by foldOverlap.
const (
	foldSize    = 2048
	foldOverlap = 256
)

// unknown stands in a joined string for a value that the script only knows when it runs. It is part of no host name.
const unknown = 0x01

// fold joins string literals that the script joins with +. Names in between become unknown.
type fold struct {
	buffer []byte
	state  foldState
	// data means that the value is compared, logged or kept under a quoted key, as in JSON.
	data bool
}

type foldState uint8

const (
	foldNone foldState = iota
	foldString
	foldPlus
	foldOperand
	foldMember
)

// join takes the next token into the fold, or ends it and looks what it spells.
func (r *reader) join(t *token) {
	f := &r.fold
	switch {
	case t.kind == tokenString && f.state == foldPlus:
		r.add(t)
		f.state = foldString
	case t.kind == tokenString:
		r.flush(t)
		f.data = r.dataBefore()
		if r.prev.mark == '+' { // something unknown stands before it
			f.buffer = append(f.buffer, unknown)
		}
		r.add(t)
		f.state = foldString
	case f.state == foldNone:
	case t.mark == '+' && f.state != foldPlus && f.state != foldMember:
		f.state = foldPlus
	case f.state == foldPlus && (t.kind == tokenName || t.kind == tokenNumber):
		f.buffer = append(f.buffer, unknown)
		f.state = foldOperand
	case f.state == foldOperand && t.mark == '.':
		f.state = foldMember
	case f.state == foldMember && t.kind == tokenName:
		f.state = foldOperand
	default:
		r.flush(t)
	}
}

// dataBefore reports whether the token before a string makes it a value that is compared, shown or kept.
func (r *reader) dataBefore() bool {
	p := r.prev
	if r.inNeutral() {
		return true
	}
	if p.kind == tokenName {
		return p.word&wordCase != 0
	}
	if p.kind != tokenPunctuator {
		return false
	}
	switch string(p.text) {
	case "==", "===", "!=", "!==":
		return true
	}
	return r.quotedKey()
}

// quotedKey reports whether the value of a quoted key follows, as in JSON. A key that says "source" does not count.
func (r *reader) quotedKey() bool {
	return r.prev.mark == ':' && r.before.kind == tokenString && !sourceKey(r.before.text)
}

func sourceKey(key []byte) bool {
	switch string(key) {
	case "src", "script", "scriptUrl", "scriptURL":
		return true
	}
	return false
}

// add appends a string token's value, looking through what no longer fits.
func (r *reader) add(t *token) {
	f := &r.fold
	text := t.text
	for len(text) > 0 {
		room := cap(f.buffer) - len(f.buffer)
		if room < 16 {
			r.look(nil)
			f.buffer = f.buffer[:copy(f.buffer, f.buffer[len(f.buffer)-foldOverlap:])]
			continue
		}
		n := min(room, len(text))
		if !t.escaped {
			f.buffer = append(f.buffer, text[:n]...)
			text = text[n:]
			continue
		}
		// An escape sequence takes at least as many bytes as its value, and ten at most; do not cut one in two.
		if n < len(text) {
			if i := bytes.LastIndexByte(text[n-10:n], '\\'); i >= 0 && !escaped(text, n-10+i) {
				n += i - 10
			}
		}
		f.buffer = unescape(f.buffer, text[:n])
		text = text[n:]
	}
}

// flush ends the fold before token t.
func (r *reader) flush(t *token) {
	f := &r.fold
	if f.state != foldNone {
		r.look(t)
	}
	f.buffer, f.state = f.buffer[:0], foldNone
}

// look finds URLs of vendors in the joined string; t is the token after it, nil if the string goes on.
func (r *reader) look(t *token) {
	f := &r.fold
	if f.data || t != nil && t.kind == tokenPunctuator && (len(t.text) >= 2 && (t.text[0] == '=' || t.text[0] == '!') || keyColon(t, r.before, f)) {
		return
	}
	s := f.buffer
	for from := 0; ; {
		i := bytes.IndexByte(s[from:], '.')
		if i < 0 {
			return
		}
		start, end := hostAround(s, from+i)
		from = max(end, from+i+1)
		if a, ok := urlAt(s, start, end); ok {
			r.url(&a, start > 1 && s[start-1] == '/')
			from = max(from, end+len(a.path)+len(a.query)) // a URL in its query is not asked for
		}
	}
}

// keyColon is for a string that is a key: its value is judged, not the key.
func keyColon(t, before *token, f *fold) bool {
	return t.mark == ':' && before.kind != tokenName && len(f.buffer) == 0
}

// hostAround returns the run of host characters around s[dot].
func hostAround(s []byte, dot int) (start, end int) {
	for start = dot; start > 0 && hostByte(s[start-1]); start-- {
	}
	for end = dot; end < len(s) && hostByte(s[end]); end++ {
	}
	if start > 0 && s[start-1] == '%' && end-start > 2 { // %22host: the digits are not the host's
		start += 2
	}
	for start < end && s[start] == '.' {
		start++
	}
	return start, end
}

func hostByte(c byte) bool { return ascii.Alphanumeric(c) || c == '-' || c == '.' || c == '_' }

// address is a URL taken apart.
type address struct{ host, path, query []byte }

// urlAt decides whether the host s[start:end] stands in a URL rather than in prose, and takes the URL apart.
func urlAt(s []byte, start, end int) (address, bool) {
	if end-start < 4 || end-start > maxHost || start > 0 && s[start-1] == '@' {
		return address{}, false
	}
	scheme := start >= 2 && s[start-1] == '/' && s[start-2] == '/'
	if start > 0 && !scheme && (s[start-1] == ' ' || s[start-1] == '/') {
		return address{}, false
	}
	path := end
	if path < len(s) && s[path] == ':' {
		for path++; path < len(s) && '0' <= s[path] && s[path] <= '9'; path++ {
		}
	}
	stop := path
	for stop < len(s) && !urlDelimiter(s[stop]) {
		stop++
	}
	a := address{host: s[start:end], path: s[path:stop]}
	if q := bytes.IndexByte(a.path, '?'); q >= 0 {
		a.path, a.query = a.path[:q], a.path[q+1:]
	}
	if len(a.path) > 0 && a.path[0] != '/' {
		a.path = nil
	}
	if !scheme && (a.path == nil || start == 0 && stop < len(s) && s[stop] == ' ') {
		return address{}, false
	}
	return a, true
}

func urlDelimiter(c byte) bool {
	return c <= ' ' && c != unknown || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' || c == '\\' || c == '#'
}

// url judges an address that stands in a string; whole is false if its host may begin with something else.
func (r *reader) url(a *address, whole bool) {
	switch vendor, rule := r.ask(a); {
	case vendor >= 0:
		r.suspect(int32(vendor), rule)
	case vendor == Foreign:
		r.others = r.others || whole && len(a.path) > 1
	}
}
