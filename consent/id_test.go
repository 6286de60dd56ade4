package consent_test

import (
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
)

// An ID can be given to a command as it is: one in 64 would begin with a hyphen.
func TestNewIDIsNoOption(t *testing.T) {
	for range 2000 {
		if id := consent.NewID().String(); strings.HasPrefix(id, "-") {
			t.Fatalf("%s looks like an option", id)
		}
	}
}
