package rules

import (
	"fmt"
	"testing"
)

const (
	analyticsScript = `var s=document.createElement("script");s.src="https://www.google-analytics.com/analytics.js";document.body.appendChild(s);`
	siteScript      = `function addItem(name, price) { menu.items.push({ name: name, price: Number(price).toFixed(2), at: new Date() }); render(); }`
)

func TestScriptOfPaymentProvider(t *testing.T) {
	s := builtin(t, Options{})
	text := []byte(`var s=document.createElement("script");s.src="https://js.stripe.com/v3/";document.body.appendChild(s);`)
	if m, ok := s.Script(text, Context{}); !ok || m.Vendor != "stripe" {
		t.Errorf("elsewhere: %v, %s", ok, m.Vendor)
	}
	if m, ok := s.Script(text, Context{Payment: true}); ok {
		t.Errorf("where a payment is made: %s", m.Vendor)
	}
}

func TestScriptDoesNotAllocate(t *testing.T) {
	s := builtin(t, Options{})
	for _, text := range [][]byte{[]byte(analyticsScript), []byte(siteScript)} {
		for name, f := range map[string]func([]byte, Context) (Match, bool){"new": s.judgeScript, "seen": s.Script} {
			if n := testing.AllocsPerRun(100, func() { f(text, Context{Payment: true}) }); n > 0 {
				t.Errorf("%s: %v allocations: %s", name, n, text)
			}
		}
	}
}

// TestScriptRemembers: an answer from memory is the one that reading gives, in each context, and also after other scripts
// took the slot.
func TestScriptRemembers(t *testing.T) {
	s := builtin(t, Options{})
	var texts [][]byte
	for i := range s.vendors {
		for _, text := range s.vendors[i].entry.Examples.Scripts {
			texts = append(texts, []byte(text))
		}
	}
	for i := range rounds(1500) { // buckets of seenScripts overflow
		texts = append(texts, fmt.Appendf(nil, "var page = %d; %s", i, siteScript))
	}
	for range 2 {
		for _, text := range texts {
			for _, c := range []Context{{}, {Payment: true}} {
				wanted, ok := s.judgeScript(text, c)
				for range 2 {
					if m, found := s.Script(text, c); m != wanted || found != ok {
						t.Fatalf("%v %v, wanted %v %v: %.60s", m, found, wanted, ok, text)
					}
				}
			}
		}
	}
}

// TestScriptsThatNeverComeAgain do not keep those that do from being remembered.
func TestScriptsThatNeverComeAgain(t *testing.T) {
	c, asked := newSeenScripts(), 0
	ask := func([]byte, Context) (Match, bool) { asked++; return Match{}, false }
	for i := range 50000 {
		c.judge(fmt.Appendf(nil, "once(%d)", i), Context{}, ask)
	}
	for range 40 {
		asked = 0
		for i := range 500 {
			c.judge(fmt.Appendf(nil, "often(%d)", i), Context{}, ask)
		}
	}
	if asked > 25 {
		t.Errorf("%d of 500 scripts are read anew each time", asked)
	}
}
