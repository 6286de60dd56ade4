package rules

import (
	"strings"
	"sync/atomic"

	"golang.org/x/net/publicsuffix"
)

// RegistrableDomain returns the public suffix of a host and one label more: the part that somebody registered. It returns
// the host itself if it is an IP address or a public suffix. The host must be in lower case and ASCII, as in a serialised
// URL.
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

// ThirdParty reports whether a host is of another site than the page's. It remembers the hosts that it was asked about
// last, so that on a request path it seldom allocates or looks into the public suffix list.
func (s *Set) ThirdParty(pageHost string, host []byte) bool {
	if pageHost == string(host) {
		return false
	}
	a, b := s.sites.of(pageHost), s.sites.ofBytes(host)
	return a != b
}

// siteCache remembers registrable domains. An entry is overwritten by the next host of the same hash, so memory is
// bounded whatever is asked.
type siteCache struct {
	slots [1024]atomic.Pointer[siteEntry]
}

type siteEntry struct{ host, site string }

func (c *siteCache) of(host string) string {
	slot := &c.slots[hashName(host)*0x9E3779B97F4A7C15>>54]
	if e := slot.Load(); e != nil && e.host == host {
		return e.site
	}
	return c.remember(slot, host)
}

func (c *siteCache) ofBytes(host []byte) string {
	var h uint64
	for i := len(host) - 1; i >= 0; i-- {
		h = hashByte(h, host[i])
	}
	slot := &c.slots[h*0x9E3779B97F4A7C15>>54]
	if e := slot.Load(); e != nil && e.host == string(host) {
		return e.site
	}
	return c.remember(slot, string(host))
}

func (c *siteCache) remember(slot *atomic.Pointer[siteEntry], host string) string {
	host = strings.Clone(host)
	site := RegistrableDomain(host)
	if len(host) <= 253 {
		slot.Store(&siteEntry{host, site})
	}
	return site
}
