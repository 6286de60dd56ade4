package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	grantAll = `{"granted":31,"denied":0,"vendors":{}}`
	denyAll  = `{"granted":1,"denied":30,"vendors":{}}`
)

// banner has the hooks of the real one.
const banner = `<consent-banner data-consent-ui="` + testMark + `"><template shadowrootmode=open><form method=post action="/.consent/choose" data-consent-form>` +
	`<button name=choice value=accept>Accept</button><button name=choice value=refuse>Refuse</button></form></template></consent-banner>`

// click presses a button of the banner, once more where the late part is not there yet to take it, and waits until what
// follows has happened.
const click = `const pause = (ms) => new Promise((r) => setTimeout(r, ms)); const soon = async (f) => { for (let n = 0; n < 200 && !f(); n++) await pause(50); }; const asked = (what) => soon(() => performance.getEntriesByType('resource').some((e) => what.test(e.name))); const here = async () => { while (!performance.getEntriesByType('resource').some((e) => /guard-/.test(e.name) && e.responseEnd)) await pause(20); await pause(150); }; const click = async (v) => { await here(); const root = document.querySelector('consent-banner').shadowRoot; for (let early = true; early; await pause(early ? 50 : 500)) { early = false; root.addEventListener('submit', (e) => { if (!e.defaultPrevented) { early = true; e.preventDefault(); } }, {once: true}); root.querySelector('[value=' + v + ']').click(); } };`

// scenario is a page, what is done there, and what comes of it.
type scenario struct {
	name       string
	config     Config
	page       Page
	head, body string
	do         string // JavaScript whose last value is compared
	want       string
	state      string // what the gateway says when asked, denyAll if empty
	contacts   string // hosts contacted, sorted, joined by spaces
}

func (b *bench) run(t *testing.T, s *scenario) {
	t.Helper()
	b.mu.Lock()
	b.hits, b.state = nil, cmp.Or(s.state, denyAll)
	b.mu.Unlock()
	g := testGuard(t, s.config)
	b.mu.Lock()
	b.pages["listed.test/writes.js"], b.pages["tracker.test/writes.js"], b.pages["site.test/page clear"] = writes, writes, `"cookies", "storage"`
	b.pages["tracker.test/framed.js"] = framed
	b.pages["tracker.test/defines.js"] = "trk = (...a) => (self.real = self.real || []).push(a.join('/'))"
	b.mu.Unlock()
	b.page("/page", b.guarded(g, s.page, s.head, s.body+banner))
	got, thrown := b.visit(t, "/page", "(async()=>{"+click+s.do+"})()", 300*time.Millisecond)
	if got != s.want {
		t.Errorf("%s: got %q, want %q", s.name, got, s.want)
	}
	if len(thrown) > 0 {
		t.Errorf("%s: exceptions %.800q", s.name, thrown)
	}
	var hosts []string
	for _, h := range b.seen(".test/") { // Chromium has errands of its own
		h, _, _ = strings.Cut(h, "/")
		if !slices.Contains(hosts, h) && !strings.HasSuffix(h, "site.test") {
			hosts = append(hosts, h)
		}
	}
	slices.Sort(hosts)
	if c := strings.Join(hosts, " "); c != s.contacts {
		t.Errorf("%s: contacted %q, want %q", s.name, c, s.contacts)
	}
}

// writes is a vendor's script that stores under names that no catalogue has, and under one of the site's.
const writes = `function write(c){document.cookie=c}write('odd=1;path=/;max-age=999');document.cookie='deep=1;path=/page;domain=site.test';document.cookie='mine=vendor';` +
	`localStorage.setItem('odd-key','1');sessionStorage.odd='1';indexedDB.open('odd-db')`

func newScenarioBench(t testing.TB) *bench {
	b := newBench(t)
	b.choose = func(form string) string {
		if strings.Contains(form, "accept") || strings.Contains(form, "vendor=%2Btracker") {
			return grantAll
		}
		return denyAll
	}
	b.judge = func(url string) string {
		switch {
		case strings.Contains(url, "listed.test"):
			return "marketing -"
		case strings.Contains(url, "rare"):
			return "marketing rare"
		case strings.Contains(url, "//tracker.test/public/"):
			return ""
		case strings.Contains(url, "tracker.test/"):
			return "marketing tracker trk trkq[] Trk"
		}
		return ""
	}
	return b
}

const parkedAs = `data-consent="` + testMark + ` marketing tracker trk trkq[] Trk"`

// rareConfig has a vendor that many sites have, and one that few have.
var rareConfig = Config{Vendors: []Vendor{
	{ID: "known", Purpose: "marketing", Hosts: []string{"known.test"}},
	{ID: "rare", Purpose: "marketing", Seldom: true, Hosts: []string{"rare.test", "rare.known.test"}, Patterns: []string{".shared.test/rare/"}, Cookies: []string{"_rare"}, Storage: []string{"rare"}},
}}

var revivals = []scenario{
	{
		name: "order of parked scripts",
		body: `<script type="text/plain" ` + parkedAs + `>(self.ran=self.ran||[]).push('inline 1')</script>` +
			`<script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/defer.js" defer></script>` +
			`<script type="text/plain" ` + parkedAs + ` data-consent-type="module">ran.push('module '+!!import.meta)</script>` +
			`<script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/a.js"></script>` +
			`<script type="text/plain" ` + parkedAs + `>ran.push('inline 2 '+document.currentScript.nodeName)</script>`,
		do:       `const before = self.ran; await click('accept'); await soon(() => self.ran && ran.length > 4); return before + ' | ' + ran`,
		want:     "undefined | inline 1,tracker.test/a.js,inline 2 SCRIPT,tracker.test/defer.js,module true",
		contacts: "tracker.test",
	},
	{
		name: "selectors find what is gated, and so nothing is made twice", // as React 19 and FitVids look for it
		body: `<script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/a.js?a[]=1" async></script><p><iframe ` + parkedAs + ` data-consent-src="https://tracker.test/f"></iframe></p>`,
		do: `await here(); const script = 'script[async][src="https://tracker.test/a.js?a[]=1"]', film = document.querySelector('iframe[src*=tracker]'), fragment = new DocumentFragment(); fragment.append(film.cloneNode());` +
			`const found = [document.querySelectorAll(script).length, film.parentNode.querySelectorAll("iframe[src^='https://tracker']").length, film.matches('[src]'), film.closest('iframe:not([src])'), fragment.querySelector('[src]') != null, document.querySelectorAll('[srcdoc][src-x]').length];` +
			`let wrong; try { document.querySelector('[src]!') } catch (e) { wrong = e.name } if (!document.querySelector(script)) { const again = document.createElement('script'); again.async = true; again.src = 'https://tracker.test/a.js?a[]=1'; document.head.append(again) }` +
			`await click('accept'); await soon(() => self.ran); await pause(200); return found + ' ' + wrong + ' ' + ran`,
		want:     "1,1,true,,true,0 SyntaxError tracker.test/a.js",
		contacts: "tracker.test",
	},
	{
		name: "a selector of many quotes takes no longer than others", // a page may make one of what its address says
		body: `<script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/a.js"></script>`,
		do: `await here(); const found = []; for (const quoted of ['"a"', "'", '"']) try { found.push(document.querySelectorAll('[src' + quoted.repeat(5000)).length) } catch (e) { found.push(e.name) }` +
			`return found + ' ' + !!document.querySelector('script[src="https://tracker.test/a.js"]:not([title="]"])')`,
		want: "SyntaxError,SyntaxError,SyntaxError true",
	},
	{
		name: "a script that page code is to run keeps nobody waiting",
		body: `<script type="text/plain" ` + parkedAs + ` data-consent-type="text/partytown" data-consent-src="https://tracker.test/party.js"></script>` +
			`<script type="text/plain" ` + parkedAs + `>self.ran = 'behind'</script>`,
		do:   `const start = performance.now(); await click('accept'); await soon(() => self.ran); return self.ran + ' ' + document.querySelectorAll('[type="text/partytown"][src]').length + ' ' + (performance.now() - start < 9000)`,
		want: "behind 1 true",
	},
	{
		name: "what a parked script writes comes before the script behind it",
		body: `<script type="text/plain" ` + parkedAs + `>document.write('<script src="https://tracker.test/defines.js"><\/script><script>trk("written");document.write("<b id=deep>x<\/b>")<\/script><script nomodule src="https://tracker.test/old.js"><\/script>')</script>` +
			`<script type="text/plain" ` + parkedAs + `>trk('behind')</script>`,
		do:       `const start = performance.now(); await click('accept'); await soon(() => self.real && real.length > 1); return self.real + ' ' + !!document.getElementById('deep') + ' ' + (performance.now() - start < 9000)`,
		want:     "written,behind true true",
		contacts: "tracker.test",
	},
	{
		name: "a queue that the page made stays one, for whoever comes late",
		body: `<script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/a.js"></script>` +
			`<script>window.Trk = window.Trk || {}; Trk.que = Trk.que || []; Trk.que.push('early'); Trk.own = 7; Trk.own = Trk.own || 0</script>`,
		do:       `await click('accept'); await soon(() => self.ran); await pause(100); Trk.que.push('late'); return Array.isArray(Trk.que) + ' ' + Trk.que + ' ' + Trk.own`,
		want:     "true early,late 7",
		contacts: "tracker.test",
	},
	{
		name: "page code reads what was sent and what it wrote, also in frames and documents of its own", // and editors save it
		body: `<div id=p><iframe title="a > b" name="consent-1a2b" srcdoc="Tracker" ` + parkedAs + ` data-consent-src="https://tracker.test/f"></iframe><script type="text/plain" ` + parkedAs + ` data-consent-type=module>1</script>` +
			`<script type="text/plain">2</script><i style="background:url(about:invalid#consent,` + testMark + `,marketing,tracker,https%3A%2F%2Ftracker.test%2Fbg)"></i></div><iframe id=own></iframe>`,
		do: `await here(); const inner = own.contentDocument.body, other = document.implementation.createHTMLDocument(''), markup = '<img alt="x" src="https://tracker.test/i"><a href="https://tracker.test/">1</a>';` +
			`inner.innerHTML = other.body.innerHTML = markup; const parsed = new DOMParser().parseFromString(markup, 'text/html').body, copy = document.createElement('div'); copy.innerHTML = p.innerHTML;` +
			`const same = [inner, other.body, parsed].filter((el) => el.firstChild.outerHTML + el.lastChild.outerHTML == el.innerHTML && /^<img alt="x" src="https:..tracker.test.i"><a/.test(el.innerHTML)).length;` +
			`await click('refuse'); return same + ' ' + (copy.innerHTML == p.innerHTML) + ' ' + p.innerHTML`,
		want: `3 true <iframe title="a &gt; b" src="https://tracker.test/f"></iframe><script type="module">1</script><script type="text/plain">2</script><i style="background:url(https://tracker.test/bg)"></i>`,
	},
	{
		name:  "style of another purpose than the one agreed to",
		state: `{"granted":5,"denied":26,"vendors":{}}`,
		body: `<p id=q style="background:url(about:invalid#consent,` + testMark + `,marketing,tracker,https%3A%2F%2Ftracker.test%2Fbg.png)">x</p>` +
			`<p id=r style="background:url(about:invalid#consent,` + testMark + `,analytics,meter,https%3A%2F%2Fmeter.test%2Fbg.png)">x</p>`,
		do:   `await here(); document.dispatchEvent(new Event('visibilitychange')); while (!/https:/.test(getComputedStyle(r).backgroundImage)) await pause(20); await pause(300); return getComputedStyle(q).backgroundImage.slice(0, 24)`,
		want: `url("about:invalid#consent`[:24], contacts: "meter.test",
	},
	{
		name: "images, frames, links and styles",
		head: `<link rel=stylesheet ` + parkedAs + ` data-consent-href="https://tracker.test/x.css"><style>#q{background:url(about:invalid#consent,` + testMark + `,marketing,tracker,https%3A%2F%2Ftracker.test%2Fbg.png)}</style>`,
		body: `<img id=i ` + parkedAs + ` data-consent-src="https://tracker.test/i.png"><iframe id=f srcdoc="<button data-consent-load=tracker>x</button>" ` + parkedAs + ` data-consent-src="https://tracker.test/f"></iframe><p id=q>x</p>` +
			`<p id=r style="background:url(about:invalid#consent,` + testMark + `,marketing,tracker,https%3A%2F%2Ftracker.test%2Fbg2.png)">x</p>`,
		do:       `await click('accept'); return [i.src, f.src, f.hasAttribute('srcdoc'), i.dataset.consent, getComputedStyle(q).backgroundImage, r.style.backgroundImage, document.querySelector('link').href].join(' ')`,
		want:     `https://tracker.test/i.png https://tracker.test/f false  url("https://tracker.test/bg.png") url("https://tracker.test/bg2.png") https://tracker.test/x.css`,
		contacts: "tracker.test",
	},
	{
		name:     "SVG and a handler",
		body:     `<svg width=9 height=9><image id=i width=9 height=9 ` + parkedAs + ` data-consent-xlink:href="https://tracker.test/x.svg" /></svg><b id=c ` + parkedAs + ` data-consent-onclick="self.hit=1">x</b>`,
		do:       `await click('accept'); c.click(); return i.getAttribute('href') + ' ' + self.hit`,
		want:     "https://tracker.test/x.svg 1",
		contacts: "tracker.test",
	},
	{
		name: "stored markup with a guessed mark stays dead",
		body: `<script type="text/plain" data-consent="AAAAAAAAAAAAAAAA marketing tracker">self.pwned=1</script><img id=i data-consent="AAAAAAAAAAAAAAAA marketing tracker" data-consent-src="https://tracker.test/i.png" data-consent-onload="pwned=2">` +
			`<script>var j=document.createElement('img');j.setAttribute('data-consent-onload','pwned=3');j.src='https://tracker.test/j.png';document.body.append(j)</script>`,
		do:       `await click('accept'); return [self.pwned, i.src, j.src, j.dataset.consentOnload].join(' ')`,
		want:     "  https://tracker.test/j.png ",
		contacts: "tracker.test",
	},
	{
		name:     "run-time elements are revived and stay usable",
		body:     `<script>var s=document.createElement('script');s.src='https://tracker.test/s.js';s.onload=()=>{(self.ran=self.ran||[]).push('load')};document.head.append(s);var i=new Image;i.src='//tracker.test/i.png';var k=new Image;k.src='/own.png';i.srcset='https://tracker.test/a 2x'</script>`,
		do:       `const before = [s.src, s.getAttribute('src'), s.type, i.src, i.srcset, k.src].join(' '); await click('accept'); await soon(() => self.ran && ran.length > 1); return before + ' | ' + ran + ' | ' + [s.src, s.hasAttribute('type'), i.src].join(' ')`,
		want:     "https://tracker.test/s.js https://tracker.test/s.js  https://tracker.test/i.png https://tracker.test/a 2x https://site.test/own.png | tracker.test/s.js,load | https://tracker.test/s.js false https://tracker.test/i.png",
		contacts: "tracker.test",
	},
	{
		name:     "document.write and late listeners of revived scripts",
		body:     `<div id=d><script type="text/plain" ` + parkedAs + `>document.write('<b id=w>written</b><scr'+'ipt src=https://tracker.test/w.js></scr'+'ipt>');addEventListener('load',()=>{(self.ran=self.ran||[]).push('load')});document.addEventListener('DOMContentLoaded',()=>{(self.ran=self.ran||[]).push('ready')});window.onload=()=>{ran.push('onload')}</script></div>`,
		do:       `await click('accept'); await soon(() => self.ran && ran.length > 3); return d.querySelector('b').textContent + ' ' + ran.sort()`,
		want:     "written load,onload,ready,tracker.test/w.js",
		contacts: "tracker.test",
	},
	{
		name:     "placeholder loads its frame once",
		body:     `<iframe id=f srcdoc="<button data-consent-load=tracker>x</button>" ` + parkedAs + ` data-consent-src="https://tracker.test/f"></iframe><img id=i ` + parkedAs + ` data-consent-src="https://meter.test/i.png">`,
		do:       `await here(); const e = new MouseEvent('click', {bubbles: true}); f.contentDocument.querySelector('button').dispatchEvent(e); await pause(200); const forged = f.hasAttribute('srcdoc'); return forged + ' ' + i.hasAttribute('src')`,
		want:     "true false",
		contacts: "",
	},
	{
		name:     "refusal leaves all as it is",
		body:     `<img id=i ` + parkedAs + ` data-consent-src="https://tracker.test/i.png"><script>new Image().src='https://tracker.test/x'</script>`,
		do:       `await click('refuse'); return i.src + ' ' + i.hasAttribute('src')`,
		want:     "https://tracker.test/i.png false",
		contacts: "",
	},
	{
		name:     "the banner is out of the body's way, in the end before it; it comes back, but fights with no page",
		body:     `<p>x</p><script>const at = (e = document.querySelector('consent-banner')) => e ? e.parentNode.localName + ' ' + (e.nextElementSibling || e).localName : 'gone'; const places = []; document.addEventListener('DOMContentLoaded', () => places.push(at()))</script>`,
		do:       `await soon(() => at()[0] == 'h'); places.push(at()); document.querySelector('consent-banner').remove(); await pause(50); places.push(at()); new MutationObserver(() => document.querySelector('consent-banner')?.remove()).observe(document, {childList: true, subtree: true}); document.querySelector('consent-banner').remove(); await pause(50); places.push(at()); return places + ' ' + document.querySelectorAll('script[data-consent-guard]').length`,
		want:     "body consent-banner,html body,html body,gone 0",
		contacts: "",
	},
	{
		name: "withdrawal",
		page: Page{Granted: 31},
		body: `<img id=i src="https://tracker.test/i.png"><iframe id=f src="https://tracker.test/f"></iframe><script>document.cookie='_trk_1=a;path=/';localStorage['trk-a']='1';document.cookie='own=1';localStorage.own='2';new WebSocket('wss://tracker.test/ws');setInterval(()=>{fetch('https://tracker.test/beat').catch(()=>0);new Image().src='https://meter.test/t'},50)</script>`,
		do: `await here(); await asked(/meter/); const before = document.cookie + ' ' + localStorage['trk-a'], clicked = click('refuse'); let since; document.querySelector('consent-banner').shadowRoot.addEventListener('submit', () => { since = performance.now() }); await clicked;
			await pause(600);
			return before + ' | ' + document.cookie + ' ' + localStorage['trk-a'] + localStorage.own + ' ' + f.src + ' ' + f.hasAttribute('src') + !!f.srcdoc + ' ' + performance.getEntriesByType('resource').filter((e) => /tracker|meter/.test(e.name) && e.startTime > since).length`,
		want:     "_trk_1=a; own=1 1 | own=1 undefined2 https://tracker.test/f falsetrue 0",
		contacts: "meter.test tracker.test",
	},
	{
		name: "what a vendor's script writes under a name that nobody knows goes at a withdrawal",
		page: Page{Granted: 31},
		body: `<script>document.cookie='mine=1';localStorage.mine='1'</script><script src="https://tracker.test/writes.js"></script><script>document.cookie='late_own=1'</script>`,
		do: `await here(); await pause(100); const before = document.cookie.split('; ').sort().join() + Object.keys(localStorage).sort(); await click('refuse');
			const dbs = (await indexedDB.databases()).map((d) => d.name).join();
			write('again=1'); document.cookie = 'mine=2';
			return [before, document.cookie.split('; ').sort().join(), Object.keys(localStorage).sort(), sessionStorage.length, dbs].join(' | ')`,
		want:     "deep=1,late_own=1,mine=vendor,odd=1consent-names,mine,odd-key | late_own=1,mine=2 | mine | 0 | ",
		contacts: "tracker.test",
	},
	{
		name: "a choice is made though the page swallows the click that follows each press",
		page: Page{Granted: 31},
		body: `<script>addEventListener('mousedown', (e) => e.target.addEventListener('click', (c) => { c.preventDefault(); c.stopImmediatePropagation() }))</script>`,
		do: `await here(); const b = document.querySelector('consent-banner').shadowRoot.querySelector('button[value=refuse]'), press = (kind) => b.dispatchEvent(new MouseEvent(kind, {bubbles: true, composed: true, cancelable: true}));
			press('mousedown'); return '' + press('click')`,
		want: "true",
	},
	{
		name:   "what a script that only the gateway knows writes goes as well",
		config: Config{Judge: true},
		page:   Page{Granted: 31},
		body:   `<script>document.cookie='mine=1'</script><script src="https://listed.test/writes.js"></script>`,
		do: `await here(); await soon(() => (localStorage['consent-names'] || '').includes('odd-key')); await click('refuse'); await soon(() => !localStorage['odd-key']);
			return [document.cookie.split('; ').sort().join(), Object.keys(localStorage).sort(), sessionStorage.length].join(' | ')`,
		want:     "mine=vendor |  | 0",
		contacts: "listed.test",
	},
	{
		name:   "a vendor seldom met is asked about, and nobody else",
		config: rareConfig,
		body:   `<script>document.cookie='_rare=1';localStorage.rare='1';for (const u of ['rare.test/a','x.rare.test/b','shared.test/rare/c','shared.test/other','known.test/d','rare.known.test/e','cdn.test/f']) new Image().src='https://'+u</script>`,
		do: `const loaded = () => performance.getEntriesByType('resource').map((e) => e.name.slice(8)).filter((n) => !/^site.*(guard|state|favicon)/.test(n)).sort();
			await soon(() => loaded().length > 2); const before = loaded() + document.cookie; await click('accept'); await soon(() => loaded().length > 8); return before + ' | ' + loaded()`,
		want:     "cdn.test/f,shared.test/other,site.test/.consent/judge | cdn.test/f,known.test/d,rare.known.test/e,rare.test/a,shared.test/other,shared.test/rare/c,site.test/.consent/choose,site.test/.consent/judge,x.rare.test/b",
		contacts: "cdn.test known.test rare.known.test rare.test shared.test x.rare.test",
	},
	{
		name:     "a choice about one that is seldom met",
		config:   rareConfig,
		page:     Page{Granted: 1, Denied: 30, Vendors: "+rare"},
		body:     `<script>document.cookie='_rare=1;path=/';new Image().src='https://rare.test/a';new Image().src='https://known.test/a'</script>`,
		do:       `await here(); await asked(/rare.test.a/); const before = document.cookie; await click('refuse'); await soon(() => !document.cookie); new Image().src='https://rare.test/later'; await pause(200); return before + '|' + document.cookie`,
		want:     "_rare=1|",
		contacts: "rare.test",
	},
	{
		name:     "what was written on an earlier page goes as well",
		page:     Page{Granted: 31},
		body:     `<script>localStorage['consent-names']='[["codd","tracker",";path=/some/where"],["sold","tracker",""],["cmine","nobody",""]]';document.cookie='odd=1;path=/some/where';localStorage.old=1;document.cookie='mine=1'</script>`,
		do:       `await click('refuse'); const f = document.createElement('iframe'); f.src = '/some/where/page'; document.body.append(f); await new Promise((r) => f.onload = r); return [f.contentDocument.cookie.split('; ').sort().join(), localStorage.old, localStorage['consent-names']].join(' ')`,
		want:     "mine=1  ",
		contacts: "",
	},
	{
		name:     "another tab's choice is followed",
		state:    grantAll,
		body:     `<img id=i ` + parkedAs + ` data-consent-src="https://tracker.test/i.png">`,
		do:       `await here(); new BroadcastChannel("consent").postMessage(` + grantAll + `); await soon(() => i.hasAttribute('src')); return i.src + ' ' + i.hasAttribute('src')`,
		want:     "https://tracker.test/i.png true",
		contacts: "tracker.test",
	},
	{
		name:     "a page that came while its visitor was elsewhere asks what holds by now",
		page:     Page{Granted: 31},
		body:     `<script>Object.defineProperty(document,'hidden',{get:()=>true})</script><img id=i src="https://tracker.test/i.png">`,
		do:       `await here(); await soon(() => !i.hasAttribute('src')); return String(i.hasAttribute('src'))`,
		want:     "false",
		contacts: "tracker.test",
	},
	{
		name:   "a cache takes the site's own files, and a list that names a tracker not at all",
		config: Config{Judge: true},
		body:   `<script>const keep=async(...list)=>{const c=await caches.open('a'+list.length);await c.addAll(list);return (await c.keys()).length}</script>`,
		do: `const own = ['/.consent/state', new Request('/.consent/state?2'), new URL('/.consent/state?3', location)];
			return [await keep(...own), await keep(...own, 'https://tracker.test/x'), await keep(...own, '/.consent/state?4', new Request('https://tracker.test/y'))].join()`,
		want: "3,0,0",
	},
	{
		name:     "signals as properties",
		page:     Page{GPC: true, DNT: true},
		do:       `return navigator.globalPrivacyControl + ' ' + navigator.doNotTrack`,
		want:     "true 1",
		contacts: "",
	},
	{
		name: "names of gated vendors",
		body: `<script>document.cookie='_trk=1';document.cookie='_trkx=1';document.cookie='_met=1';localStorage.setItem('trk-a','1');sessionStorage['trk-b']='2';localStorage.plain='3'</script>`,
		do:   `await here(); await cookieStore.set('_trk','2'); return document.cookie.split('; ').sort().join('; ') + ' ' + localStorage.getItem('trk-a') + ' ' + sessionStorage['trk-b'] + ' ' + localStorage.plain + ' ' + (await cookieStore.getAll()).map((c) => c.name).sort() + ' ' + Object.keys(localStorage)`,
		want: "_trkx=1 null undefined 3 _trkx plain",
	},
	{
		name:     "patterns and look-alikes",
		body:     `<script>for (const u of ['shared.test/pixel?x','shared.test/page','a.multi.test/t/x','multi.test/t/x','glob.test/abc/t.js','glob.test/b/t.js','nottracker.test/','tracker.test.evil.test/','tracker.test/public/x','tracker.test/publi','fine.tracker.test/1/ok','fine.tracker.test/no']) new Image().src='https://'+u</script>`,
		do:       `const there = () => performance.getEntriesByType('resource').map((e) => e.name.slice(8)).filter((n) => !/^site/.test(n)); await soon(() => there().length > 6); await pause(200); return there().sort().join(' ')`,
		want:     "fine.tracker.test/1/ok glob.test/b/t.js multi.test/t/x nottracker.test/ shared.test/page tracker.test.evil.test/ tracker.test/public/x",
		contacts: "fine.tracker.test glob.test multi.test nottracker.test shared.test tracker.test tracker.test.evil.test",
	},
	{
		name:     "individual vendors",
		page:     Page{Granted: 1 | 8, Vendors: "-tracker,+meter"},
		body:     `<script>new Image().src='https://tracker.test/x';new Image().src='https://meter.test/x'</script>`,
		do:       `await asked(/meter/); return ''`,
		contacts: "meter.test",
	},
	{
		name:     "the judge knows what the catalogue does not",
		config:   Config{Judge: true},
		body:     `<script>for (const h of ['listed','cdn']) { new Image().src='https://'+h+'.test/i.png'; const s=document.createElement('script');s.async=false;s.src='https://'+h+'.test/s.js';document.head.append(s);fetch('https://'+h+'.test/f').then((r)=>r.text()).then((t)=>{(self.got=self.got||{})[h]=t});const x=new XMLHttpRequest;x.open('POST','https://'+h+'.test/x');x.onload=()=>{(self.xhr=self.xhr||{})[h]=x.responseText};x.send();navigator.sendBeacon('https://'+h+'.test/b');document.write('<img src=https://'+h+'.test/w>') }</script>`,
		do:       `await soon(() => self.ran && self.got && self.xhr && got.cdn != null && xhr.cdn != null && got.listed && xhr.listed); return JSON.stringify(got) + JSON.stringify(xhr) + ran`,
		want:     `{"listed":"{}","cdn":""}{"listed":"{}","cdn":""}cdn.test/s.js`,
		contacts: "cdn.test",
	},
	{
		name:     "strict gates strangers, not the allowed",
		config:   Config{Strict: true, Allow: []string{"cdn.test"}},
		body:     `<script>for (const h of ['stranger.test','a.cdn.test','sub.site.test']) new Image().src='https://'+h+'/'</script>`,
		do:       `await asked(/a.cdn/); return ''`,
		contacts: "a.cdn.test",
	},
	{
		name: "stubs",
		body: `<script type="text/plain" ` + parkedAs + `>trk = (...a) => (self.real = self.real || []).push(a.filter((x) => typeof x != 'function').join('/'));</script>` +
			`<script>var log=[];var u=typeof met;trk('init','x');trk('event',{hitCallback:()=>log.push('hit'),event_callback(){log.push('event')}});trk.ready(()=>log.push('ready'));trk.on('click',()=>log.push('no'));trk(()=>log.push('fn'));var o=new Trk('a');o.b.c(1).d;String(trk.id());trk.isOn();for(const x of trk.all());trkq.push(['x'],()=>log.push('queued'));trk.x=5</script>`,
		do:       `await here(); const before = [u, log.sort(), trkq.length, trk.x, trk.isOn(), '[' + trk.id() + ']'].join(' '); await click('accept'); return before + ' | ' + real + ' ' + Array.isArray(trkq) + typeof Trk`,
		want:     "undefined event,fn,hit,queued,ready 1 5 false [] | init/x,event/[object Object], trueundefined",
		contacts: "",
	},
	{
		name:     "an asynchronous script hears what its stand-in was told",
		body:     `<script async type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/defines.js"></script><script>trk('one')</script>`,
		do:       `await click('accept'); while (!self.real) await pause(20); return real.join()`,
		want:     "one",
		contacts: "tracker.test",
	},
	{
		name:     "a page that declares the function itself",
		body:     `<script async type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/a.js"></script><script>function trk(...a){trkq.push(a)} trk('own')</script>`,
		do:       `await click('accept'); while (!self.ran) await pause(20); return ran + ' ' + trkq.length + ' ' + /push/.test(trk)`,
		want:     "tracker.test/a.js 1 true",
		contacts: "tracker.test",
	},
	{
		name:     "settings that a page puts into a vendor's namespace",
		body:     `<script async type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/a.js"></script><script>window.trk = window.trk || {}; trk.site = 7; trk.deep = trk.deep || {}; trk.deep.er = 8; trk.deep = trk.deep || {}; trk.cmd = trk.cmd || []; trk.cmd.push('x'); window.trkq = window.trkq || []; const held = trkq</script>`,
		do:       `await click('accept'); while (!self.ran) await pause(20); held.push(9); return [trk.site, JSON.stringify(trk.deep), trk.cmd, trkq].join(' ')`,
		want:     `7 {"er":8} x 9`,
		contacts: "tracker.test",
	},
	{
		name:     "no stub where nothing was parked",
		body:     `<script>var seen=[typeof trk,typeof Trk,self.trkq]; trk=5; var trkq=trkq||[]</script>`,
		do:       `return seen + ' ' + trk + trkq.length`,
		want:     "undefined,undefined, 50",
		contacts: "",
	},
	{
		name:     "vendors are told",
		config:   Config{Vendors: []Vendor{{ID: "meta-pixel", Purpose: "marketing", Hosts: []string{"facebook.test"}}, {ID: "tiktok-pixel", Purpose: "marketing", Hosts: []string{"tiktok.test"}}}},
		page:     Page{Granted: 31},
		body:     `<script>var said=[];function fbq(...a){said.push('fbq '+a)};var ttq={revokeConsent(){said.push('revoke')},grantConsent(){said.push('grant')}};var dataLayer=dataLayer||[];dataLayer.push({event:'x'})</script>`,
		do:       `await click('refuse'); await click('accept'); return said + ' ' + dataLayer.map((e) => e[0] ? [e[0], e[1], e[2].ad_storage] : e.event).join('|')`,
		want:     "fbq consent,grant,grant,fbq consent,revoke,revoke,fbq consent,grant,grant consent,default,granted|x|consent,update,denied|consent,update,granted",
		contacts: "",
	},
	{
		name:   "each party is told what holds for it",
		config: Config{Vendors: []Vendor{{ID: "clarity", Purpose: "analytics", Hosts: []string{"clarity.test"}}, {ID: "google-analytics", Purpose: "analytics", Hosts: []string{"ga.test"}}}},
		page:   Page{Granted: 1 | 4, Vendors: "+google-ads,-google-analytics"},
		body:   `<script>var said=[];function clarity(...a){said.push(JSON.stringify(a))};var dataLayer=dataLayer||[]</script>`,
		do:     `await here(); while (!said.length) await pause(20); return said + ' ' + dataLayer.map((e) => [e[1], e[2].ad_storage, e[2].analytics_storage, e[2].functionality_storage])`,
		want:   `["consentv2",{"ad_Storage":"denied","analytics_Storage":"granted"}] default,granted,denied,denied`,
	},
	{
		name:     "no consent layer for who has not agreed",
		body:     `<script>var seen='dataLayer' in self</script>`,
		do:       `await here(); return String(seen)`,
		want:     "false",
		contacts: "",
	},
	{
		name: "a callback that a stand-in runs may miss what its vendor defines",
		body: `<script type="text/plain" ` + parkedAs + ` data-consent-src="https://tracker.test/t.js"></script><script>trk.queue.push(function(){called=1;nobody.defined()})</script>`,
		do:   `await here(); return String(self.called)`,
		want: "1",
	},
	{
		name: "a frame that froze its prototypes",
		body: `<iframe id=f srcdoc="<script>for(const n of ['HTMLIFrameElement','Node','Element'])Object.freeze(self[n].prototype)</script>"></iframe>`,
		do:   `await here(); return String(!!f.contentDocument)`,
		want: "true",
	},
	{
		name:     "what a vendor's script in a frame of the page's stored there",
		page:     Page{Granted: 31},
		body:     framedLoaders,
		do:       `await soon(() => names().length == 12); const before = names().length; await click('refuse'); await soon(() => names().length == 0); return before + ' ' + names()`,
		want:     "12 ",
		contacts: "tracker.test",
	},
	{
		name: "connections over a vendor's server end with its consent",
		page: Page{Granted: 31},
		do: `await here(); const over = (...hosts) => ({iceServers: hosts.map((h) => ({urls: ['stun:' + h + ':3478']}))}), a = new RTCPeerConnection(over('own.test', 'tracker.test')), b = new RTCPeerConnection(), c = new RTCPeerConnection(over('own.test'));
			b.setConfiguration(over('tracker.test')); await click('refuse'); return [a, b, c].map((p) => p.signalingState).join()`,
		want: "closed,closed,stable",
	},
	{
		name:     "a passkey of another's domain, permitted",
		page:     Page{Granted: 31},
		do:       passkeys,
		want:     "asked",
		contacts: "tracker.test www.tracker.test",
	},
	{name: "a passkey of another's domain", do: passkeys, want: "asked"},
	{
		name:     "stand-ins for a vendor whose script the page makes late",
		do:       `await here(); const s = document.createElement('script'); s.src = 'https://tracker.test/defines.js'; document.head.append(s); await soon(() => self.trk); trk('early'); await click('accept'); await soon(() => self.real); return real.join()`,
		want:     "early",
		contacts: "tracker.test",
	},
	{
		name: "what hides a page for a gated test goes",
		body: `<style id=chartbeat-flicker-control-style>body{visibility:hidden!important}</style>`,
		do:   `await here(); return getComputedStyle(document.body).visibility`,
		want: "visible",
	},
	{
		name: "what hides a page for a test that is permitted stays",
		page: Page{Granted: 31},
		body: `<style id=chartbeat-flicker-control-style>body{visibility:hidden!important}</style>`,
		do:   `await here(); return getComputedStyle(document.body).visibility`,
		want: "hidden",
	},
	{
		name:     "natives look native",
		do:       `const ws = new WebSocket('wss://cdn.test'); await new Promise((r) => { ws.onopen = ws.onerror = r }); return [fetch.name, fetch.length, document.write.toString(), new Image() instanceof Image, ws instanceof WebSocket, XMLHttpRequest.prototype.open.length].join(' ')`,
		want:     "fetch 1 function () { [native code] } true true 2",
		contacts: "cdn.test",
	},
}

// passkeys asks for keys that belong to another domain, which browsers ask first whether it shares them (Web Authentication 3, 5.11).
const passkeys = `await here(); const challenge = new Uint8Array(16), stop = AbortSignal.timeout(2000); await navigator.credentials.get({publicKey: {challenge, rpId: 'tracker.test'}, signal: stop}).catch(() => 0);
	await navigator.credentials.create({publicKey: {challenge, rp: {id: 'www.tracker.test', name: 'x'}, user: {id: challenge, name: 'x', displayName: 'x'}, pubKeyCredParams: [{type: 'public-key', alg: -7}]}, signal: stop}).catch(() => 0); return 'asked'`

// framedLoaders are the ways in which loaders have a script run in a frame that they make, as of nobody's address, where it works
// on the page around it (boomerang's non-blocking loader, versions 8 to 15).
const framedLoaders = `<script>const names = () => (document.cookie + '; ' + Object.keys(localStorage).join('; ')).split('; ').filter((n) => n.startsWith('framed'));
const load = (d, n) => { const s = d.createElement('script'); s.src = 'https://tracker.test/framed.js?' + n; d.body.append(s) };
const frame = (src, n, use) => { const f = document.createElement('iframe'); if (src) f.src = src; document.head.before(f); use(f.contentWindow.document, n) };
frame('about:blank', 1, load);
frame('javascript:void(0)', 2, (d, n) => { d.open()._l = function () { load(this, n) }; d.write('<body onload="document._l();">'); d.close() });
frame('javascript:false', 3, (d, n) => { d.open(); d.write('<body><script src="https://tracker.test/framed.js?' + n + '"></scr' + 'ipt>'); d.close() });
frame('', 4, (d, n) => { const w = d.defaultView; w.setTimeout(() => load(d, n)) });
frame('', 5, (d, n) => { d.body.innerHTML = '<img src="/x.png">'; d.body.firstChild.onerror = () => load(d, n) });
{ const l = document.createElement('link'); l.rel = 'preload'; l.as = 'script'; l.href = 'https://tracker.test/framed.js?6'; l.onload = () => { self.later = 6; const s = document.createElement('script'); s.src = l.href; document.head.append(s) }; document.head.append(l) }
</script>`

// framed is a vendor's script that stores in the page around its frame, at once and by a timer.
const framed = `(() => { const n = document.currentScript.src.split('?')[1], w = parent; w.document.cookie = 'framed' + n + '=1;path=/'; setTimeout(() => { w.localStorage['framed-s' + n] = 1 }, 50) })()`

func TestScenarios(t *testing.T) {
	const browsers = 3
	for n := range browsers {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			b := newScenarioBench(t)
			for i := n; i < len(revivals); i += browsers {
				t.Run(strings.ReplaceAll(revivals[i].name, " ", "_"), func(t *testing.T) { b.run(t, &revivals[i]) })
			}
		})
	}
}
