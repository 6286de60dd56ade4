package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// tampered are ways by which the site's own scripts, or scripts that hide from ad blockers, reach a tracker past what
// they are expected to use. U stands for the tracker's address.
var tampered = []struct{ name, script string }{
	{"frames-by-name", `const d=document.createElement('div');document.body.append(d);d.innerHTML='<iframe name=f1></iframe>';frames.f1.fetch(U,{mode:'no-cors'})`},
	{"frames-by-index", `const d=document.createElement('div');document.body.prepend(d);d.innerHTML='<iframe></iframe>';new window[0].Image().src=U`},
	{"frames-by-insert-adjacent", `document.body.insertAdjacentHTML('afterbegin','<iframe></iframe>');new window[0].Image().src=U`},
	{"frames-nested", `const i=document.createElement('iframe');document.body.append(i);i.contentDocument.body.innerHTML='<iframe></iframe>';new i.contentWindow[0].Image().src=U`},
	{"javascript-frame", `const i=document.createElement('iframe');i.src="javascript:'<img src="+U+">'";document.body.append(i)`},
	{"javascript-frame-escaped", `const i=document.createElement('iframe');i.src="javascript:'<script>new Image().src=\""+U.replace(':','%3A')+"\"<\\/script>'";document.body.append(i)`},
	{"document-open", `const i=document.createElement('iframe');document.body.append(i);const d=i.contentDocument;d.open();d.write('<img src='+U+'>');d.close()`},
	{"document-open-script", `const i=document.createElement('iframe');document.body.append(i);const d=i.contentDocument;d.open();d.write('<script>new Image().src="'+U.slice(0,9)+'"+"'+U.slice(9)+'"<\/script>');d.close()`},
	{"blob-object", `const o=document.createElement('object');o.type='text/html';o.data=URL.createObjectURL(new Blob(['<img src='+U+'>'],{type:'text/html'}));document.body.append(o)`},
	{"blob-embed", `const o=document.createElement('embed');o.type='text/html';o.src=URL.createObjectURL(new Blob(['<img src='+U+'>'],{type:'text/html'}));document.body.append(o)`},
	{"blob-xhtml-frame", `const o=document.createElement('iframe');o.src=URL.createObjectURL(new Blob(['<html xmlns="http://www.w3.org/1999/xhtml"><body><img src="'+U.replace(/&/g,'&amp;')+'"/></body></html>'],{type:'application/xhtml+xml'}));document.body.append(o)`},
	{"blob-svg-frame", `const o=document.createElement('iframe');o.src=URL.createObjectURL(new Blob(['<svg xmlns="http://www.w3.org/2000/svg"><image href="'+U.replace(/&/g,'&amp;')+'"/></svg>'],{type:'image/svg+xml'}));document.body.append(o)`},
	{"data-frame-base64", `const o=document.createElement('iframe');o.src='data:text/html;base64,'+btoa('<img src='+U+'>');document.body.append(o)`},
	{"data-frame-script", `const o=document.createElement('iframe');o.src='data:text/html,<script>new Image().src="'+U.slice(0,9)+'"%2b"'+U.slice(9)+'"<\/script>';document.body.append(o)`},
	{"srcdoc-script", `const o=document.createElement('iframe');o.srcdoc='<script>new Image().src="'+U.slice(0,9)+'"+"'+U.slice(9)+'"<\/script>';document.body.append(o)`},
	{"sandboxed-srcdoc", `const o=document.createElement('iframe');o.sandbox='allow-scripts';o.srcdoc='<script>new Image().src="'+U.slice(0,9)+'"+"'+U.slice(9)+'"<\/script>';document.body.append(o)`},
	{"link-href-before-rel", `const l=document.createElement('link');l.href=U;l.rel='stylesheet';document.head.append(l)`},
	{"link-attr-before-rel", `const l=document.createElement('link');l.setAttribute('href',U);l.setAttribute('rel','preload');l.setAttribute('as','image');document.head.append(l)`},
	{"link-rellist", `const l=document.createElement('link');l.href=U;l.relList.add('stylesheet');document.head.append(l)`},
	{"style-property", `const d=document.createElement('div');d.textContent='x';document.body.append(d);d.style.backgroundImage='url('+U+')';d.offsetWidth;getComputedStyle(d).backgroundImage`},
	{"style-property-detached", `const d=document.createElement('div');d.textContent='x';d.style.backgroundImage='url('+U+')';document.body.append(d);d.offsetWidth`},
	{"style-map", `const d=document.createElement('div');d.textContent='x';document.body.append(d);d.attributeStyleMap.set('background-image','url('+U+')');d.offsetWidth`},
	{"animate", `const d=document.createElement('div');d.textContent='x';document.body.append(d);d.animate({backgroundImage:['url('+U+')','url('+U+'&2)']},9999)`},
	{"svg-baseval", `const s=document.createElementNS('http://www.w3.org/2000/svg','svg'),i=s.appendChild(document.createElementNS('http://www.w3.org/2000/svg','image'));document.body.append(s);i.href.baseVal=U`},
	{"svg-set", `document.body.insertAdjacentHTML('beforeend','<svg><image width=9 height=9><set attributeName=href to="'+U+'"/></image></svg>')`},
	{"svg-animate-values", `document.body.insertAdjacentHTML('beforeend','<svg><image width=9 height=9><animate attributeName=href values="'+U+'" dur=9s /></image></svg>')`},
	{"fe-image", `document.body.insertAdjacentHTML('beforeend','<svg width=9 height=9><filter id=q><feImage href="'+U+'"/></filter><rect width=9 height=9 filter="url(#q)"/></svg>')`},
	{"exec-insert-image", `const d=document.createElement('div');d.contentEditable=true;document.body.append(d);d.focus();document.execCommand('insertImage',false,U)`},
	{"exec-insert-html", `const d=document.createElement('div');d.contentEditable=true;document.body.append(d);d.focus();document.execCommand('insertHTML',false,'<img src='+U+'>')`},
	{"xslt", `const p=new XSLTProcessor();p.importStylesheet(new DOMParser().parseFromString('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><img src="'+U.replace(/&/g,'&amp;')+'"/></xsl:template></xsl:stylesheet>','text/xml'));document.body.append(p.transformToFragment(document,document))`},
	{"import-in-script-text", `const s=document.createElement('script');s.text='import("'+U+'").catch(()=>{})';document.head.append(s)`},
	{"static-import-in-script-text", `const s=document.createElement('script');s.type='module';s.textContent='import "'+U+'"';document.head.append(s)`},
	{"import-in-eval", `eval('import("'+U+'").catch(()=>{})')`},
	{"import-in-timeout", `setTimeout('import("'+U+'").catch(()=>{})',1)`},
	{"import-in-file", `import(U).catch(()=>{})`},
	{"anchor-click-into-frame", `const i=document.createElement('iframe');i.name='hid';document.body.append(i);const a=document.createElement('a');a.href=U;a.target='hid';document.body.append(a);a.click()`},
	{"anchor-download", `const a=document.createElement('a');a.href=U;a.download='x';document.body.append(a);a.click()`},
	{"frame-location", `const i=document.createElement('iframe');document.body.append(i);i.contentWindow.location=U`},
	{"frame-location-replace", `const i=document.createElement('iframe');document.body.append(i);i.contentWindow.location.replace(U)`},
	{"form-click-into-frame", `const i=document.createElement('iframe');i.name='hid2';document.body.append(i);const f=document.createElement('form');f.action=U;f.target='hid2';f.innerHTML='<button>';document.body.append(f);f.querySelector('button').click()`},
	{"shared-worker-blob", `new SharedWorker(URL.createObjectURL(new Blob(['fetch("'+U+'",{mode:"no-cors"})'],{type:'text/javascript'})))`},
	{"module-worker-blob", `new Worker(URL.createObjectURL(new Blob(['import "'+U+'"'],{type:'text/javascript'})),{type:'module'})`},
	{"worker-data", `new Worker('data:text/javascript,fetch("'+encodeURIComponent(U)+'",{mode:"no-cors"})')`},
	{"open-shadow-style", `const d=document.createElement('div');document.body.append(d);const r=d.attachShadow({mode:'closed'});r.innerHTML='<style>p{background:url('+U+')}</style><p>x'`},
	{"closed-shadow-append", `const d=document.createElement('div');document.body.append(d);const r=d.attachShadow({mode:'closed'}),i=document.createElement('link');i.href=U;i.rel='stylesheet';r.append(i)`},
	{"template-clone", `const t=document.createElement('template');t.innerHTML='<img src='+U+'>';document.body.append(t.content.cloneNode(true))`},
	{"custom-property", `document.documentElement.style.setProperty('--q','url('+U+')');const d=document.createElement('div');d.textContent='x';d.style.background='var(--q)';document.body.append(d);d.offsetWidth`},
	{"css-escaped-import", `const s=document.createElement('style');s.textContent='@\\69mport "'+U+'"';document.head.append(s)`},
	{"stylesheet-media", `const s=document.createElement('style');s.append('@import u','rl('+U+')');document.head.append(s)`},
	{"base-then-relative", `const b=document.createElement('base');b.href=U;document.head.prepend(b);const i=new Image();i.src='/tr?id=1&v=base-then-relative';setTimeout(()=>b.remove())`},
	{"source-before-picture", `const s=document.createElement('source'),p=document.createElement('picture'),i=document.createElement('img');s.srcset=U;p.append(s,i);document.body.append(p)`},
	{"image-set", `const d=document.createElement('div');d.textContent='x';d.setAttribute('style','background:image-set("'+U+'" 1x)');document.body.append(d)`},
	{"adopted-sheet", `const s=new CSSStyleSheet();s.replaceSync('body{background:url('+U+')}');document.adoptedStyleSheets=[s]`},
	{"rule-style", `const s=document.createElement('style');s.textContent='body{color:red}';document.head.append(s);s.sheet.cssRules[0].style.backgroundImage='url('+U+')';document.body.offsetWidth`},
	{"toJSON", `Array.prototype.toJSON=function(){return 'x'};new Image().src=U;delete Array.prototype.toJSON`},
	{"attr-clone", `const i=document.createElement('img'),a=document.createAttribute('src');a.value=U;i.attributes.setNamedItem(a)`},
	{"attr-replace", `const i=document.createElement('img'),j=document.createElement('p');j.setAttribute('src',U);i.setAttributeNode(j.removeAttributeNode(j.attributes[0]))`},
	{"set-outer-range", `const r=document.createRange();r.selectNode(document.body);document.body.append(r.createContextualFragment('<img src='+U+'>'))`},
	{"cookie-frame", `const i=document.createElement('iframe');document.body.append(i);i.contentWindow.navigator.sendBeacon(U)`},
	{"event-handler-markup", `document.body.insertAdjacentHTML('beforeend','<img src=x onerror="new Image().src=\''+U+'\'">')`},
	{"image-in-detached-doc", `const d=new DOMParser().parseFromString('<img>','text/html');d.images[0].src=U;document.body.append(d.images[0])`},
	{"frame-about-blank-name", `const i=document.createElement('iframe');i.src='about:blank';i.name='ab';document.body.append(i);self.ab.document.body.innerHTML='<img src='+U+'>'`},
	{"parent-of-frame", `const i=document.createElement('iframe');document.body.append(i);const I=document.querySelector('iframe:last-of-type').contentDocument.defaultView.Image;new I().src=U`},
	{"meta-refresh-frame", `const i=document.createElement('iframe');i.srcdoc='<meta http-equiv=refresh content="0;url='+U+'">';document.body.append(i)`},
	{"preload-header-link", `const l=document.createElement('link');l.href=U;l.rel='prefetch';document.head.append(l)`},
	{"object-param", `document.body.insertAdjacentHTML('beforeend','<object type=image/gif data="'+U+'"></object>')`},
	{"video-poster", `const v=document.createElement('video');v.poster=U;document.body.append(v)`},
	{"input-image", `const v=document.createElement('input');v.src=U;v.type='image';document.body.append(v)`},
	{"mask-image", `const d=document.createElement('div');d.textContent='x';d.style.cssText='mask-image:url('+U+')';document.body.append(d)`},
	{"speculation", `const s=document.createElement('script');s.type='speculationrules';s.textContent=JSON.stringify({prefetch:[{urls:[U]}]});document.head.append(s)`},
	{"importmap", `const s=document.createElement('script');s.type='importmap';s.textContent=JSON.stringify({imports:{zz:U}});document.head.append(s);import('zz').catch(()=>{})`},
}

// beyondTheGuard are the ways that no script can stop: the policy header stops those that import once it is enforced.
var beyondTheGuard = map[string]string{
	"style-property":          "Chromium keeps style properties out of the prototype's reach; the page forces layout before the observer runs",
	"style-property-detached": "as style-property",
	"rule-style":              "as style-property",
	"import-in-eval":          "import() cannot be replaced; left to the policy header",
	"import-in-timeout":       "import() cannot be replaced; left to the policy header",
	"import-in-file":          "import() cannot be replaced; left to the policy header",
	"anchor-download":         "the page itself leaves for the tracker",
	"frame-location":          "location cannot be replaced",
	"frame-location-replace":  "location cannot be replaced",
}

// TestTamperingPages: before any choice, the site's own scripts reach no tracker, however they go about it.
func TestTamperingPages(t *testing.T) {
	const host = "hostile.test"
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/s/"); ok {
			w.Header().Set("Content-Type", "text/javascript")
			for _, v := range tampered {
				if v.name == name {
					_, _ = io.WriteString(w, "{const U='https://www.facebook.com/tr?id=1&v="+name+"';try{"+v.script+"}catch(e){console.log(e)}}")
				}
			}
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/p/")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!DOCTYPE html><title>x</title><body><p>page</p><script src=/s/%s></script>", name)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d)
	d.Site(host, lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	for _, v := range tampered {
		t.Run(v.name, func(t *testing.T) {
			d.Reset()
			b.Open(t, "https://"+host+"/p/"+v.name)
			d.Quiet(150 * time.Millisecond)
			contacts := d.Contacts()
			for _, c := range contacts {
				if why := beyondTheGuard[v.name]; why != "" {
					t.Logf("known: contact %s%s (%s): %s", c.Host, c.Path, c.Dest, why)
				} else {
					t.Errorf("contact %s%s (%s)", c.Host, c.Path, c.Dest)
				}
			}
			if beyondTheGuard[v.name] != "" && len(contacts) == 0 {
				t.Errorf("no contact any more: take it off the list of what is beyond the guard")
			}
			_ = b.Errors()
		})
	}
}
