package rules_test

import (
	"fmt"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules"
)

func TestDeclared(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"", ""},
		{"var a = 1, b; let c = [], d = {x: 1};", "a b c[] d"},
		{"function f() { var inner = 1 }\nclass K {}", "f K"},
		{"window.dataLayer = window.dataLayer || [];\nfunction gtag(){dataLayer.push(arguments);}", "dataLayer gtag"},
		{"var _gaq = _gaq || []; _gaq.push(['_setAccount', 'UA-1']);", "_gaq"},
		{"adroll_adv_id = 'X'; adroll_pix_id = 'Y'; (function () { hidden = 1 })()", "adroll_adv_id adroll_pix_id"},
		{"if (a) { b = 1 } x.y = 2; this.z = 3; location = '/'; document.title = ''", ""},
		{"var s = 'var no = 1'; /* var no = 2 */ // var no = 3\nvar yes = `var no = 4`", "s yes"},
		{"const ünïcode = 1, ok = 2", "ok"},
		{"if (typeof(a) == 'undefined') { window.a = '' } (function () { window.b = []; window.c.d = 1; o.window.e = 1 })()", "a b"},
		{"self.x = 1; globalThis.y = function () {};", "x y"},
		{"a == b; a === c; a => 1", ""},
	} {
		if got := rules.Declared([]byte(c.script)); got != c.want {
			t.Errorf("Declared(%q) = %q, want %q", c.script, got, c.want)
		}
	}
}

func FuzzDeclared(f *testing.F) {
	f.Add([]byte("var a = [1, 2], b; window.c = d = 1"))
	f.Add([]byte("`${`${"))
	f.Fuzz(func(t *testing.T, script []byte) { rules.Declared(script) })
}

func ExampleDeclared() {
	fmt.Println(rules.Declared([]byte("var _hmt = _hmt || []; window.track = function () {}")))
	// Output: _hmt track
}
