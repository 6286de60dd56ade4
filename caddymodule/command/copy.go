package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// copyBatch is how many records are copied with one commit.
const copyBatch = 256

// addCopy adds what fills another store.
func (f *recordsFlags) addCopy(sub subCommand) {
	var into string
	c := sub("copy", "Copy all records and the disclosure ledger into another store, such as PostgreSQL",
		`Verifies the records first, then adds them to the store that the configuration --into names, where they begin a chain
of their own: their times and contents stay, and the old store, which stays as it is, proves that they were not changed
before. What is there already is not added again: copy, let Caddy load the new configuration, and copy once more for what
was recorded in between. Then put the old store away, and erase in both whatever is to be erased: a later copy would bring
it back.`, 0,
		func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
			if into == "" {
				return UsageError("--into is missing: the configuration that names the store to copy into")
			}
			report, err := k.Verify(ctx, nil)
			if err != nil {
				return err
			}
			if report.Found > 0 {
				return fmt.Errorf("%w: nothing was copied; caddy consent records verify says what is wrong", store.ErrTampered)
			}
			to, err := f.gateway.Records("", into, true)
			if err != nil {
				return err
			}
			copied, lines, err := copyRecords(ctx, k, to.Store)
			if err = errors.Join(err, to.Close()); err != nil {
				return fmt.Errorf("%w (%d records were copied: it can be repeated)", err, copied)
			}
			if f.json {
				return json.NewEncoder(out).Encode(map[string]int{"records": copied, "disclosures": lines})
			}
			_, err = fmt.Fprintf(out, "copied: %d records, %d lines of the disclosure ledger\n", copied, lines)
			return err
		})
	c.Flags().StringVar(&into, "into", "", "a Caddyfile or JSON configuration that names the store to copy into, and its keys")
}

// copyRecords adds all records and ledger lines to a store and returns how many those were.
func copyRecords(ctx context.Context, from records.Keeper, to store.Store) (copied, lines int, err error) {
	var batch []*consent.Record
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := to.Append(ctx, batch...)
		if err == nil {
			copied += len(batch)
			batch = batch[:0]
		}
		return err
	}
	err = from.Scan(ctx, records.Query{}, func(r *consent.Record) error {
		if batch = append(batch, r); len(batch) < copyBatch {
			return nil
		}
		return flush()
	})
	if err = errors.Join(err, flush()); err != nil {
		return copied, 0, err
	}
	ledger, err := from.Disclosures(ctx, "")
	if to := store.LedgerOf(to); err == nil && to != nil && len(ledger) > 0 {
		if err = to.Disclose(ctx, ledger...); err == nil {
			lines = len(ledger)
		}
	}
	return copied, lines, err
}
