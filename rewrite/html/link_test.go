package html

import (
	"bytes"
	"testing"
)

// Links and forms are shown with the host they lead to, decoded, and nothing else of the page changes.
func TestLink(t *testing.T) {
	o := options(t)
	seen := ""
	o.Link = func(dst, target, host []byte) ([]byte, bool) {
		seen = string(host) + " " + string(target)
		i := bytes.Index(target, []byte("?gclid=1&"))
		if i < 0 || string(host) != "other.test" {
			return dst, false
		}
		return append(append(append(dst, target[:i]...), '?'), target[i+len("?gclid=1&"):]...), true
	}
	for _, c := range []struct{ in, out, seen string }{
		{`<a href="http://other.test/?gclid=1&amp;b=2" title=x>`, `<a href="http://other.test/?b=2" title=x>`, "other.test http://other.test/?gclid=1&b=2"},
		{`<a id=a href=//other.test?gclid=1&b=%22&c>`, `<a id=a href="//other.test?b=%22&amp;c">`, "other.test //other.test?gclid=1&b=%22&c"},
		{`<area href="//other.test/?gclid=1&b=2">`, `<area href="//other.test/?b=2">`, "other.test //other.test/?gclid=1&b=2"},
		{`<form action="//other.test/?gclid=1&b=2">`, `<form action="//other.test/?b=2">`, "other.test //other.test/?gclid=1&b=2"},
		{`<button formaction='//other.test/?gclid=1&b=2'>`, `<button formaction="//other.test/?b=2">`, "other.test //other.test/?gclid=1&b=2"},
		{`<a href="/?gclid=1&b=2">`, ``, "site.test /?gclid=1&b=2"},
		{`<a href="//other.test/?gclid">`, ``, ""},
		{`<a href="mailto:a@other.test?subject=b">`, ``, ""},
		{`<link rel=canonical href="//other.test/?gclid=1&b=2">`, ``, ""},
		{`<img src="//other.test/?gclid=1&b=2">`, ``, ""},
		{`<a href="//tracker.test/?gclid=1&b=2" ping=//tracker.test/>`, `<a data-consent="0123456789abcdef analytics tracker" href="//tracker.test/?gclid=1&b=2" data-consent-ping=//tracker.test/>`, "tracker.test //tracker.test/?gclid=1&b=2"},
	} {
		seen = ""
		out := rewriteAll(t, o, c.in)
		if c.out == "" {
			c.out = c.in
		}
		if out != c.out || seen != c.seen {
			t.Errorf("%s\nbecame %s, want %s\nshown %q, want %q", c.in, out, c.out, seen, c.seen)
		}
		checkSplits(t, o, c.in, c.out, 3)
		if again := rewriteAll(t, o, out); again != out {
			t.Errorf("a second pass changes %s", out)
		}
	}
}
