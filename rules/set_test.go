package rules

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// rounds is how often a randomised test tries: RULES_ROUNDS multiplies it for a long run.
func rounds(n int) int {
	if k, err := strconv.Atoi(os.Getenv("RULES_ROUNDS")); err == nil && k > 0 {
		return n * k
	}
	return n
}

// vendors makes a catalogue of vendors as files, each "id: fields".
func vendors(t testing.TB, list ...string) *catalogue.Catalogue {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, v := range list {
		id, fields, _ := strings.Cut(v, ": ")
		data := fmt.Sprintf(`{"number": %d, "name": "N", "org": "O", "category": "c", "purpose": "analytics", %s}`, i+1, fields)
		fsys[id+".json"] = &fstest.MapFile{Data: []byte(data)}
	}
	c, err := catalogue.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func set(t testing.TB, c *catalogue.Catalogue, lists *filterlist.Engine, o Options) *Set {
	t.Helper()
	s, err := New(c, lists, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMatchPrecedence(t *testing.T) {
	s := set(t, vendors(t,
		`broad: "hosts": ["tracker.example"]`,
		`file: "patterns": ["cdn.tracker.example/a.js", "cdn.tracker.example/lib/*/b.js"]`,
		`longer: "patterns": ["cdn.tracker.example/a.js?id=X-"]`,
		`sub: "hosts": ["sub.tracker.example"]`,
		`open: "patterns": ["www.tracker.example/pixel"], "pass": ["www.tracker.example/", ".tracker.example/lib/open.js"]`,
		`inner: "patterns": ["*.inner.example/"]`,
		`mid: "patterns": ["a*.mid.example/", "x.*.mid.example/"]`,
		`land: "patterns": ["www.land.*/ads/", "land.*/direct"]`,
		`pay: "patterns": ["js.pay.example/"], "payment": ["js.pay.example/"]`,
		`soft: "hosts": ["soft.example"], "default": "pass"`,
		`own: "paths": ["/track.php", "/lib/agent_", "/t/hit?v=9"]`,
	), nil, Options{})
	for url, want := range map[string]string{
		"https://tracker.example/": "broad", "https://x.y.tracker.example/a.js": "broad", "https://tracker.example./": "broad",
		"https://tracker.example:8443/a": "broad", "https://nottracker.example/": "", "https://tracker.example.net/": "", "https://example/": "",
		"https://cdn.tracker.example/a.js": "file", "https://cdn.tracker.example/A.JS?x": "file", "https://cdn.tracker.example/a.json": "broad",
		"https://cdn.tracker.example/lib/1/2/b.js": "file", "https://cdn.tracker.example/lib/b.js": "broad",
		"https://cdn.tracker.example/a.js?id=X-1": "longer", "https://cdn.tracker.example/a.js?z=1&id=x-1": "longer",
		"https://cdn.tracker.example/a.js?id=Y-1": "file", "https://cdn.tracker.example/a.js?xid=X-1": "file",
		"https://sub.tracker.example/": "sub", "https://deep.sub.tracker.example/": "sub",
		"https://www.tracker.example/": "", "https://www.tracker.example/pixel": "open", "https://www.tracker.example/pixels": "",
		"https://sub.tracker.example/lib/open.js": "", "https://inner.example/": "", "https://a.inner.example/": "inner",
		"https://a1.mid.example/": "mid", "https://b.mid.example/": "", "https://x.eu.mid.example/": "mid", "https://x.mid.example/": "",
		"https://www.land.de/ads/1": "land", "https://www.land.co.uk/ads/1": "land", "https://www.land.example.net/ads/": "", "https://www.land.de/x": "",
		"https://land.com/direct": "", "https://js.pay.example/v3": "pay", "https://soft.example/": "",
		"https://stats.example.net/track.php?x": "own", "https://stats.example.net/a/b/track.php": "own", "https://stats.example.net/xtrack.php": "",
		"https://stats.example.net/lib/agent_9.js": "own", "https://stats.example.net/t/hit?v=9": "own", "https://stats.example.net/t/hit?v=8": "",
	} {
		m, ok := judge(t, s, url, Context{})
		if got := m.Vendor; ok != (want != "") || ok && got != want {
			t.Errorf("%s: %v %s by %q, want %q", url, ok, got, m.Rule, want)
		}
	}
	if m, ok := judge(t, s, "https://js.pay.example/v3", Context{Payment: true}); ok || m.Purpose != consent.Necessary || m.Vendor != "pay" {
		t.Errorf("payment: %v %+v", ok, m)
	}
	if m, ok := judge(t, s, "https://soft.example/", Context{}); ok || m.Vendor != "soft" {
		t.Errorf("a vendor that passes is named: %v %+v", ok, m)
	}
}

func TestMatchOnTheSiteItself(t *testing.T) {
	c := vendors(t, `v: "hosts": ["example.org"], "paths": ["/track.php"]`)
	own, err := filterlist.NewRequest("https://stats.example.org/track.php", "https://www.example.org/", filterlist.Script)
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := set(t, c, nil, Options{}).Match(&own, Context{}); ok {
		t.Errorf("a vendor's own site is gated by %q", m.Rule)
	}
}

func TestOptions(t *testing.T) {
	c := vendors(t, `a: "hosts": ["a.example"]`, `b: "hosts": ["b.example"], "default": "pass", "cookies": {"_b": "1y"}`)
	gated := func(o Options, url string) bool { _, ok := judge(t, set(t, c, nil, o), url, Context{}); return ok }
	for name, v := range map[string]bool{
		"allowed vendor":      !gated(Options{Allow: []string{"a"}}, "https://a.example/"),
		"allowed host":        !gated(Options{Allow: []string{"cdn.a.example"}}, "https://x.cdn.a.example/y"),
		"beside allowed host": gated(Options{Allow: []string{"cdn.a.example"}}, "https://a.example/y"),
		"allowed path":        !gated(Options{Allow: []string{".a.example/ok/"}}, "https://x.a.example/ok/y"),
		"beside allowed path": gated(Options{Allow: []string{".a.example/ok/"}}, "https://x.a.example/y"),
		"required vendor":     gated(Options{Require: []string{"b"}}, "https://b.example/"),
		"required category":   gated(Options{Require: []string{"c"}}, "https://b.example/"),
	} {
		if !v {
			t.Error(name)
		}
	}
	s := set(t, c, nil, Options{Purposes: map[string]consent.Purpose{"a": consent.Social}})
	if m, _ := judge(t, s, "https://a.example/", Context{}); m.Purpose != consent.Social {
		t.Errorf("purpose %v", m.Purpose)
	}
	_, err := New(c, nil, Options{Allow: []string{"nobody", "https://x.example/"}, Require: []string{"nothing"},
		Purposes: map[string]consent.Purpose{"none": consent.Social}})
	for _, part := range []string{`"nobody"`, `"https://x.example/"`, `"nothing"`, `"none"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name %s: %v", part, err)
		}
	}
}

func TestListsComeAfterTheCatalogue(t *testing.T) {
	list, _, err := filterlist.Parse("mine", strings.NewReader("||listed.example^\n||a.example^\n||b.example^\n@@||a.example/open^\n"), filterlist.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := filterlist.Compile(list)
	if err != nil {
		t.Fatal(err)
	}
	c := vendors(t, `a: "hosts": ["a.example"]`, `b: "hosts": ["b.example"], "default": "pass"`)
	s := set(t, c, engine, Options{ListPurposes: []consent.Purpose{consent.Social}})
	for url, want := range map[string]Match{
		"https://a.example/open":  {Vendor: "a", Number: 1, Purpose: consent.Analytics, Rule: ".a.example/", List: "catalogue"},
		"https://b.example/":      {Vendor: "b", Number: 2, Purpose: consent.Analytics, Rule: "||b.example^", List: "mine", Line: 3},
		"https://listed.example/": {Purpose: consent.Social, Rule: "||listed.example^", List: "mine", Line: 1},
	} {
		if m, ok := judge(t, s, url, Context{}); !ok || m != want {
			t.Errorf("%s: %v %+v, want %+v", url, ok, m, want)
		}
	}
	if _, ok := judge(t, set(t, c, engine, Options{Allow: []string{"a", "b", "listed.example"}}), "https://b.example/", Context{}); ok {
		t.Error("a list gates what the operator allowed")
	}
	if m, _ := judge(t, set(t, c, engine, Options{}), "https://listed.example/", Context{}); m.Purpose != consent.Marketing {
		t.Errorf("a list without a purpose is for %v", m.Purpose)
	}
}

// TestGlobAgreesWithRegexp compares the matcher with Go's regular expressions on random patterns.
func TestGlobAgreesWithRegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(alphabet string, n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	for range rounds(20_000) {
		pattern, s := text("ab/*", 7), []byte(text("aAb/", 10))
		g := newGlob(pattern)
		quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)
		if got, want := g.matchAll(s), regexp.MustCompile("(?i)^"+quoted+"$").Match(s); got != want {
			t.Fatalf("matchAll(%q, %q) = %v", pattern, s, got)
		}
		boundary := ""
		if n := len(pattern); n > 0 && ascii.Alphanumeric(pattern[n-1]) {
			boundary = "([^a-z0-9]|$)"
		}
		if got, want := g.matchPrefix(s), regexp.MustCompile("(?i)^"+quoted+boundary).Match(s); got != want {
			t.Fatalf("matchPrefix(%q, %q) = %v", pattern, s, got)
		}
	}
}

// TestIndexAgreesWithAScan compares the index with every rule tried one by one.
func TestIndexAgreesWithAScan(t *testing.T) {
	s := builtin(t, Options{})
	r := rand.New(rand.NewPCG(3, 4))
	var hosts []string
	for _, v := range s.vendors {
		hosts = append(hosts, v.entry.Hosts...)
		for _, p := range v.entry.Patterns {
			h, _, _ := strings.Cut(strings.ReplaceAll(p, "*", "eu"), "/")
			hosts = append(hosts, strings.TrimPrefix(h, "."))
		}
	}
	paths := []string{"/", "/tr", "/gtag/js?id=AW-1", "/pagead/x", "/v3/", "/js/container_1.js", "/matomo.php", "/plugins/like.php"}
	compiled := map[string]*regexp.Regexp{}
	for range rounds(1_000) {
		host := hosts[r.IntN(len(hosts))]
		switch r.IntN(4) {
		case 0:
			host = "x." + host
		case 1:
			host = "x" + host
		case 2:
			host += ".de"
		}
		a := newAddress([]byte("https://"+host+paths[r.IntN(len(paths))]), 8, 8+len(host))
		got, want := s.index.lookup(&a), scan(&s.index, &a, compiled)
		if (got == nil) != (want == nil) || got != nil && got.score != want.score {
			t.Fatalf("%s%s: index %+v, scan %+v", host, a.path, got, want)
		}
	}
}

// scan is a slow reference for hostIndex.lookup. The expressions that it makes are kept in compiled.
func scan(x *hostIndex, a *address, compiled map[string]*regexp.Regexp) *rule {
	var best *rule
	try := func(r *rule, host string) {
		if compiled[host] == nil {
			compiled[host] = regexp.MustCompile(host)
		}
		if !compiled[host].Match(a.host) || r.path != nil && !r.path.matchPrefix(a.path) || !r.param.match(a.query) {
			return
		}
		if best == nil || r.score > best.score {
			best = r
		}
	}
	for i, list := range x.rules {
		for j := range list {
			r := &list[j]
			host := "(^|\\.)" + regexp.QuoteMeta(x.names[i]) + "$"
			switch {
			case r.host != nil:
				host = "^" + strings.ReplaceAll(regexp.QuoteMeta(strings.Join(r.host, "*")), `\*`, ".*") + "$"
			case r.exact:
				host = "^" + regexp.QuoteMeta(x.names[i]) + "$"
			case r.inner:
				host = "\\." + regexp.QuoteMeta(x.names[i]) + "$"
			}
			if strings.HasSuffix(string(a.host), x.names[i]) {
				try(r, host)
			}
		}
	}
	for _, c := range x.countries {
		for j := range c.rules {
			r := &c.rules[j]
			glob := strings.TrimSuffix(strings.Join(r.host, "*"), ".*")
			if strings.Contains(string(a.host), c.label) {
				try(r, "^"+strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*")+`\.([a-z0-9-]{1,6}|[a-z0-9-]+\.[a-z0-9-]+)$`)
			}
		}
	}
	return best
}

func FuzzMatch(f *testing.F) {
	s := builtin(f, Options{})
	for _, list := range seedURLs {
		f.Add(list[0])
	}
	f.Add("https://./")
	f.Add("https://www.google./ads/")
	f.Add("https://a..b//?&=&id")
	f.Fuzz(func(t *testing.T, url string) {
		r, err := filterlist.NewRequest(url, "https://www.example.org/", filterlist.Other)
		if err != nil {
			return
		}
		m, ok := s.Match(&r, Context{})
		if ok && (m.Vendor == "" || m.Purpose == 0 || m.Rule == "") {
			t.Errorf("%q: %+v", url, m)
		}
	})
}

func TestMatchDoesNotAllocate(t *testing.T) {
	s := builtin(t, Options{})
	for _, u := range []string{"https://www.google.co.uk/ads/ga-audiences?x", "https://www.example.net/a/b/c.js?d=e", "https://x.example.net/piwik.php?idsite=1"} {
		r, _ := filterlist.NewRequest(u, "https://www.example.org/", filterlist.Script)
		if n := testing.AllocsPerRun(100, func() { s.Match(&r, Context{}) }); n > 0 {
			t.Errorf("%s: %v allocations", u, n)
		}
	}
	for _, name := range []string{"_ga", "_hjSessionUser_1", "PHPSESSID"} {
		b := []byte(name)
		if n := testing.AllocsPerRun(100, func() { s.Cookie(b) }); n > 0 {
			t.Errorf("cookie %s: %v allocations", name, n)
		}
	}
}

// TestEmbeds gates what a visitor would see of a vendor that passes otherwise, unless the operator allows the vendor.
func TestEmbeds(t *testing.T) {
	const embed, script = "https://www.youtube.com/embed/abc", "https://www.youtube.com/iframe_api"
	for _, o := range []struct {
		options       Options
		embed, script bool
	}{
		{Options{}, true, false},
		{Options{Require: []string{"youtube"}}, true, true},
		{Options{Allow: []string{"youtube"}}, false, false},
		{Options{Allow: []string{"www.youtube.com"}}, false, false},
	} {
		s := builtin(t, o.options)
		if m, ok := judge(t, s, embed, Context{}); ok != o.embed || ok && (m.Vendor != "youtube" || m.Purpose != consent.Functional) {
			t.Errorf("%+v: embed: %v %+v", o.options, ok, m)
		}
		if m, ok := judge(t, s, script, Context{}); ok != o.script {
			t.Errorf("%+v: script: %v %+v", o.options, ok, m)
		}
	}
}
