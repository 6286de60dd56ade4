package html

import (
	"strings"
	"testing"
)

// TestDynamicPolicy: where the site's policy trusts what scripts insert, only a script with its nonce can be put back.
func TestDynamicPolicy(t *testing.T) {
	const meta = `<meta http-equiv="Content-Security-Policy" content="script-src 'strict-dynamic' 'sha256-x'">`
	padding := strings.Repeat("p", 2*defaultLimit)
	for doc, kept := range map[string][3]bool{ // without a policy; with one of nonce "a&b"; without a nonce
		`<script src="//tracker.test/s.js"></script>`:                                             {true, false, false},
		`<script nonce="a&amp;b" src="//tracker.test/s.js"></script>`:                             {true, true, false},
		`<script NONCE='a&b' nonce=x>tracker()</script>`:                                          {true, true, false},
		`<script nonce=x nonce="a&b">tracker()</script>`:                                          {true, false, false},
		`<script nonce>tracker()</script>`:                                                        {true, false, false},
		`<svg><script href="//tracker.test/s.js"></script></svg>`:                                 {true, false, false},
		`<script src="//tracker.test/s.js" data-x="` + padding + `"></script>`:                    {true, false, false},
		`<img src="//tracker.test/i">`:                                                            {true, true, true},
		meta + `<script src="//tracker.test/s.js"></script>`:                                      {false, false, false},
		meta + `<iframe srcdoc="<script src='//tracker.test/s.js'></script>">`:                    {false, false, false},
		strings.Replace(meta, `-Policy`, `-Policy-Report-Only`, 1) + `<script>tracker()</script>`: {true, false, false},
	} {
		for i, o := range []Options{{}, {Dynamic: true, Nonce: "a&b"}, {Dynamic: true}} {
			with := options(t)
			with.Dynamic, with.Nonce = o.Dynamic, o.Nonce
			out := rewriteAll(t, with, doc)
			if got := strings.Contains(out, with.Mark); got != kept[i] {
				t.Errorf("%.99s with %+v can be put back: %v, want %v: %.300s", doc, o, got, kept[i], out)
			}
			if strings.Contains(out, ` src="//tracker`) || strings.Contains(out, "<script>tracker") {
				t.Errorf("%.99s is not gated: %.300s", doc, out)
			}
		}
	}
}
