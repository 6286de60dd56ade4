package caddymodule

import (
	"net/http"
	"strings"
)

// serveWellKnown answers the resources by which a site states how it treats signals, derived from the configuration: a
// site that ignores a signal does not claim to honour it.
//
//   - /.well-known/dnt/ and /.well-known/dnt/ID: tracking status (W3C Tracking Preference Expression, 6.4 and 6.5)
//   - /.well-known/gpc.json: GPC support (Global Privacy Control, "GPC Support Resource")
func (s *site) serveWellKnown(w http.ResponseWriter, x *exchange) bool {
	path := x.url.Path
	switch {
	case path == "/.well-known/gpc.json":
		body := struct {
			GPC        bool   `json:"gpc"`
			LastUpdate string `json:"lastUpdate"`
		}{s.honoursGPC(), s.since.UTC().Format("2006-01-02")}
		writeJSON(w, http.StatusOK, "application/json", body)
	case path == "/.well-known/dnt/" || strings.HasPrefix(path, "/.well-known/dnt/"):
		s.serveTrackingStatus(w, x)
	default:
		return false
	}
	return true
}

// trackingStatus is the tracking status object (TPE, 6.5.2).
type trackingStatus struct {
	Tracking string `json:"tracking"`
	Policy   string `json:"policy,omitempty"`
	Config   string `json:"config,omitempty"`
}

func (s *site) serveTrackingStatus(w http.ResponseWriter, x *exchange) {
	t := trackingStatus{Tracking: "?", Policy: s.options.PolicyURL, Config: s.options.Prefix + "/"}
	if id := strings.TrimPrefix(x.url.Path, "/.well-known/dnt/"); id != "" {
		// A request-specific status must not be "?" (TPE, 6.5.3); ours has the status value as its ID.
		if t.Tracking = statusOf(id); t.Tracking == "" {
			http.Error(w, "no such tracking status", http.StatusNotFound)
			return
		}
	}
	// The status depends on the visitor's cookie: it must not be stored (TPE, 6.4.4).
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, "application/tracking-status+json", t)
}

// trackingStatusValue is the Tk field's value for this answer (TPE, 6.3). The site-wide status is "?", so every answer
// has one, with a status-id that leads to its explanation.
func (x *exchange) trackingStatusValue() string {
	switch x.decision.TrackingStatus() {
	case 'N':
		return "N;N"
	case 'C':
		return "C;C"
	case 'T':
		return "T;T"
	}
	return "D;D"
}

// statusOf returns the tracking status that an ID of ours stands for, "" for any other.
func statusOf(id string) string {
	switch id {
	case "N", "C", "T", "D":
		return id
	}
	return ""
}
