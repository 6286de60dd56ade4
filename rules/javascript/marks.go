package javascript

import "strings"

// markIndex finds fragments of JavaScript, token by token, in one pass. A fragment that is a single name stands for an
// assignment to it: code that only asks whether the name exists is no vendor's.
type markIndex struct {
	list   []mark
	byName map[string][]int32 // marks by their first token
	byText map[string][]int32
	prefix []int32 // marks whose first token is the beginning of a string
	// mentions are names that only a vendor's code has: they tell which statements of a script are the vendor's.
	mentions map[string]bool
	// firsts has each first token and mention: most names of a script are none.
	firsts nameSet
}

// maxMark is the length of the longest name in a mark.
const maxMark = 64

// nameSet is a set of names of at most maxMark bytes. It may hold more than was added.
type nameSet [512]uint64

// bit places a name in the set.
func bit[T string | []byte](s T) (word, mask uint64) {
	n := len(s)
	h := (uint64(s[0]) | uint64(s[n-1])<<8 | uint64(s[n/2])<<16 | uint64(s[n/4])<<24 | uint64(n)<<32) * 0x9E3779B97F4A7C15
	return h >> 55, 1 << (h >> 49 & 63)
}

func (n *nameSet) has(s []byte) bool {
	if len(s) == 0 || len(s) > maxMark {
		return false
	}
	word, mask := bit(s)
	return n[word]&mask != 0
}

func (n *nameSet) add(s string) {
	if s != "" {
		word, mask := bit(s)
		n[word] |= mask
	}
}

type mark struct {
	vendor int32
	text   string
	tokens []markToken
	// weak marks are strings alone: they count only in a script that loads something.
	weak bool
}

type markToken struct {
	kind   tokenKind
	text   string
	prefix bool
}

func (m *markToken) match(t *token, value []byte) bool {
	switch {
	case m.kind != t.kind:
		return false
	case m.prefix:
		return len(value) >= len(m.text) && string(value[:len(m.text)]) == m.text
	case m.kind == tokenString:
		return string(value) == m.text
	}
	return string(t.text) == m.text
}

// compileMark turns a fragment into tokens.
func compileMark(fragment string) []markToken {
	l := newLexer([]byte(fragment))
	var list []markToken
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		m := markToken{kind: t.kind, text: string(t.text)}
		if t.kind == tokenString && len(m.text) > 0 && m.text[len(m.text)-1] == '*' {
			m.text, m.prefix = m.text[:len(m.text)-1], true
		}
		list = append(list, m)
	}
	return list
}

func (x *markIndex) add(fragment string, vendor int32) {
	tokens := compileMark(fragment)
	if x.mentions == nil {
		x.mentions = make(map[string]bool)
	}
	if len(tokens) > 0 && tokens[0].kind == tokenName && distinctive(tokens[0].text) {
		x.mentions[tokens[0].text] = true
		x.firsts.add(tokens[0].text)
	}
	assign := markToken{kind: tokenPunctuator, text: "="}
	switch {
	case len(tokens) == 0:
		return
	case len(tokens) == 1 && tokens[0].kind == tokenName:
		x.insert(mark{vendor: vendor, text: fragment, tokens: append(tokens, assign)})
		x.insert(mark{vendor: vendor, text: fragment, tokens: []markToken{{kind: tokenString, text: tokens[0].text},
			{kind: tokenPunctuator, text: "]"}, assign}})
		return
	case len(tokens) == 2 && tokens[0].kind == tokenName && tokens[1].text == "=":
		x.insert(mark{vendor: vendor, text: fragment, tokens: []markToken{{kind: tokenString, text: tokens[0].text},
			{kind: tokenPunctuator, text: "]"}, assign}})
	}
	x.insert(mark{vendor: vendor, text: fragment, tokens: tokens, weak: len(tokens) == 1 && tokens[0].kind == tokenString})
}

func (x *markIndex) insert(m mark) {
	if x.byName == nil {
		x.byName, x.byText = make(map[string][]int32), make(map[string][]int32)
	}
	i := int32(len(x.list))
	x.list = append(x.list, m)
	first := m.tokens[0]
	x.firsts.add(first.text)
	switch {
	case first.prefix:
		x.prefix = append(x.prefix, i)
	case first.kind == tokenString:
		x.byText[first.text] = append(x.byText[first.text], i)
	default:
		x.byName[first.text] = append(x.byName[first.text], i)
	}
}

// starts returns the marks that the token may begin, and whether the token is a mention.
func (x *markIndex) starts(t *token, value []byte) (marks []int32, mention bool) {
	text, table := t.text, x.byName
	if t.kind == tokenString {
		text, table = value, x.byText
	} else if t.kind != tokenName {
		return nil, false
	}
	if !x.firsts.has(text) {
		return nil, false
	}
	return table[string(text)], x.mentions[string(text)]
}

// distinctive reports whether a name is not one that a site's own code would use as well.
func distinctive(name string) bool { return len(name) > 3 && strings.ContainsAny(name, "_$") }
