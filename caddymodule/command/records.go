package command

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// recordsRun is what a sub-command of records does with the store.
type recordsRun func(ctx context.Context, k records.Keeper, out io.Writer, args []string) error

func newRecords(g Gateway) *cobra.Command {
	cmd := &cobra.Command{Use: "records", Short: "List, show, export, verify, erase, sweep and copy the records of consent, and show the disclosure ledger",
		Long: `Works on the store of a running Caddy through its admin API (--address), or on a store that no Caddy has open: a file
(--store) or the one that a configuration names (--config), PostgreSQL included.`}
	needsSub(cmd)
	f := recordsFlags{gateway: g}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.address, "address", "", "the admin API of a running Caddy (default localhost:2019)")
	flags.StringVar(&f.store, "store", "", "a bolt file that no Caddy has open")
	flags.StringVar(&f.config, "config", "", "a Caddyfile or JSON configuration that names the store and its keys")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	sub := func(use, short, long string, args int, run recordsRun) *cobra.Command {
		c := newCommand(use, short, long, func(cmd *cobra.Command, a []string) error {
			if len(a) != args {
				return UsageError("it is: caddy consent records %s", use)
			}
			k, err := f.open()
			if err != nil {
				return err
			}
			return errors.Join(run(cmd.Context(), k, cmd.OutOrStdout(), a), k.Close())
		})
		cmd.AddCommand(c)
		return c
	}
	f.addReading(sub)
	f.addDisclosures(sub)
	f.addNotice(sub)
	f.addNotices(sub)
	f.addChanging(sub)
	f.addCopy(sub)
	return cmd
}

// subCommand adds a sub-command.
type subCommand func(use, short, long string, args int, run recordsRun) *cobra.Command

// addReading adds what changes nothing.
func (f *recordsFlags) addReading(sub subCommand) {
	var q struct {
		site, from, to string
		last           int
	}
	query := func(id string) (records.Query, error) {
		v := records.Query{Site: q.site}.Values()
		v.Set("id", id)
		v.Set("from", q.from)
		v.Set("to", q.to)
		return records.ParseQuery(v)
	}
	list := sub("list", "List the newest records", "", 0, func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
		sel, err := query("")
		if err != nil {
			return err
		}
		return f.list(ctx, k, out, sel, q.last)
	})
	show := sub("show ID", "Show all records of a consent id, whole", "ID is the consent id (pii_principal_id) or the record_id of a receipt.", 1, func(ctx context.Context, k records.Keeper, out io.Writer, args []string) error {
		sel, err := query(args[0])
		if err != nil {
			return err
		}
		return f.show(ctx, k, out, sel)
	})
	asCSV := false
	exp := sub("export", "Write all records as JSON, one a line (ISO/IEC TS 27560 fields), or as a table", "", 0, func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
		sel, err := query("")
		if err != nil {
			return err
		}
		return export(ctx, k, out, sel, asCSV)
	})
	exp.Flags().BoolVar(&asCSV, "csv", false, "write a table for spreadsheets, times in UTC")
	for _, c := range []*cobra.Command{list, show, exp} {
		c.Flags().StringVar(&q.site, "site", "", "only this site")
		c.Flags().StringVar(&q.from, "from", "", "only since this day or moment (2026-11-01)")
		c.Flags().StringVar(&q.to, "to", "", "only before this day or moment")
	}
	list.Flags().IntVar(&q.last, "last", 50, "how many, 0 for all")
	var heads []string
	verify := sub("verify", "Check that no record was changed, added in between, cut off or lost",
		`Reads the whole chain of hashes, checks it against its contents and its signed heads, and prints the newest head. Keep
that line where nobody who can write to the store can change it (print it, mail it): a later "verify --head FILE" proves
that nothing recorded until then was touched since. Ends with status 1 if anything is wrong.`, 0,
		func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
			return f.verify(ctx, k, out, heads)
		})
	verify.Flags().StringArrayVar(&heads, "head", nil, "a file with heads that were printed earlier, one a line")
}

// addChanging adds what destroys records.
func (f *recordsFlags) addChanging(sub subCommand) {
	var site string
	erase := sub("erase ID", "Erase all records of a consent id",
		`ID is the consent id, or the record_id of a receipt. Destroys the content of the records (GDPR Art. 17). The chain keeps
their salted hashes and an entry that says that they were erased, so it still verifies. The visitor's cookie then proves
nothing any more: who has it is asked again.`, 1,
		func(ctx context.Context, k records.Keeper, out io.Writer, args []string) error {
			id, err := records.ParseID(args[0])
			if err != nil {
				return err
			}
			return f.erase(ctx, k, out, site, id)
		})
	erase.Flags().StringVar(&site, "site", "", "the site of the records (default: the one that has them)")
	var anyClock bool
	sweep := sub("sweep", "Destroy what is past its retention, now instead of at the next full hour", "", 0,
		func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
			r, err := k.Sweep(ctx, anyClock)
			if errors.Is(err, store.ErrClock) {
				err = fmt.Errorf("%w (--any-clock sweeps all the same)", err)
			}
			return f.removed(out, r, err, "destroyed, being past their retention: %d records and ledger lines")
		})
	sweep.Flags().BoolVar(&anyClock, "any-clock", false, "sweep although the clock seems wrong: you looked at it")
}

// list prints a table of the last n records.
func (f *recordsFlags) list(ctx context.Context, k records.Keeper, out io.Writer, q records.Query, n int) error {
	var last []*consent.Record
	total := 0
	err := k.Scan(ctx, q, func(r *consent.Record) error {
		total++
		if last = append(last, r); n > 0 && len(last) >= 2*n {
			last = slices.Clone(last[len(last)-n:])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n > 0 && len(last) > n {
		last = last[len(last)-n:]
	}
	if f.json {
		if last == nil {
			last = []*consent.Record{}
		}
		return json.NewEncoder(out).Encode(last)
	}
	if total == 0 {
		_, err := fmt.Fprintln(out, "no records")
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME (UTC)\tSITE\tCONSENT ID\tEVENT\tGRANTED\tREFUSED\tBY")
	for _, r := range last {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Time.Format(time.DateTime), r.Site, r.PrincipalID, r.Event, names(r, true), names(r, false), r.Method)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if total > len(last) {
		_, err = fmt.Fprintf(out, "the last %d of %d (--last 0 lists all)\n", len(last), total)
	}
	return err
}

// names lists the purposes, and the single vendors, that a record grants or refuses.
func names(r *consent.Record, granted bool) string {
	purposes := r.Denied
	if granted {
		purposes = r.Granted
	}
	var list []string
	for _, one := range purposes.List() {
		list = append(list, one.String())
	}
	for _, vendor := range slices.Sorted(maps.Keys(r.Vendors)) {
		if r.Vendors[vendor] == granted {
			list = append(list, vendor)
		}
	}
	if list == nil {
		return "-"
	}
	return strings.Join(list, ",")
}

// show prints records whole.
func (f *recordsFlags) show(ctx context.Context, k records.Keeper, out io.Writer, q records.Query) (err error) {
	found, asked := 0, q.ID
	if q.ID, err = personOf(ctx, k, q); err != nil {
		return err
	}
	err = k.Scan(ctx, q, func(r *consent.Record) error {
		found++
		text, err := json.Marshal(r)
		if err == nil && !f.json {
			text, err = json.MarshalIndent(r, "", "  ")
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("%w %s", store.ErrNotFound, asked)
	}
	return err
}

// erase finds out the site, if none was named, and erases.
func (f *recordsFlags) erase(ctx context.Context, k records.Keeper, out io.Writer, site string, id consent.ID) (err error) {
	if id, err = personOf(ctx, k, records.Query{Site: site, ID: id}); err != nil {
		return err
	}
	if site == "" {
		err := k.Scan(ctx, records.Query{ID: id}, func(r *consent.Record) error { site = r.Site; return nil })
		if err != nil {
			return err
		}
		if site == "" {
			return fmt.Errorf("%w %s: it was never recorded here, or is erased already", store.ErrNotFound, id)
		}
	}
	r, err := k.Erase(ctx, site, id)
	return f.removed(out, r, err, "erased of "+id.String()+" on "+site+": %d records")
}

// removed says what was destroyed.
func (f *recordsFlags) removed(out io.Writer, r records.Removal, err error, format string) error {
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(out).Encode(r)
	}
	text := fmt.Sprintf(format, r.Removed)
	if r.Compacted {
		text += "; the file was written anew, so none of its pages holds them"
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

// verify checks the chain and says what to keep.
func (f *recordsFlags) verify(ctx context.Context, k records.Keeper, out io.Writer, files []string) error {
	anchors, err := readHeads(files)
	if err != nil {
		return err
	}
	r, err := k.Verify(ctx, anchors)
	if err != nil {
		return err
	}
	if f.json {
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return err
		}
	} else if err := writeReport(out, &r, len(anchors)); err != nil {
		return err
	}
	if r.Found > 0 {
		return fmt.Errorf("%w: %d problems", store.ErrTampered, r.Found)
	}
	return nil
}

func writeReport(out io.Writer, r *store.Report, anchors int) error {
	for _, p := range r.Problems {
		fmt.Fprintf(out, "wrong: %s\n", p)
		if strings.Contains(p, store.ErrUnknownKey.Error()) {
			fmt.Fprintln(out, "       (the keys are those of the gateway: name its configuration with --config, or ask it with --address; old ones stay after the new: key NEW OLD)")
		}
	}
	fmt.Fprintf(out, "%d entries, %d of them erased; %d heads agree", r.Entries, r.Erased, r.Heads)
	if anchors > 0 {
		fmt.Fprintf(out, ", %d of them kept elsewhere", anchors)
	}
	switch {
	case r.Entries == 0 || r.Found > 0:
	case r.Signed == r.Head.Index:
		fmt.Fprint(out, "; signed to the end")
	case r.Signed > 0:
		fmt.Fprintf(out, "; signed up to entry %d", r.Signed)
	default:
		fmt.Fprint(out, "; no signature was checked: no key was found")
	}
	if r.Found > 0 || r.Entries == 0 {
		_, err := fmt.Fprintln(out)
		return err
	}
	head, err := json.Marshal(r.Head)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nThe chain is whole. Keep this line elsewhere, for verify --head FILE:\n%s\n", head)
	return err
}

// readHeads reads heads that were printed earlier: lines that begin with a brace; others are passed over.
func readHeads(files []string) (heads []store.Head, err error) {
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		n := len(heads)
		lines := bufio.NewScanner(strings.NewReader(string(data)))
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "{") {
				var h store.Head
				if err := json.Unmarshal([]byte(line), &h); err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
				heads = append(heads, h)
			}
		}
		if n == len(heads) {
			return nil, fmt.Errorf("%s holds no head: a line that verify printed", path)
		}
	}
	return heads, nil
}
