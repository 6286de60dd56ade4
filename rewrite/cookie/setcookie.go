package cookie

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// SetCookie is a view of one Set-Cookie field value as a browser takes it (RFC 6265bis, 5.6).
type SetCookie struct {
	// Name is empty for a nameless cookie.
	Name, Value string
	pair, attrs string
}

// Parse reads a Set-Cookie field value. It reports false for what browsers ignore: control characters, and a pair that is
// empty on both sides. Lengths are not judged: engines differ there, and what may be stored must be seen.
func Parse(line string) (SetCookie, bool) {
	for i := 0; i < len(line); i++ {
		if c := line[i]; c < ' ' && c != '\t' || c == 0x7f {
			return SetCookie{}, false
		}
	}
	pair, attrs := cut(line)
	name, value := split(pair)
	return SetCookie{Name: name, Value: value, pair: pair, attrs: attrs}, name != "" || value != ""
}

// WireName returns the name under which applications will see the cookie: Name, or for a nameless cookie
// what its value makes of it. Policies must be asked about this one.
func (c *SetCookie) WireName() string {
	if c.Name != "" {
		return c.Name
	}
	return WireName(c.Value)
}

// Attribute returns the value of the last attribute of that name (in lower case): the one that counts (RFC 6265bis, 5.7).
func (c *SetCookie) Attribute(name string) (value string, ok bool) {
	for rest := c.attrs; rest != ""; {
		var a string
		a, rest = cut(rest)
		if k, v := attribute(a); strings.EqualFold(k, name) {
			value, ok = v, true
		}
	}
	return value, ok
}

// Lifetime returns how long from now on the cookie is kept, 0 for a session's or one that is gone at once. Max-Age beats
// Expires (RFC 6265bis, 5.7).
func (c *SetCookie) Lifetime(now time.Time) time.Duration {
	if v, ok := c.Attribute("max-age"); ok && v != "" {
		if !digits(v) {
			return 0
		}
		n, _ := strconv.ParseInt(v, 10, 32) // too much is the most
		return time.Duration(n) * time.Second
	}
	if v, ok := c.Attribute("expires"); ok {
		if t, ok := parseDate(v); ok {
			return max(0, t.Sub(now))
		}
	}
	return 0
}

func attribute(a string) (name, value string) {
	if i := strings.IndexByte(a, '='); i >= 0 {
		return trim(a[:i]), trim(a[i+1:])
	}
	return a, ""
}

// Clamp returns the Set-Cookie field value with no Max-Age above limit and no Expires later than now plus limit, and
// whether that changed it. Session cookies stay session cookies; an Expires that is no date is removed, because an engine
// that reads more into it than the standard does would otherwise keep the cookie for longer.
func Clamp(line string, now time.Time, limit time.Duration) (string, bool) {
	c, ok := Parse(line)
	if !ok {
		return line, false
	}
	var b strings.Builder
	changed := false
	b.WriteString(c.pair)
	for rest := c.attrs; rest != ""; {
		var a string
		a, rest = cut(rest)
		if edited, differs := clampAttribute(a, now, limit); differs {
			a, changed = edited, true
		}
		if a != "" {
			b.WriteString("; ")
			b.WriteString(a)
		}
	}
	if !changed {
		return line, false
	}
	return b.String(), true
}

func clampAttribute(a string, now time.Time, limit time.Duration) (string, bool) {
	name, value := attribute(a)
	switch {
	case strings.EqualFold(name, "max-age"):
		seconds := int64(limit / time.Second)
		if !digits(value) {
			return a, false // not a number, or negative: ignored, or expires at once (RFC 6265bis, 5.6.2)
		}
		if n, _ := strconv.ParseInt(value, 10, 64); n > seconds { // too much is the most
			return "Max-Age=" + strconv.FormatInt(seconds, 10), true
		}
	case strings.EqualFold(name, "expires"):
		t, ok := parseDate(value)
		if !ok {
			return "", true
		}
		if latest := now.Add(limit); t.After(latest) {
			return "Expires=" + latest.UTC().Format(imfDate), true
		}
	}
	return a, false
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Scope says where a cookie that is to be expired may have been set.
type Scope struct {
	// Host is the request's host without port, in lower case and ASCII.
	Host string
	// Paths are the Path attributes to try; none means "/" alone. See Paths.
	Paths []string
	// Secure adds the Secure attribute; it must be true exactly for requests over TLS.
	Secure bool
	// Partitioned adds, over TLS, the variants that live in a partitioned jar (CHIPS).
	Partitioned bool
}

const imfDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// Expire appends to dst the Set-Cookie field values that remove the cookie wherever in scope it was set: for the host
// itself, and for the Domain of the host and each parent up to the registrable domain, on every path. A name that could
// not be written into a field, and the empty one, appends nothing. A "__Host-" cookie has one variant only.
func Expire(dst []string, scope Scope, name string) []string {
	if !writable(name) || strings.IndexByte(name, '=') >= 0 {
		return dst
	}
	if hasPrefixFold(name, "__Host-") || hasPrefixFold(name, "__Http-Host-") || hasPrefixFold(name, "__Host-Http-") {
		return scope.variants(dst, name, "", "/")
	}
	paths := scope.Paths
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	for _, path := range paths {
		if !writable(path) || path[0] != '/' {
			continue
		}
		dst = scope.variants(dst, name, "", path)
		for _, domain := range domains(scope.Host) {
			dst = scope.variants(dst, name, domain, path)
		}
	}
	return dst
}

func (s *Scope) variants(dst []string, name, domain, path string) []string {
	line := name + "=; Path=" + path
	if domain != "" {
		line += "; Domain=" + domain
	}
	line += "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	if !s.Secure {
		return append(dst, line)
	}
	dst = append(dst, line+"; Secure")
	if s.Partitioned {
		dst = append(dst, line+"; Secure; SameSite=None; Partitioned")
	}
	return dst
}

// domains returns host and its parents down to the registrable domain; none for addresses, single labels and public suffixes,
// where browsers refuse a Domain attribute.
func domains(host string) []string {
	host = strings.TrimSuffix(host, ".")
	if !writable(host) || strings.ContainsAny(host, ":[]") || len(host) > 253 {
		return nil
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; digits(last) {
		return nil // an IPv4 address
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return nil
	}
	var list []string
	for len(list) < 16 {
		list = append(list, host)
		if host == site {
			break
		}
		host = host[strings.IndexByte(host, '.')+1:]
	}
	return list
}

// Paths returns the Path values that a page of that URL path and its scripts can have used: "/", and each folder on the way,
// with and without its slash, at most 17 of them.
func Paths(path string) []string {
	list := []string{"/"}
	for i := 1; i < len(path) && len(list) < 17; i++ {
		if path[i] == '/' && path[i-1] != '/' {
			list = append(list, path[:i], path[:i+1])
		}
	}
	return list
}

// writable reports whether s can stand in a field value as one token between semicolons.
func writable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == ';' || c == 0x7f {
			return false
		}
	}
	return s != ""
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
