package header

import "strings"

// validDictionary reports whether s parses as a structured-field dictionary (RFC 9651, 4.2.2). It errs on the side
// of yes for the inside of a bare item, whose type does not matter here.
func validDictionary(s string) bool {
	p := fieldParser{s: strings.Trim(s, " ")}
	for p.s != "" {
		if !p.key() {
			return false
		}
		if p.take('=') {
			if !p.member() {
				return false
			}
		}
		if !p.parameters() {
			return false
		}
		p.s = strings.TrimLeft(p.s, " \t")
		if p.s == "" {
			return true
		}
		if !p.take(',') {
			return false
		}
		p.s = strings.TrimLeft(p.s, " \t")
		if p.s == "" {
			return false
		}
	}
	return true
}

type fieldParser struct{ s string }

func (p *fieldParser) take(c byte) bool {
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

func (p *fieldParser) key() bool {
	if p.s == "" || !(p.s[0] == '*' || 'a' <= p.s[0] && p.s[0] <= 'z') {
		return false
	}
	i := 1
	for i < len(p.s) && (strings.IndexByte("_-.*", p.s[i]) >= 0 || 'a' <= p.s[i] && p.s[i] <= 'z' || '0' <= p.s[i] && p.s[i] <= '9') {
		i++
	}
	p.s = p.s[i:]
	return true
}

// member reads an item or an inner list.
func (p *fieldParser) member() bool {
	if !p.take('(') {
		return p.bareItem()
	}
	for {
		p.s = strings.TrimLeft(p.s, " ")
		if p.take(')') {
			return true
		}
		if !p.bareItem() || !p.parameters() || p.s == "" || p.s[0] != ' ' && p.s[0] != ')' {
			return false
		}
	}
}

func (p *fieldParser) parameters() bool {
	for p.take(';') {
		p.s = strings.TrimLeft(p.s, " ")
		if !p.key() || p.take('=') && !p.bareItem() {
			return false
		}
	}
	return true
}

// bareItem reads a string, or anything that looks like a token, number, boolean, date or byte sequence.
func (p *fieldParser) bareItem() bool {
	if p.take('"') {
		for i := 0; i < len(p.s); i++ {
			switch p.s[i] {
			case '"':
				p.s = p.s[i+1:]
				return true
			case '\\':
				i++
			}
		}
		return false
	}
	i := 0
	for i < len(p.s) && strings.IndexByte(" \t,;()\"", p.s[i]) < 0 && p.s[i] < 0x7f {
		i++
	}
	ok := i > 0
	p.s = p.s[i:]
	return ok
}
