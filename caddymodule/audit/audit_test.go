package audit_test

import (
	"slices"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/standard" // the handlers that are audited

	_ "github.com/caddy-consent/caddy-consent/caddymodule" // as are its own
	"github.com/caddy-consent/caddy-consent/caddymodule/audit"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// masked is a global block whose default log is right.
const masked = "{\n log {\n format anonymize\n }\n}\n"

func TestAudit(t *testing.T) {
	vendors, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, caddyfile string
		want            []string // rule, "site: rule" where a site is named, "note" before notes
	}{
		{"clean", masked + "a.test {\n log\n encode\n anonymize_ip\n tracing\n consent\n handle_errors {\n consent\n respond x\n }\n reverse_proxy b:1\n}", nil},
		{"no log at all", "a.test {\n consent\n reverse_proxy b:1\n}", []string{"log-raw"}},
		{"default log in another format", "{\n log {\n format console\n }\n}\n", []string{"log-raw"}},
		{"global log beside the default one", "{\n log {\n format anonymize\n }\n log other {\n output file /tmp/x.log\n }\n}\n", []string{"log-raw"}},
		{"a wrapped encoder", "{\n log {\n format append {\n wrap anonymize\n x y\n }\n }\n}\n", nil},
		{"nothing is written", "{\n log {\n output discard\n }\n}\n", nil},
		{"site log of its own", masked + "a.test {\n log {\n output file /tmp/a.log\n }\n respond x\n}", []string{"a.test: log-raw"}},
		{"site log of its own, named", masked + "a.test, b.test {\n log here {\n output file /tmp/a.log\n format json\n }\n respond x\n}", []string{"a.test, b.test: log-raw"}},
		{"site log of its own, right", masked + "a.test {\n log {\n output file /tmp/a.log\n format anonymize\n }\n respond x\n}", nil},
		{"not rolled by time", masked + "a.test {\n log {\n output file /tmp/a.log {\n roll_keep_for 90d\n }\n format anonymize\n }\n respond x\n}", []string{"a.test: log-retention"}},
		{"rolled by time", masked + "a.test {\n log {\n output file /tmp/a.log {\n roll_keep_for 90d\n roll_at 00:00\n }\n format anonymize\n }\n respond x\n}", nil},
		{"rolled when something is written", masked + "a.test {\n log {\n output file /tmp/a.log {\n roll_keep_for 90d\n roll_interval 24h\n }\n format anonymize\n }\n respond x\n}", []string{"a.test: note log-retention"}},
		{"retention of records", "{\n consent {\n retention 90d\n }\n log {\n output file /tmp/c.log\n format anonymize\n }\n}\na.test {\n consent\n respond x\n}", []string{"log-retention"}},
		{"credentials", "{\n servers {\n log_credentials\n }\n log {\n format anonymize\n }\n}\na.test {\n log\n respond x\n}", []string{":443: log-credentials"}},
		{"encode inside", masked + "a.test {\n consent\n route {\n encode\n reverse_proxy b:1\n }\n}", []string{"a.test: encode-inside"}},
		{"encode in another branch", masked + "a.test {\n handle /x* {\n consent\n reverse_proxy b:1\n }\n handle {\n encode\n consent\n reverse_proxy b:1\n }\n}", nil},
		{"error pages", masked + "a.test {\n consent\n handle_errors {\n respond x\n }\n reverse_proxy b:1\n}", []string{"a.test: errors-unguarded"}},
		{"error pages of a site on a port", masked + "http://:8080 {\n consent\n handle_errors {\n respond x\n }\n reverse_proxy b:1\n}", []string{":8080: errors-unguarded"}},
		{"error pages of a site without the gateway", masked + "a.test {\n consent\n reverse_proxy b:1\n}\nb.test {\n handle_errors {\n respond x\n }\n reverse_proxy b:1\n}", nil},
		{"error pages with consent off", masked + "a.test {\n consent\n handle_errors {\n consent off\n respond x\n }\n reverse_proxy b:1\n}", []string{"a.test: errors-unguarded"}},
		{"deferred cookie", masked + "a.test {\n header >Set-Cookie a=b\n consent\n reverse_proxy b:1\n}", []string{"a.test: deferred-header"}},
		{"deferred link", masked + "a.test {\n header {\n >+Link x\n defer\n }\n consent\n reverse_proxy b:1\n}", []string{"a.test: deferred-header"}},
		{"deferred policy", masked + "a.test {\n header >Content-Security-Policy x\n consent\n reverse_proxy b:1\n}", []string{"a.test: note deferred-header"}},
		{"header at once", masked + "a.test {\n header Set-Cookie a=b\n consent\n reverse_proxy b:1\n}", nil},
		{"deferred inside", masked + "a.test {\n route {\n consent\n header >Set-Cookie a=b\n reverse_proxy b:1\n }\n}", nil},
		{"deferred, harmless", masked + "a.test {\n header >Server-Timing x\n consent\n reverse_proxy b:1\n}", nil},
		{"tracing", masked + "a.test {\n tracing\n reverse_proxy b:1\n}", []string{"a.test: tracing-raw"}},
		{"forward_auth", masked + "a.test {\n forward_auth b:1 {\n uri /x\n }\n consent\n reverse_proxy b:1\n}", []string{"a.test: answers-above"}},
		{"forward_auth inside", masked + "a.test {\n route {\n consent\n forward_auth b:1 {\n uri /x\n }\n reverse_proxy b:1\n }\n}", nil},
		{"basic_auth", masked + "a.test {\n basic_auth {\n u $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n }\n consent\n reverse_proxy b:1\n}", []string{"a.test: note answers-above"}},
		{"redir on the site", masked + "a.test {\n redir /x /y\n consent\n reverse_proxy b:1\n}", nil},
		{"redir elsewhere", masked + "a.test {\n redir /x https://b.test/y\n consent\n reverse_proxy b:1\n}", []string{"a.test: note answers-above"}},
		{"redir to another host without a scheme", masked + "a.test {\n redir /x //b.test/y\n consent\n reverse_proxy b:1\n}", []string{"a.test: note answers-above"}},
		{"deferred by a requirement", masked + "a.test {\n header {\n match {\n status 200\n }\n Set-Cookie a=b\n }\n consent\n reverse_proxy b:1\n}", []string{"a.test: deferred-header"}},
		{"answers above", masked + "a.test {\n route {\n respond <html>\n consent\n }\n}", []string{"a.test: answers-above"}},
		{"answers some above", masked + "a.test {\n route {\n reverse_proxy /api/* b:1\n consent\n reverse_proxy b:1\n }\n}", []string{"a.test: note answers-above"}},
		{"report only", masked + "a.test {\n consent report\n reverse_proxy b:1\n}", []string{"a.test: note report-only"}},
		{"a tracker that is said to be needed", masked + "a.test {\n consent {\n allow meta-pixel essential\n allow cdn.own.example\n allow google-fonts\n }\n reverse_proxy b:1\n}", []string{"a.test: note tracker-needed"}},
		{"a tracker by its host", masked + "a.test {\n consent {\n allow hotjar.com\n }\n reverse_proxy b:1\n}", []string{"a.test: note tracker-needed"}},
		{"trackers under another purpose", "{\n log {\n format anonymize\n }\n consent {\n require necessary google-analytics\n require functional hotjar\n }\n}\na.test {\n consent\n reverse_proxy b:1\n}", []string{"note tracker-needed"}},
		{"consent in a snippet and beside it", "(client) {\n consent\n}\n" + "a.test {\n import client\n consent {\n theme button \"#0a5c36\"\n }\n respond x\n}", []string{"log-raw", "a.test: note consent-twice"}},
		{"consent for each of two hosts", masked + "*.a.test {\n @x host x.a.test\n @y host y.a.test\n consent @x\n consent @y\n route {\n consent\n }\n}", nil},
		{"off for a path", masked + "a.test {\n @api path /api/*\n consent @api off\n consent\n reverse_proxy b:1\n}", nil},
		{"address forwarded", masked + "a.test {\n route {\n request_header X-Forwarded-For {remote_host}\n anonymize_ip\n reverse_proxy b:1\n }\n}", []string{"a.test: address-forwarded"}},
		{"masked address forwarded", masked + "a.test {\n anonymize_ip\n reverse_proxy b:1 {\n header_up X-Forwarded-For {remote_host}\n }\n}", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(c.caddyfile), map[string]any{"filename": "Caddyfile"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range audit.Configuration("Caddyfile", config, vendors) {
				s := f.Rule
				if f.Note {
					s = "note " + s
				}
				if f.Site != "" {
					s = f.Site + ": " + s
				}
				got = append(got, s)
				if f.File == "" || f.Path == "" || f.What == "" || f.Why == "" || f.Remedy == "" {
					t.Errorf("the finding lacks a part: %+v", f)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q in %s", got, c.want, config)
			}
		})
	}
}

func TestAuditJSON(t *testing.T) {
	for config, want := range map[string]string{
		`{"logging":{"logs":{"default":{"encoder":{"format":"anonymize"}}}},"apps":{"http":{"servers":{"s":{"routes":[
			{"handle":[{"handler":"cache"},{"handler":"consent"},{"handler":"reverse_proxy"}]}]}}}}}`: "apps.http.servers.s.routes.0.handle.0",
	} {
		got := audit.Configuration("c.json", []byte(config), nil)
		if len(got) != 1 || got[0].Path != want {
			t.Errorf("%s: %+v, want one finding at %s", config, got, want)
		}
	}
	for _, hostile := range []string{``, `{`, `[]`, `{"logging":[1],"apps":{"http":{"servers":{"s":{"routes":{"handle":1},"errors":"x"}}}}}`, `{"apps":{"http":{"servers":[[]]}}}`} {
		audit.Configuration("hostile", []byte(hostile), nil) // it must not panic
	}
}
