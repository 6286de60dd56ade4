package caddymodule

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// TestGuardSize holds the sizes, after gzip, of what every page gets longer by and of what a browser fetches once, with the
// whole catalogue.
func TestGuardSize(t *testing.T) {
	const mostInPage, mostLate = 11400, 23900 // in a page as in the guard's own test
	app := newServed(t, false).handler.app
	s, err := newSite(app, Options{Site: "a"}, modeEnforce)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range s.guards {
		raw, inPage := g.Size()
		path, late := g.Late()
		var zipped bytes.Buffer
		z, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		_, _ = z.Write(late)
		_ = z.Close()
		length := zipped.Len()
		t.Logf("in a page %d bytes, %d after gzip; %s %d, %d after gzip", raw, inPage, path, len(late), length)
		if inPage > mostInPage || length > mostLate {
			t.Errorf("in a page %d bytes after gzip, want at most %d; the cached part %d, want at most %d", inPage, mostInPage, length, mostLate)
		}
	}
}
