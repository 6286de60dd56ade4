package rules

import (
	"bufio"
	"cmp"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// pageRequest is a line of page-requests/requests.tsv.
type pageRequest struct {
	label, url string
	request    Request
}

func pageRequests(t testing.TB) []pageRequest {
	f, err := os.Open("../../shared/corpus/suites/page-requests/requests.tsv")
	if err != nil {
		t.Skip("no corpus beside the repository: ", err)
	}
	defer f.Close()
	var list []pageRequest
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		f := strings.Split(in.Text(), "\t")
		if len(f) != 4 || f[0] == "label" {
			continue
		}
		kind, err := filterlist.ParseType(f[3])
		if err != nil {
			kind = filterlist.Other
		}
		r, err := filterlist.NewRequest(f[1], "https://"+f[2]+"/", kind)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, pageRequest{f[0], f[1], r})
	}
	return list
}

func builtin(t testing.TB, o Options) *Set {
	t.Helper()
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(c, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCatalogueOnPageRequests measures the catalogue, without any list, on what real pages asked for.
func TestCatalogueOnPageRequests(t *testing.T) {
	s := builtin(t, Options{})
	var labelled, gated, others, hits int
	missed, hit := map[string]int{}, map[string]int{}
	for _, p := range pageRequests(t) {
		if !p.request.ThirdParty {
			continue
		}
		m, ok := s.Match(&p.request, Context{})
		host := string(p.request.Host())
		if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = d
		}
		switch {
		case p.label != "-":
			labelled++
			if ok {
				gated++
			} else {
				missed[host]++
			}
		default:
			others++
			if ok {
				hits++
				hit[m.Vendor+" "+host]++
			}
		}
	}
	t.Logf("labelled: %d of %d gated, %.1f %%", gated, labelled, 100*float64(gated)/float64(labelled))
	t.Logf("not gated, by site: %s", counts(missed))
	t.Logf("unlabelled: %d of %d gated: %s", hits, others, counts(hit))
	if gated*100 < labelled*80 {
		t.Errorf("the catalogue gates %d of %d labelled requests, want 80 %%", gated, labelled)
	}
}

func counts(m map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b))
	})
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k)
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(m[k]))
		b.WriteByte(' ')
	}
	return b.String()
}
