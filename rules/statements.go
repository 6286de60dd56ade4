package rules

// statements tells a vendor's snippet from a script of the site that mentions a vendor on the way: it counts the tokens of
// the outermost statements, with and without a vendor in them.
type statements struct {
	total, vendors int // tokens in all; tokens in statements with a vendor
	current        int
	hasVendor      bool
	// level is the depth of brackets at which statements are counted: functions that only wait for the page to be ready
	// do not count as a statement, what they hold does.
	level   int
	wrapper bool
	prev    token
}

// mixedTokens is how many tokens of the site's own make a script mixed, if they are also the greater part: no vendor's
// snippet has as many in statements that name it nowhere.
const mixedTokens = 120

func (s *statements) token(t *token, depth int) {
	if depth < s.level {
		s.end()
		s.level = depth
	}
	if depth == s.level && s.current > 0 && t.newline && endsStatement(&s.prev) && beginsStatement(t) {
		s.end()
	}
	s.total++
	s.current++
	if s.current == 1 {
		s.wrapper = t.kind == tokenName && waits(t.text)
	}
	if s.wrapper && t.is("{") {
		s.end()
		s.level, s.wrapper = depth+1, false
	} else if t.kind == tokenEnd || depth == s.level && t.is(";") {
		s.end()
	}
	s.prev = *t
}

func (s *statements) hit() { s.hasVendor = true }

func (s *statements) end() {
	if s.hasVendor {
		s.vendors += s.current
	}
	s.current, s.hasVendor, s.wrapper = 0, false, false
}

func (s *statements) mixed() bool {
	own := s.total - s.vendors
	return own > mixedTokens && own > s.vendors
}

func endsStatement(t *token) bool {
	return t.kind != tokenPunctuator || t.is("}") || t.is(")") || t.is("]")
}

func beginsStatement(t *token) bool { return t.kind == tokenName || t.is("(") || t.is("!") }

// waits names what statements begin with that wait for the page: $(function(){…}), document.addEventListener(…).
func waits(name []byte) bool {
	switch string(name) {
	case "$", "jQuery", "document", "window", "domReady", "ready":
		return true
	}
	return false
}
