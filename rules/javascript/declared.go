package javascript

import (
	"slices"
	"strings"
)

// maxDeclared bounds the names that Declared returns.
const maxDeclared = 100

// Declared returns the global names that an inline script would define: its var, let, const, function and class declarations
// and its assignments (a = …, window.a = …) outside of functions, in blocks as well, and what its functions give the window
// under another name (w.a = … in !function (w) {…}(window), w[k] = … in !function (w, k) {…}(window, "a"), v.a = … after
// v = window). They are separated by spaces; one that becomes an array ends in "[]". Code of the page may use them while
// the script is parked.
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
	local local
	// list is true between var and the end of its statement.
	list         bool
	candidate    string // a name that is defined if an assignment follows
	aliased      bool   // it is a property of the alias
	quoted       string // a name that is defined if ] and an assignment follow
	before, prev token
}

func (d *declarations) run() {
	for len(d.names) < maxDeclared {
		t := d.lexer.next()
		if t.kind == tokenEnd {
			return
		}
		if d.alias.closed && d.alias.called(&t) {
			for _, name := range d.alias.names {
				if d.add(strings.TrimSuffix(name, "[]")); strings.HasSuffix(name, "[]") {
					d.array()
				}
			}
			d.alias = alias{}
		}
		if t.kind == tokenName && d.prev.is("=") && d.before.kind == tokenName && string(t.text) == "window" {
			d.local = local{string(d.before.text), d.scope.functions > 0}
		}
		switch t.mark {
		case '{', '(', '[':
			d.open(&t)
		case '}', ')', ']':
			if d.scope.close() == inFunction && d.scope.functions == 0 {
				d.alias.closed = true
				d.local.leave()
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
	if t.mark == '[' {
		if d.scope.global() && d.prev.is("=") {
			d.array()
		}
		if d.scope.functions == 1 {
			d.alias.array(&d.prev)
		}
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
	d.member(t)
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
	d.member(t)
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
	case d.scope.functions == 0 && d.scope.innermost() == inParameters && (d.prev.is("(") || d.prev.is(",")):
		d.alias.parameter(name)
	case !d.prev.is(".") && d.window(name):
		d.candidate, d.aliased = "window", name != "window" && name != d.local.name
	case d.prev.is(".") && d.candidate == "window" && len(d.alias.names) < maxDeclared:
		d.candidate = name
	default:
		d.candidate = ""
	}
}

// window reports whether a name stands for the window where it is read, if the function around is called with it.
func (d *declarations) window(name string) bool {
	return name == "window" || name != "" && (name == d.local.name || d.scope.functions == 1 && name == d.alias.parameters[0])
}

// member reads window["a"] = … and, in a function that may be called with the window, w[k] = ….
func (d *declarations) member(t *token) {
	named := d.prev.is("[") && d.before.kind == tokenName && d.window(string(d.before.text))
	switch {
	case t.is("=") && d.prev.is("]"):
		d.alias.assign()
		if d.quoted != "" {
			d.add(d.quoted)
		}
		d.quoted = ""
	case named && t.kind == tokenName && d.scope.functions == 1:
		d.alias.index(string(t.text))
	case named && t.kind == tokenString && string(d.before.text) != d.alias.parameters[0]:
		d.quoted = string(t.text)
	default:
		d.alias.key, d.quoted = 0, ""
	}
	if t.is(";") || t.is(",") {
		d.alias.open = 0
	}
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
	case before == "." && (d.candidate == "window" || d.candidate == "self" || d.candidate == "globalThis" || d.candidate == d.local.name && d.local.name != ""):
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
