package rules_test

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/rules"
)

// TestPicture: hidden images and images of one pixel as real pages hold them.
func TestPicture(t *testing.T) {
	for url, want := range map[string]bool{
		"https://static.toiimg.com/photo/62082317.cms":                        true,
		"https://www.washingtonpost.com/rw/sites/twpweb/img/blogs/spacer.gif": true,
		"https://globalvoices.org/gv-static/img/tmpl/Loading-32.GIF":          true,
		"https://news.am/css/images/desktop/logo.png":                         true,
		"https://assets.munich2022.com/default/thumb_1954_default_lg.jpeg":    true,
		"https://shop.example/a.svg":                                          true,

		"https://nobody-knows.example/v/unlisted-pixel":                false,
		"https://nobody-knows.example/":                                false,
		"https://nobody-knows.example/p.gif":                           false,
		"https://secure.bright-fruit-77.com/123456.png":                false,
		"https://cdn.verbolia.com/img/count.png":                       false,
		"https://pixel.watch/14ea":                                     false,
		"https://nobody-knows.example/logo.png?u=1":                    false,
		"https://nobody-knows.example/photo.jpg?id=4dd41a8cfb25":       false,
		"https://vg05.met.vgwort.de/na/4dd41a8cfb2544089fca4468608b36": false,
	} {
		if got := rules.Picture([]byte(url)); got != want {
			t.Errorf("Picture(%s) = %v, want %v", url, got, want)
		}
	}
}
