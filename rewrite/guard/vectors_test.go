package guard

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// vectors are ways for a page to contact a tracker at run time. T stands for an own URL of the tracker.
var vectors = map[string]string{
	"script src":           `<script>var s=document.createElement('script');s.src='T';document.head.appendChild(s)</script>`,
	"script setAttribute":  `<script>var s=document.createElement('script');s.setAttribute('SRC','T');document.head.append(s)</script>`,
	"script text and src":  `<script>var s=document.createElement('script');s.text='fetch("T")';s.src='T';document.head.append(s)</script>`,
	"loader snippet":       `<script>(function(d,t){var g=d.createElement(t),s=d.getElementsByTagName(t)[0];g.async=1;g.src=('https:'==location.protocol?'https://':'http://')+'T'.slice(8);s.parentNode.insertBefore(g,s)})(document,'script')</script>`,
	"module script":        `<script>var s=document.createElement('script');s.type='module';s.src='T';document.head.append(s)</script>`,
	"type after src":       `<script>var s=document.createElement('script');s.src='T';s.type='text/javascript';document.head.append(s)</script>`,
	"image":                `<script>new Image().src='T'</script>`,
	"image 1 1":            `<script>var i=new Image(1,1);i.src='T'</script>`,
	"image srcset":         `<script>var i=new Image();i.srcset='T 1x, /own 2x'</script>`,
	"picture source":       `<script>var p=document.createElement('picture'),s=document.createElement('source');s.srcset='T';p.append(s,new Image());document.body.append(p)</script>`,
	"iframe":               `<script>var f=document.createElement('iframe');f.src='T';document.body.append(f)</script>`,
	"object data":          `<script>var o=document.createElement('object');o.data='T';document.body.append(o)</script>`,
	"embed":                `<script>var o=document.createElement('embed');o.src='T';document.body.append(o)</script>`,
	"video":                `<script>var v=document.createElement('video');v.src='T';v.preload='auto';document.body.append(v)</script>`,
	"poster":               `<script>var v=document.createElement('video');v.poster='T';document.body.append(v)</script>`,
	"audio constructor":    `<script>new Audio('T').load()</script>`,
	"source":               `<script>var v=document.createElement('video'),s=document.createElement('source');s.src='T';v.append(s);document.body.append(v)</script>`,
	"track":                `<script>var v=document.createElement('video'),s=document.createElement('track');s.src='T';s.default=true;v.crossOrigin='anonymous';v.append(s);document.body.append(v);s.track.mode='showing'</script>`,
	"input image":          `<script>var i=document.createElement('input');i.type='image';i.src='T';document.body.append(i)</script>`,
	"link stylesheet":      `<script>var l=document.createElement('link');l.rel='stylesheet';l.href='T';document.head.append(l)</script>`,
	"link preload":         `<script>var l=document.createElement('link');l.rel='preload';l.as='script';l.href='T';document.head.append(l)</script>`,
	"link prefetch":        `<script>var l=document.createElement('link');l.href='T';l.rel='prefetch';document.head.append(l)</script>`,
	"link modulepreload":   `<script>var l=document.createElement('link');l.rel='modulepreload';l.href='T';document.head.append(l)</script>`,
	"link icon":            `<script>var l=document.createElement('link');l.rel='preload';l.as='image';l.imageSrcset='T 1x';document.head.append(l)</script>`,
	"innerHTML":            `<p id=p></p><script>p.innerHTML='<b>x</b><img src="T">'</script>`,
	"innerHTML detached":   `<script>document.createElement('p').innerHTML='<img src=T>'</script>`,
	"innerHTML entities":   `<p id=p></p><script>p.innerHTML='<img src="https&colon;&sol;&sol;'+'T'.slice(8)+'">'</script>`,
	"innerHTML style":      `<p id=p>x</p><script>p.innerHTML='<i style="background:url(T)">y</i>'</script>`,
	"innerHTML svg":        `<p id=p></p><script>p.innerHTML='<svg width=9 height=9><image href="T" width=9 height=9 /></svg>'</script>`,
	"innerHTML template":   `<template id=t></template><script>t.innerHTML='<img src=T>';document.body.append(t.content.cloneNode(true))</script>`,
	"outerHTML":            `<p id=p></p><script>p.outerHTML='<img src="T">'</script>`,
	"insertAdjacentHTML":   `<script>document.body.insertAdjacentHTML('beforeend','<iframe src=T></iframe>')</script>`,
	"setHTMLUnsafe":        `<p id=p></p><script>p.setHTMLUnsafe('<div><template shadowrootmode=open><img src=T></template></div>')</script>`,
	"shadow innerHTML":     `<p id=p></p><script>p.attachShadow({mode:'open'}).innerHTML='<img src=T>'</script>`,
	"contextual fragment":  `<script>document.body.append(document.createRange().createContextualFragment('<script src=T><\/script>'))</script>`,
	"DOMParser":            `<script>document.body.append(new DOMParser().parseFromString('<img src=T>','text/html').querySelector('img'))</script>`,
	"DOMParser import":     `<script>document.importNode(new DOMParser().parseFromString('<svg xmlns="http://www.w3.org/1999/xhtml"><img src="T"/></svg>','text/xml').documentElement.firstChild,true)</script>`,
	"parseHTMLUnsafe":      `<script>document.body.append(document.adoptNode(Document.parseHTMLUnsafe('<img src=T>').images[0]))</script>`,
	"document.write":       `<script>document.write('<script src="T"><\/script>')</script>`,
	"document.write split": `<script>document.write('<scr');document.write('ipt src="');document.write('T');document.write('"><\/scr');document.write('ipt>')</script>`,
	"document.write raw":   `<script>document.write('<title>a<img src=/x></ti','tle><textarea></textarea><img alt=">" src=T>')</script>`,
	"document.writeln":     `<script>document.writeln('<iframe src=T></iframe>')</script>`,
	"document.write style": `<script>document.write('<style>@import "T";</style>')</script>`,
	"cloneNode":            `<template id=t></template><script>var i=document.implementation.createHTMLDocument('').createElement('img');i.setAttribute('src','T');document.body.append(document.importNode(i))</script>`,
	"setAttributeNode":     `<script>var a=document.createAttribute('src');a.value='T';var i=document.createElement('img');i.setAttributeNode(a)</script>`,
	"attribute value":      `<img id=i src="data:,"><script>i.attributes.src.value='T'</script>`,
	"attribute nodeValue":  `<img id=i src="data:,"><script>i.getAttributeNode('src').nodeValue='T'</script>`,
	"svg image":            `<svg width=9 height=9><image id=i width=9 height=9 /></svg><script>i.setAttribute('href','T')</script>`,
	"svg xlink":            `<svg width=9 height=9><image id=i width=9 height=9 /></svg><script>i.setAttributeNS('http://www.w3.org/1999/xlink','xlink:href','T')</script>`,
	"svg script":           `<script>var s=document.createElementNS('http://www.w3.org/2000/svg','script');s.setAttribute('href','T');document.body.append(s)</script>`,
	"svg feImage":          `<svg width=9 height=9><filter id=f><feImage id=i /></filter><rect width=9 height=9 filter="url(#f)" /></svg><script>i.setAttribute('href','T')</script>`,
	"style property":       `<p id=p>x</p><script>p.style.backgroundImage='url(T)'</script>`,
	"style forced layout":  `<p id=p>x</p><script>p.style.cssText='background:url(T)';p.offsetWidth</script>`,
	"style setProperty":    `<p id=p>x</p><script>p.style.setProperty('background-image','url("T")')</script>`,
	"style assignment":     `<p id=p>x</p><script>p.style='background:url(T)'</script>`,
	"style attribute":      `<p id=p>x</p><script>p.setAttribute('style','background:url(T)')</script>`,
	"style custom":         `<p id=p>x</p><script>p.style.setProperty('--u','url(T)');p.style.backgroundImage='var(--u)'</script>`,
	"style element":        `<p>x</p><script>var s=document.createElement('style');s.textContent='p{background:url(T)}';document.head.append(s)</script>`,
	"style text node":      `<p>x</p><script>var s=document.createElement('style');s.appendChild(document.createTextNode('@import url("T");'));document.head.append(s)</script>`,
	"style late text":      `<p>x</p><script>var s=document.createElement('style');document.head.append(s);s.append('@import "T";')</script>`,
	"style innerHTML":      `<p>x</p><script>var s=document.createElement('style');document.head.append(s);s.innerHTML='@import "T";'</script>`,
	"insertRule":           `<p>x</p><style id=s></style><script>s.sheet.insertRule('p{background:url(T)}')</script>`,
	"insertRule import":    `<style id=s></style><script>s.sheet.insertRule('@import url(T)')</script>`,
	"insertRule escaped":   `<p>x</p><style id=s></style><script>s.sheet.insertRule('p{background:\\75 rl(T)}')</script>`,
	"image-set":            `<p>x</p><style id=s></style><script>s.sheet.insertRule('p{background:image-set("T" 1x)}')</script>`,
	"adopted sheet":        `<p>x</p><script>var s=new CSSStyleSheet();s.replaceSync('p{background:url(T)}');document.adoptedStyleSheets=[s]</script>`,
	"font face":            `<script>new FontFace('x','url(T)').load().catch(e=>0)</script>`,
	"fetch":                `<script>fetch('T').catch(e=>0)</script>`,
	"fetch Request":        `<script>fetch(new Request('T',{mode:'no-cors'})).catch(e=>0)</script>`,
	"fetch URL":            `<script>fetch(new URL('T')).catch(e=>0)</script>`,
	"XMLHttpRequest":       `<script>var x=new XMLHttpRequest;x.open('POST','T');x.send('a')</script>`,
	"XMLHttpRequest sync":  `<script>try{var x=new XMLHttpRequest;x.open('GET','T',false);x.send()}catch(e){}</script>`,
	"sendBeacon":           `<script>navigator.sendBeacon('T','x')</script>`,
	"fetchLater":           `<script>self.fetchLater?fetchLater('T',{activateAfter:0}):fetch('T')</script>`,
	"cache add":            `<script>caches.open('a').then(c=>c.add('T')).catch(e=>0)</script>`,
	"cache addAll":         `<script>caches.open('a').then(c=>c.addAll(['/own',new Request('T')])).catch(e=>0)</script>`,
	"worklet":              `<script>new OfflineAudioContext(1,1,8000).audioWorklet.addModule('T').catch(e=>0)</script>`,
	"WebSocket":            `<script>new WebSocket('T'.replace('https','wss'))</script>`,
	"EventSource":          `<script>new EventSource('T')</script>`,
	"worker blob":          `<script>new Worker(URL.createObjectURL(new Blob(['fetch("T").catch(e=>0)'])))</script>`,
	"worker importScripts": `<script>new Worker(URL.createObjectURL(new Blob(['importScripts("T")'])))</script>`,
	"worker revoked":       `<script>var u=URL.createObjectURL(new Blob(['new WebSocket("T".replace("https","wss"))']));new Worker(u);URL.revokeObjectURL(u)</script>`,
	"window.open":          `<script>open('T')</script>`,
	"form submit":          `<form id=f action=T target=x></form><iframe name=x></iframe><script>f.submit()</script>`,
	"form requestSubmit":   `<form id=f action=T target=x></form><iframe name=x></iframe><script>f.requestSubmit()</script>`,
	"form click":           `<form id=f action=T target=x><button id=b></form><iframe name=x></iframe><script>b.click()</script>`,
	"a ping":               `<a id=a href="#x">x</a><script>a.ping='T';a.click()</script>`,
	"iframe window":        `<script>var f=document.createElement('iframe');document.body.append(f);f.contentWindow.fetch('T').catch(e=>0)</script>`,
	"iframe, split gone":   `<script>String.prototype.split=()=>[''];var f=document.createElement('iframe');document.body.append(f);f.contentWindow.fetch('T').catch(e=>0)</script>`,
	"frames index":         `<script>var f=document.createElement('iframe');document.body.append(f);new window[0].Image().src='T'</script>`,
	"iframe innerHTML":     `<p id=p></p><script>p.innerHTML='<iframe></iframe>';new window[0].Image().src='T'</script>`,
	"iframe document":      `<script>var f=document.createElement('iframe');document.body.append(f);var d=f.contentDocument;d.open();d.write('<script src=T><\/script>');d.close()</script>`,
	"iframe createElement": `<script>var f=document.createElement('iframe');document.body.append(f);var i=f.contentDocument.createElement('img');i.src='T';document.body.append(i)</script>`,
	"srcdoc":               `<script>var f=document.createElement('iframe');f.srcdoc='<img src="T">';document.body.append(f)</script>`,
	"srcdoc script":        `<script>var f=document.createElement('iframe');f.srcdoc='<!DOCTYPE html><script>new Image().src="T"<\/script>';document.body.append(f)</script>`,
	"srcdoc parsed":        `<iframe srcdoc="<script>setTimeout(()=>fetch('T'))</script>"></iframe>`,
	"javascript URL":       `<script>var f=document.createElement('iframe');f.src='javascript:void(new Image().src="T")';document.body.append(f)</script>`,
	"speculation rules":    `<script>var s=document.createElement('script');s.type='speculationrules';s.textContent='{"prefetch":[{"source":"list","urls":["T"]}]}';document.head.append(s)</script>`,
	"meta refresh":         `<script>var m=document.createElement('meta');m.httpEquiv='refresh';m.content='0;url=T';document.head.append(m)</script>`,
	"base":                 `<script>var b=document.createElement('base');b.href='T/';document.head.append(b);new Image().src='pixel.gif'</script>`,
	"case and tabs":        `<script>new Image().src=' ht\ntps:\\\\T'.replace('https://','').replace('tracker.test','TRACKER.test')</script>`,
	"preconnect":           `<script>var l=document.createElement('link');l.rel='preconnect';l.href='T'.replace(/tracker.test.v0*(\d+).js/,'preconnect$1.tracker.test');document.head.append(l)</script>`,
	"tag replaced":         `<script>document.body.replaceChildren(Object.assign(document.createElement('img'),{src:'T'}))</script>`,
	"html fragment timers": `<p id=p></p><script>setTimeout(()=>{p.innerHTML='<div><embed src=T></div>'},20)</script>`,
	"iframe data":          `<script>var f=document.createElement('iframe');f.src='data:text/html,<img src="T">';document.body.append(f)</script>`,
	"import":               ``,
}

var trackerURL = regexp.MustCompile(`\bT\b`)

// alone are vectors that work in a page of their own only.
//
// beyond says that a vector is beyond a script's reach: it is what the consent-derived CSP is for.
var alone = map[string]bool{"speculation rules": true, "meta refresh": true, "rules in text": true, "rules typed late": true, "fetchLater": true, "source": true, "audio constructor": true}

var beyond = map[string]bool{"import": true}

func vectorURL(i int) string { return fmt.Sprintf("https://tracker.test/v%03d.js", i) }

// TestVectors shows for each vector that it contacts the tracker without the guard and does not with it, though whose the
// tracker's host is only the late part and the gateway know.
func TestVectors(t *testing.T)     { tryVectors(t, vectors) }
func TestMoreVectors(t *testing.T) { tryVectors(t, moreVectors) }

func tryVectors(t *testing.T, vectors map[string]string) {
	t.Parallel()
	b := newBench(t)
	b.judge = func(url string) string {
		if strings.Contains(url, "tracker.test") {
			return "marketing tracker"
		}
		return ""
	}
	var names []string
	for name := range vectors {
		if !beyond[name] && regexp.MustCompile(os.Getenv("VECTOR")).MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	g := testGuard(t, Config{})
	for i, name := range names {
		body := func(n int) string { return trackerURL.ReplaceAllString(vectors[name], vectorURL(n)) }
		b.page(fmt.Sprintf("/open%d", i), "<!DOCTYPE html><html><head></head><body>"+body(2*i))
		b.page(fmt.Sprintf("/gated%d", i), b.guarded(g, Page{}, "", body(2*i+1)))
	}
	begin := time.Now()
	b.frames(t, "open", names, 0, func() bool {
		return time.Since(begin) > 5*time.Second || !slices.ContainsFunc(names, func(name string) bool {
			return !alone[name] && len(b.contacts(name, 2*slices.Index(names, name))) == 0
		})
	})
	settled := time.Since(begin)
	for i, name := range names { // what a crowded page did not do in time
		for try := 0; len(b.contacts(name, 2*i)) == 0 && try < 3; try++ {
			b.visit(t, fmt.Sprintf("/open%d", i), "", time.Duration(try+1)*time.Second)
			t.Log("once more:", name)
		}
	}
	b.frames(t, "gated", names, settled, nil)
	for i, name := range names {
		if len(b.contacts(name, 2*i)) == 0 {
			t.Errorf("%s: no contact without the guard: the test proves nothing", name)
		}
		if hits := b.contacts(name, 2*i+1); len(hits) > 0 {
			t.Errorf("%s: leaks %q", name, hits)
		}
	}
	t.Logf("%d vectors, settled after %v of %v", len(names), settled, time.Since(begin))
}

// frames opens one page with a frame for each vector, and those that need it on their own; it waits as told.
func (b *bench) frames(t *testing.T, kind string, names []string, wait time.Duration, done func() bool) {
	var page strings.Builder
	for i, name := range names {
		if !alone[name] {
			fmt.Fprintf(&page, "<iframe src=/%s%d></iframe>", kind, i)
		}
	}
	b.page("/"+kind, page.String())
	var wg sync.WaitGroup
	for i, name := range names {
		if alone[name] {
			wg.Go(func() { b.visit(t, fmt.Sprintf("/%s%d", kind, i), "", time.Second) })
		}
	}
	_, thrown := b.visitUntil(t, "/"+kind, "", wait, done)
	wg.Wait()
	if kind != "open" && len(thrown) > 0 {
		t.Errorf("exceptions: %q", thrown)
	}
}

// contacts returns what the tracker saw of the n-th URL.
func (b *bench) contacts(name string, n int) []string {
	if name == "preconnect" { // a connection says nothing of the URL: the host does
		return b.seen(fmt.Sprintf("preconnect%d.tracker.test", n))
	}
	return b.seen(fmt.Sprintf("/v%03d.js", n))
}
