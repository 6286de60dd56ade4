package rules

import (
	"strings"
	"testing"
)

func TestRegistrableDomain(t *testing.T) {
	for host, want := range map[string]string{
		"www.example.org": "example.org", "example.org": "example.org", "a.b.example.co.uk": "example.co.uk", "co.uk": "co.uk", "org": "org",
		"localhost": "localhost", "192.0.2.1": "192.0.2.1", "[2001:db8::1]": "[2001:db8::1]", "user.github.io": "user.github.io", "x.user.github.io": "user.github.io",
		"www.example.org.": "example.org", "": "", "a.b.unknowntld": "b.unknowntld", ".": "", "..": ".",
	} {
		if got := RegistrableDomain(host); got != want {
			t.Errorf("RegistrableDomain(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestThirdParty(t *testing.T) {
	s := builtin(t, Options{})
	for _, c := range []struct {
		page, host string
		want       bool
	}{
		{"www.example.org", "cdn.example.org", false}, {"example.org", "example.org", false}, {"example.org", "example.net", true},
		{"a.github.io", "b.github.io", true}, {"192.0.2.1", "192.0.2.2", true}, {"shop.example.co.uk", "other.co.uk", true},
	} {
		for range 2 { // the second time from memory
			if got := ThirdParty(c.page, c.host); got != c.want || s.ThirdParty(c.page, []byte(c.host)) != got {
				t.Errorf("ThirdParty(%q, %q) = %v", c.page, c.host, got)
			}
		}
	}
	host := []byte("cdn.tracker.example.net")
	if n := testing.AllocsPerRun(100, func() { s.ThirdParty("www.example.co.uk", host) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPaymentPage(t *testing.T) {
	for _, p := range []string{"/checkout", "/checkout/", "/en/checkout/step-2", "/onepage-checkout", "/shop/kasse/", "/Kasse", "/zur-kasse", "/bezahlen.php", "/fr/paiement", "/pago", "/pagamento/1",
		"/afrekenen", "/betaling", "/till-kassan", "/pokladna", "/spenden/", "/donate", "/faire-un-don", "/order-pay/12", "/payment-method", "/pay", "/%D0%BE%D0%BF%D0%BB%D0%B0%D1%82%D0%B0/", "/checkouts/cn/1", "/donations/new", "/order", "/civicrm/contribute/transact"} {
		if !PaymentPage(p, "") {
			t.Errorf("%s is no payment page", p)
		}
	}
	for _, p := range []string{"", "/", "/blog/how-to-pay-taxes", "/cart", "/products/kassettenrekorder", "/paypal-info", "/prepayments", "/news/kassel", "/donauwelle", "/about", "/%zz", "/checkoutpage2x", "/order-history", "/border"} {
		if PaymentPage(p, "") {
			t.Errorf("%s is a payment page", p)
		}
	}
	for query, want := range map[string]bool{
		"route=checkout/checkout": true, "lang=de&route=checkout%2Fcheckout": true, "main_page=checkout_payment": true, "controller=order&step=1": true, "cl=payment": true, "a=checkout": true,
		"": false, "route=product/product": false, "q=payment": false, "return=/checkout": false, "utm_content=checkout": false, "route": false, "checkout": false,
		strings.Repeat("x=1&", maxParameters) + "route=checkout": false,
	} {
		if PaymentPage("/index.php", query) != want {
			t.Errorf("?%s: want %t", query, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { PaymentPage("/index.php", "route=product/product&id=12") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRegistrableDomain(f *testing.F) {
	f.Add("a..b.co.uk.")
	f.Fuzz(func(t *testing.T, host string) {
		d := RegistrableDomain(host)
		if len(d) > len(host) {
			t.Errorf("%q of %q", d, host)
		}
		PaymentPage(host, host)
	})
}
