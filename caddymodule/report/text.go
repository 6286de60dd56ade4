// Package report shows an inventory to people, as text or as a page of HTML that needs no other file, and drafts the lines of a
// Caddyfile that would declare what was seen.
//
// What pages and clients said is hostile: nothing of it becomes a line of the draft, or markup, of its own.
package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/caddymodule/terminal"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// Text prints the report for people.
func Text(out io.Writer, r inventory.Report) error {
	for i := range r.Sites {
		s := &r.Sites[i]
		fmt.Fprintf(out, "%s: %d pages delivered since %s, %d different ones; %d third-party hosts\n", s.Site, s.Documents,
			s.Since.Format("2006-01-02 15:04"), len(s.Pages), len(s.Hosts))
		if s.Unreadable > 0 {
			fmt.Fprintf(out, "%d responses could not be read (unknown coding): see on_unrewritable\n", s.Unreadable)
		}
		if s.Oversize > 0 {
			fmt.Fprintf(out, "%d documents hold a tag, script or style of more than 32 KiB, of which only the beginning was judged, or which was left out\n", s.Oversize)
		}
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\n  HOST\tWHO\tFOR\tAS\tGATED\tPASSED\tSEEN ON")
		for _, h := range s.Hosts {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%d\t%d\t%s\n", h.Host, cmp.Or(h.Vendor, "-"), cmp.Or(h.Purpose, "undeclared"),
				strings.Join(h.Types, ","), h.Gated, h.Passed, firstOf(h.Pages))
		}
		for _, kind := range []struct {
			name  inventory.Kind
			title string
		}{{inventory.KindCookie, "COOKIE"}, {inventory.KindScript, "INLINE SCRIPT"}, {inventory.KindFirstParty, "OWN PATH"}} {
			rows := seenOf(s, kind.name)
			if len(rows) == 0 {
				continue
			}
			fmt.Fprintf(t, "\n  %s\tWHO\tFOR\t\tGATED\tPASSED\tSEEN ON\n", kind.title)
			for _, c := range rows {
				fmt.Fprintf(t, "  %s\t%s\t%s\t\t%d\t%d\t%s\n", short(c.Rule), cmp.Or(c.Vendor, "-"), c.Purpose, c.Gated, c.Passed, firstOf(c.Pages))
			}
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "\n%s\n", draft(s)); err != nil {
			return err
		}
	}
	return nil
}

// seenOf returns what was seen of a kind.
func seenOf(s *inventory.SiteReport, of inventory.Kind) (list []inventory.SeenReport) {
	for _, c := range s.Seen {
		if c.Kind == of {
			list = append(list, c)
		}
	}
	return list
}

func short(rule string) string {
	if r := []rune(rule); len(r) > 50 {
		return string(r[:49]) + "…"
	}
	return rule
}

func firstOf(pages []string) string {
	switch len(pages) {
	case 0:
		return "-"
	case 1:
		return terminal.OneLine(pages[0])
	}
	return fmt.Sprintf("%s and %d more", terminal.OneLine(pages[0]), len(pages)-1)
}

// draft writes the site's block as it would declare what was seen.
func draft(s *inventory.SiteReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# A draft: read each line before you use it.\n%s {\n\tconsent {\n", terminal.OneLine(s.Site))
	vendors := map[string][]string{}
	for _, h := range s.Hosts {
		vendors[h.Purpose] = append(vendors[h.Purpose], h.Vendor)
	}
	for _, c := range s.Seen {
		if !c.Claimed { // a cookie that anybody can send makes nobody a vendor of the site
			vendors[c.Purpose] = append(vendors[c.Purpose], c.Vendor)
		}
	}
	var passing strings.Builder
	for _, purpose := range slices.Sorted(maps.Keys(vendors)) {
		if purpose == "" || purpose == consent.Necessary.String() {
			continue
		}
		slices.Sort(vendors[purpose])
		gated, passed := partition(slices.Compact(vendors[purpose]), passesByDefault)
		if len(gated) > 0 {
			fmt.Fprintf(&b, "\t\trequire %s %s\n", purpose, strings.Join(gated, " "))
		}
		if len(passed) > 0 {
			fmt.Fprintf(&passing, "\t\t# require %s %s\n", purpose, strings.Join(passed, " "))
		}
	}
	if passing.Len() > 0 {
		b.WriteString("\t\t# These pass, but for embeds, because pages break without them. Without the # they are gated:\n" + passing.String())
	}
	draftHosts(&b, s)
	suspects := seenOf(s, inventory.KindFirstParty)
	if len(suspects) > 0 {
		b.WriteString("\t\t# Paths of the site that seem to pass on data: a visitor who has not agreed gets 204 there.\n")
	}
	done := map[string]bool{}
	for _, c := range suspects {
		for _, path := range c.Pages {
			line := "first_party " + path + " " + c.Vendor + "\n"
			if done[line] || c.Vendor == "" || path != terminal.OneLine(path) || strings.ContainsAny(path, " \"`{}") {
				continue
			}
			done[line] = true
			if strings.Contains(path, "*") { // whoever sends what looks like tracking to /123456 must not have /* gated
				line = "# " + line
			}
			b.WriteString("\t\t" + line)
		}
	}
	b.WriteString("\t}\n\t# reverse_proxy …\n}\n")
	return b.String()
}

// passesByDefault reports whether a line that requires the built-in vendor would gate it.
func passesByDefault(id string) bool {
	c, err := rulesource.Builtin()
	v := (*catalogue.Vendor)(nil)
	if err == nil {
		v = c.Vendor(id)
	}
	return v != nil && v.Pass
}

// partition separates the names for which is holds; empty ones are left out.
func partition(names []string, is func(string) bool) (not, yes []string) {
	for _, n := range names {
		switch {
		case n == "":
		case is(n):
			yes = append(yes, n)
		default:
			not = append(not, n)
		}
	}
	return not, yes
}

// draftHosts drafts the lines for hosts of nobody that is known.
func draftHosts(b *strings.Builder, s *inventory.SiteReport) {
	told := false
	for _, h := range s.Hosts {
		switch {
		case h.Vendor != "" || h.Purpose == consent.Necessary.String(), !header.IsHostSource([]byte(h.Host)):
		case h.Purpose != "":
			fmt.Fprintf(b, "\t\t# %s is gated for what it does (%s), not for who it is\n", h.Host, strings.Join(h.Types, " "))
		default:
			if !told {
				b.WriteString("\t\t# Hosts that no rule knows: keep what the site cannot do without, delete the others.\n")
			}
			told = true
			line := "allow %s # %s, on %s\n"
			if h.Claimed { // whoever says that pages load from a host must not have it allowed
				line = "# allow %s # %s, on %s, by what browsers say\n"
			}
			fmt.Fprintf(b, "\t\t"+line, h.Host, strings.Join(h.Types, " "), firstOf(h.Pages))
		}
	}
}
