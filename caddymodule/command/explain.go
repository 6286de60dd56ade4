package command

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Explanation is why a URL is gated or not.
type Explanation struct {
	URL       string `json:"url"`
	Verdict   string `json:"verdict"` // gate or pass
	Vendor    string `json:"vendor"`
	Purpose   string `json:"purpose"`
	Rule      string `json:"rule"`
	List      string `json:"list"`
	Line      int    `json:"line"`
	DecidedBy string `json:"decided_by"`

	Name   string `json:"-"` // the vendor's
	Reason string `json:"-"` // why the operator declared it
	Remedy string `json:"-"` // what would let it pass
	Closes string `json:"-"` // what would gate it
}

// DefaultPage stands for a page of a site that nobody knows.
const DefaultPage = "https://site.example/"

// Question says what a URL is judged for.
type Question struct {
	Page    string // the page that would contact it
	Type    string // of resource, in the words of filter lists; "" tries them all
	Granted string // purposes that the visitor agreed to, joined by commas
}

// explainFlags are the flags of `caddy consent explain`.
type explainFlags struct {
	Question
	gateway Gateway
	config  string
	json    bool
}

func newExplain(g Gateway) *cobra.Command {
	f := explainFlags{gateway: g}
	cmd := newCommand("explain URL…", "Tell why a URL is gated or passes",
		`Judges each URL as the gateway would on a page, and names vendor, purpose, rule, list and line, and what would change
the verdict. "-" reads URLs from standard input, one a line. Without --type a URL is tried as every type of resource.`,
		func(cmd *cobra.Command, args []string) error { return f.run(cmd.InOrStdin(), cmd.OutOrStdout(), args) })
	flags := cmd.Flags()
	flags.StringVar(&f.Page, "page", DefaultPage, "the page that would contact the URL")
	flags.StringVar(&f.Type, "type", "", "script, image, stylesheet, subdocument, xmlhttprequest, ping, websocket, media, font, object or other")
	flags.StringVar(&f.Granted, "granted", "", "purposes that the visitor agreed to, joined by commas")
	flags.StringVar(&f.config, "config", "", "a Caddyfile or JSON configuration whose rules and options count")
	flags.BoolVar(&f.json, "json", false, "print one JSON object a line")
	return cmd
}

func (f *explainFlags) run(in io.Reader, out io.Writer, args []string) error {
	if len(args) == 0 {
		return UsageError("explain takes at least one URL, or - for standard input")
	}
	judge, err := f.gateway.Explain(f.config, f.Question)
	if err != nil {
		return err
	}
	explain := func(raw string) error {
		e, err := judge(raw)
		if err != nil {
			return err
		}
		return e.write(out, f.json)
	}
	for _, arg := range args {
		if arg != "-" {
			if err := explain(arg); err != nil {
				return err
			}
			continue
		}
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" {
				if err := explain(line); err != nil {
					return err
				}
			}
		}
		if err := lines.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (e *Explanation) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(e)
	}
	fmt.Fprintf(out, "%s  %s\n", e.Verdict, e.URL)
	if e.Rule == "" {
		_, err := fmt.Fprintf(out, "      no rule knows it\n")
		return err
	}
	who := e.Name + ", for " + e.Purpose
	switch {
	case e.Purpose == "":
		who = "declared by the operator"
	case e.Name == "":
		who = "a vendor that only the list knows, for " + e.Purpose
	}
	where := e.List
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.List, e.Line)
	}
	by := e.DecidedBy
	if e.Reason != "" {
		by += ": " + e.Reason
	}
	fmt.Fprintf(out, "      who   %s\n      rule  %s  (%s)\n      by    %s\n", who, e.Rule, where, by)
	if e.Remedy != "" {
		fmt.Fprintf(out, "      passes when %s\n", e.Remedy)
	}
	if e.Closes != "" {
		fmt.Fprintf(out, "      gated when  %s\n", e.Closes)
	}
	_, err := fmt.Fprintln(out)
	return err
}
