package javascript

import "github.com/caddy-consent/caddy-consent/rules/internal/ascii"

// reader reads scripts, one after the other. What it allocates is here.
type reader struct {
	*Recogniser
	asker
	state
	space [foldSize]byte
	// unescaped holds a string's value while marks are compared with it.
	unescaped [64]byte
}

// state is what is known of the script that is read.
type state struct {
	lexer   lexer
	fold    fold
	active  [16]progress
	running int
	// prev and before are the last two tokens.
	prev, before *token
	tokens       [3]token
	loads        bool
	imported     bool    // the string that is read is what a module is imported from
	imports      bool    // such a string names a vendor
	neutral      nesting // what stands in the bracket is compared, logged or JSON, not loaded
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
	r.state = state{}
	r.lexer.text, r.lexer.lineStart, r.found = text, true, -1
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
		if t.kind == tokenString && r.fold.state == foldNone {
			r.imported = r.importing()
		}
		if r.fold.state != foldNone || t.kind == tokenString {
			r.join(t)
		}
		if r.running > 0 || t.kind == tokenName && r.marks.firsts.has(t.text) || t.kind == tokenString {
			r.mark(t)
		}
		switch t.kind {
		case tokenEnd:
			return
		case tokenString:
			r.importedFrom()
		case tokenPunctuator:
			switch t.mark {
			case '(', '[', '{':
				r.open(t)
			case ')', ']', '}':
				r.depth = max(0, r.depth-1)
			case '=':
				r.loads = r.loads || r.prev.word&wordSource != 0 && r.before.mark == '.'
			}
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
	// What loads nothing and gives an object of the site a function only prepares a vendor's queue on the way.
	shared := !r.sure && (r.others || r.body.declares) || !r.loads && r.body.assigns
	whole := r.vendors[r.found].Whole
	mixed := !r.imports && (shared || r.others && !whole && r.body.total > loaderTokens || r.body.mixed(whole))
	return Finding{Vendor: int(r.found), Rule: r.rule, Mixed: mixed}, true
}

// importing reports whether the present string is what a module is imported from (ECMAScript, 13.3.10 and 16.2). Nothing
// in the page can stop that, so the script is not left to the guard.
func (r *reader) importing() bool {
	if r.prev.mark == '(' {
		return r.before.word&wordImport != 0
	}
	return r.prev.word&(wordImport|wordFrom) != 0
}

// importedFrom notes that a string makes a module load: import "…", import x from "…", export * from "…" (ECMAScript, 16.2).
func (r *reader) importedFrom() {
	r.loads = r.loads || r.prev.word&(wordImport|wordFrom) != 0
}

// open enters a bracket. It keeps the context of strings, as in a[b.indexOf("host/")] nothing is loaded, and notes what
// loads: it is enough that the script does it somewhere.
func (r *reader) open(t *token) {
	if t.mark == '(' {
		r.loads = r.loads || r.prev.kind == tokenName && loadingCall(r.prev)
		r.neutral.set(r.depth, r.prev.word&wordNeutral != 0)
	} else {
		r.neutral.set(r.depth, r.quotedKey() || r.inNeutral())
	}
	r.depth++
}

// loadingCall reports whether a function of that name makes a browser fetch something: one of the platform's, or one whose
// name says so.
func loadingCall(name *token) bool {
	if name.word&wordLoads != 0 {
		return true
	}
	for i, c := range name.text {
		part := ""
		switch c | 0x20 {
		case 's':
			part = "script"
		case 'l':
			part = "load"
		case 'i':
			if part = "inject"; ascii.HasPrefixFold(name.text[i:], "include") {
				return true
			}
		default:
			continue
		}
		if ascii.HasPrefixFold(name.text[i:], part) {
			return true
		}
	}
	return false
}

// inNeutral reports whether the innermost bracket is that of a neutral call.
func (r *reader) inNeutral() bool { return r.depth > 0 && r.neutral.has(r.depth-1) }
