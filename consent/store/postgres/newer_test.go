//go:build unix

package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestNewerRecord has a node work beside one that was updated already and wrote a record.
func TestNewerRecord(t *testing.T) {
	for _, newState := range []bool{false, true} {
		prefix, id := fresh(t), consent.NewID()
		s := open(t, postgres.Options{Prefix: prefix})
		storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), 1, 0), storetest.Record(site, id, 1, storetest.All))
		c, err := pgx.Connect(ctx, server.DSN())
		if err != nil {
			t.Fatal(err)
		}
		var hash, old, oldSalt []byte
		if err := c.QueryRow(ctx, "SELECT a.hash, b.salt, b.body FROM "+prefix+"_entry a, "+prefix+"_entry b WHERE a.idx = 1 AND b.idx = 2").Scan(&hash, &oldSalt, &old); err != nil {
			t.Fatal(err)
		}
		_ = c.Close(ctx)
		before, salt := store.Link{Index: 1, Hash: consent.Hash(hash)}, store.Salt(oldSalt)
		l, body, head := storetest.Newer(t, before, salt, old)
		exec(t, "UPDATE "+prefix+"_entry SET body = $1, commitment = $2, hash = $3 WHERE idx = 2", body, l.Commitment[:], l.Hash[:])
		exec(t, "UPDATE "+prefix+"_head SET hash = $1, head = $2", l.Hash[:], head)
		if newState {
			exec(t, "UPDATE "+prefix+"_state SET state = set_byte(state, 0, 99) WHERE idx = 2")
		}
		storetest.CheckNewer(t, s, site, id, 2, newState)
	}
}
