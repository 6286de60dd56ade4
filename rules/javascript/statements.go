package javascript

// statements tells a vendor's snippet from a script of the site that mentions a vendor on the way: it counts the tokens of
// the outermost statements, with and without a vendor in them.
type statements struct {
	total, vendors int // tokens in all; tokens in statements with a vendor
	current        int
	hasVendor      bool
	// function is true in a statement that declares one, declares if one without a vendor was declared, or a library.
	function, declares bool
	// assigned is true in a statement that assigns a function, as a.b = function () {…}, assigns if one without a vendor did.
	assigned, assigns bool
	// level is the depth of brackets at which statements are counted: functions that only wait for the page to be ready,
	// as in $(function(){…}), document.addEventListener("DOMContentLoaded", …) and window.onload = …, do not count as a
	// statement, what they hold does.
	level   int
	wrapper bool
	ended   bool // a statement may have ended with the last token
	equals  bool // the last token was =
}

const (
	// mixedTokens is how many tokens of the site's own make a script mixed, if they are also the greater part: no
	// vendor's snippet has as many in statements that name it nowhere.
	mixedTokens = 120
	// loaderTokens is how many tokens make a script that loads something else as well a bundle of the site's, in however few
	// statements it comes.
	loaderTokens = 500
	// snippetTokens is more than any vendor's snippet has, but those that bring their whole agent along.
	snippetTokens = 2500
)

func (s *statements) token(t *token, depth int) {
	if depth < s.level {
		s.end()
		s.level = depth
	}
	if depth == s.level && s.current > 0 && t.newline && s.ended && beginsStatement(t) {
		s.end()
	}
	s.total++
	s.current++
	if t.word&(wordFunction|wordWaits|wordWaitsFirst|wordExports) != 0 {
		s.declares = s.declares || t.word&wordExports != 0
		s.function = s.function || s.current == 1 && depth == 0 && t.word&wordFunction != 0
		s.assigned = s.assigned || s.equals && depth == 0 && t.word&wordFunction != 0
		s.wrapper = s.wrapper || depth <= s.level+1 && (t.word&wordWaits != 0 || t.word&wordWaitsFirst != 0 && s.current == 1)
	}
	if s.wrapper && t.mark == '{' {
		s.end()
		s.level, s.wrapper = depth+1, false
	} else if t.kind == tokenEnd || depth == s.level && t.mark == ';' {
		s.end()
	}
	s.equals = t.mark == '='
	s.ended = t.kind != tokenPunctuator || t.mark == '}' || t.mark == ')' || t.mark == ']'
}

func (s *statements) hit() { s.hasVendor = true }

func (s *statements) end() {
	if s.hasVendor {
		s.vendors += s.current
	} else {
		s.declares, s.assigns = s.declares || s.function, s.assigns || s.assigned
	}
	s.current, s.hasVendor, s.wrapper, s.function, s.assigned = 0, false, false, false, false
}

// mixed answers for the whole script; whole is Vendor.Whole.
func (s *statements) mixed(whole bool) bool {
	own := s.total - s.vendors
	return own > mixedTokens && own > s.vendors || s.total > snippetTokens && !whole
}

func beginsStatement(t *token) bool { return t.kind == tokenName || t.mark == '(' || t.mark == '!' }
