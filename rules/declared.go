package rules

import (
	"slices"
	"strings"
)

// maxDeclared bounds the names that Declared returns.
const maxDeclared = 24

// Declared returns the global names that an inline script would define: its top-level var, let, const, function and class
// declarations and assignments (a = …, window.a = …), separated by spaces; a name that becomes an array ends in "[]". Code of
// the page may use them while the script is parked.
func Declared(text []byte) string {
	d := declarations{lexer: newLexer(text)}
	d.run()
	return strings.Join(d.names, " ")
}

// declarations reads a script's outermost statements.
type declarations struct {
	lexer lexer
	names []string
	depth int
	// begins is true where a statement can begin, list between var and the end of its statement.
	begins, list bool
	candidate    string // a name that is defined if an assignment follows
	prev         token
}

func (d *declarations) run() {
	d.begins = true
	for len(d.names) < maxDeclared {
		t := d.lexer.next()
		if t.kind == tokenEnd {
			return
		}
		switch {
		case t.is("{"), t.is("("), t.is("["):
			if t.is("[") && d.depth == 0 && d.prev.is("=") {
				d.array()
			}
			d.depth++
		case t.is("}"), t.is(")"), t.is("]"):
			d.depth = max(0, d.depth-1)
		case d.depth == 0:
			d.token(&t)
		default:
			d.inner(&t)
		}
		d.begins = d.depth == 0 && (t.is(";") || t.is("}") || t.newline && !d.list && d.begins)
		d.prev = t
	}
}

// token reads a token outside all brackets.
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

// inner reads a token inside brackets, where only window.a = … defines a global for sure.
func (d *declarations) inner(t *token) {
	switch name := string(t.text); {
	case t.is("="):
		if d.candidate != "" && d.candidate != "window" {
			d.add(d.candidate)
		}
		d.candidate = ""
	case t.kind == tokenName && name == "window" && !d.prev.is("."):
		d.candidate = name
	case t.kind == tokenName && d.prev.is(".") && d.candidate == "window":
		d.candidate = name
	case !t.is("."):
		d.candidate = ""
	}
}

func (d *declarations) name(t *token) {
	name := string(t.text)
	before := string(d.prev.text)
	if d.prev.kind != tokenName && d.prev.kind != tokenPunctuator {
		before = ""
	}
	switch {
	case name == "var" || name == "let" || name == "const":
		d.list = true
	case before == "var" || before == "let" || before == "const" || before == "function" || before == "class" || d.list && before == ",":
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
