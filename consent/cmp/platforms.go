package cmp

import "github.com/caddy-consent/caddy-consent/consent"

// platforms are all that a server can read. Their formats are facts observed in public cookies, sources and documents.
var platforms = [...]platform{
	{"axeptio", []string{"axeptio_cookies", "axeptio_authorized_vendors"}, nil, readAxeptio},
	{"borlabs", []string{"borlabs-cookie"}, map[string]consent.Purposes{
		"essential": necessary, "statistics": analytics, "marketing": marketing, "external-media": social,
	}, readBorlabs},
	{"civic", []string{"CookieControl"}, nil, readCivic},
	{"complianz", []string{"cmplz_preferences", "cmplz_statistics", "cmplz_marketing"}, map[string]consent.Purposes{
		"preferences": functional, "statistics": analytics, "marketing": marketing,
	}, readComplianz},
	{"consentmanager", []string{"__cmpconsent*", "__cmpcpc*", "__cmpccpausps"}, map[string]consent.Purposes{}, readConsentmanager},
	{"cookie-information", []string{"CookieInformationConsent"}, map[string]consent.Purposes{
		"cookie_cat_necessary": necessary, "cookie_cat_functional": functional, "cookie_cat_statistic": analytics,
		"cookie_cat_marketing": marketing,
	}, readCookieInformation},
	{"cookie-script", []string{"CookieScriptConsent"}, map[string]consent.Purposes{
		"strict": necessary, "performance": analytics, "targeting": marketing, "functionality": functional,
	}, readCookieScript},
	{"cookiebot", []string{"CookieConsent"}, map[string]consent.Purposes{
		"necessary": necessary, "preferences": functional, "statistics": analytics, "marketing": marketing,
	}, readCookiebot},
	{"cookieconsent", []string{"cookieconsent_status"}, map[string]consent.Purposes{}, readStatus},
	{"cookiefirst", []string{"cookiefirst-consent"}, map[string]consent.Purposes{
		"necessary": necessary, "performance": analytics, "functional": functional, "advertising": marketing,
	}, readCookieFirst},
	{"cookieyes", []string{"cookieyes-consent", "cookielawinfo-checkbox-*"}, map[string]consent.Purposes{
		"necessary": necessary, "functional": functional, "analytics": analytics, "performance": analytics,
		"advertisement": marketing,
	}, readCookieYes},
	{"didomi", []string{"didomi_token", "euconsent-v2"}, nil, readDidomi},
	{"drupal", []string{"cookie-agreed"}, nil, readDrupal},
	{"google", []string{"FCCDCF"}, map[string]consent.Purposes{}, readFundingChoices},
	{"hubspot", []string{"__hs_cookie_cat_pref", "__hs_do_not_track", "__hs_opt_out"}, map[string]consent.Purposes{
		"1": analytics, "2": marketing, "3": functional,
	}, readHubSpot},
	{"iubenda", []string{"_iub_cs-*", "usprivacy"}, map[string]consent.Purposes{
		"1": necessary, "2": functional, "3": functional, "4": analytics, "5": marketing,
	}, readIubenda},
	{"ketch", []string{"_ketch_consent_v1_"}, nil, readKetch},
	{"klaro", []string{"klaro"}, nil, readFlat},
	{"moove", []string{"moove_gdpr_popup"}, map[string]consent.Purposes{
		"strict": necessary, "thirdparty": analytics, "advanced": marketing,
	}, readFlat},
	{"onetrust", []string{"OptanonConsent", "OTGPPConsent", "usprivacy"}, map[string]consent.Purposes{
		"c0001": necessary, "c0002": analytics, "c0003": functional, "c0004": marketing, "c0005": social,
	}, readOneTrust},
	{"piwik-pro", []string{"ppms_privacy_*"}, map[string]consent.Purposes{
		"analytics": analytics, "conversion_tracking": marketing, "remarketing": marketing,
		"marketing_automation": marketing, "ab_testing_and_personalization": functional, "user_feedback": functional,
	}, readPiwikPro},
	{"real-cookie-banner", []string{"real_cookie_banner*"}, map[string]consent.Purposes{}, readRealCookieBanner},
	{"shopify", []string{"_tracking_consent"}, map[string]consent.Purposes{
		"a": analytics, "m": marketing, "p": functional,
	}, readShopify},
	{"tarteaucitron", []string{"tarteaucitron"}, nil, readTarteaucitron},
	{"tcf", []string{"euconsent-v2", "eupubconsent-v2", "__gpp", "usprivacy"}, map[string]consent.Purposes{}, readIAB},
	{"tealium", []string{"CONSENTMGR", "OPTOUTMULTI"}, map[string]consent.Purposes{
		"c1": analytics, "c2": marketing, "c3": marketing, "c4": marketing, "c6": functional, "c7": social,
	}, readTealium},
	{"trustarc", []string{"notice_gdpr_prefs", "cmapi_cookie_privacy", "notice_preferences"}, map[string]consent.Purposes{
		"1": necessary, "2": functional, "3": marketing,
	}, readTrustArc},
	{"trustcommander", []string{"TC_PRIVACY"}, map[string]consent.Purposes{}, readTrustCommander},
	{"vanilla-cookieconsent", []string{"cc_cookie"}, nil, readVanilla},
	{"wix", []string{"consent-policy"}, map[string]consent.Purposes{
		"func": functional, "anl": analytics, "adv": marketing,
	}, readFlat},
}
