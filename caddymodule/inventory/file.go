package inventory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Report is what was seen of the sites, as the admin API answers and as the file beside the store holds it. It has
// nothing of visitors: counts, hosts, names of cookies, and paths of pages without their queries.
type Report struct {
	Sites []SiteReport `json:"sites"`
}

// SiteReport is what was seen of one site.
type SiteReport struct {
	Site       string            `json:"site"`
	Since      time.Time         `json:"since"`
	Documents  uint64            `json:"documents"`
	Unreadable uint64            `json:"unreadable,omitempty"`
	Oversize   uint64            `json:"oversize,omitempty"`
	Pages      map[string]uint64 `json:"pages"`
	Hosts      []HostReport      `json:"hosts"`
	Seen       []SeenReport      `json:"seen"`
	Undeclared []string          `json:"undeclared"` // hosts of no vendor that is known, and not allowed
}

// HostReport is a third-party host.
type HostReport struct {
	Host    string   `json:"host"`
	Vendor  string   `json:"vendor,omitempty"`
	Purpose string   `json:"purpose,omitempty"`
	Types   []string `json:"types"`
	Gated   uint64   `json:"gated"`
	Passed  uint64   `json:"passed"`
	Pages   []string `json:"pages"`
	Claimed bool     `json:"claimed,omitempty"` // only clients speak of it
}

// SeenReport is one thing that a rule recognised.
type SeenReport struct {
	Kind    Kind     `json:"kind"`
	Vendor  string   `json:"vendor,omitempty"`
	Purpose string   `json:"purpose"`
	Rule    string   `json:"rule"`
	Gated   uint64   `json:"gated"`
	Passed  uint64   `json:"passed"`
	Pages   []string `json:"pages"`
	Claimed bool     `json:"claimed,omitempty"` // only requests held it, no page and no response
}

// Report copies what was seen.
func (i *Inventory) Report() Report {
	i.mu.Lock()
	sites := slices.Collect(maps.Values(i.sites))
	i.mu.Unlock()
	slices.SortFunc(sites, func(a, b *siteSeen) int { return cmp.Compare(a.Site, b.Site) })
	r := Report{Sites: []SiteReport{}}
	for _, v := range sites {
		r.Sites = append(r.Sites, v.report())
	}
	return r
}

func (v *siteSeen) report() SiteReport {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := SiteReport{Site: v.Site, Since: v.Since, Documents: v.Documents, Unreadable: v.Unreadable, Oversize: v.Oversize, Pages: map[string]uint64{},
		Hosts: []HostReport{}, Seen: []SeenReport{}, Undeclared: []string{}}
	for path, one := range v.Paths {
		r.Pages[path] = one.count()
	}
	for host, c := range v.Hosts {
		r.Hosts = append(r.Hosts, HostReport{host, c.Vendor, c.Purpose, typeNames(c.Types), c.Gated, c.Passed, slices.Clone(c.Pages), c.claimed})
		if c.Vendor == "" && c.Purpose != "necessary" {
			r.Undeclared = append(r.Undeclared, host)
		}
	}
	for k, c := range v.Seen {
		r.Seen = append(r.Seen, SeenReport{k.Kind, k.Vendor, k.Purpose, k.Rule, c.Gated, c.Passed, slices.Clone(c.Pages), c.claimed})
	}
	slices.Sort(r.Undeclared)
	slices.SortFunc(r.Hosts, func(a, b HostReport) int {
		return cmp.Or(cmp.Compare(b.Gated+b.Passed, a.Gated+a.Passed), cmp.Compare(a.Host, b.Host))
	})
	slices.SortFunc(r.Seen, func(a, b SeenReport) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Purpose, b.Purpose))
	})
	return r
}

// destinationNames are the names of destinations in reports, in the order of their values.
var destinationNames = [...]string{"fetch", "script", "style", "image", "font", "media", "frame", "object", "manifest", "worker",
	"ping", "report", "connect", "prefetch", "document", "websocket"}

func typeNames(bits uint32) []string {
	names := []string{}
	for i, n := range destinationNames {
		if bits&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// restore takes over what a file held. Unknown kinds and types are left out: they are of another version.
func (i *Inventory) restore(r Report) {
	for _, s := range r.Sites[:min(len(r.Sites), maxSites)] {
		v := i.of(s.Site)
		v.visited.Store(s.Documents)
		v.Since, v.Documents, v.Unreadable, v.Oversize = s.Since, s.Documents, s.Unreadable, s.Oversize
		for path, n := range s.Pages {
			if len(v.Paths) < maxPaths {
				v.Paths[path] = &views{n: n}
			}
		}
		for _, h := range s.Hosts {
			c := &hostCount{seenCount{h.Gated, h.Passed, h.Pages, told{}, h.Claimed}, h.Vendor, h.Purpose, 0, 0}
			for _, name := range h.Types {
				if n := slices.Index(destinationNames[:], name); n >= 0 {
					c.Types |= 1 << n
				}
			}
			v.Hosts[h.Host] = c
			v.know(h.Vendor, true)
		}
		for _, one := range s.Seen {
			switch one.Kind {
			case KindResource, KindScript, KindCookie, KindFirstParty:
				v.Seen[seenKey{one.Kind, one.Vendor, one.Purpose, one.Rule}] = &seenCount{one.Gated, one.Passed, one.Pages, told{passed: one.Passed}, one.Claimed}
				v.know(one.Vendor, one.Claimed)
			}
		}
	}
}

// Pages returns, of the n sites that delivered most, at most n pages each: those that were delivered most, again and again in
// proportion, so that a page counts for as much as it is asked for.
func (i *Inventory) Pages(n int) map[string][]string {
	reports := i.Report().Sites
	slices.SortStableFunc(reports, func(a, b SiteReport) int { return cmp.Compare(b.Documents, a.Documents) })
	sites := map[string][]string{}
	for _, s := range reports[:min(n, len(reports))] {
		paths := slices.Sorted(maps.Keys(s.Pages))
		slices.SortStableFunc(paths, func(a, b string) int { return cmp.Compare(s.Pages[b], s.Pages[a]) })
		paths = paths[:min(n, len(paths))]
		var all uint64
		for _, path := range paths {
			all += s.Pages[path]
		}
		for _, path := range paths {
			for range s.Pages[path] * uint64(n) / max(all, 1) {
				sites[s.Site] = append(sites[s.Site], path)
			}
		}
	}
	return sites
}

// ReadReport reads a file that save wrote, or an answer of the admin API that somebody kept.
func ReadReport(path string) (r Report, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}

// Open reads what an earlier process saw. A file that cannot be read is as good as none.
func Open(path string) *Inventory {
	i := new(Inventory)
	if r, err := ReadReport(path); err == nil {
		i.restore(r)
	}
	return i
}

// save writes what was seen since the last time, in one step: a crash leaves the old file or the new one.
func (i *Inventory) save(path string) error {
	i.mu.Lock()
	dirty := i.dirty
	i.dirty = false
	i.mu.Unlock()
	if !dirty {
		return nil
	}
	err := i.write(path)
	if err != nil {
		i.mu.Lock()
		i.dirty = true
		i.mu.Unlock()
	}
	return err
}

func (i *Inventory) write(path string) error {
	data, err := json.Marshal(i.Report())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".inventory-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// saveEvery is how often what was seen is written down.
const saveEvery = time.Minute

// Run writes what was seen to a file, once a minute until ctx ends, and then once more.
func (i *Inventory) Run(ctx context.Context, path string) {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = i.save(path)
			return
		case <-t.C:
			_ = i.save(path) // tried again in a minute
		}
	}
}
