package javascript

import "github.com/caddy-consent/caddy-consent/rules/internal/ascii"

// reader reads one script.
type reader struct {
	*Recogniser
	asker
	lexer lexer
	space [foldSize]byte
	fold  fold
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

// find reads a script unless there is nothing in it.
func (r *reader) find(text []byte) (Finding, bool) {
	if r.sieve.empty(text, &r.asker) {
		return Finding{}, false
	}
	return r.read(text)
}

func (r *reader) read(text []byte) (Finding, bool) {
	*r = reader{Recogniser: r.Recogniser, asker: asker{Addresses: r.Addresses}, lexer: newLexer(text), found: -1}
	r.prev, r.before = &r.tokens[0], &r.tokens[1]
	r.fold.buffer = r.space[:0]
	r.run()
	return r.answer()
}

func (r *reader) run() {
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
		if r.running > 0 || t.kind == tokenName && r.marks.may(t.text) || t.kind == tokenString {
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
func (r *reader) mark(t *token) {
	var value []byte
	if t.kind == tokenString {
		if value = t.text; t.escaped && len(value) <= len(r.unescaped) {
			value = unescape(r.unescaped[:0], value)
		}
	}
	x := &r.marks
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

func (r *reader) begin(i int32) {
	m := &r.marks.list[i]
	if len(m.tokens) == 1 {
		r.hit(m)
	} else if r.running < len(r.active) {
		r.active[r.running] = progress{i, 1}
		r.running++
	}
}

func (r *reader) hit(m *mark) {
	if m.weak {
		r.suspect(m.vendor, m.text)
		return
	}
	r.body.hit()
	r.sure = true
	r.name(m.vendor, m.text)
}

// name settles on a vendor, unless one of more weight was found before.
func (r *reader) name(vendor int32, rule string) {
	if r.found < 0 || r.vendors[vendor].Weight > r.vendors[r.found].Weight {
		r.found, r.rule = vendor, rule
	}
}

func (r *reader) suspect(vendor int32, rule string) {
	r.body.hit()
	r.imports = r.imports || r.imported
	if r.candidates < len(r.maybe) {
		r.maybe[r.candidates] = candidate{vendor, rule}
		r.candidates++
	}
}

func (r *reader) answer() (Finding, bool) {
	if r.loads {
		for _, c := range r.maybe[:r.candidates] {
			r.name(c.vendor, c.rule)
		}
	}
	if r.found < 0 {
		return Finding{}, false
	}
	// What loads others as well, or defines functions that others may call, only happens to hold a vendor's address.
	shared := !r.sure && (r.others || r.body.declares)
	whole := r.vendors[r.found].Whole
	mixed := !r.imports && (shared || r.others && !whole && r.body.total > loaderTokens || r.body.mixed(whole))
	return Finding{Vendor: int(r.found), Rule: r.rule, Mixed: mixed}, true
}

// importing reports whether the present string is what a module is imported from (ECMAScript, 13.3.10 and 16.2). Nothing
// in the page can stop that, so the script is not left to the guard.
func (r *reader) importing() bool {
	if r.prev.mark == '(' {
		return r.before.kind == tokenName && string(r.before.text) == "import"
	}
	return r.prev.kind == tokenName && (string(r.prev.text) == "import" || string(r.prev.text) == "from")
}

// importedFrom notes that a string makes a module load: import "…", import x from "…", export * from "…" (ECMAScript, 16.2).
func (r *reader) importedFrom() {
	if r.prev.kind == tokenName && (string(r.prev.text) == "import" || string(r.prev.text) == "from") {
		r.loads = true
	}
}

// verb notes what loads: it is enough that the script does it somewhere.
func (r *reader) verb(t *token) {
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
		if ascii.IndexFold(name, part) >= 0 {
			return true
		}
	}
	return false
}

// bracket keeps the context of strings: in a[b.indexOf("host/")], nothing is loaded.
func (r *reader) bracket(t *token) {
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
func (r *reader) inNeutral() bool {
	return r.depth > 0 && r.depth <= maxNesting && r.neutral[r.depth-1]
}
