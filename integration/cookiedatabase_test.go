package integration

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestCookieDatabase: what a cookie database says about a name holds in both directions, and from the moment that the file
// says it; in strict mode a cookie that it classifies as harmless is suspected no more.
func TestCookieDatabase(t *testing.T) {
	t.Parallel()
	const random = "9f86d081884c7d659a2feaa0c55ad015"
	arrived := make(chan string, 100)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("Cookie")
		for _, name := range []string{"shp_ad", "shp_view", "shp_other"} {
			http.SetCookie(w, &http.Cookie{Name: name, Value: random, MaxAge: 1 << 25})
		}
	}))
	defer site.Close()
	file := filepath.Join(t.TempDir(), "cookies.csv")
	classify := func(ad, view string) {
		text := "Category,Cookie / Data Key name,Wildcard match\n" + ad + ",shp_ad,0\n" + view + ",shp_vi,1\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	classify("Marketing", "Functional")
	gateway := lab.Gateway(t, strings.TrimPrefix(site.URL, "http://"), "consent strict", "rules cookies "+file)
	// names returns the cookies that the browser is told to store, and those that the site is told of.
	names := func() (stored, told []string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+gateway+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "shp_ad=1; shp_view=2; shp_other=3")
		res, _ := answer(t, r)
		for _, c := range res.Cookies() {
			if strings.HasPrefix(c.Name, "shp_") {
				stored = append(stored, c.Name)
			}
		}
		for _, c := range strings.Split(<-arrived, "; ") {
			name, _, _ := strings.Cut(c, "=")
			told = append(told, name)
		}
		return stored, told
	}
	stored, told := names()
	if !slices.Equal(stored, []string{"shp_view"}) || !slices.Equal(told, []string{"shp_view", "shp_other"}) {
		t.Errorf("stored %q, the site is told of %q", stored, told)
	}
	classify("Functional", "Analytics")
	if !lab.Soon(func() bool { stored, told = names(); return slices.Equal(told, []string{"shp_ad", "shp_other"}) }) {
		t.Errorf("the changed file does not hold: stored %q, the site is told of %q", stored, told)
	}
	if !slices.Equal(stored, []string{"shp_ad"}) {
		t.Errorf("stored %q", stored)
	}
}
