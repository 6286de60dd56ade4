package ui

import (
	"io"
	"strconv"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

// groupView is one purpose with its vendors, as the template of the preference page shows it.
type groupView struct {
	purposeView
	Providers string
	Vendors   []vendorView
}

type vendorView struct {
	*Vendor
	Index  int
	Kept   string
	Single bool
}

// single reports whether the vendor can be decided about alone: a signed answer can name numbers up to a bound. The others go
// with their purpose.
func (v *Vendor) single() bool { return v.Number >= 1 && v.Number <= consent.MaxVendor }

// WritePreferences writes the preference page, a document of its own that needs no script: each purpose with its vendors,
// who they are, how long they keep data, where to object, what is decided now and who decided it, and the ways to accept,
// refuse, choose and withdraw. Serve it with PageCSP and without caching.
//
// Its form posts a purpose for each ticked box and, for each vendor listed, vendor=+ID, vendor=-ID or, where the vendor
// follows its purpose, an empty vendor. The only error is that of w.
func (u *UI) WritePreferences(w io.Writer, p *Page) error {
	view := u.view(p.Lang)
	page, err := view.preferences()
	if err != nil {
		return err
	}
	v := values{page: p, returns: returnPath(p.Return), vendors: u.config.Vendors}
	granted := u.granted(view.texts, &v)
	v.status, v.withdraw, v.problem = u.status(view, p, granted), len(granted) > 0, view.texts["error"]
	if p.DeadLink {
		v.problem = view.texts["dead_link"]
	}
	_, err = w.Write(page.append(nil, &v))
	return err
}

// PageCSP returns the Content-Security-Policy for the preference page: its own style sheet, the logo, its own form.
func (u *UI) PageCSP() string {
	return "default-src 'none'; style-src " + hashSource(u.styles.preferences) +
		"; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// granted names what the visitor agreed to: purposes, and vendors on their own.
func (u *UI) granted(t texts, v *values) []string {
	var names []string
	for _, p := range (v.page.Granted & u.config.Purposes).List() {
		names = append(names, t.purpose(p).Name)
	}
	for i := range v.vendors {
		if v.vendors[i].Purpose != consent.Necessary.String() && v.decided(i, true) {
			names = append(names, v.vendors[i].Name)
		}
	}
	return names
}

// status says what is decided and, where a signal decided, which.
func (u *UI) status(v *view, p *Page, granted []string) string {
	t := v.texts
	switch {
	case len(granted) > 0:
		return t.fill("granted", "{purposes}", strings.Join(granted, t.comma()))
	case p.Signal != "":
		return t.fill("signal_text", "{signal}", isolate(v.lang, signalName(p.Signal)))
	case p.Answered:
		return t["refused"]
	}
	return t["undecided"]
}

// groups lists the vendors under their purposes.
func (u *UI) groups(lang string, t texts) []groupView {
	var groups []groupView
	for _, purpose := range append([]consent.Purpose{consent.Necessary}, u.config.Purposes.List()...) {
		g := groupView{purposeView: t.purpose(purpose)}
		for i := range u.config.Vendors {
			v := &u.config.Vendors[i]
			if v.Purpose != g.ID {
				continue
			}
			view := vendorView{Vendor: v, Index: i, Single: v.single()}
			if v.Retention != "" {
				view.Kept = t.fill("retention", "{time}", u.units.words(lang, v.Retention))
			}
			g.Vendors = append(g.Vendors, view)
		}
		g.Providers = t.fill("providers", "{count}", strconv.Itoa(len(g.Vendors)))
		groups = append(groups, g)
	}
	return groups
}
