package integration

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// firefoxPage is the leaky page in Firefox.
type firefoxPage struct {
	*lab.Firefox
	door *lab.Door
	site *leakySite
}

func (p *firefoxPage) wait(t *testing.T, what, condition string) {
	t.Helper()
	if !lab.Within(2*time.Minute, func() bool { return p.holds(t, condition) }) { // a hundred ways at once take their time on a busy machine
		t.Fatalf("not seen: %s", what)
	}
}

func (p *firefoxPage) holds(t *testing.T, condition string) (holds bool) {
	t.Helper()
	p.Eval(t, "return !!("+condition+")", &holds)
	return holds
}

// unnamed are requests of workers from the site's own files. The gateway puts the guard in front of a file that the browser
// says is a worker's, which none does over plain HTTP (Fetch Metadata, 2: only to trustworthy URLs).
var unnamed = []string{"rt-own-worker", "rt-shared-worker"}

// sometimes are what Firefox does when it has the time, or drops for a navigation.
var sometimes = []string{"link-prefetch", "rt-form", "rt-own-post"}

func (p *firefoxPage) leaks(steps func()) map[string]bool {
	found := leaks(p.door, p.site, steps)
	maps.DeleteFunc(found, func(name string, _ bool) bool { return slices.Contains(unnamed, name) })
	return found
}

// open visits the page and returns what reached the tracker.
func (p *firefoxPage) open(t *testing.T) map[string]bool {
	t.Helper()
	return p.leaks(func() {
		p.Visit(t, "http://"+leakyHost+"/empty?"+time.Now().Format(time.RFC3339Nano))
		p.wait(t, "another page", "location.pathname == '/empty'")
		p.read(t)
		var done bool
		p.Eval(t, "window.leak(); return true", &done)
	})
}

// read visits the page until it is there whole: on a busy machine Firefox now and then stops parsing it for good, before its last
// script, when one of its sixty frames waits for an answer of the gateway's (README, Limits).
func (p *firefoxPage) read(t *testing.T) {
	t.Helper()
	const whole = "location.pathname == '/' && document.readyState != 'loading' && window.leak"
	for range 3 {
		p.Visit(t, "http://"+leakyHost+"/")
		if lab.Within(time.Minute, func() bool { return p.holds(t, whole) }) {
			return
		}
		t.Log("Firefox does not parse on")
	}
	t.Fatal("not seen: the page")
}

// press presses a button of the banner, once the guard can take it, and returns what reached the tracker from then on.
func (p *firefoxPage) press(t *testing.T, choice string) map[string]bool {
	t.Helper()
	p.wait(t, "the guard's second part", guardIsWhole)
	p.wait(t, "a page that rests", "self.rests || void requestIdleCallback(() => self.rests = true)")
	return p.leaks(func() {
		const button = "document.querySelector('consent-banner').shadowRoot.querySelector('button[name=choice][value="
		var pressed bool
		p.Eval(t, "document.querySelector('consent-banner').removeAttribute('data-consent-state'); "+button+choice+"]').click(); return true", &pressed)
		p.wait(t, "the answer to "+choice, "document.querySelector('consent-banner')?.getAttribute('data-consent-state')")
	})
}

// TestVectorsInFirefox is TestVectors in another engine: of the ways that Firefox follows, none is left before a choice, after
// a refusal and after a withdrawal.
func TestVectorsInFirefox(t *testing.T) {
	t.Parallel()
	d, s := ungated(t, true)
	control := &firefoxPage{lab.NewFirefox(t, d, nil), d, s}
	ways := control.open(t)
	enough(t, "without the gateway", d, s, ways, 80)

	s, _, gateway := newLeakySite(t)
	s.plain = true
	d = lab.NewDoor(t)
	d.Site(leakyHost, gateway)
	p := &firefoxPage{lab.NewFirefox(t, d, nil), d, s}
	warm(t, gateway, leakyHost, "/empty")
	unenforced(t, d, s, p.open(t), unnamed...)
	enforced(t, gateway, leakyHost)
	mustNotLeak(t, "before any choice", p.open(t))
	mustNotLeak(t, "refusing", p.press(t, "refuse"))
	mustNotLeak(t, "after refusal", p.open(t))
	accepted := p.press(t, "accept")
	maps.Copy(accepted, p.open(t)) // without what Firefox has from the page before
	lost := func(v vector) bool {
		return ways[v.name] && !accepted[v.name] && !slices.Contains(sometimes, v.name)
	}
	lab.Soon(func() bool { // what is late would be taken for a leak of the next step
		addLeaks(accepted, d, s)
		return !slices.ContainsFunc(vectors, lost)
	})
	for _, v := range vectors {
		if lost(v) {
			t.Errorf("after acceptance %s did not contact the tracker", v.name)
		}
	}
	mustNotLeak(t, "withdrawing", p.press(t, "refuse"))
	mustNotLeak(t, "after withdrawal, in the open page", p.leaks(func() {
		var done bool
		p.Eval(t, "window.leak(); return true", &done)
	}))
	mustNotLeak(t, "on the next page after withdrawal", p.open(t))
}

// TestVectorsInFirefoxWithoutJavaScript has no script that could gate anything.
func TestVectorsInFirefoxWithoutJavaScript(t *testing.T) {
	t.Parallel()
	d, s := ungated(t, true)
	off := map[string]string{"javascript.enabled": "false"}
	f := lab.NewFirefox(t, d, off)
	visit := func() {
		f.Visit(t, "http://"+leakyHost+"/")
		if !lab.Soon(func() bool { return s.shown("/empty") }) {
			t.Error("the page is not shown")
		}
	}
	enough(t, "without the gateway", d, s, leaks(d, s, visit), 25)

	s, _, gateway := newLeakySite(t)
	s.plain = true
	d = lab.NewDoor(t)
	d.Site(leakyHost, gateway)
	f = lab.NewFirefox(t, d, off)
	mustNotLeak(t, "with the gateway", leaks(d, s, visit))
}

// enough waits until some ways at least have reached the tracker, with those found so far: with fewer nothing is proven.
func enough(t *testing.T, when string, d *lab.Door, s *leakySite, found map[string]bool, least int) {
	t.Helper()
	n := 0
	lab.Soon(func() bool {
		addLeaks(found, d, s)
		n = 0
		for _, v := range vectors {
			if found[v.name] {
				n++
			}
		}
		return n >= least
	})
	if n < least {
		t.Errorf("%s: %d ways to leak, want at least %d", when, n, least)
	}
	t.Logf("%s: %d ways to leak", when, n)
}
