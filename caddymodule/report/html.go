package report

import (
	"cmp"
	_ "embed" // the report's page
	"html/template"
	"io"
	"slices"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
)

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Parse(reportPage))

// HTML writes a page that needs no other file and no script.
func HTML(w io.Writer, r inventory.Report) error {
	var sites []siteView
	for i := range r.Sites {
		s := &r.Sites[i]
		sites = append(sites, siteView{*s, charts(s), draft(s)})
	}
	return reportTemplate.Execute(w, sites)
}

// siteView is what the page shows of a site.
type siteView struct {
	inventory.SiteReport
	Charts []chart
	Draft  string
}

// chart is a list of horizontal bars.
type chart struct {
	Title  string
	Bars   []bar
	Height int
}

// bar is one bar: what was gated, then what passed. Lengths are in units of the drawing.
type bar struct {
	Label                          string
	GatedCount, PassedCount, Count uint64
	Y, TextY                       int
	Gated, Passed, PassedX, CountX float64
}

// Measures of a chart.
const (
	barStep   = 26
	barsFrom  = 250
	barsWidth = 480.0
	maxBars   = 15
)

func charts(s *inventory.SiteReport) []chart {
	purposes, vendors := map[string]*bar{}, map[string]*bar{}
	add := func(m map[string]*bar, label string, gated, passed uint64) {
		if m[label] == nil {
			m[label] = &bar{Label: label}
		}
		m[label].GatedCount += gated
		m[label].PassedCount += passed
	}
	for _, h := range s.Hosts {
		add(purposes, cmp.Or(h.Purpose, "undeclared"), h.Gated, h.Passed)
		add(vendors, cmp.Or(h.Vendor, h.Host), h.Gated, h.Passed)
	}
	return slices.DeleteFunc([]chart{newChart("Contacts by purpose", purposes), newChart("Contacts by vendor or host", vendors)},
		func(c chart) bool { return len(c.Bars) == 0 })
}

// newChart sorts the bars by length and gives them their places.
func newChart(title string, bars map[string]*bar) chart {
	c := chart{Title: title}
	for _, b := range bars {
		b.Count = b.GatedCount + b.PassedCount
		c.Bars = append(c.Bars, *b)
	}
	slices.SortFunc(c.Bars, func(a, b bar) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label)) })
	c.Bars = c.Bars[:min(len(c.Bars), maxBars)]
	for i := range c.Bars {
		b := &c.Bars[i]
		b.Y, b.TextY = i*barStep+4, i*barStep+18
		unit := barsWidth / float64(max(c.Bars[0].Count, 1))
		b.Gated, b.Passed = unit*float64(b.GatedCount), unit*float64(b.PassedCount)
		b.PassedX = barsFrom + b.Gated
		b.CountX = b.PassedX + b.Passed + 8
	}
	c.Height = len(c.Bars)*barStep + 8
	return c
}
