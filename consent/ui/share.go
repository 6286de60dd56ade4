package ui

import (
	"net/url"
	"strings"
)

// shareLink is a vendor's own share page: where it is, and which parameters of its query hold URL and title.
type shareLink struct{ name, page, url, title string }

// shareLinks are the share pages by catalogue id: what the vendor's button would open, as a plain link that contacts
// nobody until it is followed.
var shareLinks = map[string]shareLink{
	"facebook":          {"Facebook", "https://www.facebook.com/sharer/sharer.php", "u", ""},
	"facebook-social":   {"Facebook", "https://www.facebook.com/sharer/sharer.php", "u", ""},
	"linkedin":          {"LinkedIn", "https://www.linkedin.com/sharing/share-offsite/", "url", ""},
	"linkedin-share":    {"LinkedIn", "https://www.linkedin.com/sharing/share-offsite/", "url", ""},
	"pinterest":         {"Pinterest", "https://www.pinterest.com/pin/create/button/", "url", "description"},
	"pinterest-widgets": {"Pinterest", "https://www.pinterest.com/pin/create/button/", "url", "description"},
	"reddit":            {"Reddit", "https://www.reddit.com/submit", "url", "title"},
	"tumblr":            {"Tumblr", "https://www.tumblr.com/widgets/share/tool", "canonicalUrl", "title"},
	"twitter":           {"X", "https://twitter.com/intent/tweet", "url", "text"},
	"twitter-widgets":   {"X", "https://twitter.com/intent/tweet", "url", "text"},
	"vk":                {"VK", "https://vk.com/share.php", "url", "title"},
}

// AppendShare appends a static link that shares a page with a vendor, in place of the vendor's own button, and tells
// whether that vendor has a share page; if not, nothing is appended. pageURL is the absolute http or https URL to share,
// title the page's title or "".
func (u *UI) AppendShare(dst []byte, vendorID, lang, pageURL, title string) ([]byte, bool) {
	link, ok := shareLinks[vendorID]
	if !ok || !isWeb(pageURL) {
		return dst, false
	}
	v := u.view(lang)
	dst = append(dst, `<a data-consent-share href="`...)
	dst = append(dst, link.page...)
	dst = append(dst, '?')
	dst = append(dst, link.url...)
	dst = appendQuery(append(dst, '='), pageURL)
	if link.title != "" && title != "" {
		dst = append(dst, "&amp;"...)
		dst = append(dst, link.title...)
		dst = appendQuery(append(dst, '='), title)
	}
	dst = append(dst, `" lang="`...)
	dst = append(dst, v.lang...)
	dst = append(dst, `" target="_blank" rel="noopener noreferrer nofollow">`...)
	dst = appendEscaped(dst, v.texts.fill("share", "{provider}", link.name))
	return append(dst, "</a>"...), true
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
