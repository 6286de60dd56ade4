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
		for _, s := range b.Sources {
			if (s.Storage == "") == (s.Call == "") || s.Granted == "" || len(s.Purposes) == 0 {
				t.Errorf("%s: %+v", b.Name, s)
			}
		}
	}
}
