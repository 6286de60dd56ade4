package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

// TestScriptless: only what can be no document and no worker in any browser goes without a policy.
func TestScriptless(t *testing.T) {
	for value, want := range map[string]bool{
		"image/png": true, "font/woff2": true, "video/mp4": true, "audio/ogg; codecs=opus": true,
		"image/svg+xml": false, "image/SVG+XML": false, "image/png, text/html": false, "text/html": false, "text/javascript": false,
		"": false, "application/octet-stream": false, "Image": false,
	} {
		h := http.Header{"Content-Type": {value}}
		if got := scriptless(h); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	if scriptless(http.Header{}) || scriptless(http.Header{"Content-Type": {"image/png", "text/html"}}) {
		t.Error("a missing or a second type is not looked at")
	}
}

// TestPolicyKeywords: what stands in default-src as well is known there, or the browser complains on each page (CSP 3, 6.7.1
// lists the keywords of scripts; 'unsafe-inline' includes speculation rules).
func TestPolicyKeywords(t *testing.T) {
	for _, source := range strings.Fields(cspInline) {
		if strings.HasPrefix(source, "'") && !strings.Contains("'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'", source) {
			t.Errorf("%s is for script-src only", source)
		}
	}
}
