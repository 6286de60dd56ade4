package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestFrameset: a site made of frames has no page that could ask its visitors but those in the frames: the largest one asks,
// and the answer counts in all of them at once.
func TestFrameset(t *testing.T) {
	t.Parallel()
	const tracker = `<script src="https://static.hotjar.com/c/hotjar-1.js"></script>`
	pages := map[string]string{
		"/": `<html><head><title>Frames</title></head><frameset cols="20%,*"><frame src="/menu"><frameset rows="*,60%">` +
			`<frame src="/main"><frame src="https://www.etracker.de/cnt"></frameset></frameset></html>`,
		"/menu": `<html><title>Menu</title><body>Menu` + tracker, "/main": `<html><title>Main</title><body>Main` + tracker,
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
		_, _ = io.WriteString(w, pages[r.URL.Path])
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	a := &app{&shop{door, lab.NewBrowser(t, door), addr}, "frames.test"}
	door.Site(a.host, addr)
	a.browser.Open(t, "https://"+a.host+"/")
	const shown = "document.querySelector('consent-banner').shadowRoot.querySelector('.b').getClientRects().length > 0"
	a.becomes(t, "in the largest frame", "frames[1]."+shown)
	a.becomes(t, "in the menu", "!(frames[0]."+shown+")")
	if gated := lab.Eval[bool](t, a.browser, "!frames[0].document.querySelector('script[src*=hotjar]:not([data-consent])') && !frames[1].document.querySelector('script[src*=hotjar]:not([data-consent])')"); !gated {
		t.Error("before the choice a frame holds a tracker")
	}
	lab.Eval[bool](t, a.browser, "frames[1]."+inBanner("button[value=accept]", ".click(), true"))
	for _, frame := range []string{"frames[0]", "frames[1]"} {
		a.becomes(t, "after acceptance", "!!"+frame+".document.querySelector('script[src*=hotjar]:not([data-consent])')")
	}
}
