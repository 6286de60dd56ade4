package ui

import (
	"net/url"
	"strings"
)

// shareLink is a vendor's own share page: where it is, and which parameter of its query holds the URL.
type shareLink struct{ name, page, url string }

// shareLinks are the share pages by catalogue id: what the vendor's button would open, as a plain link that contacts
// nobody until it is followed.
var shareLinks = map[string]shareLink{
	"facebook-social":   {"Facebook", "https://www.facebook.com/sharer/sharer.php", "u"},
	"linkedin-share":    {"LinkedIn", "https://www.linkedin.com/sharing/share-offsite/", "url"},
	"pinterest-widgets": {"Pinterest", "https://www.pinterest.com/pin/create/button/", "url"},
	"reddit":            {"Reddit", "https://www.reddit.com/submit", "url"},
	"tumblr":            {"Tumblr", "https://www.tumblr.com/widgets/share/tool", "canonicalUrl"},
	"twitter-widgets":   {"X", "https://x.com/intent/tweet", "url"},
	"vk":                {"VK", "https://vk.com/share.php", "url"},
}

// shareButtons are the frames of vendors' own share buttons, the most specific first: whose they are, and which parameter
// holds the URL to share, if it is not the page's own.
var shareButtons = []struct{ vendor, host, path, url string }{
	{"facebook-social", "facebook.com", "/plugins/like.php", "href"},
	{"facebook-social", "facebook.com", "/plugins/share_button.php", "href"},
	{"facebook-social", "facebook.com", "/widgets/like.php", "href"},
	{"linkedin-share", "linkedin.com", "/cws/share", "url"},
	{"linkedin-share", "linkedin.com", "/shareArticle", "url"},
	{"pinterest-widgets", "pinterest.com", "/pinit.html", "url"},
	{"reddit", "reddit.com", "/button/", "url"},
	{"reddit", "redditstatic.com", "/button/", "url"},
	{"tumblr", "tumblr.com", "/share/button", "canonicalUrl"},
	{"twitter-widgets", "platform.twitter.com", "/widgets/tweet_button", "url"},
	{"twitter-widgets", "platform.x.com", "/widgets/tweet_button", "url"},
	{"vk", "vk.com", "/widget_like.php", "url"},
}

// shareURL returns the share page that stands for a share button and the vendor's name, "" for any other frame, and where
// it is not known what is to be shared.
func shareURL(e *Embed) (link, vendor string) {
	u, err := url.Parse(e.URL)
	if err != nil {
		return "", ""
	}
	host := strings.ToLower(u.Hostname())
	for _, b := range shareButtons {
		if host != b.host && !strings.HasSuffix(host, "."+b.host) || !strings.Contains(u.Path, b.path) {
			continue
		}
		shared := u.Query().Get(b.url)
		if !isWeb(shared) {
			shared = e.Page
		}
		if !isWeb(shared) {
			break
		}
		to := shareLinks[b.vendor]
		return string(appendQuery([]byte(to.page+"?"+to.url+"="), shared)), to.name
	}
	return "", ""
}

// Gone tells whether a frame is a button of a service that was shut down, Google+ (2 April 2019): nothing can be shown, nor
// linked to, in its place.
func Gone(embed string) bool {
	u, err := url.Parse(embed)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Hostname()) {
	case "plusone.google.com", "plus.google.com", "widgets.plus.google.com":
		return true
	case "apis.google.com", "www.google.com":
		return strings.Contains(u.Path, "/+1/")
	}
	return false
}

// contentURL returns the page that shows an embed's content outside of a frame. For players that refuse to be opened on
// their own it is the page of the same item; else the embed itself. It is "" for anything but an http or https URL.
func contentURL(embed string) string {
	if !isWeb(embed) {
		return ""
	}
	u, err := url.Parse(embed)
	if err != nil {
		return ""
	}
	host, path := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www."), u.EscapedPath()
	switch host {
	case "youtube.com", "youtube-nocookie.com":
		if list := u.Query().Get("list"); path == "/embed/videoseries" && list != "" {
			return "https://www.youtube.com/playlist?list=" + url.QueryEscape(list)
		}
		if id, ok := item(path, "/embed/"); ok {
			return "https://www.youtube.com/watch?v=" + id
		}
	case "player.vimeo.com":
		if id, ok := item(path, "/video/"); ok {
			if hash := u.Query().Get("h"); hash != "" { // an unlisted video
				id += "/" + url.PathEscape(hash)
			}
			return "https://vimeo.com/" + id
		}
	case "dailymotion.com":
		if id, ok := item(path, "/embed/video/"); ok {
			return "https://www.dailymotion.com/video/" + id
		}
	case "open.spotify.com":
		if rest, ok := strings.CutPrefix(path, "/embed/"); ok {
			return "https://open.spotify.com/" + rest
		}
	case "player.twitch.tv":
		if channel := u.Query().Get("channel"); channel != "" {
			return "https://www.twitch.tv/" + url.PathEscape(channel)
		}
	case "w.soundcloud.com":
		if track, err := url.Parse(u.Query().Get("url")); err == nil && track.Scheme == "https" && track.Host == "soundcloud.com" {
			return "https://soundcloud.com" + track.EscapedPath()
		}
	}
	return embed
}

// item returns the single path segment after a prefix.
func item(path, prefix string) (string, bool) {
	id, ok := strings.CutPrefix(path, prefix)
	id = strings.TrimSuffix(id, "/")
	return id, ok && id != "" && !strings.Contains(id, "/")
}
