// Command filterlist compares rules/filterlist with its peers: the same lists, the same requests, on the same machine in
// the same run. It prints one table.
//
//	go run .             # the Go peers
//	npm install && go run .   # the JavaScript peers too
//
// It has a module file of its own because its peers are under the GPL and the MPL: they never enter the gateway.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/AdguardTeam/urlfilter"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// row is one line of the table; times are in nanoseconds.
type row struct {
	Name    string  `json:"name"`
	Mean    float64 `json:"mean"`
	P99     float64 `json:"p99"`
	Allocs  float64 `json:"allocs"`
	Load    float64 `json:"load"`
	Heap    float64 `json:"heap"`
	Blocked int     `json:"blocked"`
}

// request is one line of requests.tsv.
type request struct{ url, page, typ string }

// All are measured in turn several times, so that what else the machine does meets each of them.
const (
	passes = 3
	rounds = 5
)

func main() {
	corpus := flag.String("corpus", filepath.Join("..", "..", "..", "..", "shared", "corpus"), "folder with lists/ and suites/page-requests/")
	flag.Parse()
	lists, reqs, err := read(*corpus)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var rows []row
	for range passes {
		for _, r := range append([]row{ours(lists, reqs), ourCatalogue(reqs), adguard(lists, reqs)}, javascript(*corpus)...) {
			rows = merge(rows, r)
		}
	}
	fmt.Printf("\n### Rules: %d requests, %d lines of lists, the best of %d rounds\n\n", len(reqs), lines(lists), passes*rounds)
	fmt.Println("| engine | mean µs | × ours | p99 µs | allocs | load ms | heap MiB | blocked |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		if r.Mean == 0 { // matching is not measured again
			fmt.Printf("| %s | | | | | %.0f | %.1f | |\n", r.Name, r.Load/1e6, r.Heap)
			continue
		}
		fmt.Printf("| %s | %.2f | %.1f | %.1f | %.1f | %.0f | %.1f | %d |\n", r.Name, r.Mean/1e3, r.Mean/rows[0].Mean, r.P99/1e3,
			r.Allocs, r.Load/1e6, r.Heap, r.Blocked)
	}
}

// merge keeps the best of several measurements of an engine.
func merge(rows []row, r row) []row {
	for i := range rows {
		if o := &rows[i]; o.Name == r.Name {
			o.Mean, o.P99, o.Load = min(o.Mean, r.Mean), min(o.P99, r.P99), min(o.Load, r.Load)
			return rows
		}
	}
	return append(rows, r)
}

// javascript measures the peers that run in Node.
func javascript(corpus string) (rows []row) {
	out, err := exec.Command("node", "peers.mjs", corpus).Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the JavaScript peers did not run (npm install first):", err)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		var r row
		if json.Unmarshal(line, &r) == nil {
			rows = append(rows, r)
		}
	}
	return rows
}

func lines(lists []string) (n int) {
	for _, l := range lists {
		n += strings.Count(l, "\n")
	}
	return n
}

func read(corpus string) (lists []string, reqs []request, err error) {
	for _, name := range []string{"easyprivacy.txt", "easylist.txt"} {
		b, err := os.ReadFile(filepath.Join(corpus, "lists", name))
		if err != nil {
			return nil, nil, err
		}
		lists = append(lists, string(b))
	}
	b, err := os.ReadFile(filepath.Join(corpus, "suites", "page-requests", "requests.tsv"))
	if err != nil {
		return nil, nil, err
	}
	for _, line := range strings.Split(string(b), "\n")[1:] {
		if f := strings.Split(line, "\t"); len(f) == 4 {
			reqs = append(reqs, request{f[1], "https://" + f[2] + "/", f[3]})
		}
	}
	return lists, reqs, nil
}

// measure runs match over n requests: the mean of the best round, the 99th percentile of the best of each request.
func measure(r *row, n int, match func(i int) bool) {
	best := make([]float64, n)
	for range rounds {
		r.Blocked = 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		for i := range n {
			if match(i) {
				r.Blocked++
			}
		}
		mean := float64(time.Since(start)) / float64(n)
		runtime.ReadMemStats(&after)
		r.Allocs = float64(after.Mallocs-before.Mallocs) / float64(n)
		if r.Mean == 0 || mean < r.Mean {
			r.Mean = mean
		}
		for i := range n {
			start := time.Now()
			match(i)
			if d := float64(time.Since(start)); best[i] == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	slices.Sort(best)
	r.P99 = best[n*99/100]
}

// load measures the time and the heap of what make returns.
func load[T any](r *row, make func() T) T {
	var kept T
	for i := range 3 {
		var zero T
		kept = zero
		before := heap()
		start := time.Now()
		kept = make()
		if d := float64(time.Since(start)); i == 0 || d < r.Load {
			r.Load = d
		}
		r.Heap = (heap() - before) / (1 << 20)
	}
	return kept
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func compile(lists []string) *filterlist.Engine {
	var parsed []*filterlist.List
	for _, text := range lists {
		l, _, err := filterlist.Parse("list", strings.NewReader(text), filterlist.Limits{})
		if err != nil {
			panic(err)
		}
		parsed = append(parsed, l)
	}
	e, err := filterlist.Compile(parsed...)
	if err != nil {
		panic(err)
	}
	return e
}

// prepare makes of the requests what both our engines are asked about.
func prepare(reqs []request) []filterlist.Request {
	prepared := make([]filterlist.Request, len(reqs))
	for i, q := range reqs {
		t, err := filterlist.ParseType(q.typ)
		if err != nil {
			panic(err)
		}
		if prepared[i], err = filterlist.NewRequest(q.url, q.page, t); err != nil {
			panic(err)
		}
	}
	return prepared
}

func ours(lists []string, reqs []request) row {
	r := row{Name: "rules/filterlist"}
	e := load(&r, func() *filterlist.Engine { return compile(lists) })
	prepared := prepare(reqs)
	measure(&r, len(reqs), func(i int) bool {
		_, blocked := e.Match(&prepared[i])
		return blocked
	})
	return r
}

var adguardTypes = map[string]urlfilter.RequestType{
	"script": urlfilter.TypeScript, "image": urlfilter.TypeImage, "stylesheet": urlfilter.TypeStylesheet, "font": urlfilter.TypeFont,
	"media": urlfilter.TypeMedia, "object": urlfilter.TypeObject, "sub_frame": urlfilter.TypeSubdocument, "xmlhttprequest": urlfilter.TypeXmlhttprequest,
}

func adguard(lists []string, reqs []request) row {
	r := row{Name: "AdguardTeam/urlfilter 0.5.0"}
	e := load(&r, func() *urlfilter.NetworkEngine {
		var l []urlfilter.RuleList
		for i, text := range lists {
			l = append(l, &urlfilter.StringRuleList{ID: i, RulesText: text, IgnoreCosmetic: true})
		}
		s, err := urlfilter.NewRuleStorage(l)
		if err != nil {
			panic(err)
		}
		return urlfilter.NewNetworkEngine(s)
	})
	prepared := make([]*urlfilter.Request, len(reqs))
	for i, q := range reqs {
		t, ok := adguardTypes[q.typ]
		if !ok {
			t = urlfilter.TypeOther
		}
		prepared[i] = urlfilter.NewRequest(q.url, q.page, t)
	}
	measure(&r, len(reqs), func(i int) bool {
		rule, ok := e.Match(prepared[i])
		return ok && !rule.Whitelist
	})
	return r
}
