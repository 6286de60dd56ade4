package javascript_test

import (
	"fmt"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules/javascript"
)

func TestDeclared(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"", ""},
		{"var a = 1, b; let c = [], d = {x: 1};", "a b c[] d"},
		{"function f() { var inner = 1 }\nclass K {}", "f K"},
		{"window.dataLayer = window.dataLayer || [];\nfunction gtag(){dataLayer.push(arguments);}", "dataLayer gtag"},
		{"var _gaq = _gaq || []; _gaq.push(['_setAccount', 'UA-1']);", "_gaq"},
		{"adroll_adv_id = 'X'; adroll_pix_id = 'Y'; (function () { hidden = 1 })()", "adroll_adv_id adroll_pix_id"},
		{"x.y = 2; this.z = 3; location = '/'; document.title = ''", ""},
		{"if (a) { var b = 1; let own = 2; const also = 3; class Inner {} } else { c = [] } for (;;) { function f() { var no = 1 } }", "b c[] f"},
		{"if (a) {trb.x = !0; var oAv = ['3'], oVa = {no: 1, nor: 2}}", "oAv[] oVa"},
		{"f({a: 1, b: 2}, function () { no = 1 }, () => { no = 2 }); o = {m() { var no = 3 }, get g() { no = 4 }}; class K { m() { no = 5 } }", "o K"},
		{"!function(e,t){e.A=e.A||{},e.B=function(o,n){o.no=1,e.nor=2};t.no=3}(window,document)", "A B"},
		{"(function (w) { w.a = 1 })(window); (function (w) { w.no = 2 })(other); (function (w) { w.b = 3 }(this))", "a b"},
		{"function f(w) { w.no = 1 } f(window)", "f"},
		{"var s = 'var no = 1'; /* var no = 2 */ // var no = 3\nvar yes = `var no = 4`", "s yes"},
		{"const ünïcode = 1, ok = 2", "ok"},
		{"if (typeof(a) == 'undefined') { window.a = '' } (function () { window.b = []; window.c.d = 1; o.window.e = 1 })()", "a b"},
		{"self.x = 1; globalThis.y = function () {};", "x y"},
		{"a == b; a === c; a => 1", ""},
		{"(function () { var w = window, d = document, no = {}; w.a = no; if (!w.b) { w.b = d } no.c = 1 })(); w.d = 1", "a b"},
		{"var w = window; w.a = w.a || {}; w['b'] = 1; window['c'] = window['d'] || 1; o['e'] = 1", "w a b c"},
		{"(function (w, d, q, s) { w[q] = w[q] || []; w[s]; d[s] = 1 })(window, document, '_q', 'script', 'a.js')", "_q[]"},
		{"!function (w, d, q, f) { w[f] = w[f] || function () { (w[f].q = w[f].q || []).push(arguments) }, w[q] = [1] }(window, document, 'list', 'call'); (function (o, k) { o[k] = 1 })(other, 'no')", "list[] call"},
		{"window['ünï'] = 1; window['a b'] = 2; window[no] = 3", ""},
	} {
		if got := javascript.Declared([]byte(c.script)); got != c.want {
			t.Errorf("Declared(%q) = %q, want %q", c.script, got, c.want)
		}
	}
}

func FuzzDeclared(f *testing.F) {
	f.Add([]byte("var a = [1, 2], b; window.c = d = 1"))
	f.Add([]byte("`${`${"))
	f.Fuzz(func(t *testing.T, script []byte) { javascript.Declared(script) })
}

func ExampleDeclared() {
	fmt.Println(javascript.Declared([]byte("var _hmt = _hmt || []; window.track = function () {}")))
	// Output: _hmt track
}
