package integration

import (
	"os"
	"testing"
)

// TestMain gives what Caddy keeps beside its storage a folder that goes with the tests.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "integration")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("XDG_DATA_HOME", dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
