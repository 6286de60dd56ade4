package catalogue

import (
	"net/url"
	"strings"
)

// Link returns the address that a visitor can follow to see the content of an embed, "" if the vendor's file tells none.
func (v *Vendor) Link(embed string) string {
	u, err := url.Parse(embed)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	for _, l := range v.Links {
		if part, ok := l.part(u); ok {
			if to := strings.Replace(l.To, "*", part, 1); strings.HasPrefix(to, "https://") {
				return to
			}
		}
	}
	return ""
}

// part returns what stands for the * in an address of the form From.
func (l *Link) part(u *url.URL) (string, bool) {
	host, path, _ := strings.Cut(l.From, "/")
	path, query, asked := strings.Cut("/"+path, "?")
	if !hostMatches(host, strings.ToLower(u.Hostname())) {
		return "", false
	}
	if asked {
		name, _, _ := strings.Cut(query, "=")
		value := u.Query().Get(name)
		if !strings.HasPrefix(u.Path, path) || value == "" {
			return "", false
		}
		if l.To != "*" { // the value is part of an address
			value = url.QueryEscape(value)
		}
		return value, true
	}
	before, after, _ := strings.Cut(path, "*")
	part, ok := strings.CutPrefix(u.EscapedPath(), before)
	if after != "" && ok {
		part, _, ok = strings.Cut(part, after)
	}
	part = strings.Trim(part, "/")
	return part, ok && part != ""
}

// hostMatches compares a host with "example.com", ".example.com" or "www.example.*".
func hostMatches(pattern, host string) bool {
	if name, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(host, name)
	}
	if strings.HasPrefix(pattern, ".") {
		return host == pattern[1:] || strings.HasSuffix(host, pattern)
	}
	return host == pattern
}
