package rules

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// snippets are forms in which vendors' loaders and configurations stand in pages, beyond the one in each vendor's file.
var snippets = map[string][]string{
	"google-tag-manager": {
		`(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':
new Date().getTime(),event:'gtm.js'});var f=d.getElementsByTagName(s)[0],
j=d.createElement(s),dl=l!='dataLayer'?'&l='+l:'';j.async=true;j.src=
'//www.googletagmanager.com/gtm.js?id='+i+dl;f.parentNode.insertBefore(j,f);
})(window,document,'script','dataLayer','GTM-ABCD');`,
		`<!--
window.dataLayer = window.dataLayer || []; dataLayer.push({"gtm.start": Date.now()});
-->`,
		"const s = document.createElement('script'); s.src = `https://www.googletagmanager.com/gtm.js?id=${id}`; document.head.append(s)",
		"s=document.createElement('script');s.src=`https://${'www'}.googletagmanager.com/gtm.js?id=${id}`;document.body.appendChild(s)",
	},
	"google-analytics": {
		`var pageTracker = _gat._getTracker("UA-1-1"); pageTracker._trackPageview();`,
		`try{ var pageTracker=_gat._createTracker('UA-1-1'); }catch(e){}`,
		`var _gaq = _gaq || [];
  _gaq.push(['_setAccount', 'UA-1-1'], ['_trackPageview']);`,
		`window['GoogleAnalyticsObject'] = 'ga'; window.ga = window.ga || function(){ (ga.q = ga.q || []).push(arguments) };`,
		`import("https://www.googletagmanager.com/gtag/js?id=G-1")`,
		`import "https://www.googletagmanager.com/gtag/js?id=G-1"`,
		`import tag from 'https://www.googletagmanager.com/gtag/js?id=G-1'; export * from "https://www.googletagmanager.com/gtag/js?id=G-2"`,
		`$.getScript("//www.google-analytics.com/analytics.js", function(){});`,
		`new Image().src = "https://www.google-analytics.com/collect?v=1&tid=UA-1-1";`,
		`navigator.sendBeacon("https://region1.google-analytics.com/g/collect", data)`,
		`document.write('<scr' + 'ipt src="//www.google-analytics.com/ga.js"></scr' + 'ipt>');`,
		`document.write("\x3Cscript src='https://www.google-analytics.com/ga.js'\x3E\x3C/script\x3E")`,
		`document.write(unescape("%3Cscript%20src%3D%22http%3A//www.google-analytics.com/ga.js%22%3E%3C/script%3E"))`,
		`fetch("https:\/\/www.google-analytics.com\/mp\/collect?api_secret=1", {method: "POST"})`,
	},
	"meta-pixel": {
		`fbq("init", "123"); fbq("track", "PageView");`,
		`window._fbq = window._fbq || []; window._fbq.push(['addPixelId', '123']);`,
		`(function(){var s=document.createElement('script');s.src='//connect.facebook.net/'+lang+'/fbevents.js';document.body.appendChild(s)})()`,
	},
	"facebook-social": {
		`window.fbAsyncInit = function(){ FB.init({appId: '1', xfbml: true}); };
(function(d){ var js, id='facebook-jssdk'; js=d.createElement('script'); js.id=id; js.async=true;
 js.src="//connect.facebook.net/en_US/all.js"; d.getElementsByTagName('head')[0].appendChild(js); }(document));`,
		`document.getElementById('like').innerHTML = '<iframe src="https://www.facebook.com/plugins/like.php?href=' + encodeURIComponent(u) + '"></iframe>';`,
	},
	"twitter-widgets": {
		`new TWTR.Widget({version: 2, type: 'profile', rpp: 4}).render().start();`,
		`window.twttr=(function(d,s,id){var js,fjs=d.getElementsByTagName(s)[0],t=window.twttr||{};js=d.createElement(s);js.id=id;js.src="https://platform.twitter.com/widgets.js";fjs.parentNode.insertBefore(js,fjs);t._e=[];t.ready=function(f){t._e.push(f)};return t}(document,"script","twitter-wjs"));`,
	},
	"segment": {
		`var analytics=analytics||[];(function(){var e=["identify","track"],t=function(e){return function(){analytics.push([e].concat(Array.prototype.slice.call(arguments,0)))}};for(var n=0;n<e.length;n++)analytics[e[n]]=t(e[n])})(),analytics.load=function(e){var t=document.createElement("script");t.src=("https:"===document.location.protocol?"https://":"http://")+"d2dq2ahtl5zl1z.cloudfront.net/analytics.js/v1/"+e+"/analytics.min.js";var n=document.getElementsByTagName("script")[0];n.parentNode.insertBefore(t,n)};analytics.load("K");`,
	},
	"fullstory": {
		`window['_fs_host'] = 'fullstory.com'; window['_fs_org'] = 'X'; window['_fs_namespace'] = 'FS';
(function(m,n,e,t,l,o,g,y){ if (e in m) {return;} g=m[e]=function(a,b,s){g.q?g.q.push([a,b,s]):g._api(a,b,s);};g.q=[];
o=n.createElement(t);o.async=1;o.src='https://'+_fs_host+'/s/fs.js'; y=n.getElementsByTagName(t)[0];y.parentNode.insertBefore(o,y);
})(window,document,window['_fs_namespace'],'script','user');`,
	},
	"new-relic": {`window.NREUM||(NREUM={}),__nr_require=function(t,e,n){};NREUM.info={beacon:"bam.nr-data.net",licenseKey:"x"};`},
	"matomo": {`try { var piwikTracker = Piwik.getTracker(pkBaseURL + "piwik.php", 1); piwikTracker.trackPageView(); } catch(err) {}`,
		`var _paq = _paq || []; _paq.push(["trackPageView"]); _paq.push(["setSiteId", "1"]);`},
	"google-ads":     {`/* <![CDATA[ */ var google_conversion_id = 1; var google_conversion_language = "en"; /* ]]> */`},
	"google-adsense": {`google_ad_client = "ca-pub-1"; google_ad_slot = "2"; google_ad_width = 728;`, `(adsbygoogle = window.adsbygoogle || []).push({});`},
	"adroll": {`adroll_adv_id = "A"; adroll_pix_id = "B"; (function () { var oldonload = window.onload; window.onload = function(){ __adroll_loaded=true;
 var scr = document.createElement("script"); var host = (("https:" == document.location.protocol) ? "https://s.adroll.com" : "http://a.adroll.com");
 scr.setAttribute('async', 'true'); scr.type = "text/javascript"; scr.src = host + "/j/roundtrip.js";
 document.documentElement.firstChild.appendChild(scr); if(oldonload){oldonload()}};}());`},
}

// lookAlikes are scripts that name vendors and load none.
var lookAlikes = []string{
	``, `;`, `{"@context":"https://schema.org","sameAs":["https://www.facebook.com/x","https://twitter.com/x"]}`,
	`var CONFIG = {"analytics":"https://www.google-analytics.com/analytics.js","pixel":"https://connect.facebook.net/en_US/fbevents.js"};`,
	`window.__STATE__ = {"scripts":["https://www.googletagmanager.com/gtm.js?id=GTM-X"]}; var el = document.createElement("div");`,
	"// document.write('<script src=\"https://www.google-analytics.com/ga.js\">')\nvar a = 1;",
	"/* (function(){ var s=document.createElement('script'); s.src='https://connect.facebook.net/en_US/sdk.js' })() */",
	`if (location.href.indexOf("google-analytics.com/ga.js") > -1) { document.createElement("p"); }`,
	`if (url === "https://www.google-analytics.com/analytics.js") { x = document.createElement("p"); }`,
	`var re = /https:\/\/www\.google-analytics\.com\/ga\.js/; document.createElement("p");`,
	`switch (src) { case "https://connect.facebook.net/en_US/sdk.js": load(); }`,
	`console.log("blocked https://www.google-analytics.com/ga.js"); document.createElement("a");`,
	`document.querySelectorAll('script[src*="//www.googletagmanager.com/gtm.js"]').forEach(function(n){ n.remove() });`,
	`if (typeof gtag === "function") { gtag("event", "purchase", {value: 1}); }`,
	`document.getElementById("buy").addEventListener("click", function () { if (window.fbq) fbq("track", "Lead"); ga("send", "event", "cta"); _gaq && _gaq.push(["_trackEvent", "a", "b"]); });`,
	`window.dataLayer = window.dataLayer || []; dataLayer.push({event: "addToCart", value: 3});`,
	`el.innerHTML = "We use google-analytics.com to measure visits.";`,
	"el.innerHTML = `We embed videos from youtube.com and posts of platform.twitter.com on this page.`;",
	`var x = a / b; var y = "//" + c; document.createElement("p"); // www.google-analytics.com/ga.js`,
	`var share = "https://www.facebook.com/sharer/sharer.php?u=" + u; window.open(share); document.createElement("p");`,
	`var s=document.createElement("script");s.src="/js/google-analytics.com/app.js";document.body.appendChild(s);`,
	`var s=document.createElement("script");s.src="https://cdn.jsdelivr.net/npm/vue@3";document.body.appendChild(s);`,
	`var s=document.createElement("script");s.src="https://www.google.com/recaptcha/api.js";document.body.appendChild(s);`,
	`var s=document.createElement("script");s.src="https://google-analytics.com.example.net/x.js";document.body.appendChild(s);`,
	`var s=document.createElement("script");s.src="https://example.net/?next=www.google-analytics.com";document.body.appendChild(s);`,
	`var email = "me@google-analytics.com"; document.createElement("p");`,
	`var name = "_hjSettings"; if (name in window) { document.createElement("p"); }`,
	`gtag("consent", "default", {ad_storage: "denied"});`,
	`for (var i = 0; i < m.length; i++) { s += m[i].a; }`,
	`var UA = navigator.userAgent; if (UA.indexOf("MSIE") > 0) { document.createElement("p"); }`,
	`var a = b
/re/g.exec("https://x")`,
}

func TestScriptRecognisesSnippets(t *testing.T) {
	s := builtin(t, Options{})
	n := 0
	for vendor, list := range snippets {
		for _, text := range list {
			n++
			m, ok := s.Script([]byte(text), Context{})
			if !ok || m.Vendor != vendor || m.Mixed {
				t.Errorf("%v, %s by %q, mixed %v; want %s:\n%s", ok, m.Vendor, m.Rule, m.Mixed, vendor, text)
			}
		}
	}
	t.Logf("%d snippets", n)
}

func TestScriptLeavesLookAlikes(t *testing.T) {
	s := builtin(t, Options{})
	for _, text := range lookAlikes {
		if m, ok := s.Script([]byte(text), Context{}); ok {
			t.Errorf("%s by %q in:\n%s", m.Vendor, m.Rule, text)
		}
	}
}

// siteScript is a script as a site writes it, without any vendor.
var siteScript = `"use strict";
var menu = { open: false, items: [] };
function toggleMenu(event) { event.preventDefault(); menu.open = !menu.open; document.body.classList.toggle("menu-open", menu.open); }
function addItem(name, price) { menu.items.push({ name: name, price: Number(price).toFixed(2), at: new Date() }); render(); }
function render() {
  var list = document.getElementById("items");
  while (list.firstChild) { list.removeChild(list.firstChild); }
  for (var i = 0; i < menu.items.length; i++) {
    var li = document.createElement("li"); li.textContent = menu.items[i].name + ": " + menu.items[i].price; list.appendChild(li);
  }
}
document.getElementById("toggle").onclick = toggleMenu;
`

func TestScriptTellsMixedOnes(t *testing.T) {
	s := builtin(t, Options{})
	line := "ga('create', 'UA-1-1', 'auto');\n"
	for name, text := range map[string]string{
		"line at the end":   siteScript + line,
		"line at the start": line + siteScript,
		"no semicolons":     strings.ReplaceAll(siteScript, ";\n", "\n") + line,
		"inside ready":      "jQuery(document).ready(function ($) {\n" + siteScript + line + "});",
		"inside listener":   `document.addEventListener("DOMContentLoaded", function () {` + siteScript + line + "});",
		"snippet appended":  siteScript + snippets["google-tag-manager"][0],
		"webfonts beside":   `WebFontConfig = {google: {families: ['PT+Sans']}}; (function () { var s = document.createElement("script"); s.src = "https://ajax.googleapis.com/ajax/libs/webfont/1/webfont.js"; document.head.appendChild(s); })(); sas_scriptDomain = "http://ww691.smartadserver.com/x";`,
		"one statement":     `if (document.documentElement.className.indexOf("no-js") < 0) { (function () { var s = document.createElement("script"); s.src = "//static.shop.example/js/require.js"; s.onload = function () {` + siteScript + siteScript + siteScript + `if (window.iom) iom.c({st: "x"}, 2); }; document.head.appendChild(s); })(); }`,
		"helper declared":   `function handled() { return true; } window.onerror = handled; document.write('<img src="https://pixel.quantserve.com/p.gif?r=' + Math.random() + '">');`,
		"list of scripts":   `(function(){function load(){var urls=["https:\/\/cdn.reviews.example\/a.js","https:\/\/static.klaviyo.com\/onsite\/js\/klaviyo.js"];for(var i=0;i<urls.length;i++){var s=document.createElement("script");s.src=urls[i];document.body.appendChild(s)}}window.addEventListener("load",load)})();`,
	} {
		if m, ok := s.Script([]byte(text), Context{}); !ok || !m.Mixed {
			t.Errorf("%s: %v, mixed %v", name, ok, m.Mixed)
		}
	}
}

// TestScriptOfAVendorIsNotMixed: a loader's own function and a vendor's configuration make no script the site's.
func TestScriptOfAVendorIsNotMixed(t *testing.T) {
	s := builtin(t, Options{})
	for name, text := range map[string]string{
		"loader in a function": `function load() { var s = document.createElement("script"); s.src = "https://pixel.quantserve.com/q.js"; document.body.appendChild(s); } load();`,
		"page code":            `s.charSet='UTF-8';s.linkInternalFilters='javascript:';s.pageName='How to';s.server='x';s.prop1='L';s.prop2='en';s.channel='Us';s.prop22='False';s.prop25='';s.prop26='';s.prop3='Y';s.prop4='T';s.prop5='A';s.prop6='F';s.prop11='true';s.prop37='1';s.prop48='';$(document).ready(function() {s.eVar30 =  setevar30();var prop47 = "s.prop47 ='" + setprop47Var();+ "'"; var s_code=s.t();if(s_code)document.write(s_code); });`,
		"mark and helper":      `function id() { return 7; } fbq('init', id()); fbq('track', 'PageView');`,
	} {
		if m, ok := s.Script([]byte(text), Context{}); !ok || m.Mixed {
			t.Errorf("%s: %v, mixed %v", name, ok, m.Mixed)
		}
	}
}

// TestScriptThatImportsIsNeverMixed: nothing at run time can stop an import, so such a script is gated whole.
func TestScriptThatImportsIsNeverMixed(t *testing.T) {
	s := builtin(t, Options{})
	for _, line := range []string{
		`import("https://www.google-analytics.com/analytics.js").catch(function () {});`,
		`import * as ga from "https://www.google-analytics.com/analytics.js";`, `import "https://www.google-analytics.com/analytics.js";`,
	} {
		for _, text := range []string{siteScript + line, line + siteScript} {
			if m, ok := s.Script([]byte(text), Context{}); !ok || m.Mixed {
				t.Errorf("%s: %v, mixed %v", line, ok, m.Mixed)
			}
		}
	}
	if m, ok := s.Script([]byte(siteScript+`import("/menu.js"); fetch("https://www.google-analytics.com/collect?v=1");`), Context{}); !ok || !m.Mixed {
		t.Errorf("an import of the site's own: %v, mixed %v", ok, m.Mixed)
	}
}

// TestScriptNamesTheMostIntrusive: a script of several vendors runs when all are permitted, so the strictest is named.
func TestScriptNamesTheMostIntrusive(t *testing.T) {
	s := builtin(t, Options{})
	m, ok := s.Script([]byte(snippets["google-analytics"][0]+snippets["meta-pixel"][0]), Context{})
	if !ok || m.Vendor != "meta-pixel" {
		t.Errorf("%v, %s", ok, m.Vendor)
	}
}

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

func TestScriptOfAnyLength(t *testing.T) {
	s := builtin(t, Options{})
	blob := strings.Repeat("x", 3000)
	for _, text := range []string{
		`document.write("` + blob + ` <script src='https://www.google-analytics.com/ga.js'></script>");`,
		`document.write("` + strings.Repeat(`\x20`, 3000) + ` <script src='https://www.google-analytics.com/ga.js'></script>");`,
		`document.write("` + blob[:2040] + `" + "<img src='https://www.google-analytics.com/collect'>");`,
		strings.Repeat("(", 5000) + `document.write("<script src='https://www.google-analytics.com/ga.js'></script>")`,
		"`" + strings.Repeat("${`", 2000) + strings.Repeat("`}", 2000) + "`;document.write('<img src=//www.google-analytics.com/collect>')",
	} {
		if _, ok := s.Script([]byte(text), Context{}); !ok {
			t.Errorf("not recognised: %.40s… (%d bytes)", text, len(text))
		}
	}
}

func TestScriptDoesNotAllocate(t *testing.T) {
	s := builtin(t, Options{})
	text := []byte(siteScript + snippets["google-tag-manager"][0])
	for name, f := range map[string]func([]byte, Context) (Match, bool){"new": s.readScript, "seen": s.Script} {
		if n := testing.AllocsPerRun(100, func() { f(text, Context{}) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestScriptRemembers: an answer from memory is the one that reading gives, in each context, and also after other scripts
// took the slot.
func TestScriptRemembers(t *testing.T) {
	s := builtin(t, Options{})
	var texts [][]byte
	for _, list := range snippets {
		for _, text := range list {
			texts = append(texts, []byte(text))
		}
	}
	for i := range rounds(1500) { // buckets of seenScripts overflow
		texts = append(texts, fmt.Appendf(nil, "var page = %d; %s", i, siteScript))
	}
	for range 2 {
		for _, text := range texts {
			for _, c := range []Context{{}, {Payment: true}} {
				wanted, ok := s.readScript(text, c)
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

func FuzzScript(f *testing.F) {
	s := builtin(f, Options{})
	for _, list := range snippets {
		for _, text := range list {
			f.Add([]byte(text))
		}
	}
	for _, text := range lookAlikes {
		f.Add([]byte(text))
	}
	f.Add([]byte("`${`${/[/]/}`}`"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		m, ok := s.Script(text, Context{})
		if !bytes.Equal(before, text) {
			t.Error("the text was changed")
		}
		if ok != (m.Vendor != "") {
			t.Errorf("%v, %q", ok, m.Vendor)
		}
	})
}

func FuzzLexer(f *testing.F) {
	f.Add(`a=/[/"]/.test("x\"y")+'z'//c` + "\n" + `/* " */` + "`t${b}u`")
	f.Fuzz(func(t *testing.T, text string) {
		l := newLexer([]byte(text))
		for n, last := 0, -1; ; n++ {
			tok := l.next()
			if tok.kind == tokenEnd {
				break
			}
			if l.pos <= last || n > len(text) {
				t.Fatalf("no progress at %d", l.pos)
			}
			last = l.pos
			if v := unescape(nil, tok.text); tok.escaped && utf8.ValidString(text) && len(v) > len(tok.text)+utf8.UTFMax {
				t.Errorf("%q became longer: %q", tok.text, v)
			}
		}
	})
}
