// Command caddy is Caddy with its standard modules and the consent firewall.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-consent/caddy-consent/caddymodule"
)

func main() { caddycmd.Main() }
