package caddymodule

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/rules"
)

// DebugHeader in a request from an address that the option debug names asks why things are gated. The answer carries
// three fields of RFC 9651: Consent-Decision as the app gets it; Consent-Debug, a dictionary of mode, regime, region,
// signals, policy version and how much was gated; and Consent-Gated, a list of what was, each with vendor, purpose, rule,
// list, line and what would let it pass. It is never stored. Requests from elsewhere are answered as if it were not there.
const DebugHeader = "Consent-Debug"

// gatedHeader lists what was gated.
const gatedHeader = "Consent-Gated"

// Bounds of what the fields say: a proxy in between may take no more than 16 KiB of header.
const (
	maxReasons     = 50
	maxReasonBytes = 8 << 10
	maxReasonText  = 300 // of one URL, cookie or rule
)

// reasons are why things were gated in one response.
type reasons struct {
	list  []string // items of Consent-Gated
	bytes int
}

// add takes the reason for one thing that was gated, or would have been in report mode.
func (s *reasons) add(of inventory.Kind, what []byte, m *rules.Match) {
	if len(s.list) == maxReasons || s.bytes >= maxReasonBytes {
		return
	}
	if of == inventory.KindScript {
		what = fmt.Appendf(nil, "inline script: %.60s", what)
	}
	remedy := "consent " + m.Purpose.String()
	if host := hostIn(what); of == inventory.KindResource && host != "" {
		remedy += ", or allow " + host
	} else if m.Vendor != "" {
		remedy += ", or allow " + m.Vendor
	}
	var b strings.Builder
	b.WriteString(quoted(string(what)))
	for _, p := range [...][2]string{{"kind", string(of)}, {"vendor", m.Vendor}, {"purpose", m.Purpose.String()}, {"rule", m.Rule}, {"list", m.List}} {
		if p[1] != "" {
			b.WriteString(";" + p[0] + "=" + quoted(p[1]))
		}
	}
	if m.Line > 0 {
		b.WriteString(";line=" + strconv.Itoa(m.Line))
	}
	b.WriteString(";passes-with=" + quoted(remedy))
	item := b.String()
	if slices.Contains(s.list, item) {
		return
	}
	s.list = append(s.list, item)
	s.bytes += len(item)
}

// hostIn returns the host of an absolute URL, "" for anything else.
func hostIn(url []byte) string {
	_, rest, ok := strings.Cut(string(url), "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	return host
}

// quoted writes a string of RFC 9651: printable ASCII, of bounded length; other bytes are percent-encoded.
func quoted(s string) string {
	b := []byte{'"'}
	for i := 0; i < len(s) && i < maxReasonText; i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= 0x7F:
			b = fmt.Appendf(b, "%%%02X", c)
		default:
			b = append(b, c)
		}
	}
	if len(s) > maxReasonText {
		b = append(b, "..."...)
	}
	return string(append(b, '"'))
}

// parseRanges reads addresses and ranges of addresses.
func parseRanges(list []string) (ranges []netip.Prefix, err error) {
	for _, text := range list {
		if text == "private_ranges" {
			more, _ := parseRanges(caddyhttp.PrivateRangesCIDR())
			ranges = append(ranges, more...)
			continue
		}
		p, err := caddyhttp.CIDRExpressionToPrefix(text)
		if err != nil {
			return nil, fmt.Errorf("debug %q: use an address, a range such as 198.51.100.0/24, or private_ranges", text)
		}
		ranges = append(ranges, p.Masked())
	}
	return ranges, nil
}

// debugged reports whether the request comes from an address that may ask for reasons, and asks. The address is the one
// that Caddy takes for the client's (trusted_proxies). What anonymize_ip masked can only be held against ranges that are
// no finer.
func (s *site) debugged(r *http.Request) bool {
	if len(s.debug) == 0 {
		return false
	}
	asked := r.Header.Get(DebugHeader) != ""
	deleteAliases(r.Header, DebugHeader)
	if !asked {
		return false
	}
	text, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	bits := anonymize.KeptBits(r, addr)
	for _, p := range s.debug {
		if p.Bits() <= bits && p.Contains(addr) {
			return true
		}
	}
	return false
}

// explain writes the fields.
func (x *exchange) explain(h http.Header) {
	d := &x.decision
	list := x.policy.reasons.list
	h.Set("Cache-Control", "no-store")
	h[DecisionHeader] = []string{d.String()}
	h[DebugHeader] = []string{fmt.Sprintf(`mode=%s, regime=%q, region=%q, signals=%q, version=%s, gated=%d, listed=%d`,
		x.site.mode, d.Regime, x.signals.Region, d.Signals, quoted(x.site.options.PolicyVersion), x.policy.tally.Gates, len(list))}
	delete(h, gatedHeader)
	if len(list) > 0 {
		h[gatedHeader] = append([]string(nil), list...)
	}
}

// whole makes the request one for the whole answer, so that all of it is judged.
func whole(h http.Header) {
	for _, name := range [...]string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"} {
		delete(h, name)
	}
}
