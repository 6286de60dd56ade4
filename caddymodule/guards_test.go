package caddymodule

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// TestGuardSize holds the sizes, after gzip, of what every page gets longer by and of what a browser fetches once, with the
// whole catalogue.
func TestGuardSize(t *testing.T) {
	const mostInPage, mostLate = 11500, 23750
	zipped := func(text []byte) int {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = z.Write(text)
		_ = z.Close()
		return b.Len()
	}
	app := newServed(t, false).handler.app
	s, err := newSite(app, Options{Site: "a"}, modeEnforce)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range s.guards {
		path, late := g.Late()
		inPage, length := zipped(g.Constant()), zipped(late)
		t.Logf("in a page %d bytes, %d after gzip; %s %d, %d after gzip", len(g.Constant()), inPage, path, len(late), length)
		if inPage > mostInPage || length > mostLate {
			t.Errorf("in a page %d bytes after gzip, want at most %d; the cached part %d, want at most %d", inPage, mostInPage, length, mostLate)
		}
	}
}
