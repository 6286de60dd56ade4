package caddymodule

import (
	"net/http"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite/cookie"
	"github.com/caddy-consent/caddy-consent/rules"
)

// suspectRule stands before a cookie's name in reports.
const suspectRule = "unclassified cookie "

// suspectCookies counts cookies that nobody classified and that look as if they told visitors apart. In strict mode they
// count as marketing and are withheld until the visitor agrees. It reports whether the visitor's agreement let one pass.
func (x *exchange) suspectCookies(h http.Header, now time.Time) (agreed bool) {
	lines := h["Set-Cookie"]
	kept := lines[:0:0]
	for _, line := range lines {
		c, ok := cookie.Parse(line)
		if ok && x.suspect(&c, now) {
			m := rules.Match{Purpose: consent.Marketing, Rule: suspectRule + inventory.PathPattern(c.WireName())}
			permitted := x.decision.Permits(m.Purpose, 0)
			gate := x.site.mode == modeStrict && !permitted
			agreed = agreed || x.site.mode == modeStrict && permitted
			x.policy.tally.Add(inventory.KindCookie, &m, gate)
			if gate && x.policy.reasons != nil {
				x.policy.reasons.add(inventory.KindCookie, []byte(c.WireName()), &m)
			}
			if gate {
				continue
			}
		}
		kept = append(kept, line)
	}
	switch {
	case len(kept) == len(lines):
	case len(kept) == 0:
		delete(h, "Set-Cookie")
	default:
		h["Set-Cookie"] = kept
	}
	return agreed
}

func (x *exchange) suspect(c *cookie.SetCookie, now time.Time) bool {
	name := []byte(c.WireName())
	if m, _ := x.site.rules.Cookie(name); m.Purpose != 0 { // somebody classified it, if only as what need not be gated
		return false
	}
	return rules.Suspicious(name, []byte(c.Value), c.Lifetime(now))
}
