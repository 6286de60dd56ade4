package header

import (
	"net/http"
	"slices"
	"strings"
)

// adFeatures are the policy-controlled features of the browser's own advertising interfaces, all denied.
const adFeatures = "attribution-reporting=(), browsing-topics=(), join-ad-interest-group=(), private-aggregation=(), run-ad-auction=(), " +
	"shared-storage=(), shared-storage-select-url=()"

// optOut denies the advertising features. Permissions-Policy is one dictionary in which the last member of a name counts
// (RFC 9651, 4.2.2), so a field of our own after the site's wins, provided that the site's parses; one that does not has no
// effect in browsers, and would take ours with it, so it is removed.
func (e *editor) optOut(h http.Header) {
	const field = "Permissions-Policy"
	values := h[field]
	if len(values) == 0 {
		e.own[0] = adFeatures
		h[field] = e.own[:]
		return
	}
	kept := make([]string, 0, len(values)+1)
	for _, v := range values {
		if writable(v) && v != adFeatures {
			kept = append(kept, v)
		}
	}
	if !validDictionary(strings.Join(kept, ", ")) {
		kept = kept[:0]
	}
	h[field] = append(kept, adFeatures)
}

// advertising reports whether a field starts or feeds one of the browser's advertising interfaces.
func advertising(field string) bool { return slices.Contains(advertisingFields[:], field) }

var advertisingFields = [...]string{
	"Attribution-Reporting-Register-Source", "Attribution-Reporting-Register-Trigger", "Attribution-Reporting-Register-Os-Source",
	"Attribution-Reporting-Register-Os-Trigger", "Attribution-Reporting-Info", "Observe-Browsing-Topics", "Ad-Auction-Allowed",
	"Ad-Auction-Result", "Ad-Auction-Signals", "Ad-Auction-Additional-Bid", "Shared-Storage-Write", "Supports-Ad-Auction-Bid",
}

// clientHints removes the hints that tell devices apart and serve no rendering.
func (e *editor) clientHints(_, value string) string {
	kept := make([]string, 0, 8)
	removed := false
	for hint := range strings.SplitSeq(value, ",") {
		hint = strings.Trim(hint, " \t")
		switch strings.ToLower(hint) {
		case "sec-ch-ua-arch", "sec-ch-ua-bitness", "sec-ch-ua-full-version", "sec-ch-ua-full-version-list",
			"sec-ch-ua-model", "sec-ch-ua-platform-version", "sec-ch-ua-wow64", "sec-ch-ua-form-factors":
			removed = true
		default:
			kept = append(kept, hint)
		}
	}
	if !removed {
		return value
	}
	return strings.Join(kept, ", ")
}
