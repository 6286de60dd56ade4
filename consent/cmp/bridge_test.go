package cmp_test

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

func TestBridges(t *testing.T) {
	bridges := cmp.Bridges()
	if len(bridges) == 0 {
		t.Error("there is none")
	}
	for _, b := range bridges {
		if (b.Storage == "") == (b.Call == "") || b.Granted == "" || len(b.Purposes) == 0 {
			t.Errorf("%s: %+v", b.Name, b)
		}
	}
}
