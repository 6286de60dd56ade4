package caddymodule

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/command"
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
			command.Add(cmd, offline)
		},
	})
}

// offline is the gateway without a running Caddy.
var offline = command.Gateway{Explain: explainOffline, Judge: judgeOffline, Records: openOffline}
