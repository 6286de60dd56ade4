package caddymodule

import (
	"net/http"
	"testing"

	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
)

// TestHostOf: a request's host is spelled as in the addresses of its page, which are else another party's.
func TestHostOf(t *testing.T) {
	for _, c := range []struct{ host, want string }{
		{"Shop.example:8080", "shop.example"}, {"shop.example.", "shop.example"}, {"shop.example.:80", "shop.example"}, {"10.0.0.5:80", "10.0.0.5"},
		{"[::1]", "[::1]"}, {"[::1]:8080", "[::1]"}, {"[2001:DB8::5]:443", "[2001:db8::5]"},
	} {
		got := hostOf(&http.Request{Host: c.host})
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.host, got, c.want)
		}
		if u, err := weburl.Parse("http://" + c.host + "/pixel.gif"); err == nil && rules.ThirdParty(got, u.Host()) {
			t.Errorf("%q: its own addresses are another party's", c.host)
		}
	}
}
