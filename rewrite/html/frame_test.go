package html

import (
	"regexp"
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
