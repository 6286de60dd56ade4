package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/adminapi"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/report"
)

func newReport() *cobra.Command {
	var address, file, html, site string
	var asJSON bool
	cmd := newCommand("report", "Tell what was seen of each site, and draft the lines that declare it",
		`Reads what a running gateway has seen (a site in report mode counts, too, and changes nothing): third-party hosts, vendors,
cookies, tracking through the site's own paths, pages and counts; nothing of visitors. It ends with a draft of the
Caddyfile lines that would declare what was seen.`,
		func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return UsageError("report takes no arguments")
			}
			r, err := fetchReport(address, file)
			if err != nil {
				return err
			}
			if r.Sites = slices.DeleteFunc(r.Sites, func(s inventory.SiteReport) bool { return site != "" && s.Site != site }); len(r.Sites) == 0 {
				return errors.New("nothing was seen yet: open some pages through the gateway first")
			}
			if html != "" {
				return writeReportFile(cmd.OutOrStdout(), html, r)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			return report.Text(cmd.OutOrStdout(), r)
		})
	flags := cmd.Flags()
	flags.StringVar(&address, "address", "", "the admin API of a running Caddy (default localhost:2019)")
	flags.StringVar(&file, "file", "", "a report in JSON, or an inventory file of the data folder, instead")
	flags.StringVar(&html, "html", "", "write a self-contained HTML report to this file")
	flags.StringVar(&site, "site", "", "only this site")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func fetchReport(address, file string) (r inventory.Report, err error) {
	if file == "" {
		err = adminapi.NewClient(address).Call(http.MethodGet, "report", nil, nil, &r)
		return r, err
	}
	if address != "" {
		return r, UsageError("--address and --file exclude each other")
	}
	if r, err = inventory.ReadReport(file); err != nil {
		err = fmt.Errorf("%s is no report: %w", file, err)
	}
	return r, err
}

func writeReportFile(out io.Writer, path string, r inventory.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(report.HTML(f, r), f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s written: %d sites\n", path, len(r.Sites))
	return err
}
