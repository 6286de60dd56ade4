package ui

import (
	"html/template"
	"io"
	"strconv"

	"github.com/caddy-consent/caddy-consent/consent"
)

// preferencesView is what the template of the preference page is filled with.
type preferencesView struct {
	Lang, Dir, Prefix, SiteName, Logo, PolicyURL, ImprintURL, Return, Self string
	Style                                                                  template.CSS
	T                                                                      texts
	Intro, Status, Error                                                   string
	Saved, Recorded, Withdraw                                              bool
	Groups                                                                 []groupView
}

// groupView is one purpose with its vendors.
type groupView struct {
	purposeView
	Required, Checked, Open bool
	Providers               string
	Vendors                 []vendorView
}

type vendorView struct {
	*Vendor
	Allowed, Refused bool
	Kept             string
}

// WritePreferences writes the preference page, a document of its own that needs no script: each purpose with its vendors,
// who they are, how long they keep data, where to object, what is decided now and who decided it, and the ways to accept,
// refuse, choose and withdraw. Serve it with PageCSP and without caching.
//
// Its form posts a purpose for each ticked box and, for each vendor listed, vendor=+ID, vendor=-ID or, where the vendor
// follows its purpose, an empty vendor.
func (u *UI) WritePreferences(w io.Writer, p *Page) error {
	v := u.view(p.Lang)
	data := preferencesView{
		Lang: v.lang, Dir: v.dir, Prefix: u.config.Prefix, SiteName: u.config.SiteName, Logo: u.config.Logo,
		PolicyURL: u.config.PolicyURL, ImprintURL: u.config.ImprintURL, Return: returnPath(p.Return),
		Style: template.CSS(u.styles.preferences), T: v.texts, Intro: v.texts.fill("intro", "{purposes}", v.texts.purposeNames(u.config.Purposes)), Status: u.status(v, p), Error: p.Error, Saved: p.Saved,
		Recorded: p.Recorded, Groups: u.groups(v.texts, p),
	}
	data.Self = string(appendQuery([]byte(u.config.Prefix+"/?return="), data.Return))
	for _, g := range data.Groups {
		data.Withdraw = data.Withdraw || g.grants()
	}
	return u.pages.ExecuteTemplate(w, "preferences", data)
}

// PageCSP returns the Content-Security-Policy for the preference page: its own style sheet, the logo, its own form.
func (u *UI) PageCSP() string {
	return "default-src 'none'; style-src " + hashSource(u.styles.preferences) +
		"; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// status says what is decided and, where a signal decided, which.
func (u *UI) status(v *view, p *Page) string {
	t := v.texts
	granted := p.Granted & u.config.Purposes
	switch {
	case granted != 0:
		return t.fill("granted", "{purposes}", t.purposeNames(granted))
	case p.Signal != "":
		return t.fill("signal_text", "{signal}", isolate(v.lang, signalName(p.Signal)))
	case p.Asked:
		return t["refused"]
	}
	return t["undecided"]
}

func (u *UI) groups(t texts, p *Page) []groupView {
	var groups []groupView
	for _, purpose := range append([]consent.Purpose{consent.Necessary}, u.config.Purposes.List()...) {
		g := groupView{purposeView: t.purpose(purpose), Required: purpose == consent.Necessary}
		g.Checked = !g.Required && p.Granted.Has(purpose)
		for i := range u.config.Vendors {
			if u.config.Vendors[i].Purpose == g.ID {
				g.Vendors = append(g.Vendors, newVendorView(t, p, &u.config.Vendors[i]))
			}
		}
		for _, v := range g.Vendors {
			g.Open = g.Open || v.Allowed || v.Refused
		}
		g.Providers = t.fill("providers", "{count}", strconv.Itoa(len(g.Vendors)))
		groups = append(groups, g)
	}
	return groups
}

func (g *groupView) grants() bool {
	for _, v := range g.Vendors {
		if v.Allowed {
			return true
		}
	}
	return g.Checked
}

func newVendorView(t texts, p *Page, v *Vendor) vendorView {
	view := vendorView{Vendor: v}
	if p.VendorOn != nil {
		on, set := p.VendorOn(v.Number)
		view.Allowed, view.Refused = set && on, set && !on
	}
	if v.Retention != "" {
		view.Kept = t.fill("retention", "{time}", v.Retention)
	}
	return view
}
