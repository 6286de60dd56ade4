package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestRedirectsOfSubresources: leaving the site for a service that is used is the visitor's own way only where the visitor
// goes. What a script or an image is led to is fetched in the page, also where no browser says what it is for (plain HTTP).
func TestRedirectsOfSubresources(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusFound)
	}))
	t.Cleanup(upstream.Close)
	enforce := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	strict := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent strict", "")
	const social, stranger = "https://platform.twitter.com/widgets.js", "https://stranger.example/x"
	for _, c := range []struct {
		addr, to string
		fields   string
		status   int
	}{
		{enforce, social, "Sec-Fetch-Dest: document", 302},
		{enforce, social, "Accept: text/html,*/*;q=0.8", 302},
		{enforce, social, "Sec-Fetch-Dest: empty; Sec-Fetch-Mode: navigate", 302},
		{enforce, social, "Sec-Fetch-Dest: image", 204},
		{enforce, social, "Sec-Fetch-Dest: empty; Sec-Fetch-Mode: cors", 204},
		{enforce, social, "Accept: image/avif,image/webp,*/*;q=0.8; Accept-Language: en", 204},
		{enforce, social, "Accept: */*; Accept-Language: en", 204},
		{enforce, social, "Sec-Fetch-Dest: document; Sec-Purpose: prefetch;prerender", 200},
		{enforce, social, "Sec-Fetch-Dest: empty; Sec-Purpose: prefetch", 200},
		{strict, stranger, "Sec-Fetch-Dest: document", 302},
		{strict, stranger, "Sec-Fetch-Dest: empty; Sec-Fetch-Mode: cors", 204},
		{strict, stranger, "Accept: image/avif,image/webp,*/*;q=0.8; Accept-Language: en", 204},
		{enforce, stranger, "Accept: */*; Accept-Language: en", 302},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+c.addr+"/go?to="+c.to, nil)
		if err != nil {
			t.Fatal(err)
		}
		for field := range strings.SplitSeq(c.fields, "; ") {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Set(name, value)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.status || (c.status == 302) != (res.Header.Get("Location") != "") {
			t.Errorf("to %s, %s: status %d, want %d; Location %q", c.to, c.fields, res.StatusCode, c.status, res.Header.Get("Location"))
		}
	}
}
