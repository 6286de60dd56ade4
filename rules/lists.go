package rules

import "github.com/caddy-consent/caddy-consent/consent"

// listed asks the filter lists; m is what the catalogue knows of the vendor without wanting it gated.
func (s *Set) listed(r *Request, m Match) (Match, bool) {
	res, blocked := s.lists.Match(r)
	if !blocked {
		return m, false
	}
	if m.Vendor == "" || m.Purpose == consent.Necessary {
		m.Purpose = consent.Marketing
		if res.ListIndex < len(s.options.ListPurposes) {
			m.Purpose = s.options.ListPurposes[res.ListIndex]
		}
	}
	m.Rule, m.List, m.Line = res.Rule, res.List, res.Line
	return m, true
}
