package caddymodule

import (
	"net/http/httptest"
	"testing"
)

// A browser tells a worker's script by its destination; nothing else of JavaScript is touched.
func TestWorkerScriptsAreTold(t *testing.T) {
	for dest, want := range map[string]fetchDest{"worker": fetchWorker, "sharedworker": fetchWorker, "serviceworker": fetchWorker, "script": fetchOther} {
		r := httptest.NewRequest("GET", "http://site.test/worker.js", nil)
		r.Header.Set("Sec-Fetch-Dest", dest)
		if got := fetchDestOf(r); got != want {
			t.Errorf("%s: %d, want %d", dest, got, want)
		}
	}
}
