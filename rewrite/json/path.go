package json

import (
	"fmt"
	"strings"
)

// Paths is a set of places in a JSON text. It is immutable and safe for concurrent use.
type Paths struct {
	segments []segment
	starts   uint64
}

// segment is one step of a path. A path in progress is a bit at the index of the segment that must match next.
type segment struct {
	name string
	kind segmentKind
	last bool
}

type segmentKind uint8

const (
	exact segmentKind = iota
	anyOne
	anyIndex
	anyDepth
)

// ParsePaths reads paths: names joined by dots, "*" for any one name or index, "#" for any index, "**" for any number of
// steps; a backslash takes the meaning from the character behind it, and a leading "@" or "$." is not known. All paths
// together may have 64 steps.
func ParsePaths(list ...string) (*Paths, error) {
	p := &Paths{}
	for _, path := range list {
		steps := splitPath(path)
		p.starts |= 1 << len(p.segments)
		for i, s := range steps {
			if s == "" {
				return nil, fmt.Errorf("JSON path %q has an empty step: write names joined by single dots, as in data.*.html", path)
			}
			if len(p.segments) == 64 {
				return nil, fmt.Errorf("JSON path %q: all paths together have more than 64 steps; use ** for some", path)
			}
			p.segments = append(p.segments, newSegment(s, i == len(steps)-1))
		}
	}
	return p, nil
}

func newSegment(s string, last bool) segment {
	g := segment{last: last}
	switch s {
	case "*":
		g.kind = anyOne
	case "#":
		g.kind = anyIndex
	case "**":
		g.kind = anyDepth
	default:
		g.name = strings.NewReplacer(`\\`, `\`, `\`, ``).Replace(s)
	}
	return g
}

// splitPath splits at dots that no backslash protects.
func splitPath(path string) []string {
	var steps []string
	begin := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '.':
			steps = append(steps, path[begin:i])
			begin = i + 1
		}
	}
	return append(steps, path[begin:])
}

// step returns the paths in progress below a name (or an index), and whether one of them ends there.
func (p *Paths) step(states uint64, name []byte, index bool) (next uint64, ends bool) {
	states = p.skip(states)
	for i := range p.segments {
		if states&(1<<i) == 0 {
			continue
		}
		g := &p.segments[i]
		switch {
		case g.kind == anyDepth:
			next |= 1 << i
			ends = ends || g.last
			continue
		case g.kind == anyIndex && !index, g.kind == exact && (index || g.name != string(name)):
			continue
		}
		if g.last {
			ends = true
		} else {
			next |= 1 << (i + 1)
			ends = ends || p.endsAfter(i+1)
		}
	}
	return next, ends
}

// skip adds what follows a "**", which may stand for no step.
func (p *Paths) skip(states uint64) uint64 {
	for i := range p.segments {
		if states&(1<<i) != 0 && p.segments[i].kind == anyDepth && !p.segments[i].last {
			states |= 1 << (i + 1)
		}
	}
	return states
}

// endsAfter reports whether only "**" follow from segment i on.
func (p *Paths) endsAfter(i int) bool {
	for ; p.segments[i].kind == anyDepth; i++ {
		if p.segments[i].last {
			return true
		}
	}
	return false
}

// maxDepth bounds the containers whose paths are followed. In deeper ones every string is looked at.
const maxDepth = 2048

// position is where in the structure of a text the Rewriter is.
type position struct {
	paths  *Paths
	stack  []container
	beyond int // containers deeper than maxDepth
	expect bool
	states uint64 // paths in progress at the value at hand
	ends   bool   // one of them ends there
}

type container struct {
	states uint64
	object bool
}

func (a *position) reset(p *Paths) {
	*a = position{paths: p, ends: p == nil}
	if p != nil {
		a.states = p.starts
	}
}

// expectsName reports whether a string here is a name.
func (a *position) expectsName() bool { return a.expect && a.beyond == 0 }

// looked reports whether a string here is to be looked into.
func (a *position) looked() bool { return a.ends || a.paths == nil || a.beyond > 0 }

// named enters the value of a name.
func (a *position) named(name []byte) {
	if a.paths != nil && len(a.stack) > 0 {
		a.states, a.ends = a.paths.step(a.stack[len(a.stack)-1].states, name, false)
	}
}

// element enters a value of an array.
func (a *position) element() {
	if a.paths != nil {
		a.states, a.ends = a.paths.step(a.stack[len(a.stack)-1].states, nil, true)
	}
}

// punctuation follows the structure. A text that is not well-formed has no structure that could be followed wrongly: what
// closes nothing is ignored.
func (a *position) punctuation(c byte) {
	switch c {
	case '{', '[':
		if len(a.stack) == maxDepth {
			a.beyond++
			return
		}
		a.stack = append(a.stack, container{states: a.states, object: c == '{'})
		a.expect = c == '{'
		if c == '[' {
			a.element()
		}
	case '}', ']':
		if a.beyond > 0 {
			a.beyond--
		} else if len(a.stack) > 0 {
			a.stack = a.stack[:len(a.stack)-1]
		}
		a.expect = false
		if len(a.stack) == 0 && a.paths != nil {
			a.states, a.ends = a.paths.starts, false
		}
	case ',':
		if len(a.stack) == 0 || a.beyond > 0 {
			return
		}
		a.expect = a.stack[len(a.stack)-1].object
		if !a.expect {
			a.element()
		}
	case ':':
		a.expect = false
	}
}
