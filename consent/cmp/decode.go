package cmp

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// unescape undoes percent-encoding, at most twice, until the value has the form that is wanted. It returns "" where it
// never has.
func unescape(value string, wanted func(string) bool) string {
	for range 2 {
		if wanted(value) {
			return value
		}
		next, err := url.PathUnescape(value)
		if err != nil {
			return ""
		}
		value = next
	}
	if !wanted(value) {
		return ""
	}
	return value
}

// text undoes percent-encoding until no percent sign is left.
func text(value string) string {
	return unescape(value, func(s string) bool { return !strings.Contains(s, "%") })
}

// object returns a JSON object or array, raw or percent-encoded up to twice, and the zero Result, in which nothing is found,
// for anything else. gjson reads invalid input as it likes, so it is validated here.
func object(value string) gjson.Result {
	return gjson.Parse(unescape(value, func(s string) bool {
		return len(s) > 1 && (s[0] == '{' || s[0] == '[') && gjson.Valid(s)
	}))
}

// base64Object is object for one in base64 of either alphabet, padded or not, percent-encoded or not.
func base64Object(value string) gjson.Result {
	value = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text(value), "="))
	b, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return gjson.Result{}
	}
	return object(string(b))
}

// pairs yields the members of a flat list such as a:1,b:0. It stops at the first that is no pair.
func pairs(list, separator, equals string, yield func(name, value string)) bool {
	for list != "" {
		var member string
		member, list, _ = strings.Cut(list, separator)
		name, value, ok := strings.Cut(member, equals)
		if !ok {
			return false
		}
		yield(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return true
}

// isTrue reports whether a member is true, not merely something that could be read so.
func isTrue(r gjson.Result) bool { return r.Type == gjson.True }

// answerOf reads a JSON value as an answer.
func answerOf(r gjson.Result) state {
	switch r.Type {
	case gjson.True, gjson.False, gjson.Number, gjson.String:
		return word(r.String())
	}
	return open
}
