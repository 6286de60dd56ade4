package rules

import "testing"

// TestPackages: a vendor's npm packages are its own wherever a browser gets them from.
func TestPackages(t *testing.T) {
	s := builtin(t, Options{})
	for url, vendor := range map[string]string{
		"https://cdn.jsdelivr.net/npm/posthog-js@1/dist/array.js":                   "posthog",
		"https://fastly.jsdelivr.net/npm/@segment/analytics-next@1":                 "segment",
		"https://cdn.jsdelivr.net/combine/npm/jquery@3,npm/mixpanel-browser@2":      "mixpanel",
		"https://esm.sh/v135/@amplitude/analytics-browser@2/es2022/x.mjs":           "amplitude",
		"https://esm.sh/@amplitude/analytics-browser":                               "amplitude",
		"https://esm.sh/*mixpanel-browser@2.47.0":                                   "mixpanel",
		"https://unpkg.com/@hotjar/browser@1":                                       "hotjar",
		"https://esm.run/plausible-tracker":                                         "plausible",
		"https://cdn.skypack.dev/-/@segment/analytics-next@v1.0-x/dist/es2020/x.js": "segment",
		"https://ga.jspm.io/npm:@snowplow/browser-tracker@3/dist/index.js":          "snowplow",
		"https://jspm.dev/npm:logrocket@8":                                          "logrocket",
		"https://jspm.dev/logrocket":                                                "logrocket",
		"https://cdn.jsdelivr.net/npm/jquery@3":                                     "",
		"https://cdn.jsdelivr.net/npm/logrocket-react@6":                            "logrocket",
		"https://unpkg.com/@vercel/analyticsx":                                      "",
		"https://esm.sh/react@18":                                                   "",
	} {
		if m, ok := judge(t, s, url, Context{}); ok != (vendor != "") || ok && m.Vendor != vendor {
			t.Errorf("%s: %v, %s by %q; want %q", url, ok, m.Vendor, m.Rule, vendor)
		}
	}
}
