package rules

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// RegistrableDomain returns the public suffix of a host and one label more: the part that somebody registered. It returns
// the host itself if it is an IP address or a public suffix. The host must be in lower case and ASCII, as in a serialised
// URL. It does not allocate.
func RegistrableDomain(host string) string {
	host = strings.TrimSuffix(host, ".")
	if isAddress(host) {
		return host
	}
	suffix, _ := publicsuffix.PublicSuffix(host)
	rest := len(host) - len(suffix) - 1
	if rest <= 0 {
		return host
	}
	return host[strings.LastIndexByte(host[:rest], '.')+1:]
}

// ThirdParty reports whether a host is of another site than the page's: their registrable domains differ.
func ThirdParty(pageHost, host string) bool {
	return pageHost != host && RegistrableDomain(pageHost) != RegistrableDomain(host)
}

// isAddress tells IP addresses, as the WHATWG URL standard serialises them, from names: IPv6 is in brackets, and a name
// whose last label is a number is IPv4.
func isAddress(host string) bool {
	if host == "" || host[0] == '[' || strings.IndexByte(host, ':') >= 0 {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && strings.Trim(last, "0123456789") == ""
}
