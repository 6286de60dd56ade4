//go:build unix

package consent_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// TestDatabaseIsAPipe: where the path is a pipe that nobody writes to, opening ends, with an error.
func TestDatabaseIsAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regions.mmdb")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	opened := make(chan error, 1)
	go func() {
		_, err := consent.DefaultRegions().OpenDatabase(path)
		opened <- err
	}()
	select {
	case err := <-opened:
		if err == nil || !strings.Contains(err.Error(), "regular") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for somebody to write to the pipe")
	}
}
