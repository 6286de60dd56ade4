package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// stubKinds are the words that Vendor documents.
var stubKinds = []string{"function", "array", "object", "constructor"}

// checker collects what is wrong with one file.
type checker struct {
	name string
	data []byte
	errs []error
}

// fail reports a problem at the line on which the text near first stands.
func (c *checker) fail(near, format string, args ...any) {
	offset := max(0, bytes.Index(c.data, []byte(near)))
	c.at(offset, fmt.Sprintf(format, args...))
}

func (c *checker) at(offset int, text string) {
	line := 1 + bytes.Count(c.data[:min(offset, len(c.data))], []byte{'\n'})
	c.errs = append(c.errs, fmt.Errorf("%s:%d: %s", c.name, line, text))
}

// value reports a problem with a string value of the file.
func (c *checker) value(value, format string, args ...any) {
	quoted, _ := json.Marshal(value)
	c.fail(string(quoted), "%q: %s", value, fmt.Sprintf(format, args...))
}

func (c *checker) syntax(err error, offset int64) {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if field, ok := strings.CutPrefix(text, "unknown field "); ok {
		c.fail(field, "unknown field %s: see vendor.schema.json for the fields there are", field)
		return
	}
	c.at(int(offset), text)
}

func (c *checker) vendor(v *Vendor) {
	if v.ID == "" || strings.Trim(v.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		c.fail("{", "id %q (the file's name): use lower-case letters, digits and hyphens", v.ID)
	}
	if v.Number == 0 {
		c.fail(`"number"`, "number is missing: take the next free one")
	}
	for _, f := range [][2]string{{"name", v.Name}, {"org", v.Org}, {"category", v.Category}} {
		if f[1] == "" {
			c.fail("{", "%s is missing", f[0])
		}
	}
	if len(v.Hosts)+len(v.Patterns)+len(v.Paths)+len(v.Payment)+len(v.Passes)+len(v.Embeds) == 0 {
		c.fail("{", "nothing to recognise the vendor by: give hosts, patterns or paths")
	}
	c.addresses(v)
	c.names(v)
	c.display(v)
}

func (c *checker) addresses(v *Vendor) {
	for _, h := range v.Hosts {
		if strings.Trim(h, hostChars) != "" || !strings.Contains(h, ".") || strings.HasPrefix(h, ".") {
			c.value(h, "a host is lower-case and has no path or wildcard: put %q into patterns", h)
		}
	}
	for _, list := range [][]string{v.Patterns, v.Embeds, v.Passes, v.Payment} {
		for _, p := range list {
			if problem := CheckPattern(p); problem != "" {
				c.value(p, "%s", problem)
			}
		}
	}
	for _, l := range v.Labels {
		if l == "" || len(l) > 31 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz-") != "" || strings.Trim(l, "-") != l {
			c.value(l, "a label is a run of lower-case letters, with hyphens between them")
		}
	}
	for _, p := range v.Paths {
		if !strings.HasPrefix(p, "/") || len(p) < 5 || strings.ContainsAny(p[1:5], "*?") {
			c.value(p, "a path begins with / and at least four characters without a wildcard")
		}
	}
}

const hostChars = "abcdefghijklmnopqrstuvwxyz0123456789-._"

// CheckPattern says what is wrong with a pattern, "" for nothing.
func CheckPattern(p string) string {
	host, path, ok := strings.Cut(p, "/")
	switch {
	case !ok:
		return "a pattern is host/path: write " + p + "/ for a whole host"
	case strings.Contains(p, "://"):
		return "a pattern has no scheme"
	case strings.Trim(host, hostChars+"*") != "":
		return "a host is written in lower-case letters, digits, dots and hyphens"
	case strings.ContainsRune(path, '#'):
		return "a pattern has no fragment"
	}
	// The part after the last * is what the host is found by: it must not be a public suffix alone.
	literal := strings.TrimPrefix(host[strings.LastIndexByte(host, '*')+1:], ".")
	label, country := strings.CutSuffix(host, ".*")
	if country && strings.TrimRight(label, ".*") != label || !country && !strings.Contains(literal, ".") || label == "" {
		return "the host must end in a literal domain, or in .* for every country's"
	}
	if _, query, ok := strings.Cut(path, "?"); ok && !strings.Contains(query, "=") {
		return "after ? comes name=beginning of the value"
	}
	return ""
}

func (c *checker) names(v *Vendor) {
	for _, list := range [][]Cookie{v.Cookies, v.ThirdPartyCookies} {
		for _, k := range list {
			if strings.Trim(k.Name, "*") == "" || strings.ContainsAny(k.Name, " ;=,") {
				c.value(k.Name, "not the name of a cookie")
			}
		}
	}
	for _, k := range v.Storage {
		if strings.Trim(k, "*") == "" {
			c.value(k, "a storage key must not be a wildcard alone")
		}
	}
	for _, s := range v.Stubs {
		if !slices.Contains(stubKinds, s.Kind) {
			c.value(s.Kind, "use one of %s", strings.Join(stubKinds, ", "))
		}
		if s.Global == "" {
			c.fail(`"stubs"`, "a stub needs a global")
		}
	}
}

func (c *checker) display(v *Vendor) {
	for _, l := range v.Links {
		if problem := CheckPattern(l.From); problem != "" {
			c.value(l.From, "%s", problem)
		}
		if u, err := url.Parse(l.To); l.To != "*" && (err != nil || u.Scheme != "https") {
			c.value(l.To, "not an https address")
		}
	}
	for _, s := range []string{v.Policy, v.OptOut} {
		if u, err := url.Parse(s); s != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			c.value(s, "not an https address")
		}
	}
}
