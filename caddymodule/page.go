package caddymodule

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/guard"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	"github.com/caddy-consent/caddy-consent/rules"
)

// htmlOptions is how a document, or what may be a part of one, is rewritten for this visitor.
func (x *exchange) htmlOptions(h http.Header, kind encoding.Kind) html.Options {
	o := html.Options{Policy: &x.policy, Base: x.base(), Mark: x.responseMark(), XML: kind == encoding.KindXML, Fragment: !x.document() || kind != encoding.KindHTML && !x.xhtml}
	if x.site.mode != modeReport {
		o.Link = x.undecorated()
	}
	if x.fetch == fetchFragment && (kind == encoding.KindHTML || kind == encoding.KindJSON) && x.site.mode != modeReport {
		h[markHeader] = []string{o.Mark}
	}
	if o.Fragment || x.site.mode == modeReport {
		return o
	}
	nonce := ""
	if x.siteCSP {
		policies := header.ParseCSP(h[cspName])
		nonce, _ = header.Nonce(policies)
		o.Nonce, o.Dynamic = nonce, header.Dynamic(policies)
	}
	o.Head = func(w io.Writer) { x.writeHead(w, nonce) }
	o.Srcdoc = func(w io.Writer) { x.writeGuard(w, nonce, false) } // HTML wherever it stands (HTML, 4.8.5)
	if (x.fetch == fetchDocument || x.fetch == fetchPane) && x.site.options.Banner != "off" && !x.behind {
		o.Body = func(w io.Writer) { x.writeBanner(w, nonce) }
	}
	return o
}

// writeHead writes what goes first in the head of a page.
func (x *exchange) writeHead(w io.Writer, nonce string) {
	x.writeGuard(w, nonce, x.xhtml)
	if x.site.bridge != nil {
		_, _ = w.Write(x.site.bridge.append(nil, nonce, x.xhtml))
	}
}

func (x *exchange) writeGuard(w io.Writer, nonce string, xml bool) {
	p := x.guardPage(x.responseMark(), nonce)
	p.XML = xml
	if x.digests {
		p.Integrity = x.guard().Integrity()
	}
	_ = x.guard().Write(w, &p) // the rewriter keeps the error
}

// writeBanner writes what goes first in the body.
func (x *exchange) writeBanner(w io.Writer, nonce string) {
	p := x.page()
	p.Nonce, p.XML = nonce, x.xhtml
	scratch := outputs.Get().(*outputBuffer)
	banner := x.site.ui.AppendBanner(scratch[:0], &p)
	if x.ascii {
		banner = asciiMarkup(banner)
	}
	_, _ = w.Write(banner)
	outputs.Put(scratch)
}

// asciiMarkup returns text of ours with references for all characters beyond ASCII, which only text and values hold: it reads
// the same in every encoding that a page may have.
func asciiMarkup(text []byte) []byte {
	if text == nil {
		return nil
	}
	out := make([]byte, 0, len(text)+len(text)/8)
	for _, r := range string(text) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		out = append(strconv.AppendInt(append(out, "&#"...), int64(r), 10), ';')
	}
	return out
}

// guardPage is what the guard is told about the visitor and the page.
func (x *exchange) guardPage(mark, nonce string) guard.Page {
	return guard.Page{
		Mark: mark, Nonce: nonce, Granted: uint8(x.decision.Permitted), Denied: uint8(consent.AllPurposes &^ x.decision.Permitted),
		Vendors: x.vendorList(), GPC: x.signals.GPC, DNT: x.signals.DNT == consent.DNTDeny, Site: rules.RegistrableDomain(x.policy.pageHost),
	}
}

// page is what banner and preference centre show.
func (x *exchange) page() ui.Page {
	return ui.Page{
		Lang: x.lang(), Mark: x.responseMark(), Granted: x.decision.Granted,
		VendorOn: func(n uint16) (on, set bool) {
			return x.decision.Vendors.Granted(n), x.decision.Vendors.Granted(n) || x.decision.Vendors.Refused(n)
		},
		Signal: signalName(x.decision.SignalDecided()), Return: x.returnTo(), Answered: x.decision.Ask == 0, Recorded: !x.decision.ID.IsZero(),
		Saved: x.justAnswered(),
	}
}

// justAnswered reports whether the visitor's answer is some seconds old, by the clock of whichever node took it: who answered
// without a script comes back to a page that says so.
func (x *exchange) justAnswered() bool {
	return !x.decision.At.IsZero() && time.Since(x.decision.At).Abs() < 10*time.Second
}

// returnTo is where the visitor goes back to after an answer: this page, or the one the preference centre was opened from.
func (x *exchange) returnTo() string {
	if strings.HasPrefix(x.url.Path, x.site.options.Prefix+"/") {
		return x.returnPath()
	}
	return x.url.RequestURI()
}

// signalName is what the banner calls the signal that decided, "" for none.
func signalName(s consent.SignalSet) string {
	switch {
	case s.Has(consent.SignalGPC):
		return "GPC"
	case s.Has(consent.SignalDNT):
		return "DNT"
	}
	return ""
}

// vendorList is the visitor's decisions about single vendors as the guard takes them.
func (x *exchange) vendorList() string {
	var b strings.Builder
	for n := range x.decision.Vendors.All() {
		v := x.site.vendor(n)
		if v == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if x.decision.Permits(v.Purpose, n) {
			b.WriteByte('+')
		} else {
			b.WriteByte('-')
		}
		b.WriteString(v.ID)
	}
	return b.String()
}

// guard is the script for the pages of this kind.
func (x *exchange) guard() *script { return x.site.guardFor(x.policy.context) }
