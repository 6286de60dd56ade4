package main

import (
	"bytes"
	"io"
	"strconv"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

const (
	chunk    = 32 << 10
	pageHost = "site.example"
	mark     = "0123456789abcdef"
)

// policy gates all that the catalogue knows, as for a visitor who has not agreed to anything, and counts.
type policy struct {
	set     *rules.Set
	request rules.Request
	gated   int
}

func newCatalogue() (*policy, error) {
	c, err := catalogue.Builtin()
	if err != nil {
		return nil, err
	}
	set, err := rules.New(c, nil, rules.Options{})
	return &policy{set: set}, err
}

// sites is how many sites the pages are dealt out to: a site's rules remember its scripts, and those of a hundred sites
// are more than they are made for.
const sites = 4

// newCatalogues returns the policies for two contenders.
func newCatalogues() (list []*policy, err error) {
	for range 2 * sites {
		p, err := newCatalogue()
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Resource implements rewrite.Policy.
func (p *policy) Resource(r *rewrite.Resource) rewrite.Verdict {
	p.request = rules.Request{URL: r.URL, HostStart: r.HostStart, HostEnd: r.HostEnd, Type: filterlist.Other, PageHost: pageHost,
		ThirdParty: p.set.ThirdParty(pageHost, r.Host()), Method: "GET"}
	return p.verdict(p.set.Match(&p.request, rules.Context{}))
}

// Script implements rewrite.Policy.
func (p *policy) Script(text []byte) rewrite.Verdict {
	m, ok := p.set.Script(text, rules.Context{})
	return p.verdict(m, ok && !m.Mixed)
}

// Cookie implements rewrite.Policy.
func (p *policy) Cookie(name []byte) rewrite.Verdict { return p.verdict(p.set.Cookie(name)) }

func (p *policy) verdict(m rules.Match, gate bool) rewrite.Verdict {
	if !gate || m.Purpose == consent.Necessary {
		return rewrite.Verdict{}
	}
	p.gated++
	return rewrite.Verdict{Gate: true, Vendor: m.Vendor, Purpose: m.Purpose.String()}
}

// unseen is a policy to which each script is new: a site's own scripts come again with every page and are remembered.
type unseen struct {
	*policy
	text []byte
	n    int
}

// Script implements rewrite.Policy.
func (p *unseen) Script(text []byte) rewrite.Verdict {
	p.n++
	p.text = strconv.AppendInt(append(append(p.text[:0], text...), "\n//"...), int64(p.n), 10)
	return p.policy.Script(p.text)
}

// nothing is a policy that looks at everything and gates nothing.
type nothing struct{}

func (nothing) Resource(*rewrite.Resource) rewrite.Verdict { return rewrite.Verdict{} }
func (nothing) Script([]byte) rewrite.Verdict              { return rewrite.Verdict{} }
func (nothing) Cookie([]byte) rewrite.Verdict              { return rewrite.Verdict{} }

func base() *url.URL {
	u, err := url.Parse("https://" + pageHost + "/a/page")
	if err != nil {
		panic(err)
	}
	return u
}

// rewriters are this project's contenders.
func rewriters(pages [][]byte, all []*policy) []*contender {
	with := func(policies ...rewrite.Policy) func(int) {
		o := html.Options{Base: base(), Mark: mark}
		r := html.NewRewriter(io.Discard, o)
		return func(i int) {
			o.Policy = policies[i*len(policies)/len(pages)]
			r.Reset(io.Discard, o)
			stream(r, pages[i])
			_ = r.Close()
		}
	}
	var known, fresh []rewrite.Policy
	for i, p := range all {
		if i < len(all)/2 {
			known = append(known, p)
		} else {
			fresh = append(fresh, &unseen{policy: p})
		}
	}
	return []*contender{
		{name: "rewrite/html, empty policy", pages: len(pages), read: with(nil)},
		{name: "rewrite/html, every element looked at", pages: len(pages), read: with(nothing{})},
		{name: "rewrite/html, full catalogue", pages: len(pages), read: with(known...)},
		{name: "rewrite/html, full catalogue, each script new", pages: len(pages), read: with(fresh...)},
	}
}

// stream writes a page in chunks, as a gateway gets it.
func stream(w io.Writer, page []byte) {
	for len(page) > 0 {
		n := min(len(page), chunk)
		_, _ = w.Write(page[:n])
		page = page[n:]
	}
}

// styleSheets returns the text of the pages' style elements.
func styleSheets(pages [][]byte) (sheets []byte) {
	for _, p := range pages {
		for {
			start := bytes.Index(p, []byte("<style"))
			if start < 0 {
				break
			}
			p = p[start:]
			text, end := bytes.IndexByte(p, '>'), bytes.Index(p, []byte("</style"))
			if text < 0 || end < text {
				break
			}
			sheets = append(append(sheets, p[text+1:end]...), '\n')
			p = p[end:]
		}
	}
	return sheets
}

func styles(sheets []byte, all *policy) []*contender {
	with := func(p rewrite.Policy) func(int) {
		o := &css.Options{Policy: p, Resolve: base().Resolve, Mark: mark}
		return func(int) {
			r := css.NewRewriter(io.Discard, o)
			stream(r, sheets)
			_ = r.Close()
		}
	}
	return append([]*contender{
		{name: "rewrite/css, nothing gated", pages: 1, read: with(nothing{})},
		{name: "rewrite/css, full catalogue", pages: 1, read: with(all)},
	}, stylePeers(sheets)...)
}
