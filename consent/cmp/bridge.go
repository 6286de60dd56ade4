package cmp

import "github.com/caddy-consent/caddy-consent/consent"

// Bridge says where a platform that no server can read keeps its answers in the browser, for a first-party script that
// sends them to the site's own consent endpoint.
type Bridge struct {
	Name string `json:"-"`
	// Storage is a key of localStorage that holds JSON; Call a function without arguments that returns an object. One of
	// them is set.
	Storage string `json:"storage,omitempty"`
	Call    string `json:"call,omitempty"`
	// Decided, if set, is a key of localStorage that must hold true: before that the visitor has not answered.
	Decided string `json:"decided,omitempty"`
	// Path leads, by dots, to the object whose members are answers.
	Path string `json:"path,omitempty"`
	// Purposes maps members to purposes.
	Purposes map[string]consent.Purposes `json:"purposes"`
	// Granted is the value that means yes, as String() of the script's language writes it; all else is no.
	Granted string `json:"granted"`
}

// Bridges returns the platforms that need the script.
func Bridges() []Bridge {
	return []Bridge{
		{Name: "osano", Call: "Osano.cm.getConsent", Granted: "ACCEPT", Purposes: map[string]consent.Purposes{
			"ANALYTICS": analytics, "MARKETING": marketing, "PERSONALIZATION": functional,
		}},
		{
			Name: "termly", Storage: "TERMLY_API_CACHE", Path: "TERMLY_COOKIE_CONSENT.value", Granted: "true", Purposes: map[string]consent.Purposes{
				"performance": functional, "analytics": analytics, "advertising": marketing, "social": social,
			},
		},
		{
			Name: "usercentrics", Storage: "uc_gcm", Decided: "uc_user_interaction", Granted: "granted", Purposes: map[string]consent.Purposes{
				"analyticsStorage": analytics, "adStorage": marketing, "adUserData": marketing, "adPersonalization": marketing,
			},
		},
	}
}
