package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

func newRules() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Work with vendor files and filter lists"}
	needsSub(cmd)
	var all bool
	check := newCommand("check FILE…", "Check vendor files (.json), cookie databases (.csv) and filter lists (any other)",
		`Names every line that is wrong or not in force, with the reason. Ends with status 1 if a vendor file is wrong or a list
cannot be used at all.`,
		func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return UsageError("rules check takes at least one file")
			}
			var errs []error
			for _, path := range args {
				errs = append(errs, checkRules(cmd.OutOrStdout(), path, all))
			}
			return errors.Join(errs...)
		})
	check.Flags().BoolVar(&all, "all", false, "list every dropped line (default: the first 20)")
	cmd.AddCommand(check)
	return cmd
}

// checkRules reports on one file.
func checkRules(out io.Writer, path string, all bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if filepath.Ext(path) == ".json" {
		builtin, err := catalogue.Builtin()
		if err != nil {
			return err
		}
		if errs := rules.Check(builtin, data, path); len(errs) > 0 {
			return errors.Join(errs...)
		}
		_, err = fmt.Fprintf(out, "%s: the vendor file is right, its examples included\n", path)
		return err
	}
	if filepath.Ext(path) == ".csv" {
		db, err := rules.ParseCookieDatabase(path, bytes.NewReader(data))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s: %d cookies\n", path, db.Len())
		return err
	}
	_, report, err := filterlist.Parse(path, bytes.NewReader(data), filterlist.Limits{})
	fmt.Fprintf(out, "%s: %d rules in force; %d cosmetic rules, which a gateway does not apply; %d lines dropped\n", path, report.Rules, report.Cosmetic, report.Dropped)
	for i, d := range report.Drops {
		if i == 20 && !all {
			fmt.Fprintf(out, "  … and %d more (--all lists them)\n", report.Dropped-i)
			break
		}
		fmt.Fprintf(out, "  %s\n", d)
	}
	return err
}
