// Package command holds the sub-commands of `caddy consent`: their flags, their texts, and what they print.
//
// What they need of a gateway that does not run is given to Add; a running one is asked through its admin API. What they print
// moves no cursor. An error is printed once and ends the process with status 1.
package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/crawl"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/caddymodule/terminal"
)

// Gateway is what the commands need of the gateway where no Caddy runs. Each names a Caddyfile or JSON configuration, "" for the
// defaults.
type Gateway struct {
	// Explain returns what tells why a URL is gated or passes.
	Explain func(config string, q Question) (func(url string) (Explanation, error), error)
	// Judge returns what judges responses for a visitor who has not answered, and counts into seen what they hold.
	Judge func(config string, seen *inventory.Inventory) (crawl.Judge, error)
	// Records opens a store: a bolt file, or the one that a configuration names. A bolt file that is not there is made only
	// with create.
	Records func(file, config string, create bool) (records.Local, error)
}

// Add adds the commands to the one that has them all.
func Add(cmd *cobra.Command, g Gateway) {
	needsSub(cmd)
	cmd.AddCommand(newProxy(), newExplain(g), newRules(), newRecords(g), newLink(), newReport(), newScan(g), newAudit())
}

// needsSub makes a command that only has sub-commands say so when it is called with another word; cobra would end with status 0.
func needsSub(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		cmd.SilenceUsage = true
		return UsageError("there is no %s %s", cmd.CommandPath(), args[0])
	}
}

// newCommand returns a sub-command whose errors are printed once and end the process with status 1.
func newCommand(use, short, long string, run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true
			cmd.SetOut(terminal.NewWriter(cmd.OutOrStdout()))
			return run(cmd, args)
		},
	}
}

// UsageError is for arguments that make no sense.
func UsageError(format string, args ...any) error { return fmt.Errorf(format+" (see --help)", args...) }
