package javascript

import (
	"slices"
	"strings"
)

// maxDeclared bounds the names that Declared returns.
const maxDeclared = 100

// Declared returns the global names that an inline script would define: its var, let, const, function and class declarations
// and its assignments (a = …, window.a = …, w.a = … in !function (w) {…}(window)) outside of functions, in blocks as well,
// separated by spaces; a name that becomes an array ends in "[]". Code of the page may use them while the script is parked.
func Declared(text []byte) string {
	d := declarations{lexer: newLexer(text)}
	d.run()
	return strings.Join(d.names, " ")
}

// declarations reads a script's statements outside of functions.
type declarations struct {
	lexer lexer
	names []string
	scope scope
	alias alias
	// list is true between var and the end of its statement.
	list         bool
	candidate    string // a name that is defined if an assignment follows
	aliased      bool   // it is a property of the alias
	before, prev token
}

func (d *declarations) run() {
	for len(d.names) < maxDeclared {
		t := d.lexer.next()
		if t.kind == tokenEnd {
			return
		}
		if d.alias.closed && d.alias.ends(&t) {
			for _, name := range d.alias.names {
				d.add(name)
			}
			d.alias = alias{}
		}
		switch t.mark {
		case '{', '(', '[':
			d.open(&t)
		case '}', ')', ']':
			if d.scope.close() == inFunction && d.scope.functions == 0 {
				d.alias.closed = true
			}
		default:
			if d.scope.global() {
				d.token(&t)
			} else {
				d.inner(&t)
			}
		}
		d.before, d.prev = d.prev, t
	}
}

func (d *declarations) open(t *token) {
	if t.mark == '[' && d.scope.global() && d.prev.is("=") {
		d.array()
	}
	switch d.scope.open(t, &d.prev, &d.before) {
	case inBlock:
		d.list, d.candidate = false, ""
	case inParameters:
		if d.scope.functions == 0 {
			d.alias = alias{}
		}
	}
}

// token reads a token outside of functions, parentheses and literals.
func (d *declarations) token(t *token) {
	switch {
	case t.is(";"):
		d.list, d.candidate = false, ""
	case t.kind == tokenName:
		d.name(t)
	case t.is("=") && d.candidate != "":
		d.add(d.candidate)
		d.candidate = ""
	case t.is(","):
		d.candidate = ""
	}
}

// inner reads a token inside of functions and parentheses, where only window.a = … defines a global for sure.
func (d *declarations) inner(t *token) {
	switch name := string(t.text); {
	case t.is("="):
		switch {
		case d.candidate == "" || d.candidate == "window":
		case d.aliased:
			d.alias.names = append(d.alias.names, d.candidate)
		default:
			d.add(d.candidate)
		}
		d.candidate = ""
	case t.kind != tokenName:
		if !t.is(".") {
			d.candidate = ""
		}
	case d.scope.functions == 0 && d.scope.innermost() == inParameters && d.prev.is("("):
		d.alias.name = name
	case !d.prev.is(".") && (name == "window" || name == d.alias.name && d.scope.functions == 1):
		d.candidate, d.aliased = "window", name != "window"
	case d.prev.is(".") && d.candidate == "window" && len(d.alias.names) < maxDeclared:
		d.candidate = name
	default:
		d.candidate = ""
	}
}

// alias is the first parameter of a function that is not inside another one: it is the window if the function is called
// with it at once.
type alias struct {
	name   string
	names  []string // what was assigned to properties of it
	closed bool     // the function has ended
}

// ends tells, after the function, whether it is called with the window.
func (a *alias) ends(t *token) bool {
	switch {
	case t.is("(") || t.is(")"):
		return false
	case t.kind == tokenName && (string(t.text) == "window" || string(t.text) == "self" || string(t.text) == "this" || string(t.text) == "globalThis"):
	default:
		a.names = nil
	}
	return true
}

func (d *declarations) name(t *token) {
	name := string(t.text)
	before := string(d.prev.text)
	if d.prev.kind != tokenName && d.prev.kind != tokenPunctuator {
		before = ""
	}
	switch {
	case name == "var" || d.scope.depth == 0 && (name == "let" || name == "const"):
		d.list = true
	case before == "let" || before == "const" || before == "class": // a block's own are not seen outside of it
		if d.candidate = ""; d.scope.depth == 0 {
			d.add(name)
		}
	case before == "var" || before == "function" || d.list && before == ",":
		d.add(name)
	case before == "." && (d.candidate == "window" || d.candidate == "self" || d.candidate == "globalThis"):
		d.candidate = name
	case before == ".":
		d.candidate = ""
	default:
		d.candidate = name
	}
}

// array notes that the name defined last becomes an array.
func (d *declarations) array() {
	if n := len(d.names); n > 0 && !strings.HasSuffix(d.names[n-1], "[]") {
		d.names[n-1] += "[]"
	}
}

// notGlobals are words that an assignment to does not define.
var notGlobals = []string{"this", "location", "window", "self", "globalThis", "document", "true", "false", "null", "new", "return", "if", "else", "for", "while", "try", "typeof", "async", "await", "import", "export"}

func (d *declarations) add(name string) {
	if len(name) > 64 || slices.Contains(notGlobals, name) || slices.Contains(d.names, name) || slices.Contains(d.names, name+"[]") || strings.ContainsFunc(name, func(c rune) bool {
		return (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '$'
	}) {
		return
	}
	d.names = append(d.names, name)
}
