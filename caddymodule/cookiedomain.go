package caddymodule

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/caddy-consent/caddy-consent/consent"
)

// compileDomain checks the domain that shares the answer's cookie. Browsers refuse cookies of a public suffix.
func (o *Options) compileDomain() error {
	if o.CookieDomain == "" {
		return nil
	}
	domain := strings.ToLower(strings.Trim(o.CookieDomain, "."))
	_, err := publicsuffix.EffectiveTLDPlusOne(domain)
	foreign := strings.ContainsFunc(domain, func(c rune) bool { return c != '.' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') })
	if _, ip := netip.ParseAddr(domain); err != nil || foreign || ip == nil {
		return fmt.Errorf("cookie_domain %q: use a domain that is yours, such as shop.example", o.CookieDomain)
	}
	o.CookieDomain = domain
	if o.Site == "" {
		o.Site = domain
	}
	return nil
}

// cookie says how the visitor's answer is kept.
func (x *exchange) cookie() consent.Cookie {
	c := consent.Cookie{Secure: x.secure()}
	if domain := x.site.options.CookieDomain; domain != "" {
		if rest, ok := strings.CutSuffix(hostOf(x.r), domain); ok && (rest == "" || rest[len(rest)-1] == '.') {
			c.Domain = domain
		}
	}
	return c
}
