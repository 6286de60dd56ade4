package integration

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// encodeSites are ways to have encode outside, each under a path of its own.
const encodeSites = `
	handle /both* {
		encode
		consent
		reverse_proxy {upstream}
	}
	handle /gzip* {
		encode gzip
		consent
		reverse_proxy {upstream}
	}
	handle /zstd* {
		encode zstd
		consent
		reverse_proxy {upstream}
	}
	handle /styles* {
		encode {
			gzip
			match header Content-Type text/css*
		}
		consent
		reverse_proxy {upstream}
	}`

// TestEncodeOutside: where encode outside would compress a page in gzip, the gateway does, with the guard compressed once
// and for all; where encode would not, nobody does.
func TestEncodeOutside(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Etag", `"v1"`)
		page := []byte(wholePage + strings.Repeat("<p>"+r.URL.RawQuery+"</p>", 20))
		if strings.Contains(r.URL.Path, "no-transform") {
			w.Header().Set("Cache-Control", "no-transform")
		}
		if strings.Contains(r.URL.Path, "compressed") {
			w.Header().Set("Content-Encoding", "gzip")
			page = compressed(t, "gzip", string(page))
		}
		_, _ = w.Write(page)
	}), encodeSites)
	for _, c := range []struct {
		path, accept, dest string
		coding             string
		spliced            bool
	}{
		{"/both", "gzip, deflate, br, zstd", "document", "gzip", true},
		{"/gzip", "gzip", "document", "gzip", true},
		{"/gzip", "gzip", "iframe", "gzip", true},
		{"/both/compressed", "gzip, zstd", "document", "gzip", true},
		{"/zstd", "gzip, zstd", "document", "zstd", false},
		{"/zstd/compressed", "gzip, zstd", "document", "zstd", false},
		{"/zstd/compressed", "gzip", "document", "gzip", true}, // encode has nothing for this client
		{"/zstd", "gzip", "document", "", false},
		{"/styles", "gzip", "document", "", false}, // pages are not to be compressed, for whatever reason
		{"/styles/compressed", "gzip", "document", "", false},
		{"/gzip/no-transform", "gzip", "document", "", false},
		{"/both", "br", "document", "", false},
		{"/both", "", "document", "", false},
		{"/gzip", "gzip", "empty", "gzip", false}, // a fragment has no guard
	} {
		for _, proto := range protocols {
			name := proto + " " + c.path + ", " + c.dest + ", accepting " + c.accept
			ask := func(query string) (*http.Response, string) {
				return g.get(t, proto, c.path+"?"+query, "Accept-Encoding", c.accept, "Sec-Fetch-Dest", c.dest, "Sec-Fetch-Mode", "cors")
			}
			res, one := ask("first=text")
			_, other := ask("other=words")
			if got := res.Header.Get("Content-Encoding"); got != c.coding {
				t.Errorf("%s: Content-Encoding %q, want %q", name, got, c.coding)
				continue
			}
			// A text that is compressed anew in each page never comes out alike for so long.
			if c.coding != "" && c.spliced != (len(one) > 8000 && strings.Contains(other, one[4000:8000])) {
				t.Errorf("%s: whether the guard was compressed already is %t", name, !c.spliced)
			}
			if c.coding != "" && !strings.Contains(strings.Join(res.Header["Vary"], ","), "Accept-Encoding") {
				t.Errorf("%s: Vary %q", name, res.Header["Vary"])
			}
			body := unfold(t, c.coding, one)
			if !gatedPage(body) || strings.Count(body, "<p>first=text</p>") != 20 || c.spliced && strings.Count(body, "data-consent-guard") == 0 {
				t.Errorf("%s: %d bytes, %q", name, len(body), body[max(0, len(body)-1000):])
			}
		}
	}
}

// unfold undoes a coding.
func unfold(t *testing.T, coding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEncodeOutsideFlush: what the upstream flushes arrives, also where the gateway compresses in the place of encode.
func TestEncodeOutsideFlush(t *testing.T) {
	next := make(chan struct{}, 1)
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, firstPart)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-next:
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, secondPart)
	}), "encode\n\tconsent\n\treverse_proxy {upstream} {\n\t\tflush_interval -1\n\t}")
	for _, proto := range protocols {
		res := g.ask(t, proto, http.MethodGet, "/", "Accept-Encoding", "gzip")
		z, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := readUntil(t, z, "first part"); !bytes.Contains([]byte(got), []byte("data-consent-guard")) {
			t.Errorf("%s: no guard before the first part: %q", proto, got)
		}
		next <- struct{}{}
		if rest, err := io.ReadAll(z); err != nil || !strings.Contains(string(rest), "second part") {
			t.Errorf("%s: then came %q (%v)", proto, rest, err)
		}
	}
}
