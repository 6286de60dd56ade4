package catalogue_test

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

func TestLink(t *testing.T) {
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range [][3]string{
		{"youtube", "https://www.youtube.com/embed/dQw4w9WgXcQ?rel=0", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
		{"youtube", "https://www.youtube-nocookie.com/embed/abc", "https://www.youtube.com/watch?v=abc"},
		{"youtube", "https://www.youtube.com/embed/videoseries?list=PL1&x=2", "https://www.youtube.com/playlist?list=PL1"},
		{"vimeo", "https://player.vimeo.com/video/76979871?title=0", "https://vimeo.com/76979871"},
		{"spotify", "https://open.spotify.com/embed/track/1?utm_source=generator", "https://open.spotify.com/track/1"},
		{"soundcloud", "https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b&color=red", "https://soundcloud.com/a/b"},
		{"soundcloud", "https://w.soundcloud.com/player/?url=javascript:alert(1)", ""},
		{"google-maps", "https://maps.google.de/maps?q=Essen+Nord&output=embed", "https://www.google.com/maps?q=Essen+Nord"},
		{"google-maps", "https://www.google.com/maps/embed/v1/place?key=k&q=Bonn", "https://www.google.com/maps?q=Bonn"},
		{"google-maps", "https://www.google.com/maps/embed?pb=!1m18", ""},
		{"facebook-social", "https://www.facebook.com/plugins/page.php?href=https%3A%2F%2Fwww.facebook.com%2Fexample&tabs=x", "https://www.facebook.com/example"},
		{"facebook-social", "https://www.facebook.com/v3.2/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fe%2Fvideos%2F1", "https://www.facebook.com/e/videos/1"},
		{"twitter-widgets", "https://platform.twitter.com/embed/Tweet.html?dnt=true&id=20", "https://x.com/i/status/20"},
		{"instagram-embed", "https://www.instagram.com/p/Abc/embed/captioned", "https://www.instagram.com/p/Abc/"},
		{"calendly", "https://calendly.com/someone/30min?embed_type=Inline", "https://calendly.com/someone/30min"},
		{"openstreetmap", "https://www.openstreetmap.org/export/embed.html?bbox=1,2,3,4", "https://www.openstreetmap.org/?bbox=1%2C2%2C3%2C4"},
		{"youtube", "javascript:alert(1)", ""},
		{"youtube", "https://www.youtube.com/embed/%zz", ""}, // no URL
		{"facebook-social", "https://www.facebook.com/tr?href=https%3A%2F%2Fwww.facebook.com%2Fexample", ""},
		{"twitter-widgets", "https://platform.twitter.com/embed/Tweet.html?dnt=true", ""},
		{"matomo", "https://www.youtube.com/embed/x", ""},
	} {
		if got := c.Vendor(e[0]).Link(e[1]); got != e[2] {
			t.Errorf("%s: %s: %q, want %q", e[0], e[1], got, e[2])
		}
	}
}
