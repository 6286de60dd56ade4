package javascript_test

import (
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules"
)

// load makes a script that loads what the expression says.
func load(expression string) string {
	return "(function(){var s=document.createElement('script');s.async=1;s.src=" + expression + ";document.head.appendChild(s)})();"
}

// TestVeiledScripts: an address that a script puts together from literals is seen; a value that needs running, or that is no
// vendor's, is none.
func TestVeiledScripts(t *testing.T) {
	s := builtin(t)
	for _, x := range []string{
		`['https://www.google','-analytics.com','/analytics.js'].join('')`,
		`["https://www","google-analytics","com/ga.js"].join(".")`,
		"[ 'https:' , '' , \"www.google-analytics.com\" , `ga.js` ] . join ( '/' )",
		`atob('aHR0cHM6Ly93d3cuZ29vZ2xlLWFuYWx5dGljcy5jb20vYW5hbHl0aWNzLmpz')`,
		`window.atob("aHR0cHM6Ly93d3cu") + atob("Z29vZ2xlLWFuYWx5dGljcy5jb20vYW5hbHl0aWNzLmpz")`,
		`String.fromCharCode(104,116,116,112,115,58,47,47,119,119,119,46,103,111,111,103,108,101,45,97,110,97,108,121,116,105,99,115,46,99,111,109,47,97,46,106,115)`,
		`String.fromCharCode(0x68,0x74,0x74,0x70,0x73,58,47,47)+'www.google'+String.fromCharCode(45)+'analytics.com/a.js'`,
		`'https://www.googleXX-analytics.com/analytics.js'.replace('XX','')`, `'hYtps://www.google-anYlytics.com/ga.js'.replace('Y','t').replace("anY","ana")`,
		`'https://www.g##gle-analytics.c#m/ga.js'.replace(/#/g, "o")`,
		`'sj.ag/moc.scitylana-elgoog.www//:sptth'.split('').reverse().join('')`, `'https://www.'.concat('google-analytics','.com/ga.js')`,
		`decodeURIComponent('https%3A%2F%2Fwww.google%2Danalytics.com%2Fga.js')`, `decodeURI('https://www.google%2Danalytics.com/ga.js')`, `unescape('%68%74%74%70%73%3A//www.%67oogle-analytics.com/ga.js')`,
		`atob(['aHR0cHM6Ly93d3cuZ29v','Z2xlLWFuYWx5dGljcy5jb20vYW5hbHl0aWNzLmpz'].join(''))`,
		`decodeURIComponent(atob('aHR0cHMlM0ElMkYlMkZ3d3cuZ29vZ2xlLWFuYWx5dGljcy5jb20lMkZnYS5qcw=='))`,
	} {
		if m, ok := s.Script([]byte(load(x)), rules.Context{}); !ok || m.Vendor != "google-analytics" {
			t.Errorf("%s: %v %s", x, ok, m.Vendor)
		}
	}
	code := "eval(atob('" + "dmFyIHM9ZG9jdW1lbnQuY3JlYXRlRWxlbWVudCgnc2NyaXB0Jyk7cy5zcmM9J2h0dHBzOi8vd3d3Lmdvb2dsZS1hbmFseXRpY3MuY29tL2FuYWx5dGljcy5qcyc7ZG9jdW1lbnQuaGVhZC5hcHBlbmRDaGlsZChzKQ==" + "'))"
	if m, ok := s.Script([]byte(code), rules.Context{}); !ok || m.Vendor != "google-analytics" {
		t.Errorf("code in base64: %v %s", ok, m.Vendor)
	}
	for _, x := range []string{
		`import "data:text/javascript,import%20'https://www.google-analytic%73.com/ga.js'"`, `import x from 'DATA:text/javascript;base64,aW1wb3J0ICdodHRwczovL3d3dy5nb29nbGUtYW5hbHl0aWNzLmNvbS9nYS5qcyc='`,
		"new Worker(`data:application/ecmascript,importScripts('https://www.google-analytics.com/ga.js')`)", `import "data:text/javascript,import%20'data:text/javascript,import%2520%2522https://www.google-analytics.com/ga.js%2522'"`,
		`import "data:text/javascript,import 'https://www.google-analytics.com/ga.js';` + strings.Repeat("x", 9000) + `"`,
	} {
		if m, ok := s.Script([]byte(x), rules.Context{}); !ok || m.Vendor != "google-analytics" {
			t.Errorf("%.99s: %v %s", x, ok, m.Vendor)
		}
	}
	for _, x := range []string{
		`'data:text/plain;base64,aW1wb3J0ICdodHRwczovL3d3dy5nb29nbGUtYW5hbHl0aWNzLmNvbS9nYS5qcyc='`, `'data:'`, `data:text/javascript,x`, `"data:text/javascript;base64,!"`,
		`['https://cdn.example','/a.js'].join('')`, `['https://www.google',x,'-analytics.com/ga.js'].join('')`, `atob('aHR0cHM6Ly9jZG4uZXhhbXBsZS9hLmpz')`, `atob('!!!')`, `atob(x)`,
		`'a'.replace(/(x)/,'https://www.google-analytic')`, `String.fromCharCode(x)`, `String.fromCharCode()`, `''.concat()`, `'abc'.split('b').reverse().join('')`, `[].join('')`, `['a'.join('')`,
		`unescape('%')`, `decodeURIComponent('%zz')`, `'x'.replace('','y')`, `.join('')`, `'.replace('a','b')`, "`${a}`.replace('a','b')",
	} {
		if m, ok := s.Script([]byte(load(x)), rules.Context{}); ok {
			t.Errorf("%s: %s by %q", x, m.Vendor, m.Rule)
		}
	}
}
