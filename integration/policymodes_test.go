package integration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestPolicyModes: which policy an answer carries, by what the operator chose, what is asked for and what the visitor permits.
// The first words of a policy tell which it is: strict begins with default-src, auto with script-src.
func TestPolicyModes(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", map[string]string{"/a.js": "text/javascript", "/a.png": "image/png", "/parts": "multipart/x-mixed-replace"}[r.URL.Path])
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<img src=https://www.google-analytics.com/collect><script src=https://connect.facebook.net/en_US/fbevents.js></script><p>page"))
		}
	}))
	t.Cleanup(upstream.Close)
	const (
		none     = ""
		strict   = "default-src"
		observed = "report-only script-src"
	)
	for directive, want := range map[string]struct{ page, script, image, parts, analytics, withdrawn string }{
		"consent":                                     {observed, none, none, strict, observed, none},
		"consent strict":                              {strict, strict, none, strict, strict, strict},
		"consent {\ncsp strict\n}":                    {strict, strict, none, strict, strict, strict},
		"consent {\ncsp off\n}":                       {none, none, none, none, none, none},
		"consent strict {\ncsp off\n}":                {none, none, none, none, none, none},
		"consent strict {\ncsp auto\n}":               {observed, none, none, strict, observed, none},
		"consent report":                              {none, none, none, none, none, none},
		"consent {\nallow cdn.example\ncsp strict\n}": {strict, strict, none, strict, strict, strict},
	} {
		base := "http://" + lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), directive, "")
		ask := func(path, dest, cookie string) (kind, policy string) {
			r, err := http.NewRequest(http.MethodGet, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Sec-Fetch-Dest", dest)
			if cookie != "" {
				r.Header.Set("Cookie", cookie)
			}
			res, body := answer(t, r)
			policy = res.Header.Get("Content-Security-Policy")
			if strings.HasSuffix(path, "/state") {
				var state struct{ Policy string }
				_ = json.Unmarshal(body, &state) // in report mode there is no such path
				policy = state.Policy
			}
			kind, _, _ = strings.Cut(policy, " ")
			if only := res.Header.Get("Content-Security-Policy-Report-Only"); only != "" && policy == "" {
				kind, _, _ = strings.Cut(only, " ")
				kind, policy = "report-only "+kind, only
			}
			return kind, policy
		}
		agreed := func(form string) string {
			res, _ := post(t, base+"/.consent/choose", form, "Accept", "application/json")
			cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
			return cookie
		}
		analytics := agreed("choice=save&purpose=analytics&purpose=functional&purpose=social")
		for _, c := range []struct{ path, dest, cookie, want string }{
			{"/", "document", "", want.page}, {"/a.js", "script", "", want.script}, {"/a.png", "image", "", want.image},
			{"/parts", "document", "", want.parts}, {"/.consent/state", "empty", "", want.withdrawn},
			{"/", "document", analytics, want.analytics}, {"/", "document", agreed("choice=accept"), none},
		} {
			got, policy := ask(c.path, c.dest, c.cookie)
			if got != c.want {
				t.Errorf("%s: %s, agreed %v: %q, want %q", directive, c.path, c.cookie != "", got, c.want)
			}
			if got == none {
				continue
			}
			permits, state := c.cookie != "", strings.HasSuffix(c.path, "/state")
			if reports := strings.Contains(policy, "; report-uri /.consent/csp"); reports != (got == observed || permits) && !state {
				t.Errorf("%s: %s: the policy asks for reports: %v", directive, c.path, reports)
			}
			if strings.Contains(policy, " cdn.example *.cdn.example") != strings.Contains(directive, "allow") {
				t.Errorf("%s: %s: %s", directive, c.path, policy)
			}
			if strings.Contains(policy, " *.google-analytics.com") != permits || strings.Contains(policy, "facebook") || len(policy) > 7<<10 {
				t.Errorf("%s: %s, agreed %v: %s", directive, c.path, permits, policy)
			}
		}
		if want.analytics == none {
			continue
		}
		r, err := http.NewRequest(http.MethodPost, base+"/.consent/csp", strings.NewReader(`{"csp-report":{"document-uri":"`+base+`/","blocked-uri":"https://static.hotjar.com/c/hotjar-1.js","effective-directive":"script-src-elem"}}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", analytics)
		answer(t, r)
		if _, policy := ask("/", "document", analytics); !strings.Contains(policy, " *.hotjar.com") {
			t.Errorf("%s: a vendor that is permitted, and that a browser reported, is not in the policy: %s", directive, policy)
		}
	}
}
