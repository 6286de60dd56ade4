//go:build unix

package source_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/rules/filterlist/source"
)

// TestPipe: where a list's path is a pipe that nobody writes to, loading ends, with an error.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	s, err := source.New(path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	loaded := make(chan error, 1)
	go func() {
		_, _, err := s.Load(t.Context())
		loaded <- err
	}()
	select {
	case err := <-loaded:
		if err == nil || !strings.Contains(err.Error(), "regular") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for somebody to write to the pipe")
	}
}
