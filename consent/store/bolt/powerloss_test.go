package bolt_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

const sector = 512 // what a disk writes whole or not at all

// TestPowerLoss cuts the power at every point of a commit. bbolt writes the pages of a commit, syncs, writes a meta page
// and syncs again: before the first sync any of the pages may be on the disk, before the second any part of the meta page.
func TestPowerLoss(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
	storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), 1, storetest.All))
	var acked []*consent.Record
	images, torn := 0, 0
	before := readFile(t, path)
	for commit := range 20 {
		batch := make([]*consent.Record, 1+rand.IntN(30))
		for i := range batch {
			if batch[i] = storetest.Record(site, consent.NewID(), 1, storetest.All); rand.IntN(2) == 0 {
				batch[i] = storetest.Withdrawal(site, batch[i].PrincipalID, 1)
			}
		}
		storetest.MustAppend(t, s, batch...)
		after := readFile(t, path)
		if n := txid(after) - txid(before); n != 1 {
			t.Fatalf("an append took %d commits: this test cuts between the syncs of one", n)
		}
		for range 4 {
			images += 2
			if whole := afterPowerLoss(t, pagesLost(before, after), acked, batch); whole {
				t.Errorf("commit %d is there without its meta page", commit)
			}
			if !afterPowerLoss(t, metaLost(before, after), acked, batch) {
				torn++
			}
		}
		acked, before = append(acked, batch...), after
	}
	t.Logf("%d images, %d with a torn meta page, %d records", images, torn, len(acked))
	if torn == 0 || torn == images/2 {
		t.Error("the meta pages were never torn, or always: the test shows nothing")
	}
}

// pagesLost is the disk when some sectors of the commit's pages, and its longer length, are not on it yet.
func pagesLost(before, after []byte) []byte {
	image := bytes.Clone(before)
	if rand.IntN(2) == 0 {
		image = append(image, make([]byte, max(0, len(after)-len(before)))...)
	}
	for at := 2 * os.Getpagesize(); at < len(image); at += sector {
		if rand.IntN(2) == 0 {
			copy(image[at:at+sector], after[at:])
		}
	}
	return image
}

// metaLost is the disk when all is on it but the last bytes of the meta page.
func metaLost(before, after []byte) []byte {
	image := bytes.Clone(after)
	metas := 2 * os.Getpagesize()
	copy(image, before[:metas])
	var changed []int
	for i := range metas {
		if before[i] != after[i] {
			changed = append(changed, i)
		}
	}
	for _, i := range changed[:rand.IntN(len(changed)+1)] {
		image[i] = after[i]
	}
	return image
}

// afterPowerLoss opens an image, demands each acknowledged record, and tells whether the unacknowledged batch is there,
// which it is as a whole or not at all.
func afterPowerLoss(t *testing.T, image []byte, acked, batch []*consent.Record) (whole bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "consent.db")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(path, bolt.Options{Signer: storetest.Signer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, r := range acked {
		if !holds(s, r) {
			t.Fatalf("acknowledged record %v is lost", r.PrincipalID)
		}
	}
	found := 0
	for _, r := range batch {
		if holds(s, r) {
			found++
		}
	}
	if found != 0 && found != len(batch) {
		t.Errorf("%d of %d records of one commit", found, len(batch))
	}
	storetest.MustVerify(t, s)
	storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), 1, storetest.All))
	return found > 0
}

func holds(s store.Store, r *consent.Record) bool {
	st, err := s.Latest(ctx, site, r.PrincipalID)
	return err == nil && st.Seq == r.Seq && st.Granted == r.Granted
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// txid is the number of a file's last commit, from its two meta pages.
func txid(file []byte) uint64 {
	const at = 16 + 48 // page header; magic, version, page size, flags, root (16 bytes), freelist, pages
	return max(binary.NativeEndian.Uint64(file[at:]), binary.NativeEndian.Uint64(file[os.Getpagesize()+at:]))
}
