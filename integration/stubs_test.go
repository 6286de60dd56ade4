package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// stubScript is what the page's rows are tried with. A vendor's script calls play, which takes over the vendor's globals as
// the vendor's code would: what waits in an array is read, and every later call is noted.
const stubScript = `
const failed = [], heard = [], waiting = new Set();
const row = (m, f) => {
  const guarded = (what, g) => { try { return g(); } catch (e) { failed.push(m + ': ' + what + ': ' + e); } };
  let n = 0;
  const cb = (g) => {
    const id = m + ' callback ' + n++;
    waiting.add(id);
    return function (...args) { waiting.delete(id); return guarded(id, () => g && g.apply(this, args)); };
  };
  const never = () => { const id = n++; return () => failed.push(m + ': callback ' + id + ' was called'); };
  const is = (got, want) => got === want || failed.push(m + ': ' + String(got) + ' is not ' + want);
  const settles = (p, g) => { const done = cb(g); p.then(done, () => done()); };
  guarded('call', () => f(m, cb, never, is, settles));
};
addEventListener('unhandledrejection', (e) => failed.push('rejected: ' + e.reason));
const recorder = (path) => new Proxy(function () {}, {
  get: (t, k) => typeof k == 'symbol' || /^(then|toJSON|apply|call)$/.test(k) ? t[k] : recorder([...path, k]),
  apply: (t, on, args) => { heard.push([path, args]); return recorder(path); },
  construct: () => recorder(path),
});
const played = new Set(), play = (...names) => {
  for (const name of names) if (!played.has(name)) {
    played.add(name);
    const before = self[name];
    if (Array.isArray(before)) for (const item of before) heard.push([[name], [item]]);
    else if (before && typeof before == 'object') heard.push([[name], [before]]);
    self[name] = recorder([name]);
  }
};
const count = (word) => heard.filter((call) => { try { return JSON.stringify(call).includes('"' + word + '"'); } catch (e) { return String(call[1]).includes(word); } }).length;
`

// stubPage has all the vendors' scripts, and then the site's own, which holds the rows.
func stubPage() string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html lang=en><title>stubs</title>\n")
	for i, s := range stubbed {
		fmt.Fprintf(&b, "<script %ssrc=\"%s\"></script>\n", []string{"", "async ", "defer "}[i%3], s.url)
	}
	b.WriteString("<script src=/rows.js></script></html>")
	return b.String()
}

func stubRows() string {
	var b strings.Builder
	b.WriteString(stubScript)
	for i, s := range stubbed {
		fmt.Fprintf(&b, "row('%s', (m, cb, never, is, settles) => { %s });\n", stubWord(i), s.code)
	}
	return b.String()
}

// stubWord is the word that a row's vendor is to hear.
func stubWord(i int) string { return fmt.Sprintf("%s-%d", stubbed[i].vendor, i) }

// stubVendors answers for all vendors: each script takes over its vendor's globals.
func stubVendors(t *testing.T) http.Handler {
	t.Helper()
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	scripts := map[string]string{}
	for _, s := range stubbed {
		v := c.Vendor(s.vendor)
		if v == nil {
			t.Fatalf("no vendor %s", s.vendor)
		}
		names := v.Globals
		for _, stub := range v.Stubs {
			names = append(slices.Clone(names), stub.Global)
		}
		address, _, _ := strings.Cut(strings.TrimPrefix(s.url, "https://"), "?")
		scripts[address] += "play('" + strings.Join(names, "','") + "');"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.Host, ":")
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, scripts[host+r.URL.Path])
	})
}

// Code of a page that calls parked vendors goes on: nothing throws, who waits is called back, who listens is not, and what
// was called is heard once after consent, and never after a refusal.
func TestStubs(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, stubPage())
		case "/rows.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, stubRows())
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	d.Answer(stubVendors(t))
	gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	for _, host := range []string{"accept.test", "refuse.test"} { // an answer holds for one of them
		d.Site(host, gateway)
	}
	b := lab.NewBrowser(t, d)
	t.Run("accept", func(t *testing.T) {
		visitStubs(t, b, "https://accept.test/")
		(&shop{d, b, ""}).press(t, "accept")
		for i, n := range heardStubs(t, b, func(counts []int) bool { return !slices.Contains(counts, 0) }) {
			if n != 1 {
				t.Errorf("%s was heard %d times after consent: %s", stubWord(i), n, lab.Eval[string](t, b, "JSON.stringify(heard.filter((call) => String(JSON.stringify(call)).includes('"+stubWord(i)+"')))"))
			}
		}
	})
	t.Run("refuse", func(t *testing.T) {
		visitStubs(t, b, "https://refuse.test/")
		s := &shop{d, b, ""}
		s.press(t, "refuse")
		s.press(t, "accept")
		lab.Soon(func() bool { return lab.Eval[int](t, b, "played.size") > 100 })
		for i, n := range heardStubs(t, b, func([]int) bool { return true }) {
			if n != 0 {
				t.Errorf("%s was heard %d times after a refusal", stubWord(i), n)
			}
		}
	})
}

// visitStubs opens the page and fails for each row that throws or is not called back.
func visitStubs(t *testing.T, b *lab.Browser, url string) {
	t.Helper()
	b.Open(t, url)
	lab.Soon(func() bool { return lab.Eval[int](t, b, "waiting.size") == 0 })
	for _, failure := range lab.Eval[[]string](t, b, "[...failed, ...[...waiting].map((w) => w + ' was not called')]") {
		t.Error(failure)
	}
	for _, e := range b.Errors() {
		t.Error("thrown: ", e)
	}
}

// heardStubs returns how often each row's word was heard, once enough was.
func heardStubs(t *testing.T, b *lab.Browser, enough func([]int) bool) (counts []int) {
	t.Helper()
	words := make([]string, len(stubbed))
	for i := range stubbed {
		words[i] = stubWord(i)
	}
	lab.Soon(func() bool {
		counts = lab.Eval[[]int](t, b, "'"+strings.Join(words, " ")+"'.split(' ').map(count)")
		return enough(counts)
	})
	return counts
}
