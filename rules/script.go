package rules

import "github.com/caddy-consent/caddy-consent/consent"

// Script judges the text of an inline script or an event-handler attribute: does it load or configure a vendor's script?
//
// The text is read as JavaScript. A URL counts where the script also does something to load it and where it stands in no
// comparison, log or data; names count where the vendor's own loader or configuration has them (Vendor.Inline). Strings
// are joined first, and calls that only put literals together or decode them are carried out, so a URL made of pieces is
// seen. Of several vendors, the one with the most intrusive purpose is named.
//
// Answers about the scripts of late are remembered.
func (s *Set) Script(text []byte, c Context) (Match, bool) {
	seen := s.seen.Load()
	if seen == nil { // half a MiB is for Sets that are used
		s.seen.CompareAndSwap(nil, newSeenScripts())
		seen = s.seen.Load()
	}
	return seen.judge(text, c, s.judgeScript)
}

// judgeScript is Script without memory.
func (s *Set) judgeScript(text []byte, c Context) (Match, bool) {
	if !s.sieve.empty(text, c) {
		if m, ok := s.readScript(text, c); ok {
			return m, true
		}
	}
	if plain := unveil(text); plain != nil && !s.sieve.empty(plain, c) {
		return s.readScript(plain, c)
	}
	return Match{}, false
}

// readScript is Script without memory and sieve.
func (s *Set) readScript(text []byte, c Context) (Match, bool) {
	r, ok := s.recognisers.Get().(*recogniser)
	if !ok {
		r = new(recogniser)
	}
	*r = recogniser{set: s, context: c, lexer: newLexer(text), found: -1}
	r.prev, r.before = &r.tokens[0], &r.tokens[1]
	r.fold.buffer = r.space[:0]
	r.run()
	m, ok := r.answer()
	*r = recogniser{} // keep nothing of the text
	s.recognisers.Put(r)
	return m, ok
}

// recogniser reads one script.
type recogniser struct {
	set     *Set
	context Context
	lexer   lexer
	space   [foldSize]byte
	fold    fold
	// unescaped holds a string's value while marks are compared with it.
	unescaped [64]byte
	active    [16]progress
	running   int
	// prev and before are the last two tokens.
	prev, before *token
	tokens       [3]token
	loads        bool
	imported     bool             // the string that is read is what a module is imported from
	imports      bool             // such a string names a vendor
	neutral      [maxNesting]bool // per open bracket: what stands in it is compared, logged or JSON, not loaded
	depth        int
	found        int32 // vendor named for sure, -1 if none
	rule         string
	sure         bool // a mark named a vendor, not only the address of one
	others       bool // an address that no rule knows stands beside those of vendors
	maybe        [8]candidate
	candidates   int
	body         statements
}

// progress is a mark that has matched up to its token next.
type progress struct {
	mark int32
	next int
}

// candidate is a vendor that counts if the script turns out to load something.
type candidate struct {
	vendor int32
	rule   string
}

func (r *recogniser) run() {
	t := &r.tokens[2]
	for {
		r.lexer.read(t)
		r.body.token(t, r.depth)
		if t.kind == tokenEnd {
			r.flush(t)
			return
		}
		if t.kind == tokenString && r.fold.state == foldNone {
			r.imported = r.importing()
		}
		if r.fold.state != foldNone || t.kind == tokenString {
			r.join(t)
		}
		if r.running > 0 || t.kind == tokenName && r.set.marks.may(t.text) || t.kind == tokenString {
			r.mark(t)
		}
		switch t.kind {
		case tokenString:
			r.importedFrom()
		case tokenPunctuator:
			r.verb(t)
			r.bracket(t)
		}
		r.before, r.prev, t = r.prev, t, r.before
	}
}

// mark advances the marks that have begun and begins new ones.
func (r *recogniser) mark(t *token) {
	var value []byte
	if t.kind == tokenString {
		if value = t.text; t.escaped && len(value) <= len(r.unescaped) {
			value = unescape(r.unescaped[:0], value)
		}
	}
	x := &r.set.marks
	kept := 0
	for _, p := range r.active[:r.running] {
		m := &x.list[p.mark]
		if !m.tokens[p.next].match(t, value) {
			continue
		}
		if p.next++; p.next == len(m.tokens) {
			r.hit(m)
			continue
		}
		r.active[kept] = p
		kept++
	}
	r.running = kept
	marks, mention := x.starts(t, value)
	if mention {
		r.body.hit()
	}
	for _, i := range marks {
		r.begin(i)
	}
	if t.kind == tokenString {
		for _, i := range x.prefix {
			if x.list[i].tokens[0].match(t, value) {
				r.begin(i)
			}
		}
	}
}

func (r *recogniser) begin(i int32) {
	m := &r.set.marks.list[i]
	if len(m.tokens) == 1 {
		r.hit(m)
	} else if r.running < len(r.active) {
		r.active[r.running] = progress{i, 1}
		r.running++
	}
}

func (r *recogniser) hit(m *mark) {
	if m.weak {
		r.suspect(m.vendor, m.text)
		return
	}
	r.body.hit()
	r.sure = true
	r.name(m.vendor, m.text)
}

// name settles on a vendor, unless a more intrusive one was found before.
func (r *recogniser) name(vendor int32, rule string) {
	if r.found < 0 || intrusiveness(r.set.vendors[vendor].match.Purpose) > intrusiveness(r.set.vendors[r.found].match.Purpose) {
		r.found, r.rule = vendor, rule
	}
}

func intrusiveness(p consent.Purpose) int {
	switch p {
	case consent.Marketing:
		return 4
	case consent.Social:
		return 3
	case consent.Analytics:
		return 2
	case consent.Functional:
		return 1
	}
	return 0
}

func (r *recogniser) suspect(vendor int32, rule string) {
	r.body.hit()
	r.imports = r.imports || r.imported
	if r.candidates < len(r.maybe) {
		r.maybe[r.candidates] = candidate{vendor, rule}
		r.candidates++
	}
}

func (r *recogniser) answer() (Match, bool) {
	if r.loads {
		for _, c := range r.maybe[:r.candidates] {
			r.name(c.vendor, c.rule)
		}
	}
	if r.found < 0 {
		return Match{}, false
	}
	v := &r.set.vendors[r.found]
	m := v.match
	// What loads others as well, or defines functions that others may call, only happens to hold a vendor's address.
	shared := !r.sure && (r.others || r.body.declares)
	agent := v.entry.Category == "rum" || v.entry.Category == "ab-test" // comes inline as a whole
	m.Rule, m.Mixed = r.rule, !r.imports && (shared || r.others && !agent && r.body.total > loaderTokens || r.body.mixed(agent))
	return m, true
}

// importing reports whether the present string is what a module is imported from (ECMAScript, 13.3.10 and 16.2). Nothing
// in the page can stop that, so the script is not left to the guard.
func (r *recogniser) importing() bool {
	if r.prev.mark == '(' {
		return r.before.kind == tokenName && string(r.before.text) == "import"
	}
	return r.prev.kind == tokenName && (string(r.prev.text) == "import" || string(r.prev.text) == "from")
}

// importedFrom notes that a string makes a module load: import "…", import x from "…", export * from "…" (ECMAScript, 16.2).
func (r *recogniser) importedFrom() {
	if r.prev.kind == tokenName && (string(r.prev.text) == "import" || string(r.prev.text) == "from") {
		r.loads = true
	}
}

// verb notes what loads: it is enough that the script does it somewhere.
func (r *recogniser) verb(t *token) {
	if r.loads || r.prev.kind != tokenName {
		return
	}
	switch t.mark {
	case '(':
		r.loads = loadingCall(r.prev.text)
	case '=':
		switch string(r.prev.text) {
		case "src", "innerHTML", "outerHTML", "srcdoc", "data", "href":
			r.loads = r.before.mark == '.'
		}
	}
}

// loadingCall reports whether a function of that name makes a browser fetch something: one of the platform's, or one whose
// name says so.
func loadingCall(name []byte) bool {
	switch string(name) {
	case "createElement", "createElementNS", "write", "writeln", "Image", "sendBeacon", "fetch", "XMLHttpRequest", "import",
		"importScripts", "insertAdjacentHTML", "setAttribute", "WebSocket", "EventSource", "ajax", "require", "Worker",
		"SharedWorker", "createContextualFragment", "parseHTML", "appendChild", "insertBefore":
		return true
	}
	for _, part := range [...]string{"script", "load", "inject", "include"} {
		if indexFold(name, part) >= 0 {
			return true
		}
	}
	return false
}

// bracket keeps the context of strings: in a[b.indexOf("host/")], nothing is loaded.
func (r *recogniser) bracket(t *token) {
	switch t.mark {
	case '(', '[', '{':
		if r.depth < maxNesting {
			r.neutral[r.depth] = t.mark == '(' && r.prev.kind == tokenName && neutralCall(r.prev.text) ||
				t.mark != '(' && (r.quotedKey() || r.inNeutral())
		}
		r.depth++
	case ')', ']', '}':
		r.depth = max(0, r.depth-1)
	}
}

// neutralCall reports whether a function of that name only looks at a string or shows it.
func neutralCall(name []byte) bool {
	switch string(name) {
	case "indexOf", "lastIndexOf", "includes", "contains", "test", "match", "search", "startsWith", "endsWith", "split",
		"log", "warn", "error", "info", "debug", "alert", "confirm", "parse", "querySelector", "querySelectorAll",
		"matches", "closest", "addEventListener", "getElementById", "hasOwnProperty", "RegExp", "Error", "stringify",
		"expect", "open", "assert":
		return true
	}
	return false
}

// inNeutral reports whether the innermost bracket is that of a neutral call.
func (r *recogniser) inNeutral() bool {
	return r.depth > 0 && r.depth <= maxNesting && r.neutral[r.depth-1]
}
