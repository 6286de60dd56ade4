package command

import (
	"encoding/json"
	"os"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// ReadConfig reads a Caddyfile or a JSON configuration as JSON.
func ReadConfig(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil || json.Valid(data) {
		return data, err
	}
	data, _, err = caddyconfig.GetAdapter("caddyfile").Adapt(data, map[string]any{"filename": path})
	return data, err
}
