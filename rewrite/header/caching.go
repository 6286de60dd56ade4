package header

import (
	"net/http"
	"strings"
)

// Private keeps shared caches, many of which ignore Vary, from giving what one visitor is answered to another (RFC 9111,
// 5.2.2.7). Fields that speak to some of them only would overrule it there (RFC 9213, 2.2) and are removed. With revalidate
// the browser's own cache must ask, too, or a page would come out of it as it was before a withdrawal.
func Private(h http.Header, revalidate bool) {
	for name := range h {
		if strings.HasSuffix(name, "-Cache-Control") || name == "Surrogate-Control" || name == "X-Accel-Expires" || name == "Edge-Control" {
			delete(h, name)
		}
	}
	var kept []string
	for _, rest := range h["Cache-Control"] {
		for rest != "" {
			var d string
			d, rest = cutTag(rest)
			if d = trim(d); strings.Count(d, `"`)%2 != 0 {
				continue // it would take what follows into its string
			}
			name, _, _ := strings.Cut(strings.ToLower(d), "=")
			switch name {
			case "no-store":
				return
			case "", "public", "private", "s-maxage":
			case "max-age", "no-cache", "immutable", "stale-while-revalidate", "stale-if-error", "must-revalidate":
				if !revalidate {
					kept = append(kept, d)
				}
			default:
				kept = append(kept, d)
			}
		}
	}
	if revalidate {
		delete(h, "Expires")
		if len(kept) == 0 {
			h["Cache-Control"] = []string{"private, no-cache"}
			return
		}
	}
	kept = append(kept, "private")
	if revalidate {
		kept = append(kept, "no-cache")
	}
	h["Cache-Control"] = []string{strings.Join(kept, ", ")}
}

// NotStored keeps every cache from storing a response.
func NotStored(h http.Header) {
	Private(h, true)
	h["Cache-Control"] = []string{"no-store"}
}
