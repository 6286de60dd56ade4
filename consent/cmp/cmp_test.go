package cmp_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

const (
	functional = consent.Purposes(consent.Functional)
	analytics  = consent.Purposes(consent.Analytics)
	marketing  = consent.Purposes(consent.Marketing)
	social     = consent.Purposes(consent.Social)
)

// enc is encodeURIComponent of a browser; b64 standard base64 as sent.
func enc(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// tc is a TC string of 2022 with no purposes, and a fresh one with purposes 1, 8 and 9, made by package tcf's test writer.
const (
	tcOld   = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
	tcFresh = "CQjh0IAQjh0IAEsACBDNAwFgAIGAAP___wYgACqgAAAA"
)

// cases are cookie headers as platforms send them; want is granted|denied. They seed the fuzz targets too.
var cases = []struct {
	platform, name, cookie, want string
	config                       cmp.Config
}{
	{"onetrust", "accepted", "OptanonAlertBoxClosed=2026-01-01T00:00:00.000Z; OptanonConsent=isGpcEnabled=0&datestamp=Thu+Jan+01&version=202301.2.0&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A1%2CC0004%3A0&AwaitingReconsent=false", "functional,analytics|marketing", cmp.Config{}},
	{"onetrust", "before any answer, all on", "OptanonConsent=isGpcEnabled=0&interactionCount=0&landingPath=https%3A%2F%2Fexample.com%2F&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A1%2CC0004%3A1%2CC0005%3A1", "none|none", cmp.Config{}},
	{"onetrust", "asked again", "OptanonAlertBoxClosed=x; OptanonConsent=landingPath=NotLandingPage&groups=C0002%3A1&AwaitingReconsent=true", "none|none", cmp.Config{}},
	{"onetrust", "decoded", "OptanonConsent=landingPath=NotLandingPage&groups=C0001:1,C0002:0,C0004:1", "marketing|analytics", cmp.Config{}},
	{"onetrust", "encoded as a whole", "OptanonConsent=" + enc("landingPath=NotLandingPage&groups=C0002%3A1"), "analytics|none", cmp.Config{}},
	{"onetrust", "own groups", "OptanonConsent=landingPath=NotLandingPage&groups=C0002%3A1%2Cgad%3A0%2CBG12%3A1", "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"gad": marketing}}},
	{"onetrust", "two lists of groups", "OptanonConsent=landingPath=NotLandingPage&groups=C0002%3A1&groups=C0002%3A0", "none|none", cmp.Config{}},
	{"onetrust", "opted out in GPP", "OTGPPConsent=DBABLA~BAAEAAAAAABk.QA; OptanonConsent=landingPath=NotLandingPage&groups=C0002%3A1%2CC0004%3A1", "analytics|marketing,social", cmp.Config{}},
	{"onetrust", "opted out by US Privacy", "usprivacy=1YYN", "none|marketing,social", cmp.Config{}},
	{"onetrust", "own cookie name", "mine=landingPath=NotLandingPage&groups=C0002%3A1; usprivacy=1YYN", "analytics|marketing,social", cmp.Config{Cookie: "mine"}},

	{"cookiebot", "explicit", "CookieConsent={stamp:%27abc==%27%2Cnecessary:true%2Cpreferences:false%2Cstatistics:true%2Cmarketing:false%2Cmethod:%27explicit%27%2Cver:1%2Cutc:1738313789122%2Cregion:%27ee%27}", "analytics|functional,marketing", cmp.Config{}},
	{"cookiebot", "implied", "CookieConsent={stamp:%27-1%27%2Cnecessary:true%2Cpreferences:true%2Cstatistics:true%2Cmarketing:true%2Cmethod:%27implied%27%2Cver:1}", "none|none", cmp.Config{}},
	{"cookiebot", "raw", "CookieConsent={necessary:true,preferences:true,statistics:false,marketing:true,method:'explicit'}", "functional,marketing|analytics", cmp.Config{}},
	{"cookiebot", "outside of the regions", "CookieConsent=-1", "none|none", cmp.Config{}},
	{"cookiebot", "two methods", "CookieConsent={statistics:true,method:'explicit',method:'implied'}", "none|none", cmp.Config{}},
	{"cookiebot", "the answer first", "CookieConsent={statistics:true,method:'explicit'}", "analytics|none", cmp.Config{}},

	{"didomi", "enabled", "didomi_token=" + b64(`{"user_id":"x","vendors":{"enabled":["google"]},"purposes":{"enabled":["audience"],"disabled":["ads"]},"version":2}`), "analytics|marketing", cmp.Config{}},
	{"didomi", "refused", "didomi_token=" + b64(`{"purposes":{"disabled":["audience","ads"]},"version":2}`), "none|analytics,marketing", cmp.Config{}},
	{"didomi", "no answer", "didomi_token=" + b64(`{"user_id":"x","created":"2026","version":null}`), "none|none", cmp.Config{}},
	{"didomi", "lists without a version", "didomi_token=" + b64(`{"purposes":{"enabled":["audience"]},"version":null}`), "none|none", cmp.Config{}},
	{"didomi", "padding encoded", "didomi_token=" + strings.ReplaceAll(b64(`{"purposes":{"enabled":["ads"]},"version":2}`), "=", "%3D"), "marketing|none", cmp.Config{}},
	{"didomi", "no list", "didomi_token=" + b64(`{"purposes":{"enabled":"ads"},"version":2}`), "none|none", cmp.Config{}},
	{"didomi", "no version", "didomi_token=" + b64(`{"purposes":{"enabled":["ads"]}}`), "none|none", cmp.Config{}},
	{"didomi", "more than base64", "didomi_token=" + b64(`{"purposes":{"enabled":["ads"]},"version":2}`) + "!", "none|none", cmp.Config{}},
	{"didomi", "base64 for URLs", "didomi_token=" + base64.URLEncoding.EncodeToString([]byte(`{"x":"?>?>?>~~~???>>>","purposes":{"enabled":["ads"]},"version":2}`)), "marketing|none", cmp.Config{}},

	{"cookieyes", "raw", "cookieyes-consent=consentid:abc,consent:yes,action:yes,necessary:yes,functional:no,analytics:yes,performance:yes,advertisement:no", "analytics|functional,marketing", cmp.Config{}},
	{"cookieyes", "synonyms disagree", "cookieyes-consent=consentid:abc,consent:yes,action:yes,analytics:yes,performance:no", "none|analytics", cmp.Config{}},
	{"cookieyes", "no answer", "cookieyes-consent=consentid:abc,consent:,action:,necessary:yes,analytics:yes", "none|none", cmp.Config{}},
	{"cookieyes", "encoded", "cookieyes-consent=consentid%3Aabc%2Cconsent%3Ayes%2Caction%3Ayes%2Canalytics%3Ayes", "analytics|none", cmp.Config{}},
	{"cookieyes", "older", "viewed_cookie_policy=yes; cookielawinfo-checkbox-analytics=yes; cookielawinfo-checkbox-advertisement=no", "analytics|marketing", cmp.Config{}},
	{"cookieyes", "older, no answer", "cookielawinfo-checkbox-analytics=yes", "none|none", cmp.Config{}},

	{"complianz", "answered", "cmplz_banner-status=dismissed; cmplz_functional=allow; cmplz_preferences=allow; cmplz_statistics=deny; cmplz_marketing=deny", "functional|analytics,marketing", cmp.Config{}},
	{"complianz", "no answer", "cmplz_banner-status=show; cmplz_statistics=allow; cmplz_marketing=allow", "none|none", cmp.Config{}},

	{"klaro", "services", "klaro=" + enc(`{"matomo":true,"youtube":false}`), "analytics|social", cmp.Config{Purposes: map[string]consent.Purposes{"matomo": analytics, "youtube": social}}},
	{"klaro", "one service of two", "klaro=" + enc(`{"matomo":true,"hotjar":false}`), "none|analytics", cmp.Config{Purposes: map[string]consent.Purposes{"matomo": analytics, "hotjar": analytics}}},
	{"klaro", "own cookie name", "consent-shop=" + enc(`{"analytics":true}`), "analytics|none", cmp.Config{Cookie: "consent-shop"}},
	{"klaro", "not its cookie", "consent-shop=" + enc(`{"analytics":true}`), "none|none", cmp.Config{}},
	{"klaro", "by a catalogue", "klaro=" + enc(`{"google-analytics":true,"unheard-of":true}`), "analytics|none", cmp.Config{Fallback: func(name string) (consent.Purposes, bool) { return analytics, name == "google-analytics" }}},

	{"vanilla-cookieconsent", "version 3", "cc_cookie=" + enc(`{"categories":["necessary","analytics"],"revision":0,"consentId":"1-2","services":{"analytics":["ga"]}}`), "analytics|functional,marketing,social", cmp.Config{}},
	{"vanilla-cookieconsent", "version 2, raw", `cc_cookie={"categories":["necessary","targeting"],"level":["necessary","targeting"],"revision":0,"consent_uuid":"1-2"}`, "marketing|functional,analytics,social", cmp.Config{}},
	{"vanilla-cookieconsent", "no answer", "cc_cookie=" + enc(`{"categories":["necessary","analytics"]}`), "none|none", cmp.Config{}},
	{"vanilla-cookieconsent", "other revision", "cc_cookie=" + enc(`{"categories":["analytics"],"revision":1,"consentId":"1"}`), "none|none", cmp.Config{Revision: "2"}},
	{"vanilla-cookieconsent", "this revision", "cc_cookie=" + enc(`{"categories":["analytics","ads"],"revision":2,"consentId":"1"}`), "analytics,marketing|functional,social", cmp.Config{Revision: "2"}},
	{"vanilla-cookieconsent", "lapsed", "cc_cookie=" + enc(`{"categories":["analytics"],"consentId":"1","expirationTime":1700000000000}`), "none|none", cmp.Config{}},
	{"vanilla-cookieconsent", "a name of two", "cc_cookie=" + enc(`{"categories":["ga"],"consentId":"1"}`), "none|functional,analytics,marketing,social", cmp.Config{Purposes: map[string]consent.Purposes{"ga": analytics, "hotjar": analytics}}},

	{"cookieconsent", "allow", "cookieconsent_status=allow", "functional,analytics,marketing,social|none", cmp.Config{}},
	{"cookieconsent", "deny", "cookieconsent_status=deny", "none|functional,analytics,marketing,social", cmp.Config{}},
	{"cookieconsent", "dismiss", "cookieconsent_status=dismiss", "none|none", cmp.Config{}},

	{"tarteaucitron", "services", "tarteaucitron=!gtag=true!facebookpixel=false!youtube=wait", "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"gtag": analytics, "facebookpixel": marketing, "youtube": social}}},
	{"tarteaucitron", "one waits", "tarteaucitron=!gtag=true!matomo=wait", "none|none", cmp.Config{Purposes: map[string]consent.Purposes{"gtag": analytics, "matomo": analytics}}},

	{"iubenda", "purposes", "_iub_cs-12345678=" + enc(`{"timestamp":"2026-02-05T15:40:00.391Z","version":"1.75.1","purposes":{"1":true,"2":true,"3":false,"4":true,"5":false},"id":1}`), "analytics|functional,marketing", cmp.Config{}},
	{"iubenda", "one for all", "_iub_cs-1=" + enc(`{"consent":true,"id":1}`), "functional,analytics,marketing,social|none", cmp.Config{}},
	{"iubenda", "refused", "_iub_cs-1=" + enc(`{"consent":false,"id":1}`), "none|functional,analytics,marketing,social", cmp.Config{}},
	{"iubenda", "no answer", "_iub_cs-1=" + enc(`{"id":1}`), "none|none", cmp.Config{}},
	{"iubenda", "US", "_iub_cs-1-uspr=" + enc(`{"s":false,"sh":true,"adv":true}`), "none|marketing,social", cmp.Config{}},
	{"iubenda", "US, not opted out", "_iub_cs-1-uspr=" + enc(`{"s":true,"sh":true,"adv":true}`), "none|none", cmp.Config{}},
	{"iubenda", "US, no targeted advertising", "_iub_cs-1-uspr=" + enc(`{"s":true,"sh":true,"adv":false}`), "none|marketing,social", cmp.Config{}},
	{"iubenda", "US Privacy in JSON", "usprivacy=" + enc(`{"uspString":"1YY-","consentString":"x"}`), "none|marketing,social", cmp.Config{}},

	{"trustarc", "levels", "notice_behavior=expressed,eu; cmapi_cookie_privacy=permit 1,2", "functional|marketing", cmp.Config{}},
	{"trustarc", "levels with bars", "cmapi_cookie_privacy=permit_1|2|3", "functional,marketing|none", cmp.Config{}},
	{"trustarc", "from zero", "notice_gdpr_prefs=0,1,2:; notice_behavior=expressed", "functional,marketing|none", cmp.Config{}},
	{"trustarc", "highest level", "notice_preferences=1:", "functional|marketing", cmp.Config{}},
	{"trustarc", "required only", "notice_preferences=0:", "none|functional,marketing", cmp.Config{}},
	{"trustarc", "implied", "notice_behavior=implied; cmapi_cookie_privacy=permit 1,2,3", "none|none", cmp.Config{}},
	{"trustarc", "implied, refused", "notice_behavior=implied; cmapi_cookie_privacy=permit 1,2", "none|marketing", cmp.Config{}},
	{"trustarc", "implied and required", "notice_behavior=implied; cmapi_cookie_privacy=permit 1 required", "none|none", cmp.Config{}},
	{"trustarc", "a level that is none", "cmapi_cookie_privacy=permit 0,2", "none|none", cmp.Config{}},
	{"trustarc", "a word for a level", "cmapi_cookie_privacy=permit 2,a", "none|none", cmp.Config{}},
	{"trustarc", "empty", "notice_gdpr_prefs=", "none|none", cmp.Config{}},

	{"borlabs", "groups", "borlabs-cookie=" + enc(`{"consents":{"essential":["borlabs-cookie"],"statistics":["google-analytics"]},"domainPath":"x/","v3":true,"version":1}`), "analytics|marketing,social", cmp.Config{}},
	{"borlabs", "empty group", "borlabs-cookie=" + enc(`{"consents":{"essential":["x"],"statistics":[],"external-media":["youtube"]},"version":1}`), "social|analytics,marketing", cmp.Config{}},
	{"borlabs", "older version", "borlabs-cookie=" + enc(`{"consents":{"statistics":["ga"]},"version":1}`), "none|none", cmp.Config{Revision: "2"}},
	{"borlabs", "no groups", "borlabs-cookie=" + enc(`{"version":1}`), "none|none", cmp.Config{}},

	{"real-cookie-banner", "groups by number", "real_cookie_banner-v:3_blog:1_path:abc=1709039186%3A0f23-uuid%3Ae977%3A%7B%2260%22%3A%5B37544%5D%2C%2261%22%3A%5B37560%2C37547%5D%7D", "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"61": analytics, "62": marketing}}},
	{"real-cookie-banner", "no map", "real_cookie_banner=1%3Aa%3Ab%3A%7B%2261%22%3A%5B1%5D%7D", "none|none", cmp.Config{}},

	{"axeptio", "vendors, raw", `axeptio_cookies={"$$token":"t","$$completed":true,"google_analytics":true,"facebook_pixel":false}`, "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"google_analytics": analytics, "facebook_pixel": marketing}}},
	{"axeptio", "partly encoded", `axeptio_cookies={%22$$completed%22:true%2C%22analytics%22:true}`, "analytics|none", cmp.Config{}},
	{"axeptio", "not completed", `axeptio_cookies={"$$completed":false,"analytics":true}`, "none|none", cmp.Config{}},
	{"axeptio", "lists", `axeptio_cookies=` + enc(`{"$$completed":true}`) + `; axeptio_authorized_vendors=%2Cga%2C; axeptio_all_vendors=%2Cga%2Cfb%2C`, "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"ga": analytics, "fb": marketing}}},
	{"axeptio", "lists, not completed", `axeptio_cookies=` + enc(`{"$$completed":false}`) + `; axeptio_authorized_vendors=%2Cga%2C; axeptio_all_vendors=%2Cga%2Cfb%2C`, "none|none", cmp.Config{Purposes: map[string]consent.Purposes{"ga": analytics}}},

	{"cookie-script", "some", `CookieScriptConsent={"action":"accept","categories":"[\"performance\",\"functionality\"]"}`, "functional,analytics|marketing", cmp.Config{}},
	{"cookie-script", "encoded", "CookieScriptConsent=" + enc(`{"action":"accept","categories":"[\"targeting\"]"}`), "marketing|functional,analytics", cmp.Config{}},
	{"cookie-script", "reject", `CookieScriptConsent={"action":"reject","categories":"[]"}`, "none|functional,analytics,marketing,social", cmp.Config{}},
	{"cookie-script", "no answer", `CookieScriptConsent={"googleconsentmap":{"ad_storage":"targeting"}}`, "none|none", cmp.Config{}},

	{"civic", "answered", `CookieControl={"necessaryCookies":[],"optionalCookies":{"analytics":"accepted","marketing":"revoked","performance":"accepted"},"interactedWith":true,"consentDate":1,"consentExpiry":90}`, "analytics|marketing", cmp.Config{}},
	{"civic", "legitimate interest", `CookieControl={"optionalCookies":{"analytics":"legitimate interest"},"interactedWith":true}`, "none|none", cmp.Config{}},
	{"civic", "no answer", `CookieControl={"optionalCookies":{"analytics":"accepted"},"interactedWith":false}`, "none|none", cmp.Config{}},

	{"cookie-information", "some", "CookieInformationConsent=" + enc(`{"consents_approved":["cookie_cat_necessary","cookie_cat_statistic"],"consents_denied":["cookie_cat_marketing"]}`), "analytics|functional,marketing", cmp.Config{}},
	{"cookiefirst", "some", "cookiefirst-consent=" + enc(`{"necessary":true,"performance":true,"functional":false,"advertising":false,"timestamp":1,"type":"category"}`), "analytics|functional,marketing", cmp.Config{}},

	{"consentmanager", "TC string", "__cmpconsent12345=" + tcFresh, "analytics|functional,marketing", cmp.Config{}},
	{"consentmanager", "purposes", "__cmpcpcx12=__1_2_51__", "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"51": analytics, "52": marketing}}},
	{"consentmanager", "purposes without a map", "__cmpcpcx12=__1_2_51__", "none|none", cmp.Config{}},
	{"consentmanager", "US", "__cmpccpausps=1YYN", "none|marketing,social", cmp.Config{}},

	{"hubspot", "newer", "__hs_cookie_cat_pref=1:true_2:false_3:true", "functional,analytics|marketing", cmp.Config{}},
	{"hubspot", "older", "__hs_cookie_cat_pref=1:true,2:true,3:false", "analytics,marketing|functional", cmp.Config{}},
	{"hubspot", "do not track", "__hs_cookie_cat_pref=1:true_2:true_3:true; __hs_do_not_track=yes", "none|functional,analytics,marketing,social", cmp.Config{}},
	{"hubspot", "opt-out", "__hs_cookie_cat_pref=1:true; __hs_opt_out=yes", "none|functional,analytics,marketing,social", cmp.Config{}},
	{"hubspot", "no opt-out", "__hs_cookie_cat_pref=1:true; __hs_opt_out=no", "analytics|none", cmp.Config{}},

	{"tealium", "categories", "CONSENTMGR=c1:1%7Cc2:0%7Cts:1700000000000%7Cconsent:true", "analytics|marketing", cmp.Config{}},
	{"tealium", "refused", "CONSENTMGR=ts:1%7Cconsent:false", "none|functional,analytics,marketing,social", cmp.Config{}},
	{"tealium", "no answer", "CONSENTMGR=ts:1700000000000", "none|none", cmp.Config{}},
	{"tealium", "opt-outs", "OPTOUTMULTI=0:0%7Cc1:1", "none|analytics", cmp.Config{}},
	{"tealium", "no category", "CONSENTMGR=c:0%7Cx1:0%7C:1%7Cconsent:true", "functional,analytics,marketing,social|none", cmp.Config{}},

	{"trustcommander", "some", "TC_PRIVACY=0%40032%7C1%7C111%403%40101%401%2C2%40%401700000000000%2C1,2", "analytics|marketing", cmp.Config{Purposes: map[string]consent.Purposes{"1": analytics, "3": marketing}}},
	{"trustcommander", "all", "TC_PRIVACY=0@2@3@4@ALL@@1", "functional,analytics,marketing,social|none", cmp.Config{}},
	{"trustcommander", "opt-out", "TC_PRIVACY=1@2@3@4@1,2@@1", "none|functional,analytics,marketing,social", cmp.Config{}},

	{"piwik-pro", "types", `ppms_privacy_1234-5678={"visitorId":"x","consents":{"analytics":{"status":1},"remarketing":{"status":0},"user_feedback":{"status":-1}}}`, "analytics|marketing", cmp.Config{}},
	{"piwik-pro", "no answer", `ppms_privacy_1={"consents":{"analytics":{"status":-1}}}`, "none|none", cmp.Config{}},

	{"shopify", "answered", "_tracking_consent=" + enc(`{"con":{"CMP":{"a":"1","m":"0","p":"1","s":""}},"v":"2.1","region":"DEBE"}`), "functional,analytics|marketing", cmp.Config{}},
	{"shopify", "sale refused", "_tracking_consent=" + enc(`{"con":{"CMP":{"a":"","m":"","p":"","s":"0"}}}`), "none|marketing,social", cmp.Config{}},
	{"shopify", "defaults of the region", "_tracking_consent=" + enc(`{"con":{"CMP":{"a":"","m":"","p":"","s":""}},"purposes":{"a":true,"p":true,"m":true,"t":true}}`), "none|none", cmp.Config{}},

	{"google", "TC string", "FCCDCF=" + enc(`[null,null,null,["`+tcFresh+`","2~"],null]`), "analytics|functional,marketing", cmp.Config{}},
	{"google", "no answer", "FCCDCF=" + enc(`[null,null,null,null]`), "none|none", cmp.Config{}},

	{"tcf", "TC string", "euconsent-v2=" + tcFresh, "analytics|functional,marketing", cmp.Config{}},
	{"tcf", "of four years ago", "euconsent-v2=" + tcOld, "none|none", cmp.Config{}},
	{"tcf", "of a publisher", "eupubconsent-v2=" + tcFresh, "analytics|functional,marketing", cmp.Config{}},
	{"tcf", "TC string and US Privacy", "euconsent-v2=" + tcFresh + "; usprivacy=1YYN", "analytics|functional,marketing,social", cmp.Config{}},

	{"drupal", "agreed", "cookie-agreed=2", "functional,analytics,marketing,social|none", cmp.Config{}},
	{"drupal", "declined", "cookie-agreed=0", "none|functional,analytics,marketing,social", cmp.Config{}},
	{"drupal", "categories", "cookie-agreed=2; cookie-agreed-categories=" + enc(`["necessary","analytics"]`), "analytics|functional,marketing,social", cmp.Config{}},
	{"drupal", "no category", "cookie-agreed=2; cookie-agreed-categories=%5B%5D", "none|functional,analytics,marketing,social", cmp.Config{}},
	{"drupal", "a list that is none", "cookie-agreed=2; cookie-agreed-categories=%5B%22analytics%22%5D; cookie-agreed-categories=%5B", "none|none", cmp.Config{}},

	{"moove", "some", "moove_gdpr_popup=" + enc(`{"strict":"1","thirdparty":"1","advanced":"0"}`), "analytics|marketing", cmp.Config{}},
	{"ketch", "some", "_ketch_consent_v1_=" + b64(`{"analytics":{"status":"granted"},"advertising":{"status":"denied"}}`), "analytics|marketing", cmp.Config{}},
	{"wix", "some", "consent-policy=" + enc(`{"func":1,"anl":1,"adv":0,"dt3":1,"ts":1,"id":"x"}`), "functional,analytics|marketing", cmp.Config{}},
}

func answers(s consent.Stored) string { return s.Granted.String() + "|" + s.Denied.String() }

func read(t testing.TB, platform string, c cmp.Config, lines ...string) consent.Stored {
	t.Helper()
	r, err := cmp.New(platform, c)
	if err != nil {
		t.Fatal(err)
	}
	return r.Read(lines, now)
}

func TestPlatforms(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range cases {
		tested[c.platform] = true
		t.Run(c.platform+"/"+c.name, func(t *testing.T) {
			if got := answers(read(t, c.platform, c.config, "a=b; "+c.cookie+"; c=d")); got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.cookie, got, c.want)
			}
		})
	}
	for _, name := range cmp.Names() {
		if !tested[name] {
			t.Errorf("%s is not tested", name)
		}
		if got := answers(read(t, name, cmp.Config{}, "a=b; c=d")); got != "none|none" {
			t.Errorf("%s without a cookie: %s", name, got)
		}
	}
}

// grants is a cookie of each kind that grants, to be doubled and broken.
func granting() (list []int) {
	for i, c := range cases {
		if !strings.HasPrefix(c.want, "none|") {
			list = append(list, i)
		}
	}
	return list
}

// TestDuplicates adds a second cookie of the same name: nothing may be granted by that.
func TestDuplicates(t *testing.T) {
	for _, i := range granting() {
		c := cases[i]
		before := read(t, c.platform, c.config, c.cookie)
		for _, piece := range strings.Split(c.cookie, "; ") {
			name, _, _ := strings.Cut(piece, "=")
			for _, second := range []string{name + "=", name + "=x", name + "={}", name + "=%zz", name + "=" + strings.Repeat("A", 9000)} {
				for _, lines := range [][]string{{c.cookie, second}, {second, c.cookie}} {
					after := read(t, c.platform, c.config, lines...)
					if after.Granted&^before.Granted != 0 || before.Denied&^after.Denied != 0 && after.Granted != 0 {
						t.Errorf("%s/%s with %.20s: %s, before %s", c.platform, c.name, second, answers(after), answers(before))
					}
				}
			}
		}
		if after := read(t, c.platform, c.config, c.cookie+"; "+c.cookie); after != before {
			t.Errorf("%s/%s twice the same: %s", c.platform, c.name, answers(after))
		}
	}
}

// TestBounds checks the limits that doc.go states.
func TestBounds(t *testing.T) {
	long := "cc_cookie=" + `{"categories":["analytics"],"consentId":"1","x":"` + strings.Repeat("A", 8200) + `"}`
	if got := answers(read(t, "vanilla-cookieconsent", cmp.Config{}, long)); got != "none|none" {
		t.Errorf("a cookie beyond 8 KiB: %s", got)
	}
	thrice := "cc_cookie=" + enc(enc(enc(`{"categories":["analytics"],"consentId":"1"}`)))
	if got := answers(read(t, "vanilla-cookieconsent", cmp.Config{}, thrice)); got != "none|none" {
		t.Errorf("encoded three times: %s", got)
	}
	twice := "cc_cookie=" + enc(enc(`{"categories":["analytics"],"consentId":"1"}`))
	if got := read(t, "vanilla-cookieconsent", cmp.Config{}, twice); got.Granted != analytics {
		t.Errorf("encoded twice: %s", answers(got))
	}
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, "_iub_cs-%d=%s;", i, enc(`{"consent":true}`))
	}
	if got := answers(read(t, "iubenda", cmp.Config{}, many.String())); got != "none|none" {
		t.Errorf("40 cookies of a platform: %s", got)
	}
	flood := strings.Repeat("OptanonConsent=landingPath=NotLandingPage&groups=C0002%3A1;", 20_000)
	start := time.Now()
	if got := answers(read(t, "onetrust", cmp.Config{}, flood)); got != "none|none" || time.Since(start) > 5*time.Second {
		t.Errorf("20,000 cookies of a name: %s after %v", got, time.Since(start))
	}
	invalid := `cc_cookie={"categories":["analytics"],"consentId":"1"`
	if got := answers(read(t, "vanilla-cookieconsent", cmp.Config{}, invalid)); got != "none|none" {
		t.Errorf("JSON that does not end: %s", got)
	}
}

// TestHostileCookies mutates every case for every platform: no panic, and never both answers at once.
func TestHostileCookies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range cases {
		reader, err := cmp.New(c.platform, c.config)
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			b := []byte(c.cookie)
			for range 1 + r.IntN(8) {
				b[r.IntN(len(b))] = byte(r.UintN(256))
			}
			check(t, reader.Read(consent.Cookies{string(b[:r.IntN(len(b)+1)])}, now))
		}
	}
}

func check(t *testing.T, s consent.Stored) {
	t.Helper()
	if s.Granted&s.Denied != 0 || (s.Granted|s.Denied)&^consent.OptionalPurposes != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		config cmp.Config
		want   string
	}{
		{"acme", cmp.Config{}, "onetrust"},
		{"usercentrics", cmp.Config{}, "bridge"},
		{"klaro", cmp.Config{Cookie: "a=b"}, "a=b"},
		{"klaro", cmp.Config{Purposes: map[string]consent.Purposes{"": analytics}}, `""`},
		{"klaro", cmp.Config{Purposes: map[string]consent.Purposes{"x": 64}}, `"x"`},
	} {
		if _, err := cmp.New(c.name, c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNamesAreSorted(t *testing.T) {
	names := cmp.Names()
	if len(names) < 28 || !slices.IsSorted(names) {
		t.Errorf("%d platforms: %q", len(names), names)
	}
	for _, name := range names {
		if _, err := cmp.New(name, cmp.Config{}); err != nil {
			t.Error(err)
		}
	}
}

// FuzzPlatforms runs every reader over every input.
func FuzzPlatforms(f *testing.F) {
	for _, c := range cases {
		f.Add(c.cookie)
	}
	for _, c := range customs {
		f.Add(c.cookie)
	}
	f.Add("cc_cookie=" + strings.Repeat("[", 8192))
	f.Add("klaro=" + strings.Repeat("%25", 2730))
	readers := []*cmp.Reader{}
	for _, name := range cmp.Names() {
		r, err := cmp.New(name, cmp.Config{Purposes: map[string]consent.Purposes{"1": social}})
		if err != nil {
			f.Fatal(err)
		}
		readers = append(readers, r)
	}
	for i := range customs {
		readers = append(readers, custom(f, i))
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		for _, r := range readers {
			check(t, r.Read(consent.Cookies{cookie}, now))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, i := range []int{0, 9, 33} {
		c := cases[i]
		b.Run(c.platform, func(b *testing.B) {
			r, _ := cmp.New(c.platform, c.config)
			cookies := consent.Cookies{"session=abc; theme=dark; " + c.cookie}
			b.ReportAllocs()
			for b.Loop() {
				r.Read(cookies, now)
			}
		})
	}
}

func TestReadValue(t *testing.T) {
	body := "{\"choices\": {\"stats\": \"granted;\", \"ads\": \"denied\"}}\r\n"
	r, err := cmp.NewCustom(cmp.Custom{Cookie: "service", Path: "choices", Purposes: map[string]consent.Purposes{"stats": analytics, "ads": marketing}})
	if err != nil {
		t.Fatal(err)
	}
	if got := answers(r.ReadValue(strings.Replace(body, ";", "", 1), now)); got != "analytics|marketing" {
		t.Error(got)
	}
	for _, bad := range []string{"", body, body[:20], strings.Repeat(" ", 9000) + body, "<html>"} {
		if got := r.ReadValue(bad, now); got.Granted != 0 {
			t.Errorf("%.30q: %s", bad, answers(got))
		}
	}
}
