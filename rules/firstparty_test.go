package rules

import (
	"strings"
	"testing"
)

func TestFirstPartyShapes(t *testing.T) {
	s := builtin(t, Options{})
	const id = "123e4567-e89b-12d3-a456-426614174000"
	for _, c := range []struct{ vendor, method, path, query, contentType, body string }{
		{"google-analytics", "POST", "/metrics", "v=2&tid=G-ABC123&gtm=45je&_p=1&cid=1.2&en=page_view", "text/plain;charset=UTF-8", ""},
		{"google-analytics", "GET", "/a/collect", "v=1&_v=j99&tid=UA-1-1&t=pageview&cid=1.2", "", ""},
		{"google-analytics", "POST", "/x", "", "text/plain", "v=1&_v=j99&tid=UA-1-1&t=pageview&cid=1.2"},
		{"google-gtm-server", "GET", "/gtag/js", "id=G-ABC123", "", ""},
		{"segment", "POST", "/seg/v1/t", "", "text/plain", `{"type":"track","event":"A","messageId":"` + id + `","anonymousId":"` + id + `","properties":{}}`},
		{"segment", "POST", "/seg/v1/batch", "", "application/json", `{"batch":[{"type":"page","messageId":"m","userId":"u"}],"sentAt":"2026"}`},
		{"posthog", "POST", "/ingest/e/", "compression=gzip-js&ip=1&ver=1.100.0", "text/plain", "\x1f\x8b\x08"},
		{"posthog", "POST", "/ingest/batch/", "", "application/json", `{"api_key":"phc_abc","batch":[{"event":"$pageview"}]}`},
		{"posthog", "POST", "/ingest/i/v0/e/", "", "application/json", `[{"event":"$pageview","properties":{"token":"phc_abc","distinct_id":"x"}}]`},
		{"plausible", "POST", "/api/event", "", "text/plain", `{"n":"pageview","u":"https://www.example.org/","d":"example.org","r":null}`},
		{"matomo", "GET", "/stats", "action_name=x&idsite=1&rec=1&r=12&_id=ab", "", ""},
		{"matomo", "POST", "/stats", "", "application/x-www-form-urlencoded;charset=utf-8", "action_name=x&idsite=1&rec=1&r=12"},
		{"matomo", "POST", "/stats", "", "application/json", `{"requests":["?idsite=1&rec=1&url=x"],"send_image":0}`},
		{"matomo", "GET", "/piwik.php", "idsite=1", "", ""},
		{"snowplow", "POST", "/com.snowplowanalytics.snowplow/tp2", "", "application/json", `{}`},
		{"snowplow", "POST", "/c", "", "application/json", `{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":[{"e":"pv"}]}`},
		{"snowplow", "GET", "/i", "e=pv&url=x&p=web&tv=js-3.1&aid=shop", "", ""},
		{"meta-pixel", "GET", "/fb", "id=123&ev=PageView&dl=https%3A%2F%2Fx&rl=&ts=1&fbp=fb.1.2.3", "", ""},
		{"meta-pixel", "POST", "/capi", "", "application/json", `{"data":[{"event_name":"Purchase","event_time":1,"user_data":{"em":"x"}}]}`},
		{"amplitude", "POST", "/amp", "", "application/json", `{"api_key":"k","events":[{"device_id":"d","event_type":"x"}]}`},
		{"mixpanel", "POST", "/mp/track", "", "application/json", `[{"event":"x","properties":{"token":"t","distinct_id":"d"}}]`},
		{"umami", "POST", "/api/send", "", "application/json", `{"type":"event","payload":{"website":"` + id + `","url":"/"}}`},
		{"cloudflare-web-analytics", "POST", "/cdn-cgi/rum", "", "application/json", `{}`},
		{"adobe-analytics", "GET", "/b/ss/suite/1/JS-2.22/s1", "AQB=1", "", ""},
	} {
		m, ok := s.FirstParty(c.method, c.path, c.query, c.contentType, []byte(c.body))
		if !ok || m.Vendor != c.vendor {
			t.Errorf("%s %s?%s %s: %v, %s by %q; want %s", c.method, c.path, c.query, c.body, ok, m.Vendor, m.Rule, c.vendor)
		}
		if m.Rule == "" || m.Number == 0 {
			t.Errorf("%s: no rule or number", c.path)
		}
	}
}

func TestFirstPartyLeavesTheSitesOwn(t *testing.T) {
	s := builtin(t, Options{})
	for _, c := range []struct{ method, path, query, contentType, body string }{
		{"GET", "/", "", "", ""},
		{"GET", "/img/1x1.gif", "", "", ""}, // a vendor with labels stands for those of other hosts only
		{"GET", "/blog/tracking-pixel", "", "", ""},
		{"GET", "/search", "q=v%3D2%26tid%3DG-1&v=2", "", ""},
		{"GET", "/product", "id=1&ev=sale", "", ""},
		{"GET", "/api", "tid=G-1&v=3", "", ""},
		{"POST", "/login", "", "application/x-www-form-urlencoded", "user=a&password=b&v=1"},
		{"POST", "/api/order", "", "application/json", `{"type":"order","userId":"1","items":[{"id":1}]}`},
		{"POST", "/api/event", "", "application/json", `{"event":"Concert","properties":{"hall":"A"}}`},
		{"POST", "/api/chat", "", "application/json", `{"messageId":"1","text":"hello"}`},
		{"POST", "/api/event", "", "application/json", `{"n":1,"u":"anna","d":"2026-01-01"}`},
		{"POST", "/graphql", "", "application/json", `{"operationName":"x","query":"{ events { event_name } }","variables":{}}`},
		{"POST", "/upload", "", "multipart/form-data; boundary=x", "v=2&tid=G-1&en=x"},
		{"POST", "/api", "", "application/json", strings.Repeat("[", 100000)},
		{"POST", "/api", "", "application/json", `{"batch":`},
		{"GET", "/js/main.js", "v=2", "", ""},
		{"GET", "/matomo", "", "", ""},
		{"GET", "/blog/automatomo.php", "", "", ""},
	} {
		if m, ok := s.FirstParty(c.method, c.path, c.query, c.contentType, []byte(c.body)); ok {
			t.Errorf("%s %s?%s %.60s: %s by %q", c.method, c.path, c.query, c.body, m.Vendor, m.Rule)
		}
	}
}

func FuzzFirstParty(f *testing.F) {
	s := builtin(f, Options{})
	f.Add("POST", "/e/", "v=2&tid=G-1", "application/json", []byte(`{"batch":[{"type":"track"}]}`))
	f.Add("GET", "/x%", "&&=&", "", []byte("\xff{"))
	f.Fuzz(func(t *testing.T, method, path, query, contentType string, body []byte) {
		m, ok := s.FirstParty(method, path, query, contentType, body)
		if ok && m.Vendor == "" {
			t.Error("a match without a vendor")
		}
	})
}
