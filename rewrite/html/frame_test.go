package html

import (
	"regexp"
	"strings"
	"testing"
)

// A gated frame has a name of its own, and its old one is kept for revival; other frames are left alone.
func TestGatedFramesAreNamed(t *testing.T) {
	got := rewriteAll(t, options(t), `<iframe src=//tracker.test/a name=chat></iframe><iframe src=//tracker.test/b></iframe>`+
		`<frame src=//tracker.test/c><iframe src=/own name=own></iframe><img src=//tracker.test/i name=i>`+
		`<iframe srcdoc="<iframe src=//tracker.test/d></iframe>"></iframe>`)
	if !regexp.MustCompile(`data-consent-name=chat name="consent-\w+"`).MatchString(got) || !regexp.MustCompile(`<iframe src=/own name=own>`).MatchString(got) {
		t.Errorf("names are not kept: %s", got)
	}
	names := map[string]bool{}
	for _, n := range regexp.MustCompile(`name=(?:"|&quot;)(consent-\w+)`).FindAllStringSubmatch(got, -1) {
		names[n[1]] = true
	}
	if len(names) != 4 {
		t.Errorf("%d different names, want 4: %s", len(names), got)
	}
	o := options(t)
	o.Mark = "another response's"
	if again := rewriteAll(t, o, `<iframe src=//tracker.test/a></iframe>`); names[regexp.MustCompile(`name="(consent-\w+)`).FindStringSubmatch(again)[1]] {
		t.Errorf("another response has the same name: %s", again)
	}
}

// TestScriptThatMakesAFrame: what a javascript: URL evaluates to is the frame's document.
func TestScriptThatMakesAFrame(t *testing.T) {
	for _, doc := range []string{
		`<iframe src="javascript:'<img src=https://127.0.0.2/p.gif>'"></iframe>`,
		`<iframe src="javascript:'%3Cimg src=https://127.0.0.2/p.gif%3E'"></iframe>`,
		`<embed src="javascript:'<script src=https://127.0.0.2/t.js></script>'">`,
	} {
		if out := rewriteAll(t, options(t), doc); strings.Contains(out, ` src="javascript`) {
			t.Errorf("%s became %s", doc, out)
		}
	}
	const own = `<iframe src="javascript:'<img src=/own.gif>'"></iframe><iframe src="javascript:false"></iframe>`
	if out := rewriteAll(t, options(t), own); out != own {
		t.Errorf("%s became %s", own, out)
	}
}
