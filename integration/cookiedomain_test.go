package integration

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestCookieDomain: where the operator says so, an answer on one host of a domain holds on the others, and a withdrawal
// there holds here; a host outside of the domain has an answer of its own.
func TestCookieDomain(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent {\ncookie_domain .Shop.Example\n}", "")
	send := func(method, host, path, form, cookies string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(context.Background(), method, "http://"+addr+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}, "Cookie": {cookies}}
		res, body := answer(t, r)
		return res, string(body)
	}
	permitted := func(host, cookies string) bool {
		_, body := send(http.MethodGet, host, "/.consent/state", "", cookies)
		return !strings.Contains(body, `"granted":`+nothing+",")
	}
	res, _ := send(http.MethodPost, "www.shop.example", "/.consent/choose", "choice=accept", "")
	yes := token(t, res)
	if set := res.Header.Get("Set-Cookie"); !strings.Contains(set, "; Domain=shop.example;") || strings.Contains(set, "__Host-") {
		t.Errorf("the cookie is %s", set)
	}
	if !permitted("shop.example", yes) || !permitted("blog.shop.example:8080", yes) {
		t.Error("the answer does not hold on the domain's other hosts")
	}
	if res, _ := send(http.MethodPost, "myshop.example", "/.consent/choose", "choice=accept", ""); strings.Contains(res.Header.Get("Set-Cookie"), "Domain") {
		t.Errorf("outside of the domain the cookie is %s", res.Header.Get("Set-Cookie"))
	}
	send(http.MethodPost, "blog.shop.example", "/.consent/choose", "choice=withdraw", yes)
	if permitted("www.shop.example", yes) {
		t.Error("a withdrawal on one host does not hold on another")
	}
}
