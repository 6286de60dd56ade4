package command

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/adminapi"
)

func newLink() *cobra.Command {
	var address, site, base, id, age string
	var asJSON bool
	cmd := newCommand("link --site SITE", "Make a link to the preference centre, for a mail",
		`Asks a running gateway for a signed link that opens the preference centre without a login, for one consent id: the --id of
somebody who answered before, or a new one, which is printed, so that a later answer can be told whose it is. The link
expires, and takes one answer; opening it changes nothing. Whoever has it can answer: send it to that person only.`,
		func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 || site == "" {
				return UsageError("it is: caddy consent link --site SITE [--id ID] [--for 30d]")
			}
			if base == "" {
				base = "https://" + site
			}
			if u, err := url.Parse(base); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
				return UsageError("--url %q is no address such as https://shop.example", base)
			}
			var l adminapi.Link
			query := url.Values{"site": {site}, "id": {id}, "for": {age}}
			if err := adminapi.NewClient(address).Call(http.MethodPost, "link", query, nil, &l); err != nil {
				return err
			}
			return writeLink(cmd.OutOrStdout(), &l, strings.TrimSuffix(base, "/"), asJSON)
		})
	flags := cmd.Flags()
	flags.StringVar(&address, "address", "", "the admin API of a running Caddy (default localhost:2019)")
	flags.StringVar(&site, "site", "", "the site, as the records name it")
	flags.StringVar(&base, "url", "", "where the site is (default https:// and the site's name)")
	flags.StringVar(&id, "id", "", "the consent id of the person (default: a new one)")
	flags.StringVar(&age, "for", "", "how long the link opens, at most 90d (default 7d)")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeLink(out io.Writer, l *adminapi.Link, base string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(struct {
			URL string `json:"url"`
			*adminapi.Link
		}{base + l.Path, l})
	}
	who := "who has answered before"
	if !l.Recorded {
		who = "of whom there is no answer yet"
	}
	_, err := fmt.Fprintf(out, "%s\nopens until %s, for one answer of %s, %s\n", base+l.Path, l.Expires.Format("2006-01-02 15:04 MST"), l.ID, who)
	return err
}
