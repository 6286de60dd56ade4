package caddymodule

import (
	"bytes"
	"strings"
	"testing"
)

// TestProxyArguments: a site that is named without --to is not answered with the demonstration, and a bare number is a port.
func TestProxyArguments(t *testing.T) {
	run := func(args ...string) (string, error) {
		cmd := proxyCommand()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(append(args, "--print"))
		err := cmd.Execute()
		return out.String(), err
	}
	if out, err := run("https://shop.example"); err == nil || !strings.Contains(err.Error(), "--to") {
		t.Errorf("%v: %s", err, out)
	}
	for from, want := range map[string]string{"8081": "http://:8081 {", ":8081": "http://:8081 {", "shop.example": "shop.example {", "127.0.0.1:81": "http://127.0.0.1:81 {"} {
		if out, err := run("--from", from); err != nil || !strings.Contains(out, "\n"+want+"\n") {
			t.Errorf("--from %s: %v, want %s in %s", from, err, want, out)
		}
	}
}
