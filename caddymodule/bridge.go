package caddymodule

import (
	"crypto/sha256"
	_ "embed" // the script
	"encoding/base64"
	"encoding/json"
	"html"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

//go:embed bridge.js
var bridgeScript string

// bridge is the script for platforms that keep their answers where no server can read them.
type bridge struct{ script, hash string }

// splitBridges parts the platforms that need the script from those that a server can read.
func splitBridges(platforms []Platform) (readers []Platform, bridges []cmp.Bridge) {
	for _, p := range platforms {
		i := slices.IndexFunc(cmp.Bridges(), func(b cmp.Bridge) bool { return b.Name == p.Name })
		if i < 0 || p.changed() {
			readers = append(readers, p)
			continue
		}
		bridges = append(bridges, cmp.Bridges()[i])
	}
	return readers, bridges
}

// newBridge writes the script; nil where no platform needs one.
func newBridge(platforms []Platform, prefix string) (*bridge, error) {
	_, bridges := splitBridges(platforms)
	if len(bridges) == 0 {
		return nil, nil
	}
	var data struct {
		Sources []cmp.Bridge `json:"sources"`
		Prefix  string       `json:"prefix"`
		Names   []string     `json:"names"` // of the purposes, by bit
	}
	data.Sources, data.Prefix = bridges, prefix
	for _, p := range consent.AllPurposes.List() {
		data.Names = append(data.Names, p.String())
	}
	text, err := json.Marshal(data) // escapes <, so it cannot end the script element
	if err != nil {
		return nil, err
	}
	script := strings.Replace(bridgeScript, "BRIDGE", string(text), 1)
	sum := sha256.Sum256([]byte(script))
	return &bridge{script, "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"}, nil
}

// append writes the script element; a nil bridge writes nothing.
func (b *bridge) append(dst []byte, nonce string, xml bool) []byte {
	if b == nil {
		return dst
	}
	dst = append(dst, `<script data-consent-bridge="" xmlns="http://www.w3.org/1999/xhtml"`...)
	if nonce != "" {
		dst = append(dst, ` nonce="`+html.EscapeString(nonce)+`"`...)
	}
	if xml {
		dst = append(append(append(dst, "><![CDATA["...), b.script...), "]]></script>"...)
	} else {
		dst = append(append(append(dst, '>'), b.script...), "</script>"...)
	}
	return dst
}
