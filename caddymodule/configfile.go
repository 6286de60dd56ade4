package caddymodule

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// readJSONConfig reads a Caddyfile or a JSON configuration as JSON.
func readJSONConfig(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil || json.Valid(data) {
		return data, err
	}
	data, _, err = caddyconfig.GetAdapter("caddyfile").Adapt(data, map[string]any{"filename": path})
	return data, err
}

// configFile is what the commands need of a configuration.
type configFile struct {
	Storage json.RawMessage            `json:"storage"`
	Apps    map[string]json.RawMessage `json:"apps"`
}

// readConfigFile reads a Caddyfile or a JSON configuration.
func readConfigFile(path string) (c configFile, err error) {
	data, err := readJSONConfig(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// app reads the consent app, if the configuration has one.
func (c *configFile) app(app *App) error {
	raw, ok := c.Apps["consent"]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, app); err != nil {
		return fmt.Errorf("apps.consent: %w", err)
	}
	return nil
}

// readConfig takes the consent app and the first consent handler out of a Caddyfile or JSON configuration.
func readConfig(path string, app *App, h *Handler) error {
	config, err := readConfigFile(path)
	if err != nil {
		return err
	}
	if err := config.app(app); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if raw := findHandler(config.Apps["http"]); raw != nil {
		if err := json.Unmarshal(raw, h); err != nil {
			return fmt.Errorf("%s: handler consent: %w", path, err)
		}
	}
	return nil
}

// findHandler returns the first object that says "handler": "consent" and is not off.
func findHandler(raw json.RawMessage) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		if string(object["handler"]) == `"consent"` && string(object["mode"]) != `"off"` {
			return raw
		}
		for _, k := range sortedKeys(object, map[string]bool{}) {
			if found := findHandler(object[k]); found != nil {
				return found
			}
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, v := range list {
			if found := findHandler(v); found != nil {
				return found
			}
		}
	}
	return nil
}
