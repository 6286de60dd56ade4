package caddymodule

import (
	"bytes"
	"io"
	"net/http"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
)

// Bounds of the bodies whose shape is looked at.
const (
	shapeBytes   = 8 << 10
	maxShapeBody = 1 << 20
)

// gatedRequest reports whether the request itself is tracking, passed on through the site's own path, and must not reach
// the app: on paths that the operator declared, and by the shape of what is sent where the operator enabled that.
// Elsewhere a shape is counted and reported only.
func (x *exchange) gatedRequest() bool {
	if m, found := x.site.declaredPath(x.url.Path); found {
		return x.policy.verdict(inventory.KindFirstParty, []byte(x.url.Path), m).Gate
	}
	if !x.site.options.DetectFirstParty && x.site.mode != modeReport {
		return false
	}
	var body []byte
	if x.r.Method == http.MethodPost && x.r.ContentLength > 0 && x.r.ContentLength <= maxShapeBody {
		body = peekBody(x.r)
	}
	m, found := x.site.rules.FirstParty(x.r.Method, x.url.Path, x.url.RawQuery, x.r.Header.Get("Content-Type"), body)
	return found && x.policy.verdict(inventory.KindFirstParty, []byte(x.url.Path), m).Gate && x.site.options.DetectFirstParty
}

// declaredPath judges a path of the site by what the operator declared.
func (s *site) declaredPath(path string) (rules.Match, bool) {
	for _, f := range s.options.FirstParty {
		if !weburl.MatchPath(f.Path, path) {
			continue
		}
		if v := s.catalogue.Vendor(f.Vendor); v != nil {
			return rules.Match{Vendor: v.ID, Number: v.Number, Purpose: v.Purpose, Rule: "first_party " + f.Path}, true
		}
	}
	return rules.Match{}, false
}

// peekBody returns the beginning of the request's body and puts it back.
func peekBody(r *http.Request) []byte {
	head := make([]byte, min(r.ContentLength, shapeBytes))
	n, _ := io.ReadFull(r.Body, head)
	head = head[:n]
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	return head
}
