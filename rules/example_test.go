package rules_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

func newSet() *rules.Set {
	c, err := catalogue.Builtin()
	if err != nil {
		panic(err)
	}
	s, err := rules.New(c, nil, rules.Options{})
	if err != nil {
		panic(err)
	}
	return s
}

func ExampleSet_Match() {
	r, _ := filterlist.NewRequest("https://www.facebook.com/tr?id=1&ev=PageView", "https://shop.example/", filterlist.Image)
	m, gate := newSet().Match(&r, rules.Context{})
	fmt.Println(gate, m.Vendor, m.Purpose, m.Rule)
	// Output: true meta-pixel marketing .facebook.com/tr
}

func ExampleSet_Match_payment() {
	r, _ := filterlist.NewRequest("https://js.stripe.com/v3/", "https://shop.example/checkout", filterlist.Script)
	m, gate := newSet().Match(&r, rules.Context{Payment: rules.PaymentPage("/checkout", "")})
	fmt.Println(gate, m.Vendor, m.Purpose)
	// Output: false stripe necessary
}

func ExampleSet_Script() {
	s := newSet()
	m, gate := s.Script([]byte(`var h = "https:" == location.protocol ? "https://ssl" : "http://www";
		document.write("<script src='" + h + ".google-analytics.com/ga.js'></" + "script>");`), rules.Context{})
	fmt.Println(gate, m.Vendor)
	_, gate = s.Script([]byte(`var config = {"blocked": ["https://ssl.google-analytics.com/ga.js"]};`), rules.Context{})
	fmt.Println(gate)
	// Output:
	// true google-analytics
	// false
}

func ExampleSet_Cookie() {
	m, gate := newSet().Cookie([]byte("_hjSessionUser_4711"))
	fmt.Println(gate, m.Vendor, m.Rule)
	// Output: true hotjar _hjSessionUser_*
}

func ExampleSet_FirstParty() {
	m, gate := newSet().FirstParty("POST", "/ingest", "v=2&tid=G-ABC123&en=page_view", "text/plain", nil)
	fmt.Println(gate, m.Vendor, m.Rule)
	// Output: true google-analytics shape: v=2&tid=G-
}

func ExampleParseCookieDatabase() {
	db, err := rules.ParseCookieDatabase("mine.csv", strings.NewReader("Category,Cookie / Data Key name,Wildcard match\nMarketing,ad_,1\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := catalogue.Builtin()
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := rules.New(c, nil, rules.Options{Cookies: db})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, gate := s.Cookie([]byte("ad_visitor"))
	fmt.Println(gate, m.Purpose, m.List, m.Line)
	// Output: true marketing mine.csv 2
}

func ExampleSuspicious() {
	fmt.Println(rules.Suspicious([]byte("vid"), []byte("9f86d081884c7d659a2feaa0c55ad015"), 365*24*time.Hour))
	// Output: true
}

func ExampleThirdParty() {
	fmt.Println(rules.ThirdParty("www.example.co.uk", "cdn.example.co.uk"), rules.ThirdParty("www.example.co.uk", "tracker.co.uk"))
	// Output: false true
}
