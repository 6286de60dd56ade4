package cmp

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/tidwall/gjson"
)

// Custom describes a platform that has no reader here. Exactly one of Path and Pattern is set.
type Custom struct {
	// Cookie is the cookie's name; one that ends with an asterisk stands for all that begin so.
	Cookie string
	// Path is a gjson path into the cookie's JSON. It leads to an object of answers, to a list of accepted names, or to a
	// single answer, which then goes by the name value.
	Path string
	// Base64 says that the JSON is in base64.
	Base64 bool
	// Decided, if set, is a gjson path that must be there, and neither false, zero, empty nor null: before that the
	// visitor has not answered.
	Decided string
	// Pattern is a regular expression for a cookie that is not JSON. Its first group is a name, its second an answer
	// (yes, true, 1, allow …); with one group only, each match is an accepted name and all others are denied.
	Pattern string
	// Purposes maps the names to purposes. Required.
	Purposes map[string]consent.Purposes
}

// NewCustom returns the reader of a described platform. The error names all that is wrong.
func NewCustom(c Custom) (*Reader, error) {
	p := &platform{name: "custom", cookies: []string{c.Cookie}, purposes: map[string]consent.Purposes{}}
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("consent platform: "+format, args...))
	}
	if c.Cookie == "" || c.Cookie == "*" {
		fail("no cookie is named")
	}
	if len(c.Purposes) == 0 {
		fail("no map from the names in cookie %q to purposes", c.Cookie)
	}
	switch {
	case (c.Path == "") == (c.Pattern == ""):
		fail("cookie %q: give either a path or a pattern", c.Cookie)
	case c.Path != "":
		p.read = c.readPath
	default:
		pattern, err := regexp.Compile(c.Pattern)
		if err != nil {
			fail("cookie %q: pattern: %w", c.Cookie, err)
		} else if n := pattern.NumSubexp(); n < 1 || n > 2 {
			fail("cookie %q: the pattern has %d groups, want a name and perhaps an answer", c.Cookie, n)
		} else {
			p.read = readPattern(pattern)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return newReader(p, Config{Purposes: c.Purposes})
}

func (c Custom) readPath(_ *input, _, cookie string, a *answer) {
	read := object
	if c.Base64 {
		read = base64Object
	}
	r := read(cookie)
	if c.Decided != "" && !truthy(r.Get(c.Decided)) {
		return
	}
	switch found := r.Get(c.Path); {
	case found.IsObject():
		a.decided = true
		members(found, a)
	case found.IsArray():
		a.decided = accepted(found, a)
	case found.Exists():
		s := answerOf(found)
		a.decided = s != open
		a.set("value", s)
	}
}

func truthy(r gjson.Result) bool {
	switch r.Type {
	case gjson.True, gjson.JSON:
		return true
	case gjson.Number:
		return r.Num != 0
	case gjson.String:
		return r.Str != "" && word(r.Str) != denied
	}
	return false
}

func readPattern(pattern *regexp.Regexp) func(*input, string, string, *answer) {
	return func(_ *input, _, cookie string, a *answer) {
		for _, m := range pattern.FindAllStringSubmatch(text(cookie), -1) {
			a.decided = true
			if len(m) == 3 {
				a.set(m[1], word(m[2]))
			} else {
				a.set(m[1], granted)
			}
		}
		if pattern.NumSubexp() == 1 && a.decided {
			a.listed()
		}
	}
}
