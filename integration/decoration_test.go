package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// Before an answer, and after a refusal, a link to another site carries no click identifier; one within the site keeps
// what it says, and nothing is taken off with "link_parameters none".
func TestLinkParameters(t *testing.T) {
	const page = `<!DOCTYPE html><a href="https://partner.example/?gclid=1&amp;page=2#top">a</a><a href="/own?gclid=1">b</a><a href="https://sub.site.test/?fbclid=1">c</a>` +
		`<form action="https://partner.example/buy?_gl=1*x&amp;sku=3"></form>`
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}))
	defer upstream.Close()
	for directive, want := range map[string][]string{
		"consent":                            {`href="https://partner.example/?page=2#top"`, `href="/own?gclid=1"`, `href="https://sub.site.test/?fbclid=1"`, `action="https://partner.example/buy?sku=3"`},
		"consent {\nlink_parameters none\n}": {`href="https://partner.example/?gclid=1&amp;page=2#top"`},
		"consent {\nlink_parameters sku\n}":  {`href="https://partner.example/?gclid=1&amp;page=2#top"`, `action="https://partner.example/buy?_gl=1*x"`},
	} {
		t.Run(directive, func(t *testing.T) {
			gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), directive, "")
			r, err := http.NewRequest(http.MethodGet, "http://"+gateway+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "site.test"
			r.Header.Set("Accept", "text/html")
			_, body := answer(t, r)
			for _, w := range want {
				if !strings.Contains(string(body), w) {
					t.Errorf("no %s in the page", w)
				}
			}
		})
	}
}
