package javascript

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// hosts are the catalogue's patterns by the name of their host, as New wants it: Addresses enough for tests of what needs the
// package's inside. Parameters do not count.
type hosts map[string][]place

type place struct {
	vendor int
	url    *regexp.Regexp
	text   string
}

// fromCatalogue makes a Recogniser of the whole catalogue.
func fromCatalogue(t testing.TB) (*Recogniser, hosts) {
	t.Helper()
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	vendors := make([]Vendor, len(c.Vendors))
	h := make(hosts)
	for i, v := range c.Vendors {
		if v.Pass {
			continue
		}
		vendors[i] = Vendor{Marks: v.Inline}
		patterns := slices.Concat(v.Patterns, v.Payment)
		for _, name := range v.Hosts {
			patterns = append(patterns, "."+name+"/")
		}
		for _, p := range patterns {
			host, _, _ := strings.Cut(p, "/")
			url, _, _ := strings.Cut(p, "?")
			url = strings.ReplaceAll(regexp.QuoteMeta(url), `\*`, ".*")
			if rest, ok := strings.CutPrefix(url, `\.`); ok {
				url = `(.*\.)?` + rest
			}
			name, country := strings.CutSuffix(host, ".*")
			if star := strings.LastIndexByte(name, '*'); star >= 0 {
				_, name, _ = strings.Cut(name[star:], ".")
			}
			if name = strings.TrimPrefix(name, "."); country {
				name = name[strings.LastIndexByte(name, '.')+1:] + "."
			}
			h[name] = append(h[name], place{i, regexp.MustCompile("(?i)^" + url + `(\b|\W|$)`), p})
		}
	}
	for _, list := range h {
		slices.SortStableFunc(list, func(a, b place) int { return cmp.Compare(len(b.text), len(a.text)) })
	}
	return New(vendors, slices.Sorted(maps.Keys(h))), h
}

// at returns what is known of a host.
func (h hosts) at(host []byte) (list []place) {
	for rest := string(host); rest != ""; {
		list = append(list, h[rest]...)
		label, after, ok := strings.Cut(rest, ".")
		if ok && len(after) < len(".com.au") {
			list = append(list, h[label+"."]...)
		}
		rest = after
	}
	return list
}

func (h hosts) Host(host []byte) bool { return h.at(host) != nil }

func (h hosts) URL(host, path, _ []byte) (int, string) {
	list := h.at(host)
	url := string(host) + "/" + strings.TrimPrefix(string(path), "/")
	for _, p := range list {
		if p.url.MatchString(url) {
			return p.vendor, p.text
		}
	}
	if list == nil {
		return Foreign, ""
	}
	return Neutral, ""
}

// newReader returns what Find takes from its pool.
func newReader(r *Recogniser, a Addresses) *reader {
	return &reader{Recogniser: r, asker: asker{Addresses: a}}
}
