package guard

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// natives is page code whose result in a guarded page must be what it is in a page without a guard. Names of the Web
// Platform Tests that found them stand beside some.
var natives = map[string]string{
	// domparsing/innerhtml-07, outerhtml-02: a string is made by toString, not valueOf.
	"string conversion":      `const o = {toString: () => 'pass', valueOf: () => 'fail'}, d = document.createElement('div'); d.setAttribute('id', o); d.innerHTML = o; return d.outerHTML`,
	"Temporal-like":          `const d = document.createElement('time'); d.setAttribute('datetime', {toString: () => '2026-01-01', valueOf() { throw new TypeError() }}); return d.outerHTML`,
	"style of a Temporal":    `const d = document.createElement('p'); d.style.width = {toString: () => '7px', valueOf() { throw new TypeError() }}; return d.outerHTML`,
	"null in a style":        `const s = document.createElement('style'); s.innerHTML = null; s.innerText = null; s.append('x'); s.firstChild.data = null; return s.outerHTML`,
	"undefined in a style":   `const s = document.createElement('style'); s.innerHTML = undefined; const one = s.outerHTML; s.textContent = undefined; return one + s.outerHTML`,
	"too few arguments":      `const el = document.body; return [() => el.setAttributeNode(null), () => navigator.sendBeacon(), () => new WebSocket(), () => new StorageEvent()].map((f) => { try { return '' + f() } catch (e) { return e.name } })`,
	"fetch of nothing":       `return fetch().then(() => 'answered', (e) => e.name)`,
	"constructors":           `return [() => EventSource('/x'), () => Worker('/x'), () => FontFace('x', 'y'), () => WebSocket('wss://x.test')].map((f) => { try { return '' + f() } catch (e) { return e.name } })`,
	"an unhandled rejection": `const heard = []; addEventListener('unhandledrejection', (e) => (e.preventDefault(), heard.push(e.reason.name))); fetch('http://['); fetch('http://[').catch(() => 0); await new Promise((r) => setTimeout(r, 50)); return heard`,
	"storage of an event":    `const e = new StorageEvent('storage', {key: 'k', storageArea: localStorage}), f = new StorageEvent('storage', {storageArea: sessionStorage}); return [e.storageArea === localStorage, f.storageArea === sessionStorage, f.storageArea === localStorage, new StorageEvent('x').storageArea === null]`,
	"storage of another tab": `const frame = document.createElement('iframe'); document.body.append(frame); const heard = new Promise((done) => frame.contentWindow.onstorage = (e) => /^n/.test(e.key) && done([e.key, e.storageArea === frame.contentWindow.localStorage])); localStorage.setItem('n' + Math.random(), 1); const [key, same] = await heard; return [key[0], same]`,
	"storage by prototype":   `Storage.prototype.setItem.call(localStorage, 'a', 1); const set = Storage.prototype.setItem; Storage.prototype.setItem = function (k, v) { return set.call(this, k, v + '!') }; localStorage.setItem('b', 2); Storage.prototype.setItem = set; const r = [localStorage.a, localStorage.b, Storage.prototype.getItem.call(localStorage, 'b'), localStorage.getItem === Storage.prototype.getItem, localStorage.hasOwnProperty('a'), 'a' in localStorage, Object.keys(localStorage).includes('a')]; Storage.prototype.removeItem.call(localStorage, 'a'); delete localStorage.b; return [...r, localStorage.getItem('a'), localStorage.b, '' + localStorage, localStorage instanceof Storage]`,
	"symbols in storage":     `const s = Symbol(); localStorage[s] = 'x'; return [localStorage[s], delete localStorage[s], localStorage[s]]`,
	"srcdoc of others":       `const d = document.createElement('div'); d.setAttribute('srcdoc', 'c'); return d.outerHTML`,
	"a clobbered form":       `const errors = []; addEventListener('error', (e) => errors.push(e.message)); const d = document.createElement('div'); document.body.append(d); d.innerHTML = '<form style="background:url(//site.test/1)" background="//site.test/2"><input name="attributes"><input name="nodeType"><input name="matches"><input name="querySelector"><input name="firstElementChild"><input name="localName"></form>'; const form = d.firstChild; d.append(form); document.body.append(d); await new Promise((r) => setTimeout(r)); return [...errors, d.childNodes.length]`,
	"worker of a data URL":   `const w = new Worker('data:text/javascript,postMessage([location.protocol,self.origin].join())'); return new Promise((r) => w.onmessage = (e) => r(e.data))`,
	"one's constructor":      `return [new FontFace('x', 'url(/x)').constructor === FontFace, new EventSource('/x').constructor === EventSource, new Audio().constructor === HTMLAudioElement, WebSocket.prototype.constructor === WebSocket]`,
	"key frames of no class": `const p = document.createElement('p'); document.body.append(p); const frames = [Object.assign(Object.create(null), {opacity: [0, 1]}), new Set([{opacity: 0}, {opacity: 1}]), (function* () { yield {opacity: 0}; yield {opacity: 1} })()]; return frames.map((f) => p.animate(f, 9).effect.getKeyframes().map((k) => k.opacity))`,
	"an attribute's node":    `const i = new Image(), j = new Image(), a = document.createAttribute('src'), b = document.createAttribute('src'); a.value = '/a'; b.value = '/b'; const r = [i.setAttributeNode(a), i.setAttributeNode(b) === a, i.attributes.setNamedItem(b) === b]; try { j.setAttributeNode(b) } catch (e) { r.push(e.name) } return [...r, a.value, i.outerHTML, j.outerHTML]`,
	"words beside others":    `const s = document.createElement('style'), p = document.createElement('p'), d = document.createElement('div'); s.insertAdjacentText('beforeend', 'a{}'); d.append(p); p.insertAdjacentText('afterend', null); s.firstChild.deleteData(0, 1); p.outerText = 'x'; return s.outerHTML + d.outerHTML`,
	"a document opened":      `const f = document.createElement('iframe'); document.body.append(f); const d = f.contentDocument; return [d.open() === d, d.open('text/html', 'replace') === d]`,
	"a click that is told":   `const a = document.createElement('a'); document.body.append(a); a.href = '#x'; const heard = []; a.onclick = (e) => heard.push(e.isTrusted); return [a.dispatchEvent(new MouseEvent('click')), dispatchEvent(new Event('x')), new EventTarget().dispatchEvent(new Event('y')), heard]`,
	"worker of a blob":       `const w = new Worker(URL.createObjectURL(new Blob(['postMessage([location.protocol,self.origin].join())']))); return new Promise((r) => w.onmessage = (e) => r(e.data))`,
}

// trustedNatives are the same for a page that requires Trusted Types, where "policy" is one of its own.
var trustedNatives = map[string]string{
	"srcdoc of others": `const d = document.createElement('div'); d.setAttribute('srcdoc', 'c'); return d.outerHTML`,
	"srcdoc, a string": `try { document.createElement('iframe').srcdoc = '<p>' } catch (e) { return e.name }`,
	"style":            `const s = document.createElement('style'); s.innerHTML = policy.createHTML('p{color:red}'); return s.outerHTML`,
	"worker, a string": `try { new Worker(URL.createObjectURL(new Blob([''])))} catch (e) { return e.name }`,
	"worker":           `const w = new Worker(policy.createScriptURL(URL.createObjectURL(new Blob(['postMessage(1)'])))); return new Promise((r) => w.onmessage = (e) => r(e.data))`,
}

// TestNatives: what the guard stands in for does for page code what the native does.
func TestNatives(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{Judge: true})
	compare := func(name, head, csp string, of map[string]string) {
		b.page("/"+name, b.guarded(g, Page{}, head, ""))
		b.page("/plain-"+name, "<!DOCTYPE html><html><head>"+head+"</head><body></body></html>")
		b.page("/"+name+" csp", csp)
		b.page("/plain-"+name+" csp", csp)
		var all strings.Builder
		all.WriteString("(async () => { const out = {}; for (const [name, f] of Object.entries({")
		for what, code := range of {
			fmt.Fprintf(&all, "%q: async () => { %s },\n", what, code)
		}
		all.WriteString("})) out[name] = JSON.stringify(await Promise.race([f().catch((e) => 'throws ' + e), new Promise((r) => setTimeout(r, 9000, 'no answer'))])); return Object.entries(out).map((e) => e.join(': ')).sort().join('\\n') })()")
		want, _ := b.visit(t, "/plain-"+name, all.String(), 0)
		got, thrown := b.visit(t, "/"+name, all.String(), 100*time.Millisecond)
		if len(thrown) > 0 {
			t.Errorf("%s: exceptions: %q", name, thrown)
		}
		w, h := strings.Split(want, "\n"), strings.Split(got, "\n")
		if len(w) != len(of) || len(w) != len(h) || strings.Contains(want, "throws") || strings.Contains(want, "no answer") {
			t.Fatalf("%s: without a guard %s, with one %s", name, want, got)
		}
		for i := range w {
			if w[i] != h[i] {
				t.Errorf("%s: without a guard %.300s\nwith one %.300s", name, w[i], h[i])
			}
		}
	}
	compare("any", "", "", natives)
	compare("trusted", `<script>const policy = trustedTypes.createPolicy('own', {createHTML: (s) => s, createScriptURL: (s) => s})</script>`, "require-trusted-types-for 'script'", trustedNatives)
}
