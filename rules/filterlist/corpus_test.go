package filterlist

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
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

// realLists returns one engine of EasyPrivacy and EasyList for all tests.
func realLists(t testing.TB) *Engine {
	t.Helper()
	realOnce.Do(func() { realEngine = compileCorpus(t, "easyprivacy", "easylist") })
	if realEngine == nil {
		t.Skip("the lists are not here")
	}
	return realEngine
}

var (
	realOnce   sync.Once
	realEngine *Engine
)

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

// suiteExceptions are what of filter-matching does not hold here: a URL of a case or a filter in it, and the reason.
var suiteExceptions = map[string]string{
	"http://":                              noHost,
	"https://":                             noHost,
	"ws://":                                noHost,
	"wss://":                               noHost,
	"|ws://$third-party,domain=fastpic.ru": noWebSocket,
	"|ws://$websocket,third-party,domain=fastpic.ru": noWebSocket,
}

const (
	noHost      = "without a host it is no URL (URL standard, 4.4), and no browser requests it"
	noWebSocket = "the case asks for ws:// and gives an https URL"
)

func TestFilterMatchingSuite(t *testing.T) {
	var cases []struct {
		Filters   []string
		SourceURL string `json:"sourceUrl"`
		Type, URL string
	}
	if err := json.Unmarshal(corpus(t, "suites/filter-matching/cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	total, failed, excepted, frames := 0, 0, 0, 0
	for _, c := range cases {
		typ, err := ParseType(c.Type)
		if err != nil {
			t.Fatal(err)
		}
		if typ == Document { // the suite calls frames so: its rules without a type are meant to match
			typ = Subdocument
			frames++
		}
		r, err := NewRequest(c.URL, c.SourceURL, typ)
		if err != nil {
			if suiteExceptions[c.URL] == "" {
				t.Errorf("%s: %v", c.URL, err)
			}
			excepted++
			continue
		}
		for _, f := range c.Filters {
			total++
			e := compile(t, f)
			s := e.acquire(&r)
			table := &e.block
			if strings.HasPrefix(f, "@@") {
				table = &e.except
			}
			if _, ok := e.first(table, s, 0); !ok && suiteExceptions[f] != "" {
				excepted++
			} else if !ok {
				failed++
				t.Errorf("%s does not match %s as %s from %s", f, c.URL, c.Type, c.SourceURL)
			}
			if total%8 != 0 {
				continue // the reference is slow
			}
			want, _ := e.reference().match(&r)
			if got, _ := e.Match(&r); got.Rule != want.Rule {
				t.Errorf("%s: the reference disagrees on %s", f, c.URL)
			}
		}
	}
	t.Logf("%d filters in %d cases (%d of them frames), %d failed, %d excepted", total, len(cases), frames, failed, excepted)
}

func BenchmarkMatch(b *testing.B) {
	e := realLists(b)
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

// BenchmarkMatchTail reports the 99th percentile of single matches. Each request is matched several times and the fastest
// counts, so that what else the machine does is left out.
func BenchmarkMatchTail(b *testing.B) {
	e := compileCorpus(b, "easyprivacy", "easylist")
	reqs := pageRequests(b)
	best := make([]time.Duration, len(reqs))
	for i := range best {
		best[i] = time.Hour
	}
	for b.Loop() {
		for i := range reqs {
			start := time.Now()
			e.Match(&reqs[i].req)
			best[i] = min(best[i], time.Since(start))
		}
	}
	slices.Sort(best)
	b.ReportMetric(float64(best[len(best)*99/100]), "p99-ns")
	b.ReportMetric(float64(best[len(best)-1]), "max-ns")
}

func BenchmarkLoadText(b *testing.B) {
	privacy, ads := corpus(b, "lists/easyprivacy.txt"), corpus(b, "lists/easylist.txt")
	b.ReportAllocs()
	for b.Loop() {
		var lists []*List
		for _, text := range [][]byte{privacy, ads} {
			l, _, err := Parse("list", bytes.NewReader(text), Limits{})
			if err != nil {
				b.Fatal(err)
			}
			lists = append(lists, l)
		}
		if _, err := Compile(lists...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHeap reports what a compiled engine keeps of the heap.
func BenchmarkHeap(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for b.Loop() {
		before := heap()
		e := compileCorpus(b, "easyprivacy", "easylist")
		b.ReportMetric((heap()-before)/(1<<20), "heap-MiB")
		runtime.KeepAlive(e)
	}
}

// TestListsLoad checks that every line of the real lists is accounted for.
func TestListsLoad(t *testing.T) {
	for _, name := range []string{"easyprivacy", "easylist", "fanboy-social-thirdparty"} {
		l, rep, err := Parse(name, bytes.NewReader(corpus(t, "lists/"+name+".txt")), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Rules != l.Len() || rep.Dropped != len(rep.Drops) || rep.Lines != rep.Rules+rep.Cosmetic+rep.Comments+rep.Skipped+rep.Dropped {
			t.Errorf("%+v", *rep)
		}
		for _, d := range rep.Drops {
			t.Log(d)
		}
		if rep.Dropped > 0 {
			t.Errorf("%s: %d rules are dropped; once none was", name, rep.Dropped)
		}
	}
}
