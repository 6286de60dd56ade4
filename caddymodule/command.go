package caddymodule

import (
	"fmt"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "consent",
		Usage: "<proxy|explain|rules|records|link|report|scan|audit>",
		Short: "A consent firewall in front of any website",
		Long: `Puts a consent firewall in front of a website (proxy), tells why something is gated (explain), checks vendor files and
filter lists (rules), and works with the records of consent (records, link), what was seen (report, scan) and the
configuration (audit).`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(proxyCommand(), explainCommand(), rulesCommand(), recordsCommand(), linkCommand(), reportCommand(), scanCommand(), auditCommand())
		},
	})
}

// command returns a sub-command whose errors are printed once and end the process with status 1.
func command(use, short, long string, run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true
			return run(cmd, args)
		},
	}
}

// usageError is for arguments that make no sense.
func usageError(format string, args ...any) error { return fmt.Errorf(format+" (see --help)", args...) }
