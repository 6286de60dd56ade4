package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// veils are the ways in which products that change pages hide a page until they have chosen what it shows, or until a time has
// passed, and how the product is loaded. Sources: the vendors' installation guides (Google "Anti-flicker snippet", Adobe "Manage
// flicker", Kameleoon "Asynchronous loading with anti-flicker", VWO "SmartCode", Webflow Optimize and Intellimize, Amplitude "Web
// Experiment", ABsmartly, GrowthBook, Chartbeat "Flicker control", PostHog "Prevent flashing of content").
var veils = []struct{ name, hides, product string }{
	{"google-optimize", `<style>.async-hide{opacity:0 !important}</style><script>document.documentElement.className += ' async-hide'; later(() => document.documentElement.classList.remove('async-hide'))</script>`, `<script async src="https://www.googleoptimize.com/optimize.js?id=OPT-1"></script>`},
	{"adobe-target", styleVeil("at-body-style", "body {opacity: 0 !important}"), `<script async src="https://assets.adobedtm.com/x/launch-1.min.js"></script>`},
	{"adobe-alloy", styleVeil("alloy-prehiding", ".personalization-container, body {opacity: 0 !important}"), `<script async src="https://assets.adobedtm.com/x/launch-1.min.js"></script>`},
	{"kameleoon", styleVeil("kameleoonLoadingStyleSheet", "* {visibility: hidden !important; background-image: none !important}"), `<script async src="https://abc.kameleoon.eu/kameleoon.js"></script>`},
	{"vwo", `<script>window._vwo_code = {finish() { document.getElementById('_vis_opt_path_hides')?.remove() }, load(src) { const s = document.createElement('script'); s.src = src; s.onerror = () => _vwo_code.finish(); document.head.append(s) }}</script>` +
		styleVeil("_vis_opt_path_hides", "body{opacity:0 !important;filter:alpha(opacity=0) !important;background:none !important}"), `<script>_vwo_code.load('//dev.visualwebsiteoptimizer.com/j.php?a=1&u=' + encodeURIComponent(document.URL))</script>`},
	{"vwo-assembled", styleVeil("_vis_opt_path_hides", "body{opacity:0 !important}"), `<script src=/own.js></script>`},
	{"intellimize", `<style>.anti-flicker, .anti-flicker * {visibility: hidden !important; opacity: 0 !important}</style><script>document.documentElement.className += ' anti-flicker'; later(() => document.documentElement.classList.remove('anti-flicker'))</script>`, `<script async src="https://cdn.intellimize.co/snippet/1.js"></script>`},
	{"amplitude", styleVeil("amp-exp-css", "* {visibility: hidden !important; background-image: none !important}"), `<script async src="https://cdn.amplitude.com/script/k.experiment.js"></script>`},
	{"absmartly", `<style id="absmartly-antiflicker">body {opacity: 0 !important; transition: opacity 300ms ease-in}</style>`, `<script async src="https://www.googletagmanager.com/gtm.js?id=GTM-1"></script>`},
	{"chartbeat", styleVeil("chartbeat-flicker-control-style", "body {visibility: hidden !important}"), `<script async src="https://static.chartbeat.com/js/chartbeat_mab.js"></script>`},
	{"posthog", `<style>.ph-hide-element {opacity: 0 !important}</style><script async src="https://eu-assets.i.posthog.com/static/array.js"></script>`, `<script>addEventListener('DOMContentLoaded', () => { document.body.classList.add('ph-hide-element'); posthog.onFeatureFlags(() => document.body.classList.remove('ph-hide-element')) })</script>`},
	{"optimizely", `<script>window.optimizely = window.optimizely || []</script>` + styleVeil("optimizely-antiflicker", "body {opacity: 0}"), `<script async src="https://cdn.optimizely.com/js/1.js"></script>`},
}

// styleVeil adds a style under an id, as most of them do.
func styleVeil(id, css string) string {
	return fmt.Sprintf(`<script>{ const s = document.createElement('style'); s.id = %q; s.appendChild(document.createTextNode(%q)); document.head.appendChild(s); later(() => s.parentNode && s.parentNode.removeChild(s)) }</script>`, id, css)
}

// TestVeils: a page that waits, hidden, for a product that is gated is shown at once, long before its own time has passed.
func TestVeils(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, v := range veils {
			if r.URL.Path == "/"+v.name {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = io.WriteString(w, `<!doctype html><html lang=en><head><title>x</title><script>const later = (f) => setTimeout(f, 1e6)</script>`+v.hides+v.product+`</head><body><p>content</p></body></html>`)
				return
			}
		}
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, `const s = document.createElement('script'); s.src = 'https://dev.visualwebsite' + 'optimizer.com/j.php?a=1'; document.head.append(s)`)
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	b := lab.NewBrowser(t, door)
	door.Site("veils.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	const shown = `((p) => p && p.checkVisibility({opacityProperty: true, visibilityProperty: true}))(document.querySelector('p'))`
	for _, v := range veils {
		b.Open(t, "https://veils.test/"+v.name)
		if !lab.Soon(func() bool { return lab.Eval[bool](t, b, shown) }) {
			t.Errorf("%s: the page stays hidden", v.name)
		}
	}
	for _, c := range door.Contacts() {
		t.Errorf("%s%s was contacted", c.Host, c.Path)
	}
}
