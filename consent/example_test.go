package consent_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Example is the whole way: a request is decided, the visitor answers, the answer is recorded and comes back in a cookie.
func Example() {
	keys, err := consent.NewKeyring(consent.GenerateKey())
	if err != nil {
		panic(err)
	}
	cookie := consent.Cookie{Secure: true}
	reader, err := consent.NewReader(consent.ReaderConfig{Site: "shop.example", Keys: keys, Cookie: cookie})
	if err != nil {
		panic(err)
	}
	terms := consent.Terms{Asked: consent.OptionalPurposes, PolicyVersion: "2026-11"}
	client, now := netip.MustParseAddr("192.0.2.1"), time.Now()

	// The first request says nothing.
	signals := reader.Read(http.Header{}, client, now)
	decision := consent.Decide(&terms, &signals, now)
	fmt.Println("permitted:", decision.Permitted, "| to ask:", decision.Ask)

	// The visitor answers with a form. Store the record before the cookie is set: without it nothing can be proven.
	form := url.Values{"choice": {"save"}, "purpose": {"analytics"}}
	choice, err := consent.ParseChoice(form, func(string) (uint16, bool) { return 0, false })
	if err != nil {
		panic(err)
	}
	token, event := consent.Choose(&terms, &signals, choice, now)
	record := consent.NewRecord("shop.example", &terms, &signals, &token, event, now)
	fmt.Println("record:", record.Event, record.Granted, "| refused:", record.Denied)
	set := cookie.Set(string(keys.Sign(nil, "shop.example", &token)), terms.CookieAge(&token))

	// The next request brings the cookie, and Global Privacy Control only now: it was not on when the visitor agreed.
	pair, _, _ := strings.Cut(set, ";")
	for _, h := range []http.Header{{"Cookie": {pair}}, {"Cookie": {pair}, "Sec-Gpc": {"1"}}} {
		signals = reader.Read(h, client, now)
		decision = consent.Decide(&terms, &signals, now)
		fmt.Println("permitted:", decision.Permitted, "| analytics by:", decision.By[2])
	}
	// Output:
	// permitted: necessary | to ask: functional,analytics,marketing,social
	// record: given analytics | refused: functional,marketing,social
	// permitted: necessary,analytics | analytics by: token
	// permitted: necessary | analytics by: gpc
}
