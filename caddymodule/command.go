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
			cmd.SetHelpTemplate(new(cobra.Command).HelpTemplate()) // Caddy's names its own documentation, which has none of these
			needsSub(cmd)
			cmd.AddCommand(proxyCommand(), explainCommand(), rulesCommand(), recordsCommand(), linkCommand(), reportCommand(), scanCommand(), auditCommand())
		},
	})
}

// needsSub makes a command that only has sub-commands say so when it is called with another word; cobra would end with status 0.
func needsSub(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		cmd.SilenceUsage = true
		return usageError("there is no %s %s", cmd.CommandPath(), args[0])
	}
}

// command returns a sub-command whose errors are printed once and end the process with status 1.
func command(use, short, long string, run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true
			cmd.SetOut(controlled{cmd.OutOrStdout()})
			return run(cmd, args)
		},
	}
}

// usageError is for arguments that make no sense.
func usageError(format string, args ...any) error { return fmt.Errorf(format+" (see --help)", args...) }
