package javascript

// What these tests and those of the package from outside have in common.

// Snippets are forms in which vendors' loaders and configurations stand in pages, beyond the one in each vendor's file.
var Snippets = map[string][]string{
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

// LookAlikes are scripts that name vendors and load none.
var LookAlikes = []string{
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

// SiteScript is a script as a site writes it, without any vendor.
var SiteScript = `"use strict";
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
