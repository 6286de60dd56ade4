package rules

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

func judge(t testing.TB, s *Set, url string, c Context) (Match, bool) {
	t.Helper()
	r, err := filterlist.NewRequest(url, "https://www.example.org/", filterlist.Other)
	if err != nil {
		t.Fatal(err)
	}
	return s.Match(&r, c)
}

// seedURLs are the forms, old and new, in which widely used vendors come into a page.
var seedURLs = map[string][]string{
	"google-analytics": {
		"https://www.googletagmanager.com/gtag/js?id=G-XXXX", "https://www.googletagmanager.com/gtag/js?id=UA-1-1&l=dl",
		"https://www.google-analytics.com/analytics.js", "https://www.google-analytics.com/analytics_debug.js",
		"http://www.google-analytics.com/ga.js", "https://ssl.google-analytics.com/ga.js", "https://ssl.google-analytics.com/urchin.js",
		"http://www.google-analytics.com/urchin.js", "http://www.google-analytics.com/__utm.gif?utmwv=4",
		"https://region1.google-analytics.com/g/collect?v=2", "https://region1.analytics.google.com/g/collect?v=2",
		"https://www.google-analytics.com/j/collect?v=1", "https://www.google-analytics.com/r/collect", "https://www.google-analytics.com/mp/collect",
		"https://stats.g.doubleclick.net/dc.js", "https://stats.g.doubleclick.net/j/collect", "https://analytics.google.com/g/collect",
		"https://www.google-analytics.com/cx/api.js?experiment=1", "http://www.google-analytics.com/siteopt.js", "https://google-analytics.com/collect",
		"https://www.google-analytics.com/plugins/ua/ec.js", "https://www.google-analytics.com/gtm/js?id=GTM-X", "https://www.google-analytics.com/debug/collect",
	},
	"google-tag-manager": {
		"https://www.googletagmanager.com/gtm.js?id=GTM-X", "https://www.googletagmanager.com/ns.html?id=GTM-X", "https://googletagmanager.com/gtm.js?id=GTM-X",
		"https://www.googletagmanager.com/gtag/destination?id=AW-1", "https://www.googletagmanager.com/a?id=GTM-X", "https://www.googletagmanager.com/td?id=x",
		"https://www.googletagmanager.com/static/service_worker/1/sw_iframe.html", "https://www.googletagmanager.com/amp.json?id=GTM-X",
	},
	"google-ads": {
		"https://www.googletagmanager.com/gtag/js?id=AW-1", "https://www.googletagmanager.com/gtag/js?id=DC-1", "https://www.googletagmanager.com/gtag/js?id=GT-1",
		"https://www.googleadservices.com/pagead/conversion.js", "https://www.googleadservices.com/pagead/conversion_async.js",
		"https://googleads.g.doubleclick.net/pagead/viewthroughconversion/1/?value=0", "https://www.google.com/pagead/1p-user-list/1/",
		"https://www.google.com/ads/ga-audiences?v=1", "https://www.google.co.uk/ads/ga-audiences", "https://1.fls.doubleclick.net/activityi;src=1",
		"https://ad.doubleclick.net/ddm/activity/src=1", "https://static.doubleclick.net/instream/ad_status.js", "https://td.doubleclick.net/td/rul/1",
		"https://www.google.com/ccm/collect?en=page_view", "https://www.google.de/pagead/1p-conversion/1/", "https://adservice.google.com/ddm/fls/i/src=1",
		"https://bid.g.doubleclick.net/xbbe/pixel", "https://ad.doubleclick.net/activity;src=1",
	},
	"adroll": {
		"https://s.adroll.com/j/roundtrip.js", "https://s.adroll.com/j/ABC/roundtrip.js", "http://a.adroll.com/j/roundtrip.js", "https://d.adroll.com/cm/g/out",
		"https://d.adroll.com/pixel/A/B/C", "https://x.adroll.com/attribution/trigger", "https://ipv4.d.adroll.com/px4/A/B", "https://s.adroll.com/pixel/A/B/C.js",
	},
	"snapengage": {
		"https://www.snapengage.com/cdn/js/a.js", "https://storage.googleapis.com/code.snapengage.com/js/a.js", "https://commondatastorage.googleapis.com/code.snapengage.com/js/a.js",
		"https://code.snapengage.com/js/a.js", "https://snapabug.appspot.com/snapabug.js", "https://www.snapengage.com/chatjs/servicegetstart",
		"http://www.snapengage.com/snapabug.js",
	},
	"segment": {
		"https://cdn.segment.com/analytics.js/v1/K/analytics.min.js", "https://cdn.segment.io/analytics.js/v1/K/analytics.min.js", "https://api.segment.io/v1/t",
		"https://api.segment.com/v1/track", "https://cdn.segment.com/v1/projects/K/settings", "https://cdn.segment.com/next-integrations/integrations/x.js",
		"https://d2dq2ahtl5zl1z.cloudfront.net/analytics.js/v1/K/analytics.min.js", "https://events.eu1.segmentapis.com/v1/t", "https://api.segment.io/v1/pixel/page?data=x",
		"https://cdn.segment.com/analytics-next/bundles/ajs-destination.bundle.js",
	},
	"amplitude": {
		"https://cdn.amplitude.com/libs/amplitude-8.5.0-min.gz.js", "https://cdn.amplitude.com/script/K.js", "https://api.amplitude.com/", "https://api2.amplitude.com/2/httpapi",
		"https://api.eu.amplitude.com/2/httpapi", "https://d24n15hnbwhuhn.cloudfront.net/libs/amplitude-2.4.0-min.gz.js", "https://sr-client-cfg.amplitude.com/config",
		"https://api-sr.amplitude.com/sessions/v2/track", "https://regionconfig.amplitude.com/", "https://unpkg.com/@amplitude/analytics-browser/lib/scripts/x.js",
	},
	"customerio": {
		"https://assets.customer.io/assets/track.js", "https://assets.customer.io/assets/track-eu.js", "https://track.customer.io/api/v1/customers/1/events",
		"https://track-eu.customer.io/events", "https://cdp.customer.io/v1/analytics-js/snippet/K/analytics.min.js", "https://cdp-eu.customer.io/v1/p",
		"https://code.gist.build/web/latest/gist.min.js", "https://customerioforms.com/assets/forms.js", "https://e.customeriomail.com/e/o/x",
	},
	"meta-pixel": {
		"https://connect.facebook.net/en_US/fbevents.js", "https://connect.facebook.net/signals/config/1?v=2", "https://connect.facebook.net/en_US/fbds.js",
		"https://connect.facebook.net/en_US/fp.js", "https://www.facebook.com/tr?id=1&ev=PageView&noscript=1", "https://www.facebook.com/tr/?id=1", "https://facebook.com/tr/?id=1",
		"https://www.facebook.com/privacy_sandbox/pixel/register/trigger/?id=1", "https://www.facebook.com/offsite_event.php?id=1",
	},
	"facebook-social": {
		"https://connect.facebook.net/en_US/sdk.js", "https://connect.facebook.net/de_DE/all.js", "https://connect.facebook.net/en_US/sdk/xfbml.customerchat.js",
		"https://connect.facebook.net/en_US/sdk/debug.js", "http://connect.facebook.net/en_US/all.js", "https://www.facebook.com/plugins/like.php?href=x",
		"https://www.facebook.com/plugins/likebox.php?href=x", "https://www.facebook.com/plugins/page.php?href=x", "https://www.facebook.com/plugins/post.php?href=x",
		"https://www.facebook.com/plugins/video.php?href=x", "https://www.facebook.com/plugins/comments.php?href=x", "https://www.facebook.com/plugins/share_button.php?href=x",
		"https://www.facebook.com/plugins/activity.php?site=x", "https://www.facebook.com/plugins/recommendations.php?site=x", "https://www.facebook.com/plugins/facepile.php?x",
		"https://www.facebook.com/v2.9/plugins/like.php?x", "https://www.facebook.com/v12.0/plugins/customerchat.php", "https://www.facebook.com/widgets/like.php?x",
		"https://graph.facebook.com/?ids=x", "http://static.ak.connect.facebook.com/js/api_lib/v0.4/FeatureLoader.js.php/en_US", "http://static.ak.fbcdn.net/connect.php/js/FB.Share",
		"https://staticxx.facebook.com/connect/xd_arbiter.php", "https://www.facebook.com/impression.php/f1/?api_key=1", "https://www.facebook.com/x/oauth/status?client_id=1",
		"https://web.facebook.com/plugins/like.php?href=x", "https://de-de.facebook.com/plugins/like.php?href=x",
	},
	"twitter-widgets": {
		"https://platform.twitter.com/widgets.js", "http://platform.twitter.com/widgets.js", "https://platform.x.com/widgets.js", "https://syndication.twitter.com/i/jot",
		"https://platform.twitter.com/widgets/tweet_button.html", "https://platform.twitter.com/widgets/follow_button.1.html", "https://platform.twitter.com/embed/Tweet.html?id=1",
		"https://syndication.twitter.com/settings?session_id=1", "https://syndication.twitter.com/srv/timeline-profile/screen-name/x", "https://cdn.syndication.twimg.com/tweet-result?id=1",
		"http://cdn.api.twitter.com/1/urls/count.json?url=x", "http://urls.api.twitter.com/1/urls/count.json", "http://widgets.twimg.com/j/2/widget.js",
		"http://twitter.com/javascripts/blogger.js", "http://twitter.com/statuses/user_timeline/x.json?callback=y", "http://platform0.twitter.com/widgets/follow_button.html",
		"http://platform.twitter.com/anywhere.js?id=1&v=1", "https://api.twitter.com/1/statuses/user_timeline.json?callback=x",
	},
	"x-ads": {
		"https://static.ads-twitter.com/uwt.js", "https://static.ads-twitter.com/oct.js", "https://platform.twitter.com/oct.js", "https://analytics.twitter.com/i/adsct?txn_id=1", "https://t.co/i/adsct?x",
		"https://t.co/1/i/adsct?x", "https://analytics.twitter.com/1/i/adsct",
	},
	"google-plus": {
		"https://apis.google.com/js/plusone.js", "http://apis.google.com/js/plusone.js", "https://apis.google.com/js/platform.js", "https://apis.google.com/js/client:plusone.js?onload=x",
		"https://plusone.google.com/_/+1/fastbutton?url=x", "https://apis.google.com/u/0/se/0/_/+1/fastbutton?url=x", "https://apis.google.com/_/widget/render/plusone?url=x",
		"https://plus.google.com/u/0/_/widget/render/badge", "https://ssl.gstatic.com/plusone/x.js", "http://www.google.com/buzz/api/button.js", "https://plus.google.com/js/client:plusone.js",
		"https://apis.google.com/_/scs/apps-static/_/js/k=oz.gapi.de", "https://apis.google.com/se/0/_/+1/fastbutton?url=x",
	},
	"pinterest-tag": {
		"https://s.pinimg.com/ct/core.js", "https://s.pinimg.com/ct/lib/main.1.js", "https://ct.pinterest.com/v3/?tid=1", "https://ct.pinterest.com/user/?tid=1", "https://ct.pinterest.com/ct.html",
		"https://trk.pinterest.com/",
	},
	"pinterest-widgets": {
		"https://assets.pinterest.com/js/pinit.js", "http://assets.pinterest.com/js/pinit.js", "https://assets.pinterest.com/js/pinit_main.js?0.1", "https://log.pinterest.com/?type=pidget",
		"https://widgets.pinterest.com/v1/urls/count.json?url=x", "https://api.pinterest.com/v1/urls/count.json?url=x", "https://assets.pinterest.com/ext/embed.html?id=1",
		"https://widgets.pinterest.com/v3/pidgets/users/x/pins", "https://assets.pinterest.com/images/PinExt.png", "https://passets-cdn.pinterest.com/images/about/buttons/x.png",
	},
	"zendesk": {
		"https://static.zdassets.com/ekr/snippet.js?key=1", "https://static.zdassets.com/web_widget/latest/preload.js", "https://v2.zopim.com/?K", "https://v2.zopim.com/w?K",
		"https://widget-mediator.zopim.com/s/W/ws/x", "https://ekr.zdassets.com/compose/1", "https://assets.zendesk.com/embeddable_framework/main.js", "https://x.zendesk.com/embeddable/config",
		"https://x.zendesk.com/embeddable_blip?type=pageView", "https://x.zendesk.com/frontendevents/pv?client=1", "http://cdn.zopim.com/?K", "https://assets.zendesk.com/external/zenbox/v2.6/zenbox.js",
		"https://x.zendesk.com/sc/sunco/v1", "https://de13.zopim.com/s/W/ws", "https://static.zdassets.com/classic/x.js",
	},
	"stripe": {
		"https://js.stripe.com/v3/", "https://js.stripe.com/v2/", "https://js.stripe.com/v1/", "https://js.stripe.com/basil/stripe.js", "https://js.stripe.com/v3/m-outer-1.html", "https://m.stripe.com/6",
		"https://m.stripe.network/inner.html", "https://m.stripe.network/out-4.5.43.js", "https://r.stripe.com/0", "https://r.stripe.com/b", "https://q.stripe.com/?event=x", "https://api.stripe.com/v1/tokens",
		"https://checkout.stripe.com/checkout.js", "https://hooks.stripe.com/redirect/authenticate/x", "https://b.stripecdn.com/x.js", "https://js.stripe.com/v3/controller.html",
	},
}

func TestSeedVendors(t *testing.T) {
	s := builtin(t, Options{})
	for vendor, urls := range seedURLs {
		for _, u := range urls {
			if m, ok := judge(t, s, u, Context{}); !ok || m.Vendor != vendor {
				t.Errorf("%s: %v, %s by %q; want %s gated", u, ok, m.Vendor, m.Rule, vendor)
			}
			m, ok := judge(t, s, u, Context{Payment: true})
			if want := vendor != "stripe"; ok != want {
				t.Errorf("%s where a payment is made: %v, %s by %q", u, ok, m.Vendor, m.Rule)
			}
			if vendor == "stripe" && m.Purpose != consent.Necessary {
				t.Errorf("%s where a payment is made: for %v", u, m.Purpose)
			}
		}
	}
}

// TestLookAlikes lists URLs of the same companies and of namesakes that are no tracking.
func TestLookAlikes(t *testing.T) {
	s := builtin(t, Options{})
	for _, u := range []string{
		"https://www.facebook.com/example", "https://www.facebook.com/trending", "https://www.facebook.com/sharer/sharer.php?u=x", "https://twitter.com/example",
		"https://twitter.com/intent/tweet?text=x", "https://www.google.com/search?q=google-analytics.com", "https://www.linkedin.com/in/example", "https://www.pinterest.com/example/",
		"https://i.pinimg.com/564x/a.jpg", "https://pbs.twimg.com/media/x.jpg", "https://cdn.jsdelivr.net/npm/vue@3", "https://unpkg.com/react@18/umd/react.production.min.js",
		"https://code.jquery.com/jquery-3.7.1.min.js", "https://cdnjs.cloudflare.com/ajax/libs/jquery/3.7.1/jquery.min.js", "https://ajax.googleapis.com/ajax/libs/jquery/3.7.1/jquery.min.js",
		"https://fonts.googleapis.com/css2?family=Inter", "https://fonts.gstatic.com/s/inter/v1/x.woff2", "https://www.google.com/recaptcha/api.js", "https://www.gstatic.com/recaptcha/releases/x/recaptcha__en.js",
		"https://js.hcaptcha.com/1/api.js", "https://challenges.cloudflare.com/turnstile/v0/api.js", "https://accounts.google.com/gsi/client", "https://appleid.cdn-apple.com/appleauth/static/jsapi/appleid/1/en_US/appleid.auth.js",
		"https://www.paypal.com/sdk/js?client-id=1", "https://www.paypalobjects.com/api/checkout.js", "https://js.braintreegateway.com/web/3/js/client.min.js", "https://stripe.com/docs", "https://dashboard.stripe.com/",
		"https://segment.com/blog/", "https://amplitude.com/pricing", "https://customer.io/", "https://www.adroll.com/", "https://x.zendesk.com/hc/en-us", "https://www.zendesk.com/", "https://apis.google.com/js/api.js",
		"https://google-analytics.com.example.net/ga.js", "https://notgoogle-analytics.com/ga.js", "https://www.example.net/www.google-analytics.com/ga.js", "https://example.net/?u=https://connect.facebook.net/en_US/sdk.js",
		"https://t.co/abc", "https://plus.google.com/+Example", "https://plus.google.com/u/0/1234/posts", "https://plus.google.com/share?url=x", "https://use.typekit.net/abc.js", "https://use.fontawesome.com/releases/v5/css/all.css", "https://maps.googleapis.com/maps/api/js", "https://player.vimeo.com/api/player.js", "https://www.youtube.com/iframe_api", "https://i0.wp.com/x.jpg",
		"https://s0.wp.com/_static/x.css", "https://storage.googleapis.com/bucket/app.js", "https://xyz.cloudfront.net/app.js", "https://s3.amazonaws.com/bucket/app.js", "https://cdn.shopify.com/s/files/1/a.css",
		"https://developers.facebook.com/docs/plugins/like-button", "https://www.facebook.com/dialog/share?app_id=1&href=x", "https://developer.twitter.com/en/docs", "https://help.twitter.com/en",
		"https://mobile.twitter.com/example", "https://x.com/example/status/1", "https://analytics.google.com/analytics/web/", "https://ads.google.com/home/", "https://apis.google.com/js/client.js",
		"https://acme.zendesk.com/hc/article_attachments/1/x.png", "https://www.docs.developers.amplitude.com/", "https://snapengage.com/privacy",
		"https://www.googleapis.com/youtube/v3/search", "https://firestore.googleapis.com/x", "https://www.bing.com/search?q=x", "https://www.bing.com/maps/embedded", "https://login.microsoftonline.com/",
	} {
		if m, ok := judge(t, s, u, Context{}); ok {
			t.Errorf("%s is gated: %s by %q", u, m.Vendor, m.Rule)
		}
	}
}
