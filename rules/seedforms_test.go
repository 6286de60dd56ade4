package rules

import (
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
)

// seedForms are more forms in which the vendors of seedURLs and their sister products come in: older
// and regional hosts, parameters in another order, debug builds, plug-ins, beacons, frames, what a loader fetches next.
var seedForms = map[string]string{
	"google-analytics": `
		www.google-analytics.com/u/analytics_debug.js ssl.google-analytics.com/u/ga_beta.js
		www.google-analytics.com/u/ga_debug.js www.google-analytics.com/plugins/ga/inpage_linkid.js
		www.google-analytics.com/plugins/ua/linkid.js www.google-analytics.com/internal/collect?v=1
		www.google-analytics.com/batch www.google-analytics.com/ga_exp.js www.google-analytics.com/gtag/js?id=G-AAAA
		ssl.google-analytics.com/__utm.gif?utmwv=5.7.2 ssl.google-analytics.com/r/__utm.gif?utmwv=5.7.2
		region5.google-analytics.com/g/collect?v=2&tid=G-1 www.google-analytics.com/privacy-sandbox/register-conversion?_c=1
		stats.g.doubleclick.net/g/collect?v=2&tid=G-1 stats.g.doubleclick.net/r/collect?t=dc&aip=1&_r=3&v=1
		stats.g.doubleclick.net/__utm.gif?utmwv=1 stats.g.doubleclick.net/r/__utm.gif?utmwv=5
		analytics.google.com/g/s/collect?v=2 region1.analytics.google.com/g/s/collect?dma=1
		www.googletagmanager.com/gtag/js?l=dataLayer&id=UA-55-1 www.googletagmanager.com/gtag/js?l=gaData&cx=c&id=G-55AB
		googletagmanager.com/gtag/js?id=g-abcdef ampcid.google.com/v1/publisher:getClientId?key=x
		ampcid.google.de/v1/publisher:getClientId?key=x google-analytics.com/urchin.js www.google-analytics.com./analytics.js
		www.google-analytics.com:443/analytics.js WWW.GOOGLE-ANALYTICS.COM/ga.js www-google-analytics.l.google.com/collect
		www.googleanalytics.com/ga.js
		www.google.com/analytics/web/inpage/pub/inpage.js`,
	"google-tag-manager": `
		www.googletagmanager.com/gtm.js?id=GTM-ABC&gtm_auth=x&gtm_preview=env-1&gtm_cookies_win=x
		www.googletagmanager.com/gtm.js?l=dl2&id=GTM-ABC www.googletagmanager.com/debug/bootstrap?id=GTM-ABC
		www.googletagmanager.com/debug/badge?id=GTM-ABC www.googletagmanager.com/gtag/js?id=GTM-ABCD
		www.googletagmanager.com/static/service_worker/5810/sw.js www.googletagmanager.com/gtm.js
		tagmanager.google.com/debug/api?id=GTM-1 www.googletagmanager.com/ns.html?id=GTM-ABC&l=x
		www.googletagmanager.com/a?v=3&t=t&pid=1
		cct.google/taggy/agent.js tagassistant.google.com/debug`,
	"google-ima": `imasdk.googleapis.com/js/sdkloader/ima3.js imasdk.googleapis.com/js/core/bridge3.1_en.html`,
	"google-ads": `
		www.googletagmanager.com/gtag/js?id=MC-ABCDEF www.googletagmanager.com/gtag/js?l=dataLayer&id=AW-12
		www.merchant-center-analytics.goog/mc/collect?v=2
		www.googleadservices.com/pagead/conversion/1069/?value=1&label=x&guid=ON&script=0
		www.googleadservices.com/pagead/aclk?sa=L www.googleadservices.com/ga/phone?v=2
		googleads4.g.doubleclick.net/pcs/view?xai=1 googleads.g.doubleclick.net/pagead/id
		googleads.g.doubleclick.net/xbbe/pixel?d=C fls.doubleclick.net/activityi;src=1;type=a
		4567.fls.doubleclick.net/activityj;src=4567 ad-emea.doubleclick.net/activity;src=12
		ade.googlesyndication.com/ddm/activity/src=1 s0.2mdn.net/ads/studio/Enabler.js
		www.google.com/adsense/search/ads.js www.google.com/adsense/domains/caf.js www.google.com/afs/ads?adpage=1
		www.google.com/uds/afs?client=pub-1 adservice.google.de/adsid/google/ui
		adservice.google.co.uk/adsid/integrator.js?domain=x adservice.google.com.br/ddm/fls/z/src=1
		www.google.fr/pagead/1p-user-list/99/?guid=ON www.google.com.au/ads/ga-audiences?t=sr
		www.google.com/rmkt/collect/123/?random=1 www.google.com/ccm/form-data/123?gtm=1 www.google.com/ccm/conversion/123
		www.google.com/pagead/form-data/123?gtm=1 www.google.com/measurement/conversion/?random=1
		google.com/pagead/form-data/1?gtm=1 google.com/ccm/form-data/1 www.google.com/pagead/landing?gcs=G111
		www.google.com/pagead/attribution/wcm?cc=ZZ www.google.com/travel/flights/click/conversion/1/
		www.google.com/pagead/conversion/123/?value=0 www.google.com/pagead/conversion_async.js
		www.google.co.jp/pagead/1p-conversion/1/?x=1 fundingchoicesmessages.google.com/i/pub-1?ers=1
		www.adsensecustomsearchads.com/afs/ads?x syndicatedsearch.goog/afs/ads?x
		www.adsensecustomsearchads.com/adsense/search/ads.js static.googleadsserving.cn/pagead/x.js
		pagead2.googleadservices.com/pagead/x www.googleadsserving.cn/pagead/show_ads.js adclick.g.doubleclick.net/pcs/click?x
		www.youtube.com/pagead/viewthroughconversion/1/`,
	"google-adsense": `
		pagead2.googlesyndication.com/pagead/js/adsbygoogle.js?client=ca-pub-1
		pagead2.googlesyndication.com/pagead/show_ads.js pagead2.googlesyndication.com/ccm/collect?en=page_view
		pagead2.googlesyndication.com/pagead/gen_204?id=sodar googleads.g.doubleclick.net/pagead/ads?client=ca-pub-1
		tpc.googlesyndication.com/safeframe/1-0-40/html/container.html tpc.googlesyndication.com/sodar/sodar2.js
		ep1.adtrafficquality.google/getconfig/sodar?sv=200 ep2.adtrafficquality.google/sodar/sodar2.js`,
	"google-ad-manager": `
		securepubads.g.doubleclick.net/tag/js/gpt.js securepubads.g.doubleclick.net/gampad/ads?pvsid=1
		pubads.g.doubleclick.net/gampad/ads?env=vp www.googletagservices.com/tag/js/gpt.js
		www.googletagservices.com/dcm/dcmads.js www.googletagservices.com/activeview/js/current/rx_lidar.js
		partner.googleadservices.com/gampad/google_service.js cm.g.doubleclick.net/pixel?google_nid=x&google_cm
		d0a1.safeframe.googlesyndication.com/safeframe/1-0-40/html/container.html`,
	"google-call": `
		www.gstatic.com/wcm/loader.js www.gstatic.com/call-tracking/call-tracking_3.js www.gstatic.com/wcm/impl-20.js`,
	"adroll": `
		s.adroll.com/j/exp/AAAA/index.js s.adroll.com/j/exp/index.js s.adroll.com/j/sendrolling.js
		s.adroll.com/j/pre/ADV/PIX/index.js s.adroll.com/j/nrpa.js s.adroll.com/j/rolling.js
		d.adroll.com/consent/check/ADV?flg=1 d.adroll.mgr.consensu.org/consent/check/ADV d.adroll.com/fb/ipr/ADV/PIX
		d.adroll.com/onp/ADV/PIX d.adroll.com/segment/ADV/PIX/SEG d.adroll.com/ipixel/ADV/PIX
		a.adroll.com/pixel/ADV/PIX/SEG.js a.adroll.com/j/rolling.js c.adroll.com/r/ABC x.adroll.com/pxl/iframe_content.html
		d.us-east-1.adroll.com/cm/r/out`,
	"snapengage": `
		snapabug.appspot.com/snapabug.js www.snapengage.com/statusImage?w=UUID www.snapengage.com/chatjs/servicegetagent
		www.snapengage.com/cdn/js/UUID.js snapengage.com/cdn/js/UUID.js storage.googleapis.com/code.snapengage.com/js/1f.js
		storage.googleapis.com/code.snapengage.com/lib/x.js commondatastorage.googleapis.com/code.snapengage.com/js/x.js
		snapabug.appspot.com/image/chat.png static.snapengage.com/x.js code.snapengage.com.storage.googleapis.com/js/x.js
		www.snapengage.com/public/css/x.css www.snapengage.com/chat?id=UUID www.snapengage.com/snapabug/ServiceGetConfig
		www.snapabug.com/snapabug.js snapengage.appspot.com/snapabug.js`,
	"segment": `
		cdn.segment.com/analytics.js/v1/K/platform/analytics.min.js cdn.segment.com/analytics.js/v1/K/analytics.js
		cdn.segment.com/next-integrations/actions/x/a.js cdn.segment.com/v1/projects/K/integrations api.segment.io/v1/b
		api.segment.io/v1/i api.segment.io/v1/p api.segment.io/v1/m api.segment.io/v1/batch
		api.segment.io/v1/pixel/track?data=e events.eu2.segmentapis.com/v1/p in.eu2.segmentapis.com/v1/t
		cdn-settings.segment.com/v1/projects/K/settings d47xnnr8b1rki.cloudfront.net/analytics.js/v1/K/analytics.min.js
		profiles.segment.com/v1/spaces/x cdn.jsdelivr.net/npm/@segment/analytics-next@1/dist/umd/standalone.js
		unpkg.com/@segment/analytics-next@latest/dist/umd/index.js cdn.jsdelivr.net/npm/@segment/snippet@4/index.js
		esm.sh/@segment/analytics-next@1 esm.run/@segment/analytics-next cdn.skypack.dev/@segment/analytics-next
		cdn.jsdelivr.net/gh/segmentio/analytics.js@3/dist/analytics.min.js`,
	"amplitude": `
		cdn.amplitude.com/libs/amplitude-8.5.0-min.gz.js cdn.amplitude.com/script/abc.js
		cdn.amplitude.com/libs/analytics-browser-2.11.1-min.js.gz
		cdn.amplitude.com/libs/plugin-session-replay-browser-1.8.0-min.js.gz cdn.amplitude.com/script/abc.experiment.js
		cdn.eu.amplitude.com/script/abc.js api.amplitude.com/ api.amplitude.com/httpapi api2.amplitude.com/2/httpapi
		api.eu.amplitude.com/2/httpapi api-sr.amplitude.com/sessions/v2/track api-sr.eu.amplitude.com/sessions/v2/track
		sr-client-cfg.amplitude.com/config/abc sr-client-cfg.eu.amplitude.com/config api.lab.amplitude.com/sdk/v2/vardata
		flag.lab.amplitude.com/sdk/v2/flags api.lab.eu.amplitude.com/sdk/vardata regionconfig.amplitude.com/
		regionconfig.eu.amplitude.com/ gs.amplitude.com/ d24n15hnbwhuhn.cloudfront.net/libs/amplitude-3.0.1-min.gz.js
		dc.amplitude.com/x unpkg.com/@amplitude/analytics-browser@2/lib/scripts/amplitude-min.js
		cdn.jsdelivr.net/npm/amplitude-js@8.21/amplitude.min.js
		cdn.jsdelivr.net/npm/@amplitude/unified@1/lib/scripts/amplitude-min.umd.js
		esm.sh/@amplitude/analytics-browser@2 esm.run/@amplitude/analytics-browser
		cdn.skypack.dev/@amplitude/analytics-browser cdn.amplitude.com/engagement-browser/prod/index.min.js.gz`,
	"customerio": `
		assets.customer.io/assets/track.js assets.customer.io/assets/track-eu.js assets.customer.io/assets/in-app.js
		track.customer.io/events/abc track.customer.io/track.gif?x track-eu.customer.io/api/v1/x track.customer.io/e/abc
		cdp.customer.io/v1/analytics-js/snippet/K/analytics.min.js
		cdp-eu.customer.io/v1/analytics-js/snippet/K/analytics.min.js cdp.customer.io/v1/t customerioforms.com/assets/forms.js
		customerioforms.com/forms/submit_action?site_id=x eu.customerioforms.com/forms e.customeriomail.com/e/o/abc
		e.customeriomail.com/e/c/abc code.gist.build/web/latest/gist.min.js renderer.gist.build/3.0/index.html
		engine.api.gist.build/api/v1/users consumer.inapp.customer.io/api/v4/users consumer.inapp.eu.customer.io/api/v4/users
		userevents.customer.io/x gist-queue-consumer-api.cloud.gist.build/api/v2/users`,
	"meta-pixel": `
		connect.facebook.net/de_DE/fbevents.js connect.facebook.net/en_US/fbevents.js?v=next connect.facebook.net/en_US/fp.js
		connect.facebook.net/en_US/fbds.js connect.facebook.net/signals/config/12?v=2.9
		connect.facebook.net/signals/plugins/identity.js?v=2.9 connect.facebook.net/log/fbevents_telemetry/
		connect.facebook.net/en_US/sdk/xfbml.ad.js www.facebook.com/tr?id=1&ev=PageView&noscript=1
		www.facebook.com/tr/?id=1&ev=Purchase facebook.com/tr?id=1 web.facebook.com/tr/?id=1 m.facebook.com/tr?id=1
		business.facebook.com/tr?id=1 www.facebook.com/privacy_sandbox/pixel/register/trigger/?id=1
		www.facebook.com/privacy_sandbox/topics/registration/?id=1 www.facebook.com/offsite_event.php?id=1&value=0
		www.facebook.com/fr/u.php?p=1&m=x www.facebook.com/fr/b.php?p=1 www.facebook.com/brandlift.php?x
		pixel.facebook.com/ajax/gigaboxx/x an.facebook.com/audience_network/web www.facebook.com/audience_network/client_event
		graph.facebook.com/v19.0/123/events?access_token=x www.facebook.com/adnw_request?x
		www.facebook.com/ai.php?x`,
	"facebook-social": `
		www.facebook.com/impression.php/f1?api_key= connect.facebook.com/en_US/fbevents.js connect.facebook.net/en_US/all.js
		connect.facebook.net/de_DE/all.js?xfbml=1 connect.facebook.net/pt_BR/sdk.js?hash=1
		connect.facebook.net/en_US/sdk/xfbml.customerchat.js connect.facebook.net/en_US/sdk/xfbml.save.js
		connect.facebook.net/en_US/sdk/debug.js connect.facebook.net/en_US/all/debug.js
		connect.facebook.net/en_US/xfbml.customerchat.js connect.facebook.net/connect.php/en_US/js/FB.Share
		connect.facebook.net/en_US/messenger.Extensions.js www.facebook.com/plugins/activity.php?site=x
		www.facebook.com/plugins/fan.php?id=1 www.facebook.com/plugins/facepile.php
		www.facebook.com/plugins/recommendations.php www.facebook.com/plugins/send.php www.facebook.com/plugins/subscribe.php
		www.facebook.com/plugins/follow.php www.facebook.com/plugins/group/join/popup
		www.facebook.com/plugins/customer_chat/SDK/ www.facebook.com/plugins/video.php?href=x
		www.facebook.com/v2.3/plugins/page.php www.facebook.com/v18.0/plugins/share_button.php
		de-de.facebook.com/plugins/like.php m.facebook.com/plugins/likebox.php web.facebook.com/plugins/post.php
		www.facebook.com/widgets/like.php www.facebook.com/widgets/fan.php www.facebook.com/connect/connect.php?id=1
		www.facebook.com/connect/ping?client_id=1 www.facebook.com/x/oauth/status?client_id=1
		www.facebook.com/customer_chat/dialog/?x www.facebook.com/video/embed?video_id=1 www.facebook.com/v/12345
		static.ak.fbcdn.net/connect.php/js/FB.Share static.ak.connect.facebook.com/js/api_lib/v0.4/FeatureLoader.js.php
		static.ak.connect.facebook.com/connect.php/en_US s-static.ak.fbcdn.net/connect/xd_proxy.php
		static.ak.facebook.com/connect/xd_arbiter.php s-static.ak.facebook.com/connect/xd_arbiter.php
		staticxx.facebook.com/connect/xd_arbiter/r/x.js staticxx.facebook.com/x/connect/xd_arbiter/?version=46
		static.xx.fbcdn.net/rsrc.php/v3/yX/r/a.js badge.facebook.com/badge/1.png
		api.facebook.com/restserver.php?method=links.getStats api.facebook.com/method/links.getStats?urls=x
		graph.facebook.com/?ids=https://x.org graph.facebook.com/?id=https://x.org graph.facebook.com/12345/picture?type=large
		static.ak.fbcdn.net/js/api_lib/v0.4/FeatureLoader.js s-static.ak.fbcdn.net/rsrc.php/x.js
		fbstatic-a.akamaihd.net/rsrc.php/x.js edge-chat.facebook.com/pull gateway.facebook.com/ws/realtime
		api-read.facebook.com/restserver.php?x www.fbsbx.com/maw_proxy_page`,
	"twitter-widgets": `
		platform.twitter.com/anywhere.js?id=x&v=1 platform.twitter.com/widgets/tweet_button.1.html
		platform.twitter.com/widgets/follow_button.html platform.twitter.com/widgets/hub.html
		platform.twitter.com/embed/Tweet.html?id=1 platform.twitter.com/embed/index.html
		platform.twitter.com/js/timeline.abc.js platform.twitter.com/jot.html platform.twitter.com/widgets.js
		syndication.twitter.com/settings?session_id=1 syndication.twitter.com/srv/timeline-profile/screen-name/x
		syndication.twitter.com/i/jot/embeds?l=1 syndication.twitter.com/tweets.json
		cdn.syndication.twimg.com/tweet-result?id=1 cdn.syndication.twimg.com/widgets/timelines/1
		cdn.syndication.twitter.com/widgets/followbutton/info.json urls.api.twitter.com/1/urls/count.json?url=x
		cdn.api.twitter.com/1/urls/count.json?url=x api.twitter.com/1/statuses/user_timeline.json?callback=x
		api.twitter.com/1/statuses/oembed.json?id=1 twitter.com/javascripts/blogger.js
		twitter.com/statuses/user_timeline/x.json?callback=twitterCallback2 widgets.twimg.com/j/2/widget.js
		widgets.twimg.com/j/1/widget.css publish.twitter.com/oembed?url=x publish.x.com/oembed?url=x platform.x.com/widgets.js
		syndication.x.com/settings search.twitter.com/search.json?q=x&callback=y p.twitter.com/t.gif?x
		scribe.twitter.com/scribe?x r.twimg.com/jot twitter.com/i/videos/tweet/12 twitter.com/i/cards/tfw/v1/12
		twitter.com/i/jot api.x.com/2/x platform0.twitter.com/widgets.js
		twitter.com/widgets.js twitter.com/flash/twitter_badge.swf twitter.com/i/tfw/x cards-frame.twitter.com/i/cards/tfw/v1/1
		ton.twitter.com/x caps.twitter.com/x api-stream.twitter.com/x x.com/i/jot x.com/i/videos/tweet/1`,
	"google-plus": `
		apis.google.com/js/plusone.js apis.google.com/js/platform.js apis.google.com/js/platform.js?onload=x
		apis.google.com/js/client:plusone.js apis.google.com/js/client:platform.js?onload=start
		apis.google.com/js/plusone:client.js apis.google.com/js/plus.js apis.google.com/u/0/se/0/_/+1/fastbutton?usegapi=1
		apis.google.com/_/+1/fastbutton?x apis.google.com/se/0/_/+1/sharebutton?x apis.google.com/u/0/_/widget/render/badge?x
		apis.google.com/u/0/_/widget/render/person?x apis.google.com/_/widget/render/comments?x
		apis.google.com/wm/1/_/widget/render/commentcount apis.google.com/_/im/_/widget/render/plus/followers
		apis.google.com/u/0/_/widget/oauthflow apis.google.com/_/scs/apps-static/_/js/k=oz.gapi.en.abc/m=plusone/exm=auth
		apis.google.com/_/apps-static/_/js/gapi/plusone/rt=j/ plus.google.com/u/0/_/+1/fastbutton
		plusone.google.com/u/0/_/+1/fastbutton plusone.google.com/_/+1/confirm widgets.plus.google.com/u/0/x
		www.google.com/buzz/api/button.js ssl.gstatic.com/images/icons/gplus-32.png www.gstatic.com/images/icons/gplus-16.png
		apis.google.com/js/auth:plusone.js clients6.google.com/rpc?key=x
		oauth.googleusercontent.com/gadgets/js/core:rpc:shindig.random:shindig.sha1.js?c=2`,
	"pinterest-tag": `
		s.pinimg.com/ct/core.js s.pinimg.com/ct/lib/main.abc.js ct.pinterest.com/v3/?tid=1&noscript=1
		ct.pinterest.com/user/?tid=1 ct.pinterest.com/ct.html ct.pinterest.com/md/?x ct.pinterest.com/?tid=1
		trk.pinterest.com/x analytics.pinterest.com/x`,
	"pinterest-widgets": `
		log.pinterest.com/?guid=1 assets.pinterest.com/js/pinit_main.js assets.pinterest.com/js/pinit.js
		assets.pinterest.com/ext/embed.html?id=1 assets.pinterest.com/sdk/sdk.js assets.pinterest.com/pidget.html
		assets.pinterest.com/js/pinmarklet.js widgets.pinterest.com/v1/urls/count.json?url=x
		widgets.pinterest.com/v3/pidgets/boards/x/pins/ api.pinterest.com/v1/urls/count.json?url=x
		api.pinterest.com/v3/pidgets/pins/info/ pinit-cdn.pinterest.com/pinit.js
		d3io1k5o0zdpqr.cloudfront.net/images/pinext.png
		passets.pinterest.com/images/about/buttons/x.png`,
	"zendesk": `
		static.zdassets.com/ekr/asset_composer.js?key=1 static.zdassets.com/web_widget/messenger/latest/web-widget-main-abc.js
		static.zdassets.com/customer_analytics_integration/1/cai.min.js assets.zendesk.com/embeddable_framework/main.js
		assets.zendesk.com/external/zenbox/v2.1/zenbox.js asset0.zendesk.com/external/zenbox/overlay.js
		asset2.zendesk.com/external/zenbox/v2.6/zenbox.js v2assets.zopim.io/x v2.zopim.com/bin/v/widget_v2.1.js
		us04.zopim.com/s/W/ws/abc us30.zopim.com/s/W/xdds/abc www.zopim.com/?K zopim.com/?K chat.zopim.com/x
		dev.zopim.com/web-sdk/latest/web-sdk.js cdn.smooch.io/smooch.4.0.min.js api.smooch.io/v1/x 5f.webloader.smooch.io/
		5f.config.smooch.io/sdk acme.zendesk.com/embeddable/blips acme.zendesk.com/embeddable/avatars
		acme.zendesk.com/embeddable/support_requests acme.zendesk.com/frontendevents/dl?client=x
		acme.zendesk.com/account/dropboxes/1 acme.zendesk.com/external/zenbox/overlay.css acme.zendesk.com/sc/faye
		acme.zendesk.com/sc/sdk/v2/apps/x ekr.zdassets.com/compose/web_widget/acme.zendesk.com ekr.zdassets.com/snippets?x
		p16.zdassets.com/x static-staging.zdassets.com/ekr/snippet.js widget-mediator.zopim.com/client/widget/issue_1.js
		id.zopim.com/authenticated/web/jwt
		ekr.zendesk.com/compose/1 wss-messenger.zendesk.com/x acme.zendesk.com/requests/embedded/create
		acme.zendesk.com/auth/v2/embeddables accounts.zendesk.com/flags/x.png asset3.zendesk.com/external/x`,
	"stripe": `
		js.stripe.com/v3 js.stripe.com js.stripe.com/v3/fingerprinted/js/shared-abc.js
		js.stripe.com/v3/elements-inner-card-abc.html js.stripe.com/acacia/stripe.js js.stripe.com/clover/stripe.js
		js.stripe.com/v3/buy-button.js js.stripe.com/v3/pricing-table.js js.stripe.com/terminal/v1/ buy.stripe.com/abc
		checkout.stripe.com/v3/abc.js checkout.stripe.com/c/pay/cs_1 connect-js.stripe.com/v1.0/connect.js
		crypto-js.stripe.com/crypto-onramp-outer.js merchant-ui-api.stripe.com/elements/wallet-config
		api.stripe.com/v1/elements/sessions?x errors.stripe.com/api/1 m.stripe.network/ m.stripe.com/4 q.stripe.com/
		r.stripe.com/b pm-redirects.stripe.com/authorize/x payments.stripe.com/x verify.stripe.com/start/x
		hooks.stripe.com/3d_secure_2/x b.stripecdn.com/stripethirdparty-srv/assets/x.js stripe-camo.global.ssl.fastly.net/x
		edge-js.stripe.com/x files.stripe.com/links/x checkout.link.com/ invoice.stripe.com/i/x donate.stripe.com/x
		billing.stripe.com/session/x
		stripensrq.com/ js.link.com/x d37ugbyn3rpeym.cloudfront.net/x.js`,
}

func TestSeedForms(t *testing.T) {
	s := builtin(t, Options{})
	n := 0
	for vendor, urls := range seedForms {
		for _, u := range strings.Fields(urls) {
			n++
			u = "https://" + u
			if m, ok := judge(t, s, u, Context{}); !ok || m.Vendor != vendor || m.Purpose != s.vendor(vendor).match.Purpose {
				t.Errorf("%s: %v, %s for %s by %q; want %s gated", u, ok, m.Vendor, m.Purpose, m.Rule, vendor)
			}
			m, ok := judge(t, s, u, Context{Payment: true})
			if pays := vendor == "stripe"; ok == pays || pays && m.Purpose != consent.Necessary {
				t.Errorf("%s where a payment is made: %v, %s for %v by %q", u, ok, m.Vendor, m.Purpose, m.Rule)
			}
		}
	}
	t.Logf("%d forms", n)
}
