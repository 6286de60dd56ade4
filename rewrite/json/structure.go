package json

// maxDepth bounds the containers that are followed. In deeper ones every string is taken for a value.
const maxDepth = 2048

// structure is where in a text the Rewriter is: as much of it as tells names from values.
type structure struct {
	objects []bool // of the containers around, from outside: is it an object?
	beyond  int    // containers deeper than maxDepth
	expect  bool   // in an object, a name is next
}

// expectsName reports whether a string here is a name.
func (s *structure) expectsName() bool { return s.expect && s.beyond == 0 }

// punctuation follows the structure. A text that is not well-formed has no structure that could be followed wrongly: what
// closes nothing is ignored.
func (s *structure) punctuation(c byte) {
	switch c {
	case '{', '[':
		if len(s.objects) == maxDepth {
			s.beyond++
			return
		}
		s.objects = append(s.objects, c == '{')
		s.expect = c == '{'
	case '}', ']':
		if s.beyond > 0 {
			s.beyond--
		} else if len(s.objects) > 0 {
			s.objects = s.objects[:len(s.objects)-1]
		}
		s.expect = false
	case ',':
		if s.beyond == 0 {
			s.expect = len(s.objects) > 0 && s.objects[len(s.objects)-1]
		}
	case ':':
		s.expect = false
	}
}
