package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// addDisclosures adds the sub-command that prints the ledger.
func (f *recordsFlags) addDisclosures(sub subCommand) {
	var site, month string
	c := sub("disclosures", "Show what was disclosed to whom, by month, after visitors agreed",
		`Prints the disclosure ledger: for each month, site and vendor the categories of data that the vendor got to know because
visitors agreed or, where a region asks for no agreement, did not refuse. It holds nothing of visitors and goes back twelve
months. Third parties that no rule knows are nobody's vendors: caddy consent report names them.`, 0,
		func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
			if _, err := time.Parse("2006-01", month); month != "" && err != nil {
				return UsageError("--month %q is no month: write it as 2026-05", month)
			}
			lines, err := k.Disclosures(ctx, site)
			if err != nil {
				return err
			}
			lines = slices.DeleteFunc(lines, func(d store.Disclosure) bool { return month != "" && d.Month != month })
			return f.disclosures(out, lines)
		})
	c.Flags().StringVar(&site, "site", "", "only this site")
	c.Flags().StringVar(&month, "month", "", "only this month (2026-05), in UTC")
}

func (f *recordsFlags) disclosures(out io.Writer, lines []store.Disclosure) error {
	if f.json {
		if lines == nil {
			lines = []store.Disclosure{}
		}
		return json.NewEncoder(out).Encode(lines)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(out, "nothing was disclosed")
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MONTH\tSITE\tVENDOR\tPURPOSE AND CATEGORY")
	for _, d := range lines {
		for _, c := range d.Categories {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.Month, d.Site, d.Vendor, c)
		}
	}
	return t.Flush()
}
