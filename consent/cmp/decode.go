package cmp

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// unescape undoes percent-encoding, at most twice, until the value has the form that is wanted.
func unescape(value string, wanted func(string) bool) (string, bool) {
	for range 2 {
		if wanted(value) {
			return value, true
		}
		next, err := url.PathUnescape(value)
		if err != nil || next == value {
			return "", false
		}
		value = next
	}
	return value, wanted(value)
}

// text undoes percent-encoding until no percent sign is left.
func text(value string) (string, bool) {
	return unescape(value, func(s string) bool { return !strings.Contains(s, "%") })
}

// object returns a JSON object or array, raw or percent-encoded up to twice. gjson reads invalid input as it likes, so it
// is validated here.
func object(value string) (gjson.Result, bool) {
	json, ok := unescape(value, func(s string) bool {
		return len(s) > 1 && (s[0] == '{' || s[0] == '[') && gjson.Valid(s)
	})
	return gjson.Parse(json), ok
}

// base64Object returns a JSON object in base64 of either alphabet, padded or not, percent-encoded or not.
func base64Object(value string) (gjson.Result, bool) {
	value, ok := text(value)
	if !ok {
		return gjson.Result{}, false
	}
	value = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(value, "="))
	b, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return gjson.Result{}, false
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
