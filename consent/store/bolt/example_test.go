package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

func Example() {
	dir, _ := os.MkdirTemp("", "consent")
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := bolt.Open(filepath.Join(dir, "consent.db"), bolt.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()

	visitor := consent.NewID()
	if err := s.Append(ctx, storetest.Record("example.com", visitor, 1, storetest.All)); err != nil {
		fmt.Println("do not grant:", err)
	}
	_ = s.Append(ctx, storetest.Withdrawal("example.com", visitor, 2))
	state, _ := s.Latest(ctx, "example.com", visitor)
	fmt.Println(state.Event, state.Grants())
	_ = s.Erase(ctx, "example.com", visitor)
	report, err := s.Verify(ctx)
	fmt.Println(report.Entries, "entries,", report.Erased, "erased,", err)
	// Output:
	// withdrawn false
	// 3 entries, 2 erased, <nil>
}
