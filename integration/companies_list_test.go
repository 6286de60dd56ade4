package integration

import "strings"

// A snippet is one form in which a vendor's own instructions, of today or of years ago, brought it into pages.
type snippet struct {
	vendor, markup string
	live           string // whom it contacts once it is permitted: beginnings of host and path
	dry            string // the same where JavaScript is off
}

// beside is how loaders put their script beside the page's first.
const beside = `;s.async=true;var f=document.getElementsByTagName('script')[0];f.parentNode.insertBefore(s,f)})();</script>`

// googleSnippets are Google Analytics in all its generations, and a container that brings others.
var googleSnippets = []snippet{
	{"ga.js by document.write", `<script type="text/javascript">var gaJsHost = (("https:" == document.location.protocol) ? "https://ssl." : "http://www.");
document.write(unescape("%3Cscript src='" + gaJsHost + "google-analytics.com/ga.js' type='text/javascript'%3E%3C/script%3E"));</script>
<script type="text/javascript">try { var pageTracker = _gat._getTracker("UA-1-1"); pageTracker._trackPageview(); } catch (err) {}</script>`, "ssl.google-analytics.com/ga.js", ""},
	{"ga.js, async queue", `<script type="text/javascript">var _gaq = _gaq || []; _gaq.push(['_setAccount', 'UA-1-1']); _gaq.push(['_gat._anonymizeIp']); _gaq.push(['_trackPageview']);
(function() { var ga = document.createElement('script'); ga.type = 'text/javascript'; ga.async = true;
ga.src = ('https:' == document.location.protocol ? 'https://' : 'http://') + 'stats.g.doubleclick.net/dc.js';
var s = document.getElementsByTagName('script')[0]; s.parentNode.insertBefore(ga, s); })();</script>`, "stats.g.doubleclick.net/dc.js", ""},
	{"urchin.js", `<script src="//www.google-analytics.com/urchin.js" type="text/javascript"></script><script type="text/javascript">_uacct = "UA-1-1"; window.urchinTracker && urchinTracker();</script>`,
		"www.google-analytics.com/urchin.js", ""},
	{"analytics.js", `<script>(function(i,s,o,g,r,a,m){i['GoogleAnalyticsObject']=r;i[r]=i[r]||function(){(i[r].q=i[r].q||[]).push(arguments)},i[r].l=1*new Date();a=s.createElement(o),
m=s.getElementsByTagName(o)[0];a.async=1;a.src=g;m.parentNode.insertBefore(a,m)})(window,document,'script','//www.google-analytics.com/analytics.js','ga');
ga('create', 'UA-1-1', 'auto'); ga('set', 'anonymizeIp', true); ga('require', 'displayfeatures'); ga('send', 'pageview');</script>`, "www.google-analytics.com/analytics.js", ""},
	{"gtag.js", `<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments);} gtag('js', new Date()); gtag('config', 'G-1', {anonymize_ip: true});</script>`,
		"www.googletagmanager.com/gtag/js", ""},
	{"a counter without a script", `<noscript><img src="https://www.google-analytics.com/collect?v=1&amp;tid=UA-1-1&amp;cid=555&amp;t=pageview" alt=""></noscript>`, "", "www.google-analytics.com/collect"},
	{"Tag Manager", `<noscript><iframe src="//www.googletagmanager.com/ns.html?id=GTM-1" height="0" width="0" style="display:none;visibility:hidden"></iframe></noscript>
<script>(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start': new Date().getTime(),event:'gtm.js'});var f=d.getElementsByTagName(s)[0],
j=d.createElement(s),dl=l!='dataLayer'?'&l='+l:'';j.async=true;j.src='//www.googletagmanager.com/gtm.js?id='+i+dl;f.parentNode.insertBefore(j,f);})(window,document,'script','dataLayer','GTM-1');</script>`,
		"www.googletagmanager.com/gtm.js snap.licdn.com/li.lms-analytics/insight.min.js bat.bing.com/bat.js", "www.googletagmanager.com/ns.html"},
}

// adrollSnippets are AdRoll's first loader, which waited for the page, and its later one.
var adrollSnippets = []snippet{
	{"AdRoll, onload", `<script type="text/javascript">adroll_adv_id = "ADV"; adroll_pix_id = "PIX";
(function () { var oldonload = window.onload; window.onload = function(){ __adroll_loaded=true; var scr = document.createElement("script");
var host = (("https:" == document.location.protocol) ? "https://s.adroll.com" : "http://a.adroll.com"); scr.setAttribute('async', 'true'); scr.type = "text/javascript";
scr.src = host + "/j/roundtrip.js"; ((document.getElementsByTagName('head') || [null])[0] || document.getElementsByTagName('script')[0].parentNode).appendChild(scr);
if(oldonload){oldonload()}}; }());</script>`, "s.adroll.com/j/roundtrip.js", ""},
	{"AdRoll, queue", `<script type="text/javascript">adroll_adv_id = "ADV"; adroll_pix_id = "PIX"; adroll_version = "2.0";
(function(w, d, e, o, a) { w.__adroll_loaded = true; w.adroll = w.adroll || []; w.adroll.f = [ 'setProperties', 'identify', 'track' ];
var roundtripUrl = "https://s.adroll.com/j/" + adroll_adv_id + "/roundtrip.js";
for (a = 0; a < w.adroll.f.length; a++) { w.adroll[w.adroll.f[a]] = w.adroll[w.adroll.f[a]] || (function(n) { return function() { w.adroll.push([ n, arguments ]) } })(w.adroll.f[a]) }
e = d.createElement('script'); o = d.getElementsByTagName('script')[0]; e.async = 1; e.src = roundtripUrl; o.parentNode.insertBefore(e, o); })(window, document);
adroll.track("pageView");</script>`, "s.adroll.com/j/ADV/roundtrip.js", ""},
}

var snapengageSnippets = []snippet{
	{"SnapEngage", `<script type="text/javascript">(function() { var se = document.createElement('script'); se.type = 'text/javascript'; se.async = true;
se.src = '//storage.googleapis.com/code.snapengage.com/js/00-planio.js'; var done = false;
se.onload = se.onreadystatechange = function() { if (!done&&(!this.readyState||this.readyState==='loaded'||this.readyState==='complete')) { done = true; window.SnapEngage && SnapEngage.allowChatSound(true); } };
var s = document.getElementsByTagName('script')[0]; s.parentNode.insertBefore(se, s); })();</script>`, "storage.googleapis.com/code.snapengage.com/js/", ""},
	{"SnapABug", `<script type="text/javascript">document.write(unescape("%3Cscript src='" + ((document.location.protocol=="https:")?"https://snapabug.appspot.com":"http://www.snapengage.com") + "/snapabug.js' type='text/javascript'%3E%3C/script%3E"));</script>
<script type="text/javascript">window.SnapABug && SnapABug.addButton("00-planio", "0", "55%");</script>`, "snapabug.appspot.com/snapabug.js", ""},
}

// buttonSnippets are Like, Tweet and +1: as markup that a script finds, as XFBML, as frames.
var buttonSnippets = []snippet{
	{"Like, XFBML", `<div id="fb-root"></div><fb:like href="https://planio.test/" send="false" show_faces="false"></fb:like><div class="fb-like" data-href="https://planio.test/"></div>
<script>(function(d, s, id) { var js, fjs = d.getElementsByTagName(s)[0]; if (d.getElementById(id)) return; js = d.createElement(s); js.id = id;
js.src = "//connect.facebook.net/en_US/all.js#xfbml=1&appId=1"; fjs.parentNode.insertBefore(js, fjs); }(document, 'script', 'facebook-jssdk'));</script>`,
		"connect.facebook.net/en_US/all.js www.facebook.com/plugins/like.php?made", ""},
	{"Like, frame", `<iframe src="//www.facebook.com/plugins/like.php?href=https%3A%2F%2Fplanio.test%2F&amp;send=false&amp;layout=button_count" scrolling="no" frameborder="0" style="border:none; overflow:hidden; width:100px; height:21px;" allowTransparency="true"></iframe>`,
		"www.facebook.com/plugins/like.php?href", "www.facebook.com/plugins/like.php"},
	{"Tweet", `<a href="https://twitter.com/share" class="twitter-share-button" data-via="planio">Tweet</a>
<script>!function(d,s,id){var js,fjs=d.getElementsByTagName(s)[0],p=/^http:/.test(d.location)?'http':'https';if(!d.getElementById(id)){js=d.createElement(s);js.id=id;js.src=p+'://platform.twitter.com/widgets.js';fjs.parentNode.insertBefore(js,fjs);}}(document, 'script', 'twitter-wjs');</script>`,
		"platform.twitter.com/widgets.js platform.twitter.com/widgets/tweet_button.html?made", ""},
	{"Tweet, frame", `<iframe allowtransparency="true" frameborder="0" scrolling="no" src="//platform.twitter.com/widgets/tweet_button.html?url=https://planio.test/" style="width:130px; height:20px;"></iframe>`,
		"platform.twitter.com/widgets/tweet_button.html?url", "platform.twitter.com/widgets/tweet_button.html"},
	{"+1", `<g:plusone size="medium"></g:plusone><div class="g-plusone" data-size="medium"></div><script type="text/javascript">window.___gcfg = {lang: 'en'};
(function() { var po = document.createElement('script'); po.type = 'text/javascript'; po.async = true; po.src = 'https://apis.google.com/js/plusone.js';
var s = document.getElementsByTagName('script')[0]; s.parentNode.insertBefore(po, s); })();</script>`, "apis.google.com/js/plusone.js apis.google.com/u/0/se/0/_/+1/fastbutton", ""},
}

// metaSnippets are Meta's pixel, first its forerunner, which today's would keep from loading, and the picture for those without
// scripts.
var metaSnippets = []snippet{
	{"_fbq", `<script>(function() { var _fbq = window._fbq || (window._fbq = []); if (!_fbq.loaded) { var fbds = document.createElement('script'); fbds.async = true;
fbds.src = '//connect.facebook.net/en_US/fbds.js'; var s = document.getElementsByTagName('script')[0]; s.parentNode.insertBefore(fbds, s); _fbq.loaded = true; } _fbq.push(['addPixelId', '2']); })();
window._fbq = window._fbq || []; window._fbq.push(['track', 'PixelInitialized', {}]);</script><noscript><img height="1" width="1" alt="" style="display:none" src="https://www.facebook.com/tr?id=2&amp;ev=PixelInitialized" /></noscript>`,
		"connect.facebook.net/en_US/fbds.js", "www.facebook.com/tr?id=2"},
	{"fbq", `<script>!function(f,b,e,v,n,t,s){if(f.fbq)return;n=f.fbq=function(){n.callMethod?n.callMethod.apply(n,arguments):n.queue.push(arguments)};if(!f._fbq)f._fbq=n;
n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);t.async=!0;t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,document,'script','https://connect.facebook.net/en_US/fbevents.js');
fbq('init', '1'); fbq('track', 'PageView');</script><noscript><img height="1" width="1" style="display:none" src="https://www.facebook.com/tr?id=1&ev=PageView&noscript=1"></noscript>`,
		"connect.facebook.net/en_US/fbevents.js", "www.facebook.com/tr?id=1"},
}

var segmentSnippets = []snippet{
	{"Segment", `<script type="text/javascript">!function(){var analytics=window.analytics=window.analytics||[];if(!analytics.initialize)if(analytics.invoked)window.console&&console.error&&console.error("Segment snippet included twice.");else{analytics.invoked=!0;
analytics.methods=["trackSubmit","trackClick","trackLink","trackForm","pageview","identify","reset","group","track","ready","alias","page","once","off","on"];
analytics.factory=function(t){return function(){var e=Array.prototype.slice.call(arguments);e.unshift(t);analytics.push(e);return analytics}};for(var t=0;t<analytics.methods.length;t++){var e=analytics.methods[t];analytics[e]=analytics.factory(e)}
analytics.load=function(t){var e=document.createElement("script");e.type="text/javascript";e.async=!0;e.src=("https:"===document.location.protocol?"https://":"http://")+"cdn.segment.com/analytics.js/v1/"+t+"/analytics.min.js";var n=document.getElementsByTagName("script")[0];n.parentNode.insertBefore(e,n)};
analytics.SNIPPET_VERSION="3.1.0";analytics.load("KEY");analytics.page()}}();</script>`, "cdn.segment.com/analytics.js/v1/KEY/", ""},
	{"Segment, first form", `<script>(function(){var s=document.createElement('script');s.src=('https:'===document.location.protocol?'https://':'http://')+'d2dq2ahtl5zl1z.cloudfront.net/analytics.js/v1/OLD/analytics.min.js'` + beside, "d2dq2ahtl5zl1z.cloudfront.net/analytics.js/v1/", ""},
	{"Segment, picture", `<img src="https://api.segment.io/v1/pixel/track?data=eyJ3cml0ZUtleSI6IktFWSJ9" width="1" height="1" alt="">`, "api.segment.io/v1/pixel/", "api.segment.io/v1/pixel/"},
}

var amplitudeSnippets = []snippet{
	{"Amplitude", `<script type="text/javascript">(function(e,t){var n=e.amplitude||{_q:[],_iq:{}};var r=t.createElement("script");r.type="text/javascript";r.crossOrigin="anonymous";r.async=true;
r.src="https://cdn.amplitude.com/libs/amplitude-8.5.0-min.gz.js";r.onload=function(){if(!e.amplitude.runQueuedFunctions){}};var s=t.getElementsByTagName("script")[0];s.parentNode.insertBefore(r,s);
function i(e,t){e.prototype[t]=function(){this._q.push([t].concat(Array.prototype.slice.call(arguments,0)));return this}}var o=function(){this._q=[];return this};var a=["add","append","set"];for(var c=0;c<a.length;c++){i(o,a[c])}n.Identify=o;
var d=["init","logEvent","setUserId"];function v(e){function t(t){e[t]=function(){e._q.push([t].concat(Array.prototype.slice.call(arguments,0)))}}for(var n=0;n<d.length;n++){t(d[n])}}v(n);
n.getInstance=function(e){e=(!e||e.length===0?"$default_instance":e).toLowerCase();if(!n._iq.hasOwnProperty(e)){n._iq[e]={_q:[]};v(n._iq[e])}return n._iq[e]};e.amplitude=n})(window,document);
amplitude.getInstance().init("KEY");</script>`, "cdn.amplitude.com/libs/amplitude-8.5.0-min.gz.js", ""},
	{"Amplitude, first form", `<script>(function(){var s=document.createElement('script');s.src='https://d24n15hnbwhuhn.cloudfront.net/libs/amplitude-2.4.0-min.gz.js'` + beside, "d24n15hnbwhuhn.cloudfront.net/libs/", ""},
}

var customerioSnippets = []snippet{
	{"Customer.io", `<script type="text/javascript">var _cio = _cio || []; (function() { var a,b,c;a=function(f){return function(){_cio.push([f].concat(Array.prototype.slice.call(arguments,0)))}};
b=["load","identify","sidentify","track","page"];for(c=0;c<b.length;c++){_cio[b[c]]=a(b[c])}; var t = document.createElement('script'), s = document.getElementsByTagName('script')[0];
t.async = true; t.id = 'cio-tracker'; t.setAttribute('data-site-id', 'SITE'); t.src = 'https://assets.customer.io/assets/track.js'; s.parentNode.insertBefore(t, s); })();</script>`, "assets.customer.io/assets/track.js", ""},
	{"Customer.io, a mail's beacon in its web version", `<img src="https://track.customer.io/e/o/ODk3OTo0" style="height: 1px; max-height: 1px; max-width: 1px; width: 1px" alt="">`, "track.customer.io/e/o/", "track.customer.io/e/o/"},
	{"a mail's beacon of another service", `<img src="https://plumstack.us1.list-manage.com/track/open.php?u=1&id=2&e=3" height="1" width="1">`, "plumstack.us1.list-manage.com/track/open.php", "plumstack.us1.list-manage.com/track/open.php"},
}

var pinterestSnippets = []snippet{
	{"Pinterest", `<script>!function(e){if(!window.pintrk){window.pintrk=function(){window.pintrk.queue.push(Array.prototype.slice.call(arguments))};var n=window.pintrk;n.queue=[],n.version="3.0";
var t=document.createElement("script");t.async=!0,t.src=e;var r=document.getElementsByTagName("script")[0];r.parentNode.insertBefore(t,r)}}("https://s.pinimg.com/ct/core.js");pintrk('load','26');pintrk('page');</script>
<noscript><img height="1" width="1" style="display:none;" alt="" src="https://ct.pinterest.com/v3/?tid=26&noscript=1" /></noscript>`, "s.pinimg.com/ct/core.js", "ct.pinterest.com/v3/"},
}

var zendeskSnippets = []snippet{
	{"Zendesk", `<script id="ze-snippet" src="https://static.zdassets.com/ekr/snippet.js?key=00-planly"></script>`, "static.zdassets.com/ekr/snippet.js", ""},
	{"Zendesk, from a frame of its own", `<script>window.zEmbed||function(e,t){var n,o,d,i,s,a=[],r=document.createElement("iframe");window.zEmbed=function(){a.push(arguments)},window.zE=window.zE||window.zEmbed,r.src="javascript:false",r.title="",r.role="presentation",
(r.frameElement||r).style.cssText="display: none",d=document.getElementsByTagName("script"),d=d[d.length-1],d.parentNode.insertBefore(r,d),i=r.contentWindow,s=i.document;try{o=s}catch(c){n=document.domain,r.src='javascript:var d=document.open();d.domain="'+n+'";void(0);',o=s}
o.open()._l=function(){var o=this.createElement("script");n&&(this.domain=n),o.id="js-iframe-async",o.src=e,this.t=+new Date,this.zendeskHost=t,this.zEQueue=a,this.body.appendChild(o)},o.write('<body onload="document._l();">'),o.close()}("https://assets.zendesk.com/embeddable_framework/main.js","planly.zendesk.com");</script>`,
		"assets.zendesk.com/embeddable_framework/main.js", ""},
	{"Zopim", `<script type="text/javascript">window.$zopim||(function(d,s){var z=$zopim=function(c){z._.push(c)},$=z.s=d.createElement(s),e=d.getElementsByTagName(s)[0];z.set=function(o){z.set._.push(o)};z._=[];z.set._=[];$.async=!0;
$.setAttribute("charset","utf-8");$.src="//v2.zopim.com/?KEY";z.t=+new Date;$.type="text/javascript";e.parentNode.insertBefore($,e)})(document,"script");</script>`, "v2.zopim.com/", ""},
}

// partnerSnippets are partners who set cookies of their own: conversions, remarketing, a frame, a picture nobody remembers.
var partnerSnippets = []snippet{
	{"Google Ads remarketing", `<script type="text/javascript">/* <![CDATA[ */ var google_conversion_id = 1; var google_custom_params = window.google_tag_params; var google_remarketing_only = true; /* ]]> */</script>
<script type="text/javascript" src="//www.googleadservices.com/pagead/conversion.js"></script>
<noscript><div style="display:inline;"><img height="1" width="1" style="border-style:none;" alt="" src="//googleads.g.doubleclick.net/pagead/viewthroughconversion/1/?value=0&amp;guid=ON&amp;script=0"/></div></noscript>`,
		"www.googleadservices.com/pagead/conversion.js", "googleads.g.doubleclick.net/pagead/viewthroughconversion/1/"},
	{"Floodlight", `<iframe src="https://1.fls.doubleclick.net/activityi;src=1;type=a;cat=b;ord=1?" width="1" height="1" frameborder="0" style="display:none"></iframe>`, "1.fls.doubleclick.net/activityi", "1.fls.doubleclick.net/activityi"},
	{"LinkedIn", `<script type="text/javascript">_linkedin_partner_id = "1"; window._linkedin_data_partner_ids = window._linkedin_data_partner_ids || []; window._linkedin_data_partner_ids.push(_linkedin_partner_id);</script>
<script type="text/javascript">(function(l) { if (!l){window.lintrk = function(a,b){window.lintrk.q.push([a,b])}; window.lintrk.q=[]} var s = document.getElementsByTagName("script")[0]; var b = document.createElement("script"); b.type = "text/javascript";b.async = true;
b.src = "https://snap.licdn.com/li.lms-analytics/insight.min.js"; s.parentNode.insertBefore(b, s);})(window.lintrk);</script><noscript><img height="1" width="1" style="display:none;" alt="" src="https://px.ads.linkedin.com/collect/?pid=1&fmt=gif" /></noscript>`,
		"snap.licdn.com/li.lms-analytics/insight.min.js", "px.ads.linkedin.com/collect/"},
	{"a partner whom no list knows", `<img src="https://count.partner.test/seen.gif" width=1 height=1>`, "count.partner.test/seen.gif", "count.partner.test/seen.gif"},
}

// madeByScripts is what vendors' scripts do beside keeping cookies, by the beginning of their host and path: containers
// bring others, SDKs turn markup into frames.
var madeByScripts = map[string]string{
	"www.googletagmanager.com/gtm.js":   `for (const u of ["https://snap.licdn.com/li.lms-analytics/insight.min.js", "https://bat.bing.com/bat.js"]) document.head.append(Object.assign(document.createElement("script"), {src: u}));`,
	"connect.facebook.net/en_US/all.js": `for (const e of document.querySelectorAll(".fb-like")) e.append(Object.assign(document.createElement("iframe"), {src: "https://www.facebook.com/plugins/like.php?made=1"}));`,
	"platform.twitter.com/widgets.js":   `for (const e of document.querySelectorAll("a.twitter-share-button")) e.replaceWith(Object.assign(document.createElement("iframe"), {src: "https://platform.twitter.com/widgets/tweet_button.html?made=1"}));`,
	"apis.google.com/js/plusone.js":     `for (const e of document.querySelectorAll(".g-plusone")) e.append(Object.assign(document.createElement("iframe"), {src: "https://apis.google.com/u/0/se/0/_/+1/fastbutton?made=1"}));`,
}

// keptByScripts are the cookies, and behind a semicolon the keys in localStorage, that vendors' scripts keep on the site's
// own domain, by the end of their host.
var keptByScripts = map[string]string{
	"google-analytics.com": "_ga _gid _gat __utma __utmz", "googletagmanager.com": "_ga _ga_1", "doubleclick.net": "__utma", "facebook.net": "_fbp", "adroll.com": "__adroll_fpc __ar_v4",
	"code.snapengage.com": "SnapABugHistory", "snapabug.appspot.com": "SnapABugVisit SnapABugRef", "cdn.segment.com": "ajs_anonymous_id ajs_user_id;ajs_user_traits", "cdn.amplitude.com": "amp_abcdef amplitude_id_1",
	"assets.customer.io": "_cio _cioid", "s.pinimg.com": "_pin_unauth _epik", "static.zdassets.com": "__zlcmid;ZD-store", "v2.zopim.com": "__zlcmid", "googleadservices.com": "_gcl_au", "snap.licdn.com": "li_fat_id",
	"js.stripe.com": "__stripe_mid __stripe_sid",
}

// contacts are the beginnings of host and path that the snippets contact, with JavaScript or without.
func contacts(snippets []snippet, javascript bool) (all []string) {
	for _, s := range snippets {
		if javascript {
			all = append(all, strings.Fields(s.live)...)
		} else {
			all = append(all, strings.Fields(s.dry)...)
		}
	}
	return all
}
