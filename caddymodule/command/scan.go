package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/crawl"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/report"
)

// scanFlags are the flags of `caddy consent scan`.
type scanFlags struct {
	gateway        Gateway
	pages          int
	limit          time.Duration
	failOn, config string
	html           string
	json           bool
}

func newScan(g Gateway) *cobra.Command {
	f := scanFlags{gateway: g}
	cmd := newCommand("scan URL…", "Crawl a site and tell what its pages contact and store",
		`Fetches pages of the site, starting at each URL, judges them as the gateway would for a visitor who has not answered, and
prints what "report" prints. It stays on the site, obeys robots.txt and runs no scripts: what they contact at run time is
seen by a gateway only (consent report). With --fail-on undeclared it ends with status 1 if a page contacts a third party
that neither the catalogue nor the configuration (--config) knows.`,
		f.run)
	flags := cmd.Flags()
	flags.IntVar(&f.pages, "pages", 20, "how many pages to fetch at most")
	flags.DurationVar(&f.limit, "timeout", 2*time.Minute, "how long the scan may take")
	flags.StringVar(&f.failOn, "fail-on", "", "undeclared: end with status 1 if a third party is undeclared")
	flags.StringVar(&f.config, "config", "", "a Caddyfile or JSON configuration whose rules and declarations count")
	flags.StringVar(&f.html, "html", "", "write a self-contained HTML report to this file")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f *scanFlags) run(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return UsageError("scan takes at least one URL")
	}
	if f.failOn != "" && f.failOn != "undeclared" {
		return UsageError("--fail-on %q: the only thing to fail on is undeclared", f.failOn)
	}
	if f.pages < 1 {
		return UsageError("--pages %d: fetch at least one", f.pages)
	}
	seen := new(inventory.Inventory)
	judge, err := f.gateway.Judge(f.config, seen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.limit)
	defer cancel()
	c := crawl.New(f.pages, judge)
	for _, start := range args {
		if err := c.Site(ctx, start); err != nil {
			return err
		}
	}
	for _, p := range c.Problems() {
		fmt.Fprintln(cmd.ErrOrStderr(), p)
	}
	return f.tell(cmd.OutOrStdout(), seen.Report())
}

// tell prints the result and decides about the exit status.
func (f *scanFlags) tell(out io.Writer, r inventory.Report) error {
	var err error
	switch {
	case f.json:
		err = json.NewEncoder(out).Encode(r)
	case f.html == "":
		err = report.Text(out, r)
	}
	if err == nil && f.html != "" {
		if f.json {
			out = io.Discard
		}
		err = writeReportFile(out, f.html, r)
	}
	if err != nil || f.failOn == "" {
		return err
	}
	var undeclared []string
	for _, s := range r.Sites {
		for _, host := range s.Undeclared {
			undeclared = append(undeclared, host+" (on "+s.Site+")")
		}
	}
	if len(undeclared) == 0 {
		return nil
	}
	slices.Sort(undeclared)
	return errors.New("undeclared third parties: " + strings.Join(undeclared, ", "))
}
