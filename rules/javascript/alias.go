package javascript

// maxParameters bounds the parameters of a function that are told apart: no loader has more.
const maxParameters = 10

// alias is a function that is not inside another one, as in !function (w, d, k) {…}(window, document, "a"): its first
// parameter is the window if the function is called with it at once, and others may hold the names of globals.
type alias struct {
	parameters [maxParameters]string
	count      int
	names      []string // what is assigned to properties of the first parameter
	// keys says what is assigned to those properties of it that a parameter names.
	keys [maxParameters]assignment
	key  int // the parameter in w[k] that was read last, 0 for none
	open int // the one that the statement assigns to, 0 for none

	closed   bool // the function has ended
	window   bool // it is called with the window
	argument int
}

type assignment uint8

const (
	assignsNothing assignment = iota
	assignsValue
	assignsArray
)

func (a *alias) parameter(name string) {
	if a.count < maxParameters {
		a.parameters[a.count] = name
		a.count++
	}
}

// index notes that a parameter stands in the brackets of w[k].
func (a *alias) index(name string) {
	a.key = 0
	for i := 1; i < a.count; i++ {
		if a.parameters[i] == name {
			a.key = i
		}
	}
}

// assign notes that the property that was read last is assigned to.
func (a *alias) assign() {
	if a.open = a.key; a.key > 0 && a.keys[a.key] == assignsNothing {
		a.keys[a.key] = assignsValue
	}
	a.key = 0
}

// array notes a bracket that opens behind prev: the property becomes an array in w[k] = [ and w[k] = w[k] || [.
func (a *alias) array(prev *token) {
	if a.open > 0 && (prev.is("=") || prev.is("||")) {
		a.keys[a.open] = assignsArray
	}
}

// called reads what follows the function. It reports whether that is all: names then holds what the function defines.
func (a *alias) called(t *token) bool {
	switch {
	case !a.window && (t.is("(") || t.is(")")):
		return false
	case !a.window:
		a.window = t.kind == tokenName && (string(t.text) == "window" || string(t.text) == "self" || string(t.text) == "this" || string(t.text) == "globalThis")
		if !a.window {
			a.names = nil
		}
		return a.keys == [maxParameters]assignment{} || !a.window
	case t.is(","):
		a.argument++
	case t.kind == tokenString && a.argument < maxParameters:
		switch a.keys[a.argument] {
		case assignsValue:
			a.names = append(a.names, string(t.text))
		case assignsArray:
			a.names = append(a.names, string(t.text)+"[]")
		}
	}
	return t.mark != 0 && t.mark != ','
}

// local is a variable that holds the window.
type local struct {
	name  string
	inner bool // it is a function's
}

// leave ends a function.
func (l *local) leave() {
	if l.inner {
		*l = local{}
	}
}
