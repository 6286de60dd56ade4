package caddymodule

import (
	"net/http"

	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
)

// maxPlaceholders bounds how many frames the guard may ask about at once.
const maxPlaceholders = 64

// placeholders answers with the documents that stand for frames which scripts made: the same that the rewriter puts into
// a page's own frames, in the order of the question, "" for a frame that nobody is known for. They come inside JSON,
// so that no document of the site's origin can be made by a link.
func (x *exchange) placeholders(w http.ResponseWriter) {
	var q struct {
		U []string `json:"u"` // the frames' addresses
		R string   `json:"r"` // path and query of the page
	}
	if !x.readQuestion(w, &q, func() bool { return len(q.U) <= maxPlaceholders }) {
		return
	}
	p := &x.policy
	p.learned = nil // nothing is learned from what a client says
	answers := make([]string, len(q.U))
	for i, raw := range q.U {
		if u, err := weburl.Parse(raw); err == nil {
			r := resourceOf(u, rewrite.DestinationFrame)
			// Whatever holds for the request: a refusal acts in the page before it arrives here.
			if m, found := p.match(&r); found {
				answers[i] = string(p.site.placeholder(m.Vendor, x.lang(), x.origin(), localPath(q.R), r.URL))
			}
		}
	}
	writeJSON(w, http.StatusOK, "application/json", map[string][]string{"p": answers})
}

// placeholder is the document that stands in a gated frame on the page back of an origin, nil where there is nothing to show.
func (s *site) placeholder(id, lang, origin, back string, url []byte) []byte {
	v := s.vendors[id]
	if v == nil || ui.Gone(string(url)) {
		return nil
	}
	return s.ui.AppendPlaceholder(nil, v, &ui.Embed{
		Lang: lang, URL: string(url), Link: s.catalogue.Vendor(id).Link(string(url)), Page: origin + back, Return: back,
	})
}
