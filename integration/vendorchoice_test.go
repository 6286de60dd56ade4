package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// TestAnyVendorAlone: a visitor can agree to, or refuse, any single vendor of the catalogue, whatever its number: the cookie
// carries it, the state tells it, the record names it.
func TestAnyVendorAlone(t *testing.T) {
	t.Parallel()
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	base := newPlainGateway(t, "")
	tried, highest := 0, uint16(0)
	for i := range c.Vendors {
		v := c.Vendors[i]
		if v.Number > consent.MaxVendor {
			t.Errorf("%s has the number %d, beyond %d: it cannot be chosen alone", v.ID, v.Number, consent.MaxVendor)
		}
		highest = max(highest, v.Number)
		if i%97 != 0 || v.Purpose == consent.Necessary {
			continue
		}
		tried++
		res, body := post(t, base+"/.consent/choose", "choice=save&scope=vendor&vendor=%2B"+v.ID, "Accept", "application/json")
		yes := token(t, res)
		if res.StatusCode != http.StatusOK || !strings.Contains(body, `"`+v.ID+`":true`) || len("__Host-")+len(yes) > 160 {
			t.Errorf("%s (%d): %d, %d bytes, %s", v.ID, v.Number, res.StatusCode, len(yes), body)
		}
		if _, receipt := follow(t, base+"/.consent/record", "Cookie", yes); !strings.Contains(receipt, `"`+v.ID+`": true`) {
			t.Errorf("%s is not on record: %s", v.ID, receipt)
		}
		_, state := follow(t, base+"/.consent/state", "Cookie", yes)
		if !strings.Contains(state, `"`+v.ID+`":true`) {
			t.Errorf("%s on the next page: %s", v.ID, state)
		}
	}
	t.Logf("%d of %d vendors tried, numbers up to %d", tried, len(c.Vendors), highest)
	if tried < 10 || highest < 256 {
		t.Errorf("only %d vendors were tried, up to number %d", tried, highest)
	}
}

// TestVendorAloneTakenBack: who agreed to a single vendor only, took it back, and still has the old cookie, in another jar or
// a backup, has no consent.
func TestVendorAloneTakenBack(t *testing.T) {
	t.Parallel()
	base := newPlainGateway(t, "")
	res, _ := post(t, base+"/.consent/choose", "choice=save&scope=vendor&vendor=%2Byoutube", "Accept", "application/json")
	old := token(t, res)
	allowed := func(cookie string) bool {
		_, state := follow(t, base+"/.consent/state", "Cookie", cookie)
		return strings.Contains(state, `"youtube":true`)
	}
	if !allowed(old) {
		t.Fatal("agreement to one vendor does not count")
	}
	if res, _ = post(t, base+"/.consent/choose", "choice=withdraw", "Accept", "application/json", "Cookie", old); res.StatusCode != http.StatusOK {
		t.Fatalf("withdrawing: status %d", res.StatusCode)
	}
	if allowed(old) || allowed(token(t, res)) {
		t.Error("a single vendor is permitted after the withdrawal")
	}
}
