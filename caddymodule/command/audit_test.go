package command_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/standard" // the handlers that are audited
	"github.com/spf13/cobra"

	_ "github.com/caddy-consent/caddy-consent/caddymodule" // as are its own
	"github.com/caddy-consent/caddy-consent/caddymodule/audit"
	"github.com/caddy-consent/caddy-consent/caddymodule/command"
)

// root returns the command that has all others.
func root(g command.Gateway) *cobra.Command {
	cmd := &cobra.Command{SilenceErrors: true}
	command.Add(cmd, g)
	return cmd
}

// run runs a command that needs no gateway.
func run(out io.Writer, args ...string) error {
	cmd := root(command.Gateway{})
	cmd.SetOut(out)
	cmd.SetErr(out)
	cmd.SetArgs(args)
	return cmd.Execute()
}

func TestAuditExample(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out, "audit", "--config", "../../Caddyfile.example"); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestAuditCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte("a.test {\n tracing\n redir /x https://b.test/\n consent\n reverse_proxy b:1\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := root(command.Gateway{})
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"audit", "--config", path, "--json"})
	cmd.SilenceErrors = true
	err := cmd.Execute()
	if err == nil || err.Error() != path+": 2 findings" {
		t.Errorf("error %v", err)
	}
	var rules []string
	for line := range strings.Lines(out.String()) {
		var f audit.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.File != path {
			t.Errorf("%s: %v", line, err)
		}
		rules = append(rules, f.Rule)
	}
	if !slices.Equal(rules, []string{"log-raw", "tracing-raw", "answers-above"}) {
		t.Errorf("found %q", rules)
	}
	out.Reset()
	_ = run(&out, "audit", "--config", path)
	for _, part := range []string{path + ": finding [log-raw]", path + ": a.test: finding [tracing-raw]", "a.test: note [answers-above]", "where: apps.http", "why:", "do:"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not in:\n%s", part, out.String())
		}
	}
	if err := run(&out, "audit", "--config", path+".missing"); err == nil {
		t.Error("a missing file is accepted")
	}
}
