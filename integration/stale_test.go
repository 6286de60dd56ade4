package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// tagged answers with a page under an entity tag, and with 304 to who has it.
func tagged(page string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Content-Type", "text/html")
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, page)
	}
}

// revalidate asks for a page as a browser that has it under a tag.
func revalidate(t *testing.T, addr, tag string) (status int, newTag string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header, r.Host = navigate(), "site.example"
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	res, _ := answer(t, r)
	return res.StatusCode, res.Header.Get("Etag")
}

// TestStoredPageIsJudgedAnew: a page in a browser's cache was judged by the rules, and asks with the words, of its time. Once
// they have changed, nothing confirms it any more; as long as they have not, a reload and a restart do.
func TestStoredPageIsJudgedAnew(t *testing.T) {
	i := newInstance(t, tagged(`<!DOCTYPE html><title>t</title><script src="https://new.listed.example/a.js"></script>`))
	list := filepath.Join(i.dir, "own.txt")
	writeFile(t, list, "||old.listed.example^\n")
	global := fmt.Sprintf("store bolt %s\nrules list own.txt {\n purpose analytics\n}", i.bolt())
	i.options = global
	i.start()
	_, tag := revalidate(t, i.addr, "")
	confirmed := func() bool {
		t.Helper()
		status, _ := revalidate(t, i.addr, tag)
		return status == http.StatusNotModified
	}
	i.start()
	if !confirmed() {
		t.Error("a reload of the same configuration voids what browsers have stored")
	}
	i.stop()
	i.start()
	if !confirmed() {
		t.Error("a restart voids what browsers have stored")
	}
	writeFile(t, list, "||new.listed.example^\n")
	eventually(t, "the changed list", func() bool { gated, _ := i.gated("https://new.listed.example/a.js"); return gated })
	if confirmed() {
		t.Error("after a list has changed a page is confirmed that contacts what it names")
	}
	for _, change := range []string{"text en title \"Other words\"", "link_parameters none", `theme button "#0a5c36"`} {
		_, tag = revalidate(t, i.addr, "")
		i.options = global + "\n" + change
		i.start()
		if confirmed() {
			t.Errorf("after %q a page of before is confirmed", change)
		}
	}
}

// TestStoredPageAndAliases: the same holds for what a name of the site is found to stand for.
func TestStoredPageAndAliases(t *testing.T) {
	t.Parallel()
	dns := newNameserver(t, 50*time.Millisecond, map[string][]string{"metrics.site.example": {"site.example.ssl.d1.sc.omtrdc.net"}})
	up := httptest.NewServer(tagged(aliasPage))
	t.Cleanup(up.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent", "cname "+dns.addr)
	_, first := revalidate(t, addr, "")
	eventually(t, "the stored page to be judged anew", func() bool { status, _ := revalidate(t, addr, first); return status == http.StatusOK })
	eventually(t, "the new one to be confirmed", func() bool {
		_, tag := revalidate(t, addr, "")
		status, _ := revalidate(t, addr, tag)
		return status == http.StatusNotModified
	})
}

// TestPreconditionOfScript: a script that changes what it fetched names the version by the entity tag that it got, which is
// the gateway's; the app must know it again.
func TestPreconditionOfScript(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.Header.Get("If-Match") != `"v1"` {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("ETag", `"v1"`)
		_, _ = io.WriteString(w, "<p>text")
	}))
	t.Cleanup(upstream.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	ask := func(method, tag string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(method, base+"/note", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Dest", "empty")
		r.Header.Set("Sec-Fetch-Mode", "cors")
		if tag != "" {
			r.Header.Set("If-Match", tag)
		}
		res, _ := answer(t, r)
		return res
	}
	tag := ask(http.MethodGet, "").Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"v1-`) {
		t.Fatalf("the entity tag of a rewritten answer is %s", tag)
	}
	if res := ask(http.MethodPut, tag); res.StatusCode != http.StatusOK {
		t.Errorf("If-Match: %s: status %d", tag, res.StatusCode)
	}
	if res := ask(http.MethodPut, `"v2"`); res.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("another version: status %d", res.StatusCode)
	}
}
