package rules

import "github.com/caddy-consent/caddy-consent/consent"

// List is a filter list with the purpose that its matches get where the catalogue does not know better.
type List struct {
	// Purpose is what the operator declared for the list.
	Purpose consent.Purpose
	// Match reports whether the list blocks the request, and by which rule of which list at which line.
	Match func(*Request) (rule, list string, line int, blocked bool)
}

// listed asks the filter lists; m is what the catalogue knows of the vendor without wanting it gated.
func (s *Set) listed(r *Request, m Match) (Match, bool) {
	for i := range s.lists {
		l := &s.lists[i]
		if rule, list, line, blocked := l.Match(r); blocked {
			if m.Vendor == "" || m.Purpose == consent.Necessary {
				m.Purpose = l.Purpose
			}
			m.Rule, m.List, m.Line = rule, list, line
			return m, true
		}
	}
	return m, false
}
