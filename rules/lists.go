package rules

import "github.com/caddy-consent/caddy-consent/consent"

// listed asks the filter lists; m is what the catalogue knows of the vendor without wanting it gated.
func (s *Set) listed(r *Request, m Match) (Match, bool) {
	res, blocked := s.lists.Match(r)
	if !blocked {
		return m, false
	}
	if m.Vendor == "" || m.Purpose == consent.Necessary {
		m.Purpose = s.listPurpose(res.ListIndex)
	}
	m.Rule, m.List, m.Line = res.Rule, res.List, res.Line
	if m.Vendor == "" && res.Redirect != "" {
		m.StandIn = standIns[res.Redirect]
	}
	return m, true
}

// Modifies reports whether a list has $csp or $removeparam rules, or others that Policies and Clean ask for.
func (s *Set) Modifies() bool { return s.lists != nil && s.lists.Modifies() }

// Policies appends to dst the Content-Security-Policies that the lists' $csp rules add to a page (a Document or
// Subdocument request). Lists whose purpose is permitted add none.
func (s *Set) Policies(r *Request, permits func(consent.Purpose) bool, dst []string) []string {
	if s.lists == nil {
		return dst
	}
	return s.lists.CSP(r, s.withheld(permits), dst)
}

// Clean appends the request's URL to dst without the query parameters that the lists' $removeparam rules name, and reports
// whether there were any. Lists whose purpose is permitted name none.
func (s *Set) Clean(r *Request, permits func(consent.Purpose) bool, dst []byte) ([]byte, bool) {
	if s.lists == nil {
		return dst, false
	}
	return s.lists.RemoveParams(r, s.withheld(permits), dst)
}

// withheld tells the lists whose purpose is not permitted.
func (s *Set) withheld(permits func(consent.Purpose) bool) func(list int) bool {
	return func(list int) bool { return !permits(s.listPurpose(list)) }
}

func (s *Set) listPurpose(list int) consent.Purpose {
	if list < len(s.options.ListPurposes) {
		return s.options.ListPurposes[list]
	}
	return consent.Marketing
}

// standIns are the vendors whose stubs take the place of what lists name in $redirect: the names that uBlock Origin and
// AdGuard share out to list authors. What is not here (noop.js, 1x1.gif) defines nothing that page code would use.
var standIns = map[string]string{
	"google-analytics_analytics.js": "google-analytics", "google-analytics_ga.js": "google-analytics", "google-analytics.com/analytics.js": "google-analytics",
	"google-analytics_cx_api.js": "google-analytics", "google-analytics_inpage_linkid.js": "google-analytics", "google-analytics.com/ga.js": "google-analytics",
	"google-analytics": "google-analytics", "google-analytics-ga": "google-analytics",
	"googletagmanager_gtm.js": "google-tag-manager", "googletagmanager.com/gtm.js": "google-tag-manager", "googletagmanager-gtm": "google-tag-manager",
	"googletagservices_gpt.js": "google-ad-manager", "googletagservices.com/gpt.js": "google-ad-manager", "googletagservices-gpt": "google-ad-manager",
	"googlesyndication_adsbygoogle.js": "google-adsense", "googlesyndication.com/adsbygoogle.js": "google-adsense", "googlesyndication-adsbygoogle": "google-adsense",
	"amazon_ads.js": "amazon-ads", "amazon_apstag.js": "amazon-ads", "amazon-adsystem.com/aax2/amzn_ads.js": "amazon-ads", "amazon-apstag": "amazon-ads",
	"scorecardresearch_beacon.js": "comscore", "scorecardresearch.com/beacon.js": "comscore", "scorecardresearch-beacon": "comscore",
	"chartbeat.js": "chartbeat", "static.chartbeat.com/chartbeat.js": "chartbeat", "outbrain-widget.js": "outbrain", "widgets.outbrain.com/outbrain.js": "outbrain",
	"metrika-yandex-tag": "yandex-metrica", "metrika-yandex-watch": "yandex-metrica", "matomo": "matomo", "pardot-1.0": "pardot",
	"prebid": "prebid", "prebid-ads": "prebid", "prebid-ads.js": "prebid", "sensors-analytics.js": "sensorsdata", "nitropay_ads.js": "nitropay",
}
