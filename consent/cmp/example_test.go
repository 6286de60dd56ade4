package cmp_test

import (
	"fmt"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

func ExampleNew_defaults() {
	r, err := cmp.New("cookiebot", cmp.Config{})
	if err != nil {
		panic(err)
	}
	s := r.Read(consent.Cookies{"CookieConsent={necessary:true,statistics:true,marketing:false,method:'explicit'}"}, time.Now())
	fmt.Println(s.Granted, s.Denied)
	s = r.Read(consent.Cookies{"CookieConsent={necessary:true,statistics:true,marketing:true,method:'implied'}"}, time.Now())
	fmt.Println(s.Granted, s.Denied)
	// Output:
	// analytics marketing
	// none none
}

func ExampleNew() {
	r, err := cmp.New("klaro", cmp.Config{Purposes: map[string]consent.Purposes{
		"matomo": consent.Purposes(consent.Analytics), "hotjar": consent.Purposes(consent.Analytics),
	}})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Read(consent.Cookies{"klaro=%7B%22matomo%22%3Atrue%2C%22hotjar%22%3Afalse%7D"}, time.Now()).Denied)
	// Output: analytics
}

func ExampleNewCustom() {
	r, err := cmp.NewCustom(cmp.Custom{
		Cookie: "my_consent", Path: "choices", Decided: "answered",
		Purposes: map[string]consent.Purposes{"stats": consent.Purposes(consent.Analytics)},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Read(consent.Cookies{`my_consent={"answered":true,"choices":{"stats":"yes"}}`}, time.Now()).Granted)
	// Output: analytics
}
