package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// players show films with advertisements, as the guide of Google's IMA SDK for HTML5 has it ("Set up the client-side SDK"), with
// its script in the page and with one that the player fetches; each sets "shown" when its film starts.
var players = map[string]string{
	"static": `<script src="https://imasdk.googleapis.com/js/sdkloader/ima3.js"></script><script>
		const container = new google.ima.AdDisplayContainer(document.getElementById('ads'), film), loader = new google.ima.AdsLoader(container);
		loader.getSettings().setVpaidMode(google.ima.ImaSdkSettings.VpaidMode.ENABLED);
		let manager;
		const contentOnly = (e) => { '' + e.getError(); manager && manager.destroy(); show(); };
		loader.addEventListener(google.ima.AdsManagerLoadedEvent.Type.ADS_MANAGER_LOADED, (e) => {
			manager = e.getAdsManager(film);
			manager.addEventListener(google.ima.AdEvent.Type.CONTENT_RESUME_REQUESTED, show);
		}, false);
		loader.addEventListener(google.ima.AdErrorEvent.Type.AD_ERROR, contentOnly, false);
		const request = new google.ima.AdsRequest();
		request.adTagUrl = 'https://pubads.g.doubleclick.net/gampad/ads?iu=/1/x';
		request.linearAdSlotWidth = film.clientWidth;
		play.onclick = () => { container.initialize(); loader.requestAds(request); };
		</script>`,
	"fetched": `<script src=/player.js></script>`,
}

const fetchingPlayer = `const load = (src) => new Promise((loaded, failed) => Object.assign(document.head.appendChild(document.createElement('script')), {src, onload: loaded, onerror: failed}));
play.onclick = () => load('https://imasdk.googleapis.com/js/sdkloader/ima3.js').then(() => self.shown = 'too soon', show);`

// TestPlayers: a film starts although who would sell the time before it is withheld, when its visitor starts it, and once it is
// permitted its script has the place of its stand-in.
func TestPlayers(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/player.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, fetchingPlayer)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html lang=en><title>x</title><video id=film></video><div id=ads></div><button id=play>play</button><script>const show = () => self.shown = (self.shown || 0) + 1</script>`+players[r.URL.Path[1:]])
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, `var goog = self.google = self.google || {}; google.ima = google.ima || {}; google.ima.VERSION = '3'`)
	}))
	gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	d.Site("players.test", gateway)
	b := lab.NewBrowser(t, d)
	for name := range players {
		b.Open(t, "https://players.test/"+name)
		if early := lab.Eval[bool](t, b, "'shown' in self"); early {
			t.Errorf("%s: the film starts before it is asked for", name)
		}
		lab.Eval[bool](t, b, "play.click(), true")
		if !lab.Within(20*time.Second, func() bool { return lab.Eval[bool](t, b, "self.shown === 1") }) {
			t.Errorf("%s: the film was shown %s times, want once", name, lab.Eval[string](t, b, "`${self.shown}`"))
		}
		if e := b.Errors(); len(e) > 0 {
			t.Errorf("%s: %q", name, e)
		}
	}
	b.Open(t, "https://players.test/static")
	if d.Asked("imasdk.googleapis.com") {
		t.Error("the SDK is asked for before any choice")
	}
	(&shop{d, b, gateway}).press(t, "accept")
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, "google.ima.VERSION === '3' && !('AdsLoader' in google.ima)") }) {
		t.Error("after acceptance the SDK is not in its place")
	}
}
