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
// path has no query; query no question mark; body may be the beginning of it only. Report the answer, or gate by it where
// the operator enabled that.
func (s *Set) FirstParty(method, path, query, contentType string, body []byte) (Match, bool) {
	a := address{path: []byte(path), query: []byte(query)}
	if v, text := s.paths.lookup(&a); v >= 0 && s.vendors[v].entry.Labels == nil { // see catalogue.Vendor.Labels
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

var ampersand = []byte{'&'}

// param returns the raw value of a query's parameter.
func param(query []byte, name string) (value []byte, ok bool) {
	for len(query) > 0 {
		var one []byte
		one, query, _ = bytes.Cut(query, ampersand)
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
	outer := membersOf(doc)
	event, inner := doc, outer
	switch {
	case body[0] == '[':
		event = doc.Get("0")
		inner = membersOf(event)
	case outer&(memberBatch|memberEvents|memberData) != 0:
		for _, list := range [...]string{"batch.0", "events.0", "data.0"} {
			if r := doc.Get(list); r.IsObject() {
				event, inner = r, membersOf(r)
				break
			}
		}
	}
	return eventShape(doc, event, outer, inner)
}

// members is a set of names that a JSON object has.
type members uint32

const (
	memberAPIKey members = 1 << iota
	memberToken
	memberSchema
	memberMessageID
	memberType
	memberUser
	memberN
	memberD
	memberU
	memberRequests
	memberEventName
	memberMeta
	memberEventType
	memberDevice
	memberEvent
	memberProperties
	memberPayload
	memberBatch
	memberEvents
	memberData
)

var memberNames = map[string]members{
	"api_key": memberAPIKey, "token": memberToken, "schema": memberSchema, "messageId": memberMessageID, "type": memberType,
	"anonymousId": memberUser, "userId": memberUser, "n": memberN, "d": memberD, "u": memberU, "requests": memberRequests,
	"event_name": memberEventName, "user_data": memberMeta, "action_source": memberMeta, "event_type": memberEventType,
	"device_id": memberDevice, "user_id": memberDevice, "event": memberEvent, "properties": memberProperties,
	"payload": memberPayload, "batch": memberBatch, "events": memberEvents, "data": memberData,
}

// membersOf reads an object once.
func membersOf(r gjson.Result) members {
	var set members
	if !r.IsObject() {
		return 0
	}
	r.ForEach(func(k, _ gjson.Result) bool {
		set |= memberNames[k.Str]
		return true
	})
	return set
}

func (m members) has(all members) bool { return m&all == all }

// eventShape judges a JSON document and the first event that it holds, which is the document itself if it holds no list.
func eventShape(doc, event gjson.Result, outer, inner members) (vendor, rule string) {
	begins := func(r gjson.Result, name, prefix string) bool { return strings.HasPrefix(r.Get(name).String(), prefix) }
	switch {
	case outer.has(memberAPIKey) && begins(doc, "api_key", "phc_"), outer.has(memberToken) && begins(doc, "token", "phc_"),
		inner.has(memberProperties) && begins(event, "properties.token", "phc_"):
		return "posthog", "shape: phc_ key"
	case outer.has(memberSchema) && begins(doc, "schema", "iglu:com.snowplowanalytics.snowplow/"):
		return "snowplow", "shape: iglu schema"
	case inner.has(memberMessageID | memberType | memberUser):
		return "segment", "shape: messageId, type, anonymousId"
	case inner.has(memberN|memberD|memberU) && begins(event, "u", "http"):
		return "plausible", "shape: n, u, d"
	case outer.has(memberRequests) && strings.Contains(doc.Get("requests.0").String(), "idsite="):
		return "matomo", "shape: bulk requests"
	case inner.has(memberEventName | memberMeta):
		return "meta-pixel", "shape: event_name, user_data"
	case outer.has(memberAPIKey) && inner.has(memberEventType|memberDevice):
		return "amplitude", "shape: api_key, event_type"
	case inner.has(memberEvent|memberProperties) && event.Get("properties.token").Exists() &&
		event.Get("properties.distinct_id").Exists():
		return "mixpanel", "shape: event, properties.token"
	case outer.has(memberType|memberPayload) && begins(doc, "type", "event") && len(doc.Get("payload.website").String()) == 36:
		return "umami", "shape: payload.website"
	}
	return "", ""
}
