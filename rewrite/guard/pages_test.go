package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPolicies shows that the guard needs neither unsafe-inline nor a string sink.
func TestPolicies(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{})
	body := `<p id=p></p><img id=i ` + parkedAs + ` data-consent-src="https://tracker.test/i.png"><script type="text/plain" nonce="n0nce" ` + parkedAs + `>(self.ran=self.ran||[]).push('inline')</script><script type="text/plain" nonce="n0nce" ` + parkedAs + ` data-consent-src="https://tracker.test/parked.js"></script>` +
		`<script nonce=n0nce>const make=trustedTypes.createPolicy('site',{createHTML:(s)=>s,createScriptURL:(s)=>s});p.innerHTML=make.createHTML('<b>x</b><img src=https://tracker.test/h>');const s=document.createElement('script');s.src=make.createScriptURL('https://tracker.test/s.js');s.async=false;document.head.append(s)</script>`
	for _, csp := range []string{
		"script-src 'nonce-n0nce' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types site caddy-consent",
		"script-src 'nonce-n0nce' 'self' https://tracker.test; trusted-types site caddy-consent",
		"script-src 'nonce-n0nce' " + g.Hash() + " 'self' https://tracker.test; style-src 'none'",
	} {
		b.page("/page csp", csp)
		b.page("/page", b.guarded(g, Page{Nonce: "n0nce"}, "", body+banner))
		before := len(b.seen("tracker.test/"))
		got, thrown := b.visit(t, "/page", "(async()=>{"+click+"await here(); const n = p.querySelector('img').getAttribute('src') + p.querySelector('img').hasAttribute('src'); await click('accept'); for (let i = 0; i < 100 && (self.ran || []).length < 3; i++) await pause(50); return n + ' ' + ran.sort() + ' ' + i.naturalWidth + p.querySelector('img').hasAttribute('src')})()", 300*time.Millisecond)
		if want := "https://tracker.test/hfalse inline,tracker.test/parked.js,tracker.test/s.js 0true"; got != want || len(thrown) > 0 {
			t.Errorf("%s: got %q, want %q; %q", csp, got, want, thrown)
		}
		if len(b.seen("tracker.test/"))-before < 3 {
			t.Errorf("%s: after consent only %q came", csp, b.seen("tracker.test/")[before:])
		}
	}
}

// TestWorker runs a worker of the site's own whose script the gateway has put the guard in front of.
func TestWorker(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{})
	b.page("/worker.js", string(g.AppendWorker(nil, Page{Mark: testMark, Site: "site.test", GPC: true}))+
		`(async()=>{importScripts('https://tracker.test/w.js','https://cdn.test/w.js');const r=await fetch('https://tracker.test/f');postMessage([self.ran,r.status,navigator.globalPrivacyControl].join(' '))})()`)
	b.page("/page", b.guarded(g, Page{}, "", ""))
	got, thrown := b.visit(t, "/page", `new Promise((done) => { const w = new Worker('/worker.js'); w.onmessage = (e) => done(e.data); w.onerror = (e) => done(e.message) })`, 0)
	if want := "cdn.test/w.js 200 true"; got != want || len(thrown) > 0 {
		t.Errorf("got %q, want %q; %q", got, want, thrown)
	}
	if hits := b.seen("tracker.test"); len(hits) > 0 {
		t.Errorf("leaks %q", hits)
	}
}

// pageCode is what pages do with the globals of well-known vendors.
var pageCode = map[string]string{
	"google-analytics":   `ga('create','UA-1','auto');ga('send','pageview',{hitCallback:()=>done('hit')});ga(function(t){String(t.get('clientId'))});ga.getAll().forEach((t)=>t.get('name'));_gaq.push(['_trackPageview'],()=>done('gaq'));_gat._getTracker('x')._trackPageview();gtag('event','x',{event_callback:()=>done('event')})`,
	"google-tag-manager": `dataLayer.push({event:'x',eventCallback:()=>done('layer')})`,
	"meta-pixel":         `fbq('init','1');fbq('track','PageView');_fbq.push(['x'])`,
	"facebook-social":    `FB.init({appId:1});FB.getLoginStatus((r)=>{if(r.status==='connected')throw 1;done('login')});FB.Event.subscribe('edge.create',()=>{throw 2});FB.XFBML.parse()`,
	"twitter-widgets":    `twttr.ready((t)=>{t.widgets.load();done('ready')});twttr.widgets.createTweet('1',document.body).then((e)=>done('tweet'));twttr.events.bind('tweet',()=>{throw 3})`,
	"google-plus":        `gapi.load('auth2',()=>{gapi.auth2.init({client_id:1}).then(()=>done('auth'))});gapi.plusone.go()`,
	"google-ad-manager":  `googletag.cmd.push(()=>{googletag.defineSlot('/1',[1,2],'x').addService(googletag.pubads());googletag.enableServices();googletag.pubads().getSlots().forEach((s)=>s.x.y);done('cmd')})`,
	"amazon-ads":         `apstag.init({});apstag.fetchBids({},(bids)=>{bids.forEach((b)=>b.slotID);done('bids')})`,
	"prebid":             `pbjs.que.push(()=>{pbjs.requestBids({bidsBackHandler:()=>done('back')})})`,
	"segment":            `analytics.load('k');analytics.page();analytics.track('x',{},()=>done('tracked'));analytics.ready(()=>done('ready2'));analytics.user().anonymousId()`,
	"amplitude":          `amplitude.getInstance().init('k',null,{},()=>done('init'));new amplitude.Identify().set('a',1).add('b',2);amplitude.track('x').promise.then(()=>done('amp'))`,
	"mixpanel":           `mixpanel.init('k',{loaded:()=>done('loaded')});mixpanel.people.set({a:1});mixpanel.track('x',{},()=>done('mix'));''+mixpanel.get_distinct_id()`,
	"posthog":            `posthog.onFeatureFlags((f)=>{f.includes('a');done('flags')});if(posthog.isFeatureEnabled('a'))throw 4`,
	"comscore":           `COMSCORE.beacon({c1:2});_comscore.push({})`,
	"intercom":           `Intercom('boot',{});Intercom('onShow',()=>{});`,
	"zendesk":            `zE(()=>done('ze'));zE('webWidget','hide')`,
	"hotjar":             `hj('event','x');hj('identify',1)`,
	"matomo":             `_paq.push(['trackPageView']);_paq.push([function(){done('paq')}])`,
	"optimizely":         `optimizely.push({type:'x'});optimizely.get('state').getActiveExperimentIds()`,
	"sentry":             `Sentry.init({});Sentry.withScope((s)=>{s.setTag('a','b');done('scope')});try{throw 1}catch(e){Sentry.captureException(e)}`,
	"google-maps":        `var m=new google.maps.Map(document.body,{});new google.maps.Marker({map:m}).addListener('click',()=>{})`,
	"youtube":            `new YT.Player('x',{events:{onReady(){}}}).playVideo()`,
	"linkedin-insight":   `lintrk('track',{conversion_id:1})`,
	"microsoft-uet":      `uetq.push('event','x',{});new UET({ti:1})`,
	"adobe-analytics":    `s.t();s.tl(this,'o','x',null,()=>done('tl'));Visitor.getInstance('x').getMarketingCloudVisitorID(()=>done('mcid'))`,
	"snapengage":         `SnapEngage.setCallback('Close',()=>{});SnapEngage.startLink()`,
	"customerio":         `_cio.track('x');_cio.identify({id:1})`,
	"adroll":             `adroll.track('pageView')`,
	"vwo":                `_vwo_code.finish();VWO.push(['x'])`,
}

// TestPageCode shows that pages run on stand-ins: no exception, and who waits is called.
func TestPageCode(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	vendors, globals := referenceFacts(t)
	purpose := make(map[string]string)
	arrays := map[string]bool{"dataLayer": true, "_gaq": true, "_paq": true, "uetq": true, "_cio": false, "_fbq": true}
	for i := range vendors {
		purpose[vendors[i].ID] = vendors[i].Purpose
		for j, g := range globals[vendors[i].ID] {
			if arrays[g] {
				globals[vendors[i].ID][j] += "[]"
			}
		}
	}
	g := testGuard(t, Config{Vendors: vendors})
	var body strings.Builder
	body.WriteString(`<script>var called=[];function done(w){called.push(w)}</script>`)
	want := 0
	for id, code := range pageCode {
		body.WriteString(`<script type="text/plain" data-consent="` + testMark + ` ` + purpose[id] + ` ` + id + ` ` + strings.Join(globals[id], " ") + `" data-consent-src="https://x.test/"></script><script>` + code + `</script>`)
		want += strings.Count(code, "done(")
	}
	b.page("/page", b.guarded(g, Page{}, "", body.String()))
	got, thrown := b.visit(t, "/page", fmt.Sprintf("(async () => { for (let n = 0; n < 200 && called.length < %d; n++) await new Promise((r) => setTimeout(r, 50)); return JSON.stringify(called) })()", want), 200*time.Millisecond)
	var called []string
	if err := json.Unmarshal([]byte(got), &called); err != nil {
		t.Fatal(err, got)
	}
	if len(called) != want {
		t.Errorf("%d callbacks ran, want %d: %q", len(called), want, called)
	}
	if len(thrown) > 0 {
		t.Errorf("exceptions: %q", thrown)
	}
}

// TestCatalogue compares what the script makes of each vendor's patterns and hosts with what the vendor claims.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	vendors := referenceVendors(t)
	type probe struct{ URL, ID string }
	var probes []probe
	for _, v := range vendors {
		if v.Purpose == "necessary" {
			continue
		}
		for _, h := range v.Hosts {
			probes = append(probes, probe{"https://a.b." + h + "/x?y", v.ID})
		}
		for _, p := range v.Patterns {
			if !strings.HasPrefix(p, "*/") {
				probes = append(probes, probe{"https://" + strings.ReplaceAll(p, "*", "1"), v.ID})
			}
		}
	}
	benign := []string{"https://example.com/", "https://www.facebook.com/someone", "https://www.google.com/search?q=x", "https://twitter.com/someone",
		"https://www.linkedin.com/in/someone", "https://cdn.jsdelivr.net/npm/vue", "https://code.jquery.com/jquery.js", "https://www.youtube.com/watch?v=1",
		"https://notdoubleclick.net/", "https://google-analytics.com.example/", "https://example.org/?u=https://google-analytics.com/"}
	for _, u := range benign {
		probes = append(probes, probe{u, ""})
	}
	list, _ := json.Marshal(probes)
	b.page("/page", b.guarded(testGuard(t, Config{Vendors: vendors}), Page{}, "", ""))
	got, _ := b.visit(t, "/page", "(async()=>{"+click+"await here(); return JSON.stringify("+string(list)+`.map((p) => {const a = document.createElement('embed'); a.src = p.URL; return [p.URL, p.ID, ((a.dataset.consent || '').split(' ')[2] || '')]}).filter((r) => r[1] != r[2]))})()`, 0)
	var wrong [][3]string
	if err := json.Unmarshal([]byte(got), &wrong); err != nil {
		t.Fatal(err, got)
	}
	missed := 0
	for _, w := range wrong {
		switch {
		case w[1] == "":
			t.Errorf("%s is benign, taken for %s's", w[0], w[2])
		case w[2] == "":
			missed++
			t.Errorf("%s of %s is not known", w[0], w[1])
		}
	}
	t.Logf("%d URLs, %d claimed by another vendor too", len(probes), len(wrong)-missed)
}

// TestHistory shows that going back does not bring a withdrawn vendor back: the page from the back/forward cache asks.
func TestHistory(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	b.mu.Lock()
	b.state = denyAll // withdrawn on the other page
	b.mu.Unlock()
	g := testGuard(t, Config{})
	b.page("/page", b.guarded(g, Page{Granted: 31}, "", `<script>setInterval(()=>{new Image().src='https://tracker.test/beat'+(self.back?'/back':'')},30);addEventListener('pageshow',(e)=>{if(e.persisted)self.back=1})</script>`))
	b.page("/next", "<!DOCTYPE html>next")
	tab, exceptions := b.tab(t)
	if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/page"), until(func() bool { return len(b.seen("/beat")) > 5 }), chromedp.Navigate("https://site.test/next"),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("history.back() || true"))
			return err
		}), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			for { // while it goes, there may be nobody to ask
				there, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("location.pathname == '/page' && document.readyState == 'complete'"))
				if there || ctx.Err() != nil {
					return cmp.Or(ctx.Err(), err)
				}
			}
		}), chromedp.Sleep(800*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	back, err := chromedp.Run(tab, chromedp.Evaluate[string]("String(self.back)"))
	if err != nil {
		t.Fatal(err)
	}
	if back != "1" {
		t.Skip("this Chromium did not keep the page in its back/forward cache")
	}
	if hits := b.seen("/back"); len(hits) > 0 {
		t.Errorf("%d requests after going back", len(hits))
	}
	if len(b.seen("/beat")) == 0 {
		t.Error("no request before: the test proves nothing")
	}
	if e := exceptions(); len(e) > 0 {
		t.Errorf("exceptions: %q", e)
	}
}

// TestOldAnswer: what the gateway said before a visitor withdrew, and comes only after that, brings nothing back.
func TestOldAnswer(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	var asked atomic.Int32
	var withdrawn atomic.Bool
	b.mu.Lock()
	b.until = map[string]func() bool{"/.consent/state": func() bool {
		if asked.CompareAndSwap(0, 1) {
			return false
		}
		if withdrawn.Load() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.state = denyAll; asked.Add(1) == 2 {
				b.state = grantAll
			}
		}
		return withdrawn.Load()
	}}
	b.mu.Unlock()
	b.page("/page", b.guarded(testGuard(t, Config{}), Page{Granted: 31}, "", `<script>setInterval(()=>{new Image().src='https://tracker.test/beat'},30)</script>`+banner))
	tab, exceptions := b.tab(t)
	eval := func(js string) {
		t.Helper()
		if _, err := chromedp.Run(tab, chromedp.Evaluate[bool]("(async()=>{"+click+js+";return true})()", chromedp.EvalAwaitPromise)); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(holds func() bool) {
		t.Helper()
		if err := chromedp.Do(tab, until(holds)); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/page")); err != nil {
		t.Fatal(err)
	}
	wait(func() bool { return len(b.seen("/beat")) > 5 })
	eval("await here(); document.dispatchEvent(new Event('visibilitychange'))")
	wait(func() bool { return asked.Load() == 1 })
	eval("await click('refuse')")
	withdrawn.Store(true)
	eval("await asked(/consent.state/)")
	for range 10 { // what was on its way comes
		b.reset()
		time.Sleep(300 * time.Millisecond) // ten beats
		if len(b.seen("/beat")) == 0 {
			break
		}
	}
	if hits := b.seen("/beat"); len(hits) > 0 {
		t.Errorf("%d requests after the withdrawal", len(hits))
	}
	if e := exceptions(); len(e) > 0 {
		t.Errorf("exceptions: %q", e)
	}
}

// TestHydration shows that nodes which a framework is to adopt stay: the guard changes attributes of elements in the
// body, and adds none, and none in head once it has run; but for the banner at the end of the one or the other, which no
// framework minds.
func TestHydration(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{Judge: true})
	body := `<div id=root><p>a<!-- c -->b</p><img src="/own.png"><iframe src="about:blank"></iframe><script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/x.js"></script><svg><image href="/x.png"/></svg><img src="https://cdn.test/i.png"></div>`
	const shape = `(() => { const walk = (n) => n.nodeName + (n.childNodes.length ? '(' + [...n.childNodes].filter((c) => c.localName != 'consent-banner' || c.nextSibling).map(walk) + ')' : '') ; return walk(document.head) + walk(document.body) })()`
	b.page("/page", b.guarded(g, Page{}, "<title>x</title>", body+banner))
	b.page("/plain", "<!DOCTYPE html><html><head><title>x</title></head><body>"+body+"</body></html>")
	want, _ := b.visit(t, "/plain", shape, 0)
	got, thrown := b.visitUntil(t, "/page", shape, 500*time.Millisecond, func() bool { return len(b.seen("cdn.test/i.png")) > 1 })
	if got != want || len(thrown) > 0 {
		t.Errorf("got  %s\nwant %s\n%q", got, want, thrown)
	}
	if len(b.seen("cdn.test/i.png")) != 2 {
		t.Errorf("the site's own third party came %d times, want 2", len(b.seen("cdn.test/i.png")))
	}
}

// TestPlaceholder presses "load once" as a visitor does: that frame comes, and nothing else of its vendor.
func TestPlaceholder(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{})
	const frame = ` srcdoc="<body style='margin:0'><button style='width:200px;height:80px' data-consent-load=tracker>load</button>" width=220 height=100 style="display:block;border:0" ` + parkedAs
	b.page("/page", b.guarded(g, Page{}, "<style>body{margin:0}</style>", `<iframe id=f`+frame+` data-consent-src="https://tracker.test/f1"></iframe><iframe`+frame+` data-consent-src="https://tracker.test/f2"></iframe>`+
		`<script>var r=document.createElement('iframe');r.width=220;r.height=100;r.src='https://tracker.test/f3';document.body.append(r)</script>`))
	tab, exceptions := b.tab(t)
	if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/page")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool]("(async()=>{"+click+"await here(); return true})()", chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(tab, chromedp.CaptureScreenshot()); err != nil { // Chromium drops what a visitor does before the page is on the screen
		t.Fatal(err)
	}
	if err := chromedp.Do(tab, chromedp.MouseClickXY(50, 40), until(func() bool { return len(b.seen("tracker.test/")) > 0 }), chromedp.Sleep(400*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	state, err := chromedp.Run(tab, chromedp.Evaluate[string](`[f.hasAttribute('srcdoc'), r.srcdoc.includes('data-consent-load')].join(' ')`))
	if hits := b.seen("tracker.test/"); err != nil || state != "false true" || len(hits) != 1 || hits[0] != "tracker.test/f1" {
		t.Errorf("%s, contacts %q, error %v", state, hits, err)
	}
	if e := exceptions(); len(e) > 0 {
		t.Errorf("exceptions: %q", e)
	}
}

// TestLateBanner: the banner takes an answer in place also where it comes after the guard's second part.
func TestLateBanner(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	b.page("/page", b.guarded(testGuard(t, Config{}), Page{}, "", ""))
	markup, err := json.Marshal(banner)
	if err != nil {
		t.Fatal(err)
	}
	got, thrown := b.visit(t, "/page", "(async()=>{"+click+`await here(); const d = document.createElement('div'); d.setHTMLUnsafe(`+string(markup)+`); document.body.append(d.firstChild); await pause(50);
		const root = document.querySelector('consent-banner').shadowRoot; let taken = 'no'; root.addEventListener('submit', (e) => { taken = String(e.defaultPrevented); e.preventDefault(); }); root.querySelector('[value=accept]').click(); return taken})()`, 0)
	if got != "true" || len(thrown) > 0 {
		t.Errorf("taken in place: %s; %q", got, thrown)
	}
}

// acts are what page code may do only while its visitor is at it, or over UDP; each gives "gated" where nothing gets out.
var acts = map[string]string{
	"picture in picture": `documentPictureInPicture.requestWindow().then((w) => { const i = w.document.createElement('img'); i.src = 'https://tracker.test/pip.js'; w.document.body.innerHTML = '<img src=https://tracker.test/pip.js>'; return i.dataset.consent && w.document.querySelector('[data-consent]') && 'gated' })`,
	"ping of SVG":        `(() => { const a = document.createElementNS('http://www.w3.org/2000/svg', 'a'); a.ping = 'https://tracker.test/ping.js'; return a.getAttributeNode('ping') ? 'there' : 'gated' })()`,
	"prefixed peers":     `new webkitRTCPeerConnection({iceServers: [{urls: 'stun:tracker.test:3478'}]}).getConfiguration().iceServers.length ? 'there' : 'gated'`,
	"a popup":            `(() => { const w = document.open('https://tracker.test/open.js', '_blank', ''); return w ? 'there' : 'gated' })()`,
}

// TestActs: a visitor's act opens no way past the guard.
func TestActs(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{})
	for name, code := range acts {
		b.page("/act", b.guarded(g, Page{}, "", ""))
		if got, thrown := b.visit(t, "/act", "(async () => {"+click+"await here(); return "+code+"})()", 0); got != "gated" || len(thrown) > 0 {
			t.Errorf("%s: %q, exceptions %q", name, got, thrown)
		}
	}
	if hits := b.seen("tracker.test"); len(hits) > 0 {
		t.Errorf("contacts: %q", hits)
	}
}
