//go:build linux

package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestWriteErrors lets the system refuse each write for a while, as a dying disk does: nothing is acknowledged meanwhile,
// nothing that was is lost, and the store goes on, without a restart, once writes succeed again.
func TestWriteErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	var file *os.File
	s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1), OpenFile: func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}})
	var acked []*consent.Record
	appendOne := func() error {
		r := storetest.Record(site, consent.NewID(), 1, storetest.All)
		err := s.Append(ctx, r)
		if err == nil {
			acked = append(acked, r)
		}
		return err
	}
	fd := int(file.Fd())
	working, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		for range 20 {
			if err := appendOne(); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Dup3(int(readOnly.Fd()), fd, 0); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if err := appendOne(); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("a write that failed: %v", err)
			}
		}
		if err := syscall.Dup3(working, fd, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := appendOne(); err != nil {
		t.Fatalf("once writes succeed again: %v", err)
	}
	if rep := storetest.MustVerify(t, s); rep.Entries != uint64(len(acked)) {
		t.Errorf("%d entries, %d acknowledged", rep.Entries, len(acked))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
	for _, r := range acked {
		if !holds(s, r) {
			t.Fatalf("acknowledged record %v is lost", r.PrincipalID)
		}
	}
	storetest.MustVerify(t, s)
}
