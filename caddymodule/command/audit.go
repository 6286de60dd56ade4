package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/audit"
	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
)

func newAudit() *cobra.Command {
	var config string
	var asJSON bool
	cmd := newCommand("audit --config FILE", "Find what in a configuration breaks the gateway's promises",
		`Looks for logs that hold visitors' addresses or keep them for ever, and for answers, headers and error pages that pass by
the gateway. Each finding says what, why and the way out. Ends with status 1 if there is one; notes do not count.`,
		func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return UsageError("audit takes no argument %q: name the file with --config", args[0])
			}
			return runAudit(cmd.OutOrStdout(), config, asJSON)
		})
	cmd.Flags().StringVar(&config, "config", "Caddyfile", "the Caddyfile or JSON configuration")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func runAudit(out io.Writer, path string, asJSON bool) error {
	config, err := ReadConfig(path)
	if err != nil {
		return err
	}
	vendors, err := rulesource.Builtin()
	if err != nil {
		return err
	}
	findings, problems := audit.Configuration(path, config, vendors), 0
	for _, f := range findings {
		if !f.Note {
			problems++
		}
		if err := f.Write(out, asJSON); err != nil {
			return err
		}
	}
	if problems > 0 {
		return fmt.Errorf("%s: %d findings", path, problems)
	}
	if !asJSON {
		_, err = fmt.Fprintf(out, "%s: nothing found that breaks a promise\n", path)
	}
	return err
}
