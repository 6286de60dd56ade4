package javascript

import (
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// newSieve makes the sieve for the marks and the names of hosts; a name that ends in a dot stands for a label before
// whatever domain.
func newSieve(marks []mark, hosts []string) *sieve {
	v := &sieve{marks: marks, anchors: make(map[string][]anchor)}
	for _, name := range hosts {
		v.addHost(name)
	}
	for i := range marks {
		v.addMark(i)
	}
	return v
}

// addHost leaves the groups of a host's name.
func (v *sieve) addHost(name string) {
	sets := literal(name)
	if len(name) < 5 {
		sets = append(append([]string{outsideHost}, sets...), outsideHost)
	}
	v.add(sets)
}

// addMark leaves the groups of the rarest run of name characters in a mark.
func (v *sieve) addMark(i int) {
	m := &v.marks[i]
	best, text, least := anchor{}, "", 0.0
	for n, t := range m.tokens {
		if t.kind == tokenPunctuator {
			continue
		}
		for start := 0; start < len(t.text); {
			end := start
			for end < len(t.text) && plainName(t.text[end]) {
				end++
			}
			if run := t.text[start:end]; end > start && !(t.prefix && end == len(t.text)) {
				if f := often(run); text == "" || f < least {
					best, text, least = anchor{i, n, start}, run, f
				}
			}
			if end < len(t.text) {
				v.odd[t.text[end]] = true
			}
			start = end + 1
		}
	}
	if text == "" {
		v.blunt = true
		return
	}
	v.anchors[text] = append(v.anchors[text], best)
	v.names.add(text)
	before, after := m.beside(best.token, best.offset, len(text))
	v.add(append(append([]string{before}, literal(text)...), after, anything))
}

// beside returns what may stand before and after a run of n name characters in a token.
func (m *mark) beside(token, offset, n int) (before, after string) {
	t := &m.tokens[token]
	const quotes = "\"'`${}"
	switch {
	case offset > 0:
		before = t.text[offset-1 : offset]
	case t.kind == tokenString:
		before = quotes
	case token == 0:
		before = outsideName
	default:
		before = blanks + quotes
		if p := &m.tokens[token-1]; p.kind != tokenString {
			before = blanks + p.text[len(p.text)-1:]
		}
	}
	switch end := offset + n; {
	case end < len(t.text):
		after = t.text[end : end+1]
	case t.kind == tokenString:
		after = quotes
	case token+1 == len(m.tokens):
		after = outsideName
	default:
		after = blanks + quotes
		if next := &m.tokens[token+1]; next.kind != tokenString {
			after = blanks + next.text[:1]
		}
	}
	return before, after
}

// blanks are the first and the last bytes of what may stand between two tokens: white space and comments.
const blanks = " \t\n\v\f\r/<->\u00a0\u2028\u2029\ufeff"

// literal is the groups' view of a text: each place holds the characters that may stand there.
func literal(s string) []string {
	sets := make([]string, len(s), len(s)+3)
	for i := range sets {
		sets[i] = s[i : i+1]
	}
	return sets
}

// outsideName and outsideHost are what stands beside a name or a host, anything all that there is, folded as in groupBit.
// Beside a host there may be a label's dot or what is left of a percent-encoded byte (see hostAround).
var outsideName, outsideHost, anything = func() (name, host, all string) {
	for i := range 256 {
		c, other := byte(i), byte(i)&^0x20
		if c == other {
			continue
		}
		s := string([]byte{c})
		all += s
		if !nameByte(c) || !nameByte(other) || strings.IndexByte(blanks, c) >= 0 {
			name += s
		}
		if _, digits := ascii.Hex([]byte{c}, 1); !hostByte(c) || !hostByte(other) || c == '.' || digits > 0 {
			host += s
		}
	}
	return name, host, all
}()

// add sets the bits that stand for a text: one group for its even and one for its odd places, those that come up least.
func (v *sieve) add(sets []string) {
	for parity := range 2 {
		best, least := -1, 0.0
		for i := parity; i+4 <= len(sets); i += 2 {
			if f := groupOften(sets[i:min(i+6, len(sets))]); best < 0 || f < least {
				best, least = i, f
			}
		}
		if best < 0 || choices(sets[best:best+4]) > 1<<13 {
			v.blunt = true
			return
		}
		v.addGroups(&v.groups, sets[best:best+4], 0, 0)
		if best+6 <= len(sets) && choices(sets[best:best+6]) == 1 {
			v.addGroups(&v.long, sets[best:best+6], 0, 0)
		} else {
			v.addGroups(&v.short, sets[best:best+4], shortGroup, 0)
		}
	}
}

// choices is how many texts there are that hold one character of each set.
func choices(sets []string) int {
	n := 1
	for _, set := range sets {
		n *= len(set)
	}
	return n
}

func (v *sieve) addGroups(to *groupSet, sets []string, group uint64, n int) {
	if n == len(sets) {
		to.add(group)
		return
	}
	for i := range len(sets[n]) {
		v.addGroups(to, sets, group|uint64(sets[n][i])<<(8*n), n+1)
	}
}
