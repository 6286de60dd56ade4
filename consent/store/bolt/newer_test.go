package bolt_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestNewerRecord opens a file in which a newer version of the program, since taken back, wrote a record.
func TestNewerRecord(t *testing.T) {
	for _, newState := range []bool{false, true} {
		path, id := filepath.Join(t.TempDir(), "consent.db"), consent.NewID()
		s := open(t, path, bolt.Options{})
		storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), 1, 0), storetest.Record(site, id, 1, storetest.All))
		_ = s.Close()
		edit(t, path, func(tx *bbolt.Tx) error {
			links, bodies, states := tx.Bucket([]byte("links")), tx.Bucket([]byte("bodies")), tx.Bucket([]byte("principals"))
			c := links.Cursor()
			last, _ := c.Last()
			_, v := c.Prev()
			before := store.Link{Index: 1}
			copy(before.Hash[:], v[1+len(before.Commitment):])
			var salt store.Salt
			old := bodies.Get(last)
			copy(salt[:], old)
			l, body, head := storetest.Newer(t, before, salt, old[len(salt):])
			link := append(append([]byte{byte(l.Kind)}, l.Commitment[:]...), l.Hash[:]...)
			for _, put := range []error{
				links.Put(last, link), bodies.Put(last, append(salt[:], body...)), tx.Bucket([]byte("meta")).Put([]byte("head"), head),
			} {
				if put != nil {
					return put
				}
			}
			for k, v := states.Cursor().First(); k != nil && newState; k, v = states.Cursor().Seek(append(bytes.Clone(k), 0)) {
				if bytes.Contains(k, id[:]) {
					return states.Put(k, append([]byte{99}, v[1:]...))
				}
			}
			return nil
		})
		storetest.CheckNewer(t, open(t, path, bolt.Options{}), site, id, 2, newState)
	}
}
