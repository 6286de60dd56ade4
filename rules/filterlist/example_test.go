package filterlist_test

import (
	"fmt"
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

func ExampleParse() {
	const text = "! a list\n||tracker.example^$third-party\n||ads.example^$app=org.example\nexample.com##.banner\n"
	list, report, err := filterlist.Parse("mine.txt", strings.NewReader(text), filterlist.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list.Len(), "rule,", report.Cosmetic, "cosmetic rule skipped")
	for _, d := range report.Drops {
		fmt.Println(d)
	}
	// Output:
	// 1 rule, 1 cosmetic rule skipped
	// mine.txt:3: option "app" is not supported: ||ads.example^$app=org.example
}

func engine(rules ...string) *filterlist.Engine {
	list, _, err := filterlist.Parse("mine.txt", strings.NewReader(strings.Join(rules, "\n")), filterlist.Limits{})
	if err != nil {
		panic(err)
	}
	e, err := filterlist.Compile(list)
	if err != nil {
		panic(err)
	}
	return e
}

func ExampleEngine_Match() {
	e := engine("||tracker.example^", "@@||tracker.example/lib.js")
	for _, url := range []string{"https://cdn.tracker.example/p.gif", "https://tracker.example/lib.js", "https://example.org/"} {
		r, err := filterlist.NewRequest(url, "https://shop.example/", filterlist.Script)
		if err != nil {
			fmt.Println(err)
			continue
		}
		res, blocked := e.Match(&r)
		fmt.Printf("%v %q %q\n", blocked, res.Rule, res.Exception.Rule)
	}
	// Output:
	// true "||tracker.example^" ""
	// false "||tracker.example^" "@@||tracker.example/lib.js"
	// false "" ""
}

func ExampleEngine_RemoveParams() {
	e := engine("$removeparam=/^utm_/")
	r, _ := filterlist.NewRequest("https://shop.example/?utm_source=mail&id=7", "", filterlist.Document)
	url, changed := e.RemoveParams(&r, nil, nil)
	fmt.Println(string(url), changed)
	// Output: https://shop.example/?id=7 true
}

func ExampleEngine_CSP() {
	e := engine("||shop.example^$csp=worker-src 'none'")
	r, _ := filterlist.NewRequest("https://shop.example/", "https://shop.example/", filterlist.Document)
	fmt.Println(e.CSP(&r, nil, nil))
	// Output: [worker-src 'none']
}

func ExampleEngine_Refuse() {
	payment, _ := filterlist.NewRequest("https://js.stripe.com/v3/", "https://shop.example/", filterlist.Script)
	err := engine("||stripe.com^").Refuse(filterlist.Samples{Necessary: []filterlist.Request{payment}})
	fmt.Println(err)
	// Output: mine.txt:1: rule "||stripe.com^" would block https://js.stripe.com/v3/, which is declared necessary
}
