package filterlist

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus returns the bytes of a file of the shared corpus, which is no part of the repository.
func corpus(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "corpus", filepath.FromSlash(path)))
	if err != nil {
		t.Skipf("corpus file %s is not here: %v", path, err)
	}
	return b
}

func parseCorpus(t testing.TB, names ...string) []*List {
	t.Helper()
	var lists []*List
	for _, n := range names {
		l, rep, err := Parse(n, bytes.NewReader(corpus(t, "lists/"+n+".txt")), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if testing.Verbose() {
			t.Logf("%s: %d lines, %d rules, %d cosmetic, %d comments, %d dropped", n, rep.Lines, rep.Rules, rep.Cosmetic, rep.Comments, rep.Dropped)
		}
		lists = append(lists, l)
	}
	return lists
}

func compileCorpus(t testing.TB, names ...string) *Engine {
	t.Helper()
	e, err := Compile(parseCorpus(t, names...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// pageRequest is one line of page-requests/requests.tsv.
type pageRequest struct {
	label string
	req   Request
}

func pageRequests(t testing.TB) []pageRequest {
	t.Helper()
	var out []pageRequest
	for i, line := range strings.Split(string(corpus(t, "suites/page-requests/requests.tsv")), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) != 4 {
			continue
		}
		typ, err := ParseType(f[3])
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRequest(f[1], "https://"+f[2]+"/", typ)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pageRequest{f[0], r})
	}
	return out
}

func TestPageRequests(t *testing.T) {
	e := compileCorpus(t, "easyprivacy", "easylist", "fanboy-social-thirdparty")
	var misses, extra, tracked, clean int
	for _, p := range pageRequests(t) {
		res, blocked := e.Match(&p.req)
		switch {
		case p.label != "-":
			tracked++
			if !blocked {
				misses++
				t.Logf("missed (%s): %s on %s as %s; exception %+v", p.label, p.req.URL, p.req.PageHost, p.req.Type, res.Exception)
			}
		default:
			clean++
			if blocked {
				extra++
				t.Logf("false hit: %s on %s as %s by %+v", p.req.URL, p.req.PageHost, p.req.Type, res.Source)
			}
		}
	}
	t.Logf("%d of %d labelled missed (%.2f %%), %d of %d others hit (%.2f %%)", misses, tracked, 100*float64(misses)/float64(tracked),
		extra, clean, 100*float64(extra)/float64(clean))
	if misses*200 > tracked || extra*200 > clean {
		t.Error("more than 0.5 % misses or false hits")
	}
}

func TestFilterMatchingSuite(t *testing.T) {
	var cases []struct {
		Filters   []string
		SourceURL string `json:"sourceUrl"`
		Type, URL string
	}
	if err := json.Unmarshal(corpus(t, "suites/filter-matching/cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	total, failed := 0, 0
	for _, c := range cases {
		typ, err := ParseType(c.Type)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRequest(c.URL, c.SourceURL, map[bool]Type{true:Subdocument,false:typ}[typ==Document])
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Filters {
			total++
			l, rep, err := Parse("case", strings.NewReader(f), Limits{})
			if err != nil {
				failed++
				t.Errorf("%s: %v %v", f, err, rep.Drops)
				continue
			}
			e, err := Compile(l)
			if err != nil {
				t.Fatal(err)
			}
			s := e.acquire(&r)
			table := &e.block
			if strings.HasPrefix(f, "@@") {
				table = &e.except
			}
			if _, ok := e.first(table, s, 0); !ok {
				failed++
				t.Errorf("%s does not match %s as %s from %s", f, c.URL, c.Type, c.SourceURL)
			}
		}
	}
	t.Logf("%d filters in %d cases, %d failed", total, len(cases), failed)
}

func BenchmarkMatch(b *testing.B) {
	e := compileCorpus(b, "easyprivacy", "easylist")
	reqs := pageRequests(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Match(&reqs[i].req)
		if i++; i == len(reqs) {
			i = 0
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		compileCorpus(b, "easyprivacy", "easylist")
	}
}
