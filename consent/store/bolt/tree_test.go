package bolt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestBrokenTree damages each branch page of a file in the ways that send bbolt round in a circle.
func TestBrokenTree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
	records := make([]*consent.Record, 300)
	for i := range records {
		records[i] = storetest.Record(site, consent.NewID(), 1, 0)
	}
	storetest.MustAppend(t, s, records...)
	_ = s.Close()
	intact, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := os.Getpagesize()
	refused := 0
	for at := 2 * size; at < len(intact); at += size {
		page, id := intact[at:at+size], uint64(at/size)
		if binary.NativeEndian.Uint64(page) != id || binary.NativeEndian.Uint16(page[8:]) != 1 {
			continue
		}
		for name, damage := range map[string]func(p []byte){
			"refers to itself":    func(p []byte) { binary.NativeEndian.PutUint64(p[16+8:], id) },
			"twice the same page": func(p []byte) { copy(p[16+8:16+16], p[32+8:32+16]) },
			"beyond the file":     func(p []byte) { binary.NativeEndian.PutUint64(p[16+8:], 1<<40) },
			"no elements":         func(p []byte) { binary.NativeEndian.PutUint16(p[10:], 0) },
			"key outside":         func(p []byte) { binary.NativeEndian.PutUint32(p[16:], 1<<31) },
		} {
			b := bytes.Clone(intact)
			damage(b[at:])
			p := filepath.Join(t.TempDir(), "damaged.db")
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := bolt.Open(p, bolt.Options{Signer: storetest.Signer(t, 1)})
			switch {
			case err == nil: // a page that was freed since
				storetest.MustVerify(t, s)
				_ = s.Close()
			case !errors.Is(err, store.ErrTampered) || !strings.Contains(err.Error(), "restore it from a backup"):
				t.Errorf("page %d %s: %v", id, name, err)
			default:
				refused++
			}
		}
	}
	if refused < 5 {
		t.Errorf("%d damaged files refused", refused)
	}
}
