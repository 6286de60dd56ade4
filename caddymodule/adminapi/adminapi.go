// Package adminapi is what the gateway's part of Caddy's admin API says, and a client for it.
package adminapi

import (
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Base is where the API stands within Caddy's admin API, which checks Host and Origin.
const Base = "/consent/"

// RecordLine is one line of the answer to GET records. The last one says whether all came.
type RecordLine struct {
	Record *consent.Record `json:"record,omitempty"`
	Error  string          `json:"error,omitempty"`
	End    bool            `json:"end,omitempty"`
}

// Link is a preference-centre link for a mail.
type Link struct {
	Site     string     `json:"site"`
	ID       consent.ID `json:"id"`       // whose preferences; drawn where none was given
	Recorded bool       `json:"recorded"` // there is an answer of that ID
	Expires  time.Time  `json:"expires"`
	Path     string     `json:"path"` // on the site
}
