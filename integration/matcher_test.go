package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestMatcherBesideOtherSites: what a site's visitor permits is matched by no other site's terms, and asking leaves the
// request as it is.
func TestMatcherBesideOtherSites(t *testing.T) {
	t.Parallel()
	port := lab.FreePort(t)
	var others strings.Builder
	for i := range 6 {
		fmt.Fprintf(&others, "http://other%d.example:%d {\n\tconsent {\n\t\tsignals none\n\t}\n}\n", i, port)
	}
	lab.Caddy(t, fmt.Sprintf(`{
	{global}
	consent {
		store bolt {store}
	}
}
http://shop.example:%d {
	@ok consent analytics
	header @ok X-Permitted yes
	consent {
		debug private_ranges
	}
	respond "<p>page"
}
`, port)+others.String())
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	ask := func(fields ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "shop.example"
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		res, _ := answer(t, r)
		return res
	}
	r, err := http.NewRequest(http.MethodPost, base+"/.consent/choose", strings.NewReader("choice=accept"))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "shop.example"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	res, _ := answer(t, r)
	cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	if ask().Header.Get("X-Permitted") != "" || ask("Cookie", cookie).Header.Get("X-Permitted") == "" {
		t.Fatal("the matcher does not follow the visitor's answer")
	}
	if ask("Cookie", cookie, "Sec-GPC", "1").Header.Get("X-Permitted") != "" {
		t.Error("a signal that this site honours was matched by the terms of a site that does not")
	}
	if got := ask("Consent-Debug", "1").Header.Get("Consent-Debug"); got == "" {
		t.Error("who may ask for reasons gets none beside a matcher")
	}
}
