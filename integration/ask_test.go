package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestAsk: what a visitor answered in the app is in force on the app's pages, and nobody is waited for, or granted
// anything, while the app cannot be asked.
func TestAsk(t *testing.T) {
	var answer atomic.Pointer[string]
	var asked atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		for name := range r.Header {
			if name != "Accept" && name != "Cookie" && name != "X-Key" {
				t.Errorf("the question carries %s", name)
			}
		}
		if c := r.Header.Get("Cookie"); !strings.HasPrefix(c, "session=") || strings.Contains(c, ";") || r.Header.Get("X-Key") != "secret" {
			t.Errorf("the question carries the cookies %q and the key %q", c, r.Header.Get("X-Key"))
		}
		_, _ = io.WriteString(w, *answer.Load())
	}))
	t.Cleanup(app.Close)
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	t.Setenv("APP_KEY", "secret")
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), `consent {
		ask `+app.URL+` {
			cookie session
			path account.consent
			timeout 2s
			cache 1s
			header X-Key {env.APP_KEY}
		}
	}`, "")
	for _, c := range []struct{ answer, visitor, want string }{
		{`{"account":{"consent":{"analytics":true,"marketing":false}}}`, "a", "5"}, // necessary and analytics
		{`{"account":{"consent":["analytics","functional"]}}`, "b", "7"},
		{`{"account":null}`, "c", nothing},
		{`<!doctype html>`, "d", nothing},
	} {
		answer.Store(&c.answer)
		if got := granted(t, base, "theme=dark; session="+c.visitor); got != c.want {
			t.Errorf("%s grants %s, want %s", c.answer, got, c.want)
		}
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("asked %d times about 4 visitors", n)
	}
	if granted(t, base, "theme=dark"); asked.Load() != 4 {
		t.Error("asked about a visitor whom the app does not know")
	}
	yes := `{"account":{"consent":["functional","analytics","marketing","social"]}}`
	answer.Store(&yes)
	res, _ := post(t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
	own := token(t, res)
	if got := granted(t, base, own+"; session=e"); got == nothing {
		t.Error("what the visitor answered here and in the app is not granted")
	}
	app.Close()
	started := time.Now()
	for i := range 20 {
		if got := granted(t, base, fmt.Sprintf("%s; session=f%d", own, i)); got != nothing {
			t.Fatalf("with the app down %s is granted: the app may have been told of a withdrawal", got)
		}
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("20 requests while the app is down took %s", took)
	}
	if got := granted(t, base, own); got == nothing {
		t.Error("what is granted to a visitor without the app's cookie depends on the app")
	}
}

// TestDescribedPlatforms: a cookie that the Caddyfile describes, and a named platform with the site's own names and those of
// catalogue vendors, are enforced.
func TestDescribedPlatforms(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), `consent {
		banner off
		platform cookie own {
			path choices
			decided answered
			map stats analytics
			map ads marketing social
		}
		platform klaro {
			cookie consent-shop
			map fonts functional
		}
		platform cookie flat {
			pattern (\w+)=(\w+)
			map f functional
		}
	}`, "")
	for cookies, want := range map[string]string{
		`own={"choices":{"stats":true,"ads":"denied"},"answered":true}`:                               "5",
		`own={"choices":{"stats":true},"answered":false}`:                                             nothing,
		"own=%7B%22answered%22%3A1%2C%22choices%22%3A%5B%22ads%22%5D%7D":                              "25", // necessary, marketing, social
		"consent-shop=%7B%22fonts%22%3Atrue%7D":                                                       "3",
		"consent-shop=%7B%22google-analytics%22%3Atrue%7D":                                            "5",
		"consent-shop=%7B%22google_analytics%22%3Afalse%7D":                                           nothing,
		"klaro=%7B%22fonts%22%3Atrue%7D":                                                              nothing,
		"flat=f=1|x=1":                                                                                "3",
		`flat=f=1; own={"choices":["stats"],"answered":true}; consent-shop=%7B%22fonts%22%3Afalse%7D`: "5",
	} {
		if got := granted(t, base, cookies); got != want {
			t.Errorf("%s grants %s, want %s", cookies, got, want)
		}
	}
}
