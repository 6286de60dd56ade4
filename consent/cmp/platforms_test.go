package cmp_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

// tcString makes a TC string of the month before with these purposes (bit 0 is purpose 1): the core segment, 6 bits a
// character, with no vendors and no publisher restrictions (IAB TCF 2.2, "TC String Format"), and the segment of disclosed vendors.
func tcString(purposes uint32) string {
	var bits []byte
	put := func(n int, v uint64) {
		for i := n - 1; i >= 0; i-- {
			bits = append(bits, byte(v>>i&1))
		}
	}
	pack := func() string {
		const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		var b strings.Builder
		for i := 0; i < len(bits); i += 6 {
			v := byte(0)
			for k := range 6 {
				v <<= 1
				if i+k < len(bits) {
					v |= bits[i+k]
				}
			}
			b.WriteByte(digits[v])
		}
		bits = nil
		return b.String()
	}
	at := uint64(now.AddDate(0, -1, 0).Unix() * 10)
	put(6, 2)
	put(36, at)
	put(36, at)
	put(12, 10)
	put(12, 1)
	put(6, 1)
	put(12, 4<<6|13) // EN
	put(12, 300)
	put(6, 5)
	put(2, 2) // service-specific
	put(12, 0)
	for i := range 24 {
		put(1, uint64(purposes>>i&1))
	}
	put(24, 0)
	put(1, 0)
	put(12, 3<<6|4) // DE
	put(17, 0)      // vendor consents
	put(17, 0)      // vendor legitimate interests
	put(12, 0)
	core := pack()
	put(3, 1)
	put(17, 0)
	return core + "." + pack()
}

const allTCF = 1<<11 - 1

// fourFold has, for each platform, what its cookie says after "accept all", after "reject all", and before an answer, and
// a cookie that tries to be more than it is. What is granted and denied is told in each case; of what is hostile nothing may be granted.
var fourFold = map[string]struct {
	config                             cmp.Config
	accept, refuse, undecided, hostile string
	granted, denied                    consent.Purposes // zero means the four of every category
}{
	"axeptio": {
		cmp.Config{Purposes: map[string]consent.Purposes{"google_analytics": analytics, "facebook_pixel": marketing}},
		`axeptio_cookies={"$$token":"h3ocpq1t1vq7r5vmt8fksl","$$date":"2026-04-02T09:12:11.105Z","$$cookiesVersion":{"name":"shop-fr","identifier":"62a1"},"google_analytics":true,"facebook_pixel":true,"$$completed":true}`,
		`axeptio_cookies={"$$token":"h3ocpq1t1vq7r5vmt8fksl","$$date":"2026-04-02T09:12:11.105Z","google_analytics":false,"facebook_pixel":false,"$$completed":true}`,
		`axeptio_cookies={"$$token":"h3ocpq1t1vq7r5vmt8fksl","$$date":"2026-04-02T09:12:11.105Z","$$completed":false}`,
		`axeptio_cookies={"google_analytics":true,"$$completed":"true"}`, analytics | marketing, analytics | marketing,
	},
	"borlabs": {
		cmp.Config{},
		"borlabs-cookie=" + enc(`{"consents":{"essential":["borlabs-cookie"],"statistics":["google-analytics"],"marketing":["meta-pixel"],"external-media":["youtube","maps"]},"domainPath":"shop.example/","expires":"Tue, 01 Jun 2027","uid":"anonymous","v3":true,"version":"3"}`),
		"borlabs-cookie=" + enc(`{"consents":{"essential":["borlabs-cookie"]},"domainPath":"shop.example/","uid":"anonymous","v3":true,"version":"3"}`),
		"", "borlabs-cookie=" + enc(`{"consents":["statistics","marketing"],"version":"3"}`), analytics | marketing | social, analytics | marketing | social,
	},
	"civic": {
		cmp.Config{},
		`CookieControl={"necessaryCookies":[],"optionalCookies":{"analytics":"accepted","marketing":"accepted","preferences":"accepted"},"statement":{},"consentDate":1775034000000,"consentExpiry":90,"interactedWith":true,"user":"3A2B"}`,
		`CookieControl={"necessaryCookies":[],"optionalCookies":{"analytics":"revoked","marketing":"revoked","preferences":"revoked"},"consentDate":1775034000000,"consentExpiry":90,"interactedWith":true,"user":"3A2B"}`,
		`CookieControl={"necessaryCookies":[],"optionalCookies":{},"consentDate":1775034000000,"consentExpiry":90,"interactedWith":false,"user":"3A2B"}`,
		`CookieControl={"optionalCookies":{"analytics":"accepted"},"interactedWith":1}`, functional | analytics | marketing, functional | analytics | marketing,
	},
	"complianz": {
		cmp.Config{},
		"cmplz_consented_services=; cmplz_policy_id=21; cmplz_functional=allow; cmplz_preferences=allow; cmplz_statistics=allow; cmplz_marketing=allow; cmplz_banner-status=dismissed",
		"cmplz_policy_id=21; cmplz_functional=allow; cmplz_preferences=deny; cmplz_statistics=deny; cmplz_marketing=deny; cmplz_banner-status=dismissed",
		"cmplz_policy_id=21; cmplz_functional=allow; cmplz_preferences=allow; cmplz_statistics=allow; cmplz_marketing=allow",
		"cmplz_statistics=allow; cmplz_banner-status=dismissed; cmplz_banner-status=show", functional | analytics | marketing, functional | analytics | marketing,
	},
	"consentmanager": {
		cmp.Config{}, "__cmpconsent12345=" + tcString(allTCF), "__cmpconsent12345=" + tcString(0), "__cmpcvcx12345=__s94_c21_U__",
		"__cmpconsent12345=" + tcString(allTCF)[:30], functional | analytics | marketing, functional | analytics | marketing,
	},
	"cookie-information": {
		cmp.Config{},
		"CookieInformationConsent=" + enc(`{"website_uuid":"6d5d","timestamp":"2026-04-02T09:12:11.105Z","consent_url":"https://shop.example/","consents_approved":["cookie_cat_necessary","cookie_cat_functional","cookie_cat_statistic","cookie_cat_marketing","cookie_cat_unclassified"],"consents_denied":[],"user_agent":"x"}`),
		"CookieInformationConsent=" + enc(`{"website_uuid":"6d5d","consents_approved":["cookie_cat_necessary"],"consents_denied":["cookie_cat_functional","cookie_cat_statistic","cookie_cat_marketing","cookie_cat_unclassified"]}`),
		"", "CookieInformationConsent=" + enc(`{"consents_approved":"cookie_cat_statistic"}`), functional | analytics | marketing, functional | analytics | marketing,
	},
	"cookie-script": {
		cmp.Config{},
		`CookieScriptConsent={"bannershown":1,"action":"accept","consenttime":1775034000,"categories":"[\"targeting\",\"functionality\",\"performance\"]","key":"0f1e"}`,
		`CookieScriptConsent={"bannershown":1,"action":"reject","consenttime":1775034000,"categories":"[]","key":"0f1e"}`,
		`CookieScriptConsent={"bannershown":1}`,
		`CookieScriptConsent={"action":"accept","categories":"targeting"}`, functional | analytics | marketing, 0,
	},
	"cookiebot": {
		cmp.Config{},
		"CookieConsent={stamp:%27Yb1oU3XYSG2zQ==%27%2Cnecessary:true%2Cpreferences:true%2Cstatistics:true%2Cmarketing:true%2Cmethod:%27explicit%27%2Cver:1%2Cutc:1775034000000%2Cregion:%27de%27}",
		"CookieConsent={stamp:%27Yb1oU3XYSG2zQ==%27%2Cnecessary:true%2Cpreferences:false%2Cstatistics:false%2Cmarketing:false%2Cmethod:%27explicit%27%2Cver:1%2Cutc:1775034000000%2Cregion:%27de%27}",
		"CookieConsent=0", "CookieConsent={statistics:true,method:explicit}", functional | analytics | marketing, functional | analytics | marketing,
	},
	"cookieconsent": {cmp.Config{}, "cookieconsent_status=allow", "cookieconsent_status=deny", "cookieconsent_status=dismiss", "cookieconsent_status=allow\x00", 0, 0},
	"cookiefirst": {
		cmp.Config{},
		"cookiefirst-consent=" + enc(`{"necessary":true,"performance":true,"functional":true,"advertising":true,"timestamp":1775034000,"type":"category","version":"7b6f"}`),
		"cookiefirst-consent=" + enc(`{"necessary":true,"performance":false,"functional":false,"advertising":false,"timestamp":1775034000,"type":"category","version":"7b6f"}`),
		"", "cookiefirst-consent=" + enc(`{"performance":"true","advertising":1}`), functional | analytics | marketing, functional | analytics | marketing,
	},
	"cookieyes": {
		cmp.Config{},
		"cookieyes-consent=consentid:QUJDREVGR0g,consent:yes,action:yes,necessary:yes,functional:yes,analytics:yes,performance:yes,advertisement:yes,other:yes",
		"cookieyes-consent=consentid:QUJDREVGR0g,consent:no,action:yes,necessary:yes,functional:no,analytics:no,performance:no,advertisement:no,other:no",
		"cookieyes-consent=consentid:QUJDREVGR0g,consent:,action:,necessary:,functional:,analytics:,performance:,advertisement:",
		"cookieyes-consent=action:yes,analytics:yes,action:yes", functional | analytics | marketing, functional | analytics | marketing,
	},
	"didomi": {
		cmp.Config{Purposes: map[string]consent.Purposes{"audience_measurement": analytics, "advertising_personalization": marketing}},
		"euconsent-v2=" + tcString(allTCF) + "; didomi_token=" + b64(`{"user_id":"18c1","created":"2026-04-02T09:12:11.105Z","updated":"2026-04-02T09:12:12.105Z","version":2,"purposes":{"enabled":["audience_measurement","advertising_personalization"]},"vendors":{"enabled":["google"]}}`),
		"euconsent-v2=" + tcString(0) + "; didomi_token=" + b64(`{"user_id":"18c1","version":2,"purposes":{"disabled":["audience_measurement","advertising_personalization"]},"vendors":{"disabled":["google"]}}`),
		"didomi_token=" + b64(`{"user_id":"18c1","created":"2026-04-02T09:12:11.105Z","updated":"2026-04-02T09:12:11.105Z","version":null}`),
		"didomi_token=" + b64(`{"version":2,"purposes":{"enabled":{"audience_measurement":true}}}`), functional | analytics | marketing, functional | analytics | marketing,
	},
	"drupal": {cmp.Config{}, "cookie-agreed=2; cookie-agreed-version=1.0.0", "cookie-agreed=0; cookie-agreed-version=1.0.0", "cookie-agreed=-1", "cookie-agreed=2; cookie-agreed-categories=%5B", 0, 0},
	"google": {
		cmp.Config{},
		"FCCDCF=" + enc(`[null,null,null,["`+tcString(allTCF)+`","2~41.70.89~dv.","4FAE-8F"],null,null,[[32,"[\"0f1e\",[1775034000,0]]"]]]`),
		"FCCDCF=" + enc(`[null,null,null,["`+tcString(0)+`","1~","4FAE-8F"],null,null,[]]`),
		"FCCDCF=" + enc(`[null,null,null,null,null,null,[[32,"[\"0f1e\",[1775034000,0]]"]]]`),
		"FCCDCF=" + enc(`{"3":{"0":["`+tcString(allTCF)+`"]}}`), functional | analytics | marketing, functional | analytics | marketing,
	},
	"hubspot": {cmp.Config{}, "__hs_cookie_cat_pref=1:true_2:true_3:true", "__hs_cookie_cat_pref=1:false_2:false_3:false", "hubspotutk=0f1e", "__hs_cookie_cat_pref=1:true_2", functional | analytics | marketing, functional | analytics | marketing},
	"iubenda": {
		cmp.Config{},
		"_iub_cs-84726351=" + enc(`{"timestamp":"2026-04-02T09:12:11.105Z","version":"1.75.1","purposes":{"1":true,"2":true,"3":true,"4":true,"5":true},"id":84726351,"cons":{"rand":"a1b2c3"}}`),
		"_iub_cs-84726351=" + enc(`{"timestamp":"2026-04-02T09:12:11.105Z","version":"1.75.1","purposes":{"1":true,"2":false,"3":false,"4":false,"5":false},"id":84726351}`),
		"_iub_cs-84726351=" + enc(`{"id":84726351}`), "_iub_cs-84726351=" + enc(`{"consent":"true","purposes":[true]}`), functional | analytics | marketing, functional | analytics | marketing,
	},
	"ketch": {
		cmp.Config{},
		"_ketch_consent_v1_=" + b64(`{"analytics":{"status":"granted","canonicalPurposes":["analytics"]},"targeted_advertising":{"status":"granted"},"advertising":{"status":"granted"}}`),
		"_ketch_consent_v1_=" + b64(`{"analytics":{"status":"denied"},"behavioral_advertising":{"status":"denied"},"essential_services":{"status":"granted"}}`),
		"_ketch_consent_v1_=" + b64(`{"essential_services":{"status":"granted","canonicalPurposes":["essential_services"]}}`), "_ketch_consent_v1_=" + b64(`{"analytics":"granted"}`), analytics | marketing, analytics | marketing,
	},
	"klaro": {
		cmp.Config{Purposes: map[string]consent.Purposes{"matomo": analytics, "facebook": marketing}},
		"klaro=" + enc(`{"matomo":true,"facebook":true}`), "klaro=" + enc(`{"matomo":false,"facebook":false}`), "", "klaro=" + enc(`[{"matomo":true}]`), analytics | marketing, analytics | marketing,
	},
	"moove": {
		cmp.Config{}, "moove_gdpr_popup=" + enc(`{"strict":"1","thirdparty":"1","advanced":"1"}`), "moove_gdpr_popup=" + enc(`{"strict":"1","thirdparty":"0","advanced":"0"}`), "",
		"moove_gdpr_popup=" + enc(`["thirdparty"]`), analytics | marketing, analytics | marketing,
	},
	"onetrust": {
		cmp.Config{},
		"OptanonAlertBoxClosed=2026-04-02T09:12:11.105Z; OptanonConsent=isGpcEnabled=0&datestamp=Thu+Apr+02+2026+11%3A12%3A11+GMT%2B0200&version=202601.1.0&browserGpcFlag=0&isIABGlobal=false&hosts=&consentId=0f1e-2d3c&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A1%2CC0004%3A1%2CC0005%3A1&geolocation=DE%3BBE&AwaitingReconsent=false",
		"OptanonAlertBoxClosed=2026-04-02T09:12:11.105Z; OptanonConsent=isGpcEnabled=0&datestamp=Thu+Apr+02+2026&version=202601.1.0&consentId=0f1e-2d3c&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A0%2CC0003%3A0%2CC0004%3A0%2CC0005%3A0&AwaitingReconsent=false",
		"OptanonConsent=isGpcEnabled=0&datestamp=Thu+Apr+02+2026&version=202601.1.0&interactionCount=0&landingPath=https%3A%2F%2Fshop.example%2F&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A1%2CC0004%3A1%2CC0005%3A1",
		"OptanonConsent=landingPath=NotLandingPage&groups=C0002%3A1&AwaitingReconsent=true&groups=", 0, 0,
	},
	"piwik-pro": {
		cmp.Config{},
		`ppms_privacy_8c3a5d2e-1111-4222-8333-444455556666={"visitorId":"0f1e","domain":{"normalized":"shop.example"},"consents":{"analytics":{"status":1,"updatedAt":"2026-04-02T09:12:11Z"},"conversion_tracking":{"status":1},"remarketing":{"status":1},"user_feedback":{"status":1}}}`,
		`ppms_privacy_8c3a5d2e-1111-4222-8333-444455556666={"visitorId":"0f1e","consents":{"analytics":{"status":0},"conversion_tracking":{"status":0},"remarketing":{"status":0},"user_feedback":{"status":0}}}`,
		`ppms_privacy_8c3a5d2e-1111-4222-8333-444455556666={"visitorId":"0f1e","consents":{"analytics":{"status":-1},"remarketing":{"status":-1}}}`,
		`ppms_privacy_1={"consents":[{"analytics":{"status":1}}]}`, functional | analytics | marketing, functional | analytics | marketing,
	},
	"real-cookie-banner": {
		cmp.Config{Purposes: map[string]consent.Purposes{"61": functional, "62": analytics, "63": marketing}},
		"real_cookie_banner-v:3_blog:1_path:e3b0c44=1775034000%3A0f1e2d3c-uuid%3Ae977c2%3A%7B%2260%22%3A%5B37544%5D%2C%2261%22%3A%5B37545%5D%2C%2262%22%3A%5B37560%2C37547%5D%2C%2263%22%3A%5B37561%5D%7D",
		"real_cookie_banner-v:3_blog:1_path:e3b0c44=1775034000%3A0f1e2d3c-uuid%3Ae977c2%3A%7B%2260%22%3A%5B37544%5D%7D",
		"real_cookie_banner-test=1", "real_cookie_banner=1775034000%3Aa%3Ab%3A%7B%2261%22%3A1%2C%2262%22%3Atrue%7D", functional | analytics | marketing, functional | analytics | marketing,
	},
	"shopify": {
		cmp.Config{},
		"_tracking_consent=" + enc(`{"con":{"CMP":{"a":"1","m":"1","p":"1","s":"1"}},"v":"2.1","region":"DEBE","reg":"GDPR","purposes":{"p":true,"a":true,"m":true,"t":true},"display_banner":false,"sale_of_data_region":false,"consent_id":"0F1E"}`),
		"_tracking_consent=" + enc(`{"con":{"CMP":{"a":"0","m":"0","p":"0","s":"0"}},"v":"2.1","region":"DEBE","purposes":{"p":false,"a":false,"m":false,"t":true}}`),
		"_tracking_consent=" + enc(`{"con":{"CMP":{"a":"","m":"","p":"","s":""}},"v":"2.1","region":"USCA","purposes":{"p":true,"a":true,"m":true,"t":true}}`),
		"_tracking_consent=" + enc(`{"con":{"CMP":["a","m","p"]},"purposes":{"a":true}}`), functional | analytics | marketing, 0,
	},
	"tarteaucitron": {
		cmp.Config{Purposes: map[string]consent.Purposes{"gtag": analytics, "facebookpixel": marketing, "youtube": social}},
		"tarteaucitron=!gtag=true!facebookpixel=true!youtube=true", "tarteaucitron=!gtag=false!facebookpixel=false!youtube=false", "tarteaucitron=!gtag=wait!facebookpixel=wait!youtube=wait",
		"tarteaucitron=gtag=true!facebookpixel=true", analytics | marketing | social, analytics | marketing | social,
	},
	"tcf": {
		cmp.Config{}, "euconsent-v2=" + tcString(allTCF) + "; addtl_consent=1~41.70.89; usprivacy=1---", "euconsent-v2=" + tcString(0) + "; addtl_consent=1~", "usprivacy=1---",
		"euconsent-v2=" + strings.Replace(tcString(allTCF), "C", "F", 1), functional | analytics | marketing, functional | analytics | marketing,
	},
	"tealium": {
		cmp.Config{}, "CONSENTMGR=c1:1%7Cc2:1%7Cc3:1%7Cc4:1%7Cc5:1%7Cc6:1%7Cc7:1%7Cts:1775034000000%7Cconsent:true", "CONSENTMGR=c1:0%7Cc2:0%7Cc3:0%7Cc4:0%7Cc6:0%7Cc7:0%7Cts:1775034000000%7Cconsent:false",
		"CONSENTMGR=ts:1775034000000", "CONSENTMGR=c1:1%7Cconsent", 0, 0,
	},
	"trustarc": {
		cmp.Config{}, "notice_behavior=expressed,eu; notice_gdpr_prefs=0,1,2:; notice_preferences=2:; cmapi_cookie_privacy=permit 1,2,3", "notice_behavior=expressed,eu; notice_gdpr_prefs=0:; notice_preferences=0:; cmapi_cookie_privacy=permit 1",
		"notice_behavior=expressed,eu", "notice_behavior=implied,us; notice_gdpr_prefs=0,1,2:", functional | marketing, functional | marketing,
	},
	"trustcommander": {
		cmp.Config{Purposes: map[string]consent.Purposes{"1": analytics, "2": marketing}},
		"TC_PRIVACY=0%40019%7C16%7C3311%401%2C2%40%401775034000000%2C1775034000000%2C1790586000000%40; TC_PRIVACY_CENTER=1%2C2",
		"TC_PRIVACY=1%40019%7C16%7C3311%40%401%401775034000000%2C1775034000000%2C1790586000000%40; TC_PRIVACY_CENTER=",
		"TC_PRIVACY_CENTER=1", "TC_PRIVACY=2@019@1@1@ALL@@1", analytics | marketing, 0,
	},
	"vanilla-cookieconsent": {
		cmp.Config{},
		"cc_cookie=" + enc(`{"categories":["necessary","functionality","analytics","ads","social"],"revision":0,"data":null,"consentTimestamp":"2026-04-02T09:12:11.105Z","consentId":"0f1e2d3c-4b5a-4968-8776-655443322110","services":{"necessary":[],"analytics":["ga"],"ads":[]},"languageCode":"de","lastConsentTimestamp":"2026-04-02T09:12:11.105Z","expirationTime":1790848331105}`),
		`cc_cookie={"categories":["necessary"],"level":["necessary"],"revision":0,"data":null,"rfc_cookie":false,"consent_date":"2026-04-02T09:12:11.105Z","consent_uuid":"0f1e2d3c-4b5a-4968-8776-655443322110","last_consent_update":"2026-04-02T09:12:11.105Z"}`,
		`cc_cookie={"categories":[],"revision":0}`, `cc_cookie={"categories":"analytics","consentId":"1"}`, 0, 0,
	},
	"wix": {
		cmp.Config{}, "consent-policy=" + enc(`{"func":1,"anl":1,"adv":1,"dt3":1,"ts":29583900,"id":"0f1e"}`), "consent-policy=" + enc(`{"func":0,"anl":0,"adv":0,"dt3":0,"ts":29583900,"id":"0f1e"}`), "",
		"consent-policy=" + enc(`[1,1,1]`), functional | analytics | marketing, functional | analytics | marketing,
	},
}

// TestFourFold reads each platform's four cookies, then each of the first two cut off at every byte, and doubled with the
// other: what is left of an acceptance never grants more than the whole, and next to a refusal it grants nothing.
func TestFourFold(t *testing.T) {
	for _, name := range cmp.Names() {
		c, ok := fourFold[name]
		if !ok {
			t.Errorf("%s is not tested", name)
			continue
		}
		if c.granted == 0 {
			c.granted = consent.OptionalPurposes
		}
		if c.denied == 0 {
			c.denied = consent.OptionalPurposes
		}
		t.Run(name, func(t *testing.T) {
			r := func(cookies string) consent.Stored { t.Helper(); return read(t, name, c.config, cookies) }
			if got, want := r(c.accept), (consent.Stored{Granted: c.granted}); got != want {
				t.Errorf("accepted: %s, want %s", answers(got), answers(want))
			}
			if got, want := r(c.refuse), (consent.Stored{Denied: c.denied}); got != want {
				t.Errorf("refused: %s, want %s", answers(got), answers(want))
			}
			if got := r(c.undecided); got != (consent.Stored{}) {
				t.Errorf("undecided: %s", answers(got))
			}
			if got := r(c.hostile); got.Granted != 0 {
				t.Errorf("hostile: %s", answers(got))
			}
			for _, both := range []string{c.accept + "; " + c.refuse, c.refuse + "; " + c.accept} {
				if got := r(both); got.Granted != 0 {
					t.Errorf("accepted and refused: %s", answers(got))
				}
			}
			for end := range len(c.accept) {
				if got := r(c.accept[:end]); got.Granted&^c.granted != 0 {
					t.Errorf("%s: %s", c.accept[:end], answers(got))
				}
				if end < len(c.refuse) && r(c.refuse[:end]).Granted != 0 {
					t.Errorf("%s: grants", c.refuse[:end])
				}
			}
		})
	}
}

// TestEveryPlatformOfTheSheet: each platform that stores its answers where a server or a script can read them is known.
func TestEveryPlatformOfTheSheet(t *testing.T) {
	known := cmp.Names()
	for _, b := range cmp.Bridges() {
		known = append(known, b.Name)
	}
	for _, name := range []string{
		"onetrust", "cookiebot", "usercentrics", "didomi", "cookieyes", "complianz", "klaro", "vanilla-cookieconsent", "cookieconsent", "tarteaucitron", "osano", "termly", "iubenda",
		"trustarc", "borlabs", "real-cookie-banner", "axeptio", "cookie-script", "civic", "cookie-information", "cookiefirst", "consentmanager", "hubspot", "tealium", "trustcommander",
		"piwik-pro", "shopify", "google", "tcf", "drupal",
	} {
		if !slices.Contains(known, name) {
			t.Errorf("%s is not read", name)
		}
	}
	if _, err := base64.RawURLEncoding.DecodeString(strings.Split(tcString(allTCF), ".")[1]); err != nil || time.Now().Before(now.AddDate(-1, 0, 0)) {
		t.Error("the test's own TC string is none")
	}
}
