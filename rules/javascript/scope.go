package javascript

// bracket says what stands between two brackets of a script.
type bracket uint8

const (
	inOther      bracket = iota // an expression, a literal
	inBlock                     // statements that are not a function's own
	inFunction                  // a function's body
	inParameters                // a function's parameters
	inControl                   // the head of if, for, while, switch, catch or with
)

// maxScope bounds the brackets whose meaning is remembered; what is deeper counts as an expression.
const maxScope = 64

// scope follows a script's brackets. The zero value is the outermost scope.
type scope struct {
	kinds [maxScope]bracket
	depth int
	// functions and others count the open function bodies, and the open brackets that are neither these nor blocks.
	functions, others int
	closed            bracket // what the last bracket closed
}

// global reports whether a var declared here is a property of the global object. (ECMAScript, 8.2.6 "VarDeclaredNames")
func (s *scope) global() bool { return s.functions == 0 && s.others == 0 }

func (s *scope) innermost() bracket {
	if s.depth == 0 || s.depth > maxScope {
		return inOther
	}
	return s.kinds[s.depth-1]
}

// open enters the bracket t, which follows the tokens before and prev.
func (s *scope) open(t, prev, before *token) bracket {
	k := inOther
	if s.depth < maxScope {
		switch t.mark {
		case '(':
			k = parenthesis(prev, before)
		case '{':
			k = s.brace(prev)
		}
		s.kinds[s.depth] = k
	}
	s.depth++
	s.count(k, 1)
	return k
}

// close leaves the innermost bracket and returns what it held.
func (s *scope) close() bracket {
	if s.depth == 0 {
		return inOther
	}
	s.closed = s.innermost()
	s.depth--
	s.count(s.closed, -1)
	return s.closed
}

func (s *scope) count(k bracket, n int) {
	switch k {
	case inFunction:
		s.functions += n
	case inBlock:
	default:
		s.others += n
	}
}

func parenthesis(prev, before *token) bracket {
	if prev.kind != tokenName {
		return inOther
	}
	switch string(prev.text) {
	case "function":
		return inParameters
	case "if", "for", "while", "switch", "catch", "with":
		return inControl
	}
	if before.kind == tokenName && string(before.text) == "function" {
		return inParameters
	}
	return inOther
}

func (s *scope) brace(prev *token) bracket {
	switch {
	case prev.is(")") && s.closed == inControl:
		return inBlock
	case prev.is(")"), prev.is("=>"): // also a method's
		return inFunction
	case prev.kind == tokenName:
		switch string(prev.text) {
		case "else", "do", "try", "finally":
			return inBlock
		}
		return inOther
	case prev.is(";"), prev.is("{"), prev.is("}"), len(prev.text) == 0 && prev.kind != tokenString:
		return inBlock
	}
	return inOther
}
