package consent

import (
	"iter"
	"strconv"
	"strings"
	"time"
)

// Cookie says how the consent cookie is set.
type Cookie struct {
	// Secure is true for a site that is served over HTTPS.
	Secure bool
	// Domain, if set, shares the consent with all subdomains; the cookie then cannot have the prefix.
	Domain string
}

// Name returns the cookie's name. The prefix __Host- makes browsers refuse the cookie from anything but this very origin
// over HTTPS (RFC 6265bis, section 4.1.3.2); without HTTPS, or for a domain, it cannot be used.
func (c Cookie) Name() string {
	if c.Secure && c.Domain == "" {
		return "__Host-consent"
	}
	return "consent"
}

// Set returns the value of a Set-Cookie field that stores a signed token for maxAge; a maxAge below a second removes it.
// The cookie is out of reach of scripts (HttpOnly) and of other sites' requests (SameSite=Lax).
func (c Cookie) Set(value string, maxAge time.Duration) string {
	var b strings.Builder
	b.WriteString(c.Name() + "=" + value + "; Path=/; Max-Age=")
	b.WriteString(strconv.FormatInt(max(int64(maxAge/time.Second), 0), 10))
	if c.Domain != "" {
		b.WriteString("; Domain=" + c.Domain)
	}
	if c.Secure {
		b.WriteString("; Secure")
	}
	b.WriteString("; HttpOnly; SameSite=Lax")
	return b.String()
}

// Cookies are a request's Cookie fields as they arrived. net/http's own reader drops the cookies of many consent
// platforms: values with quotes or commas, names with colons or brackets.
type Cookies []string

// All yields name and value of each cookie in order, duplicates included, as raw bytes: split at semicolons, then at the
// first equals sign, outer spaces and tabs removed (RFC 6265, section 4.2.1, read leniently). A piece without an equals
// sign is a cookie without a name.
func (c Cookies) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range c {
			for line != "" {
				piece := line
				if i := strings.IndexByte(line, ';'); i >= 0 {
					piece, line = line[:i], line[i+1:]
				} else {
					line = ""
				}
				name, value := "", piece
				if i := strings.IndexByte(piece, '='); i >= 0 {
					name, value = piece[:i], piece[i+1:]
				}
				name, value = trimSpace(name), trimSpace(value)
				if name == "" && value == "" {
					continue
				}
				if !yield(name, value) {
					return
				}
			}
		}
	}
}

// trimSpace removes optional white space (RFC 9110, section 5.6.3): spaces and tabs, nothing else.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
