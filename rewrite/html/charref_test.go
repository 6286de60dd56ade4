package html

import "testing"

// TestAppendText: what is decoded of an attribute's value. (WHATWG HTML, 13.2.3.5 and 13.2.5.72)
func TestAppendText(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"plain":               "plain",
		"a\r\nb\rc\n\r":       "a\nb\nc\n\n",
		"\x00a\x00":           "\uFFFDa\uFFFD",
		"?a=b&amp;c&amp;d":    "?a=b&c&d",
		"&amp&am;&ampx&AMP;":  "&&am;&ampx&",
		"&#x2f;&#47&lt;&copy": "//<©",
		"&":                   "&",
	} {
		if got := string(appendText(nil, []byte(in), true)); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
