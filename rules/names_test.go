package rules

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

func TestCookies(t *testing.T) {
	s := builtin(t, Options{})
	for name, vendor := range map[string]string{
		"_ga": "google-analytics", "_ga_ABC": "google-analytics", "_gid": "google-analytics", "_gat_gtag_UA_1": "google-analytics", "__utma": "google-analytics",
		"_gcl_au": "google-ads", "_fbp": "meta-pixel", "_fbc": "meta-pixel", "_pk_id.1.ab": "matomo", "_hjSessionUser_1": "hotjar", "ajs_anonymous_id": "segment",
		"_cio": "customerio", "__adroll_fpc": "adroll", "__zlcmid": "zendesk", "hubspotutk": "hubspot", "_uetsid": "microsoft-uet", "_clck": "clarity", "mp_abc_mixpanel": "mixpanel",
		"ph_phc_x_posthog": "posthog", "AMCV_ABC%40AdobeOrg": "adobe-analytics", "_ym_uid": "yandex-metrica", "_pin_unauth": "pinterest-tag", "_scid": "snap-pixel", "intercom-id-x": "intercom",
		"SnapABugHistory": "snapengage", "__stripe_mid": "stripe", "cb:test": "clearbit",
	} {
		if m, ok := s.Cookie([]byte(name)); !ok || m.Vendor != vendor || m.Purpose == 0 || m.Rule == "" {
			t.Errorf("%s: %v %+v, want %s", name, ok, m, vendor)
		}
	}
	for _, name := range []string{"", "PHPSESSID", "JSESSIONID", "ASP.NET_SessionId", "connect.sid", "laravel_session", "csrftoken", "XSRF-TOKEN", "wordpress_logged_in_x",
		"wp-settings-1", "woocommerce_cart_hash", "cart", "lang", "theme", "_gallery", "ga", "_g", "session", "sessionid", "consent", "rack.session", "remember_me", "frontend",
		"form_key", "PrestaShop-x", "SSESSabc", "fe_typo_user", "OptanonConsent", "CookieConsent", "TC_PRIVACY", "CONSENTMGR", "mtm_consent", "__hs_opt_out", "_tracking_consent", "aws-waf-token", "cf_clearance", "_cfuvid", "uuid", "euconsent-v2", strings.Repeat("_ga", 5000)} {
		if m, ok := s.Cookie([]byte(name)); ok {
			t.Errorf("%.20s is taken for a cookie of %s by %q", name, m.Vendor, m.Rule)
		}
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a*", "a", true}, {"a*", "abc", true}, {"a*c", "abc", true}, {"a*c", "abcb", false}, {"*c", "abc", true}, {"a*b*c", "a1b2c", true},
		{"a*b*c", "acb", false}, {"*", "", true}, {"a", "A", false}, {"visitor_id*-hash*", "visitor_id1-hash", true},
	} {
		if got := wildcard(c.pattern, []byte(c.name)); got != c.want {
			t.Errorf("wildcard(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

const cookieCSV = `ID,Platform,Category,Cookie / Data Key name,Domain,Description,Retention period,Data Controller,Rights,Wildcard match
1,Shop,Marketing,shp_ad,,"An ""ad"" cookie, with a comma",1 year,Shop,,0
2,Shop,Functional,shp_lang,,Language,1 year,Shop,,0
3,Stats,Analytics,st_,,Many,2 years,Stats,,1
4,Stats,Functional,st_lang,,One,2 years,Stats,,0
5,Stats,Analytics,both,,x,1 day,Stats,,0
6,Other,Security,both,,x,1 day,Other,,0
7,Odd,Nonsense,odd,,x,1 day,Odd,,0
`

func TestCookieDatabase(t *testing.T) {
	db, err := ParseCookieDatabase("db.csv", strings.NewReader(cookieCSV))
	if err != nil {
		t.Fatal(err)
	}
	if db.Len() != 5 {
		t.Errorf("%d entries", db.Len())
	}
	s := builtin(t, Options{Cookies: db})
	for name, want := range map[string]struct {
		ok      bool
		purpose consent.Purpose
	}{
		"shp_ad": {true, consent.Marketing}, "shp_lang": {false, consent.Functional}, "st_visitor": {true, consent.Analytics},
		"st_lang": {false, consent.Functional}, "both": {true, consent.Analytics}, "odd": {}, "_ga": {true, consent.Analytics},
	} {
		m, ok := s.Cookie([]byte(name))
		if ok != want.ok || m.Purpose != want.purpose {
			t.Errorf("%s: %v %v, want %v", name, ok, m.Purpose, want)
		}
	}
	if m, _ := s.Cookie([]byte("st_x")); m.List != "db.csv" || m.Line != 4 || m.Rule != "st_" {
		t.Errorf("%+v", m)
	}
	for _, bad := range []string{"", "a,b\n1,2\n", "Category,Cookie / Data Key name\n\"x"} {
		if _, err := ParseCookieDatabase("x", strings.NewReader(bad)); err == nil && !strings.Contains(bad, `"x`) {
			t.Errorf("%q is taken for a database", bad)
		}
	}
}

// TestOpenCookieDatabase imports the whole database and classifies each of its names again.
func TestOpenCookieDatabase(t *testing.T) {
	f, err := os.Open("../../shared/corpus/suites/open-cookie-database/open-cookie-database.csv")
	if err != nil {
		t.Skip("no corpus beside the repository: ", err)
	}
	defer f.Close()
	db, err := ParseCookieDatabase("open-cookie-database", f)
	if err != nil {
		t.Fatal(err)
	}
	with, alone := builtin(t, Options{Cookies: db}), builtin(t, Options{})
	tracking, known, gatedAlone, wrong := 0, 0, 0, 0
	for name, e := range db.exact {
		want := e.purpose == consent.Marketing || e.purpose == consent.Analytics
		m, ok := with.Cookie([]byte(name))
		if want {
			tracking++
			if m.Vendor == "" && !ok {
				t.Errorf("%s (line %d) is not gated", name, e.line)
			}
			if ok {
				known++
			}
		}
		if m, ok := alone.Cookie([]byte(name)); ok {
			if want {
				gatedAlone++
			} else if m.Purpose == consent.Marketing || m.Purpose == consent.Analytics {
				wrong++
				t.Logf("%s: %s here, %s there (line %d)", name, m.Vendor, e.purpose, e.line)
			}
		}
	}
	t.Logf("%d names; of %d for marketing or analytics %d gated with the database, %d by the catalogue alone; %d of another category gated",
		db.Len(), tracking, known, gatedAlone, wrong)
	if db.Len() < 1900 || known*100 < tracking*97 {
		t.Errorf("%d names, %d of %d gated", db.Len(), known, tracking)
	}
}

func TestSuspicious(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		name, value string
		age         time.Duration
		want        bool
	}{
		{"vid", "123e4567-e89b-12d3-a456-426614174000", year, true}, {"u", "9f86d081884c7d659a2feaa0c55ad015", year, true},
		{"uid", "GA1.2.1234567890.1700000000x9k2LmQ8zR4", year, true}, {"x", "kj3h4k5jh3k4j5h3kj4h5", year, true}, {"n", "12345678901234567890123456", year, true},
		{"vid", "123e4567-e89b-12d3-a456-426614174000", time.Hour, false}, {"vid", "123e4567-e89b-12d3-a456-426614174000", 0, false},
		{"session_id", "9f86d081884c7d659a2feaa0c55ad015", year, false}, {"csrf", "9f86d081884c7d659a2feaa0c55ad015", year, false},
		{"seen", "1", year, false}, {"seen", "1700000000000", year, false}, {"v", "the-quick-brown-fox-jumps", year, false}, {"d", "2026-11-22T07:00:00Z", year, false},
		{"layout", "grid", year, false}, {"x", "", year, false}, {"cookie_consent", "9f86d081884c7d659a2feaa0c55ad015", year, false},
	} {
		if got := Suspicious([]byte(c.name), []byte(c.value), c.age); got != c.want {
			t.Errorf("Suspicious(%s=%s, %v) = %v", c.name, c.value, c.age, got)
		}
	}
}

func FuzzCookieDatabase(f *testing.F) {
	f.Add(cookieCSV)
	f.Add("Category,Cookie / Data Key name,Wildcard match\nMarketing,*,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		db, err := ParseCookieDatabase("f", strings.NewReader(text))
		if err != nil {
			return
		}
		if _, ok := db.lookup(""); ok {
			t.Error("the empty name is known")
		}
	})
}
