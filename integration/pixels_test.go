package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestPixelsAndPictures: an image that is hidden or of one pixel is a pixel of a tracker that nobody has listed, unless its
// address is that of a picture that the page holds ready.
func TestPixelsAndPictures(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for _, name := range []string{"photo/62082317.cms", "img/spacer.gif", "lightbox/castle.jpg"} {
			_, _ = fmt.Fprintf(w, `<img src="https://pictures.example/%s" style="display:none">`, name)
		}
		_, _ = io.WriteString(w, `<img src="https://nobody-knows.example/v/1" width=1 height=1><img src="https://nobody-knows.example/logo.gif?id=1" style="display:none">`)
	}))
	t.Cleanup(upstream.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	req, _ := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
	req.Header.Set("Sec-GPC", "1")
	_, page := answer(t, req)
	if n := strings.Count(string(page), `<img src="https://pictures.example/`); n != 3 {
		t.Errorf("%d of 3 pictures left:\n%s", n, page)
	}
	if strings.Contains(string(page), ` src="https://nobody-knows.example/`) {
		t.Errorf("a pixel is left:\n%s", page)
	}
}
