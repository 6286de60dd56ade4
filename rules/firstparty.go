package rules

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"
)

// maxShape is how much of a body is looked at: what tells a vendor stands at its beginning.
const maxShape = 8 << 10

// FirstParty judges a request to the site itself: is it a vendor's, sent through the site's own address? It knows paths
// that vendors' software uses on any host and the shapes of what their scripts send: GA4 and Universal Analytics, Segment
// and RudderStack, PostHog, Plausible, Matomo, Snowplow, the Meta conversions gateway, Amplitude, Mixpanel and Umami.
//
// path has no query; query no question mark; body may be the beginning of it only. The answer does not depend on
// Options.FirstParty: report it, or gate by it where the operator enabled that.
func (s *Set) FirstParty(method, path, query, contentType string, body []byte) (Match, bool) {
	a := address{path: []byte(path), query: []byte(query)}
	if v, text := s.paths.lookup(&a); v >= 0 {
		m := s.vendors[v].match
		m.Rule = text
		return m, !s.vendors[v].pass
	}
	body = body[:min(len(body), maxShape)]
	id, rule := queryShape(a.query)
	if id == "" && method != "GET" && method != "HEAD" {
		id, rule = bodyShape(body, strings.ToLower(contentType))
	}
	if id == "" {
		return Match{}, false
	}
	v := s.vendor(id)
	if v == nil {
		return Match{}, false
	}
	m := v.match
	m.Rule = rule
	return m, !v.pass
}

// param returns the raw value of a query's parameter.
func param(query []byte, name string) (value []byte, ok bool) {
	for len(query) > 0 {
		one := query
		if i := indexByte(query, '&'); i >= 0 {
			one, query = query[:i], query[i+1:]
		} else {
			query = nil
		}
		if len(one) > len(name) && one[len(name)] == '=' && string(one[:len(name)]) == name {
			return one[len(name)+1:], true
		}
	}
	return nil, false
}

func has(query []byte, names ...string) bool {
	for _, n := range names {
		if _, ok := param(query, n); !ok {
			return false
		}
	}
	return true
}

// queryShape tells vendors by their parameters. Each needs several, with values that only it sends.
func queryShape(q []byte) (vendor, rule string) {
	if len(q) < 8 {
		return "", ""
	}
	value := func(name string) string {
		v, _ := param(q, name)
		return string(v[:min(len(v), 32)])
	}
	switch v := value("v"); {
	case v == "2" && strings.HasPrefix(value("tid"), "G-"):
		return "google-analytics", "shape: v=2&tid=G-"
	case v == "1" && strings.HasPrefix(value("tid"), "UA-") && has(q, "t"):
		return "google-analytics", "shape: v=1&tid=UA-"
	}
	switch {
	case value("rec") == "1" && has(q, "idsite"):
		return "matomo", "shape: rec=1&idsite"
	case has(q, "e", "p", "tv") && (strings.HasPrefix(value("tv"), "js-") || has(q, "aid")):
		return "snowplow", "shape: e&p&tv"
	case has(q, "id", "ev") && (strings.HasPrefix(value("fbp"), "fb.") || has(q, "dl", "rl", "ts")):
		return "meta-pixel", "shape: id&ev&dl"
	case strings.HasPrefix(value("compression"), "gzip-js") || strings.HasPrefix(value("token"), "phc_"):
		return "posthog", "shape: compression=gzip-js"
	}
	return "", ""
}

// bodyShape tells vendors by what is posted.
func bodyShape(body []byte, contentType string) (vendor, rule string) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) < 8 {
		return "", ""
	}
	if body[0] != '{' && body[0] != '[' {
		if strings.HasPrefix(contentType, "multipart/") {
			return "", ""
		}
		line, _, _ := bytes.Cut(body, []byte{'\n'})
		return queryShape(line)
	}
	doc := gjson.ParseBytes(body)
	for _, list := range [...]string{"batch.0", "events.0", "0", "data.0"} {
		if vendor, rule = eventShape(doc, doc.Get(list)); vendor != "" {
			return vendor, rule
		}
	}
	return "", ""
}

// eventShape judges a JSON document and the first event that it holds, if it holds several.
func eventShape(doc, event gjson.Result) (vendor, rule string) {
	if !event.IsObject() {
		event = doc
	}
	text := func(r gjson.Result, name string) string { return r.Get(name).String() }
	switch {
	case strings.HasPrefix(text(doc, "api_key"), "phc_"), strings.HasPrefix(text(doc, "token"), "phc_"),
		strings.HasPrefix(text(event, "properties.token"), "phc_"):
		return "posthog", "shape: phc_ key"
	case strings.HasPrefix(text(doc, "schema"), "iglu:com.snowplowanalytics.snowplow/"):
		return "snowplow", "shape: iglu schema"
	case event.Get("messageId").Exists() && event.Get("type").Exists() &&
		(event.Get("anonymousId").Exists() || event.Get("userId").Exists()):
		return "segment", "shape: messageId, type, anonymousId"
	case event.Get("n").Exists() && event.Get("d").Exists() && strings.HasPrefix(text(event, "u"), "http"):
		return "plausible", "shape: n, u, d"
	case strings.Contains(text(doc, "requests.0"), "idsite="):
		return "matomo", "shape: bulk requests"
	case event.Get("event_name").Exists() && (event.Get("user_data").Exists() || event.Get("action_source").Exists()):
		return "meta-pixel", "shape: event_name, user_data"
	case doc.Get("api_key").Exists() && event.Get("event_type").Exists() &&
		(event.Get("device_id").Exists() || event.Get("user_id").Exists()):
		return "amplitude", "shape: api_key, event_type"
	case event.Get("event").Exists() && event.Get("properties.token").Exists() && event.Get("properties.distinct_id").Exists():
		return "mixpanel", "shape: event, properties.token"
	case text(doc, "type") == "event" && len(text(doc, "payload.website")) == 36:
		return "umami", "shape: payload.website"
	}
	return "", ""
}
