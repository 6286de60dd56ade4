package command_test

import (
	"bytes"
	"strings"
	"testing"
)

// TestProxyArguments: a site that is named without --to is not answered with the demonstration, and a bare number is a port.
func TestProxyArguments(t *testing.T) {
	proxy := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(&out, append([]string{"proxy", "--print"}, args...)...)
		return out.String(), err
	}
	if out, err := proxy("https://shop.example"); err == nil || !strings.Contains(err.Error(), "--to") {
		t.Errorf("%v: %s", err, out)
	}
	for from, want := range map[string]string{"8081": "http://:8081 {", ":8081": "http://:8081 {", "shop.example": "shop.example {", "127.0.0.1:81": "http://127.0.0.1:81 {"} {
		if out, err := proxy("--from", from); err != nil || !strings.Contains(out, "\n"+want+"\n") {
			t.Errorf("--from %s: %v, want %s in %s", from, err, want, out)
		}
	}
}
