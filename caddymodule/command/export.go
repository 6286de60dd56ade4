package command

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
)

// export writes the records as JSON, one a line, or as a table.
func export(ctx context.Context, k records.Keeper, out io.Writer, q records.Query, asCSV bool) error {
	if !asCSV {
		lines := json.NewEncoder(out)
		return k.Scan(ctx, q, func(r *consent.Record) error { return lines.Encode(r) })
	}
	// By the mark, spreadsheets know UTF-8 (Unicode 16.0, section 23.8).
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	if err := w.Write(exportColumns); err != nil {
		return err
	}
	if err := k.Scan(ctx, q, func(r *consent.Record) error { return w.Write(exportRow(r)) }); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

var exportColumns = []string{
	"event_time", "site", "pii_principal_id", "sequence", "event_state", "granted", "refused", "expiry", "method", "signals", "regime", "lawful_basis",
	"pii_controllers", "policy_version", "notice_version", "notice_language", "notice_sha256", "browser", "record_id",
}

// exportRow spells a record in the order of exportColumns. Times are UTC, as spreadsheets read them.
func exportRow(r *consent.Record) []string {
	expiry, sum := "", fmt.Sprintf("%x", r.Notice.SHA256[:])
	if !r.Expiry.IsZero() {
		expiry = r.Expiry.UTC().Format(time.DateTime)
	}
	var controllers []string
	for _, c := range r.Controllers {
		controllers = append(controllers, c.Name)
	}
	row := []string{
		r.Time.UTC().Format(time.DateTime), r.Site, r.PrincipalID.String(), strconv.FormatUint(uint64(r.Seq), 10), string(r.Event),
		names(r, true), names(r, false), expiry, string(r.Method), r.Signals.String(), r.Regime.String(), r.LawfulBasis,
		strings.Join(controllers, ", "), r.PolicyVersion, r.Notice.Version, r.Notice.Language, sum, r.BrowserMajor, r.RecordID.String(),
	}
	for i, cell := range row {
		row[i] = plainCell(cell)
	}
	return row
}

// plainCell keeps a spreadsheet from calculating a cell that begins like a formula (OWASP, "CSV Injection"): a site's name can
// come from a visitor's Host header.
func plainCell(cell string) string {
	if cell == "-" {
		return ""
	}
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// personOf returns the consent id that id is, or that the record of this id belongs to: a receipt shows both. An unknown id is
// returned as it is.
func personOf(ctx context.Context, k records.Keeper, q records.Query) (consent.ID, error) {
	found := false
	err := k.Scan(ctx, q, func(*consent.Record) error { found = true; return nil })
	if found || err != nil {
		return q.ID, err
	}
	person := q.ID
	err = k.Scan(ctx, records.Query{Site: q.Site}, func(r *consent.Record) error {
		if r.RecordID == q.ID {
			person = r.PrincipalID
		}
		return nil
	})
	return person, err
}

// shownNotice is a text that visitors were asked with, and when it was, as far as records tell.
type shownNotice struct {
	Site          string       `json:"site"`
	PolicyVersion string       `json:"policy_version"`
	Language      string       `json:"language"`
	SHA256        consent.Hash `json:"sha256"`
	First         time.Time    `json:"first"`
	Last          time.Time    `json:"last"`
	Given         int          `json:"given"`
	Refused       int          `json:"refused"`
	Withdrawn     int          `json:"withdrawn"`
}

// shownNotices returns the texts of the records, in the order of their first use.
func shownNotices(ctx context.Context, k records.Keeper, q records.Query) ([]*shownNotice, error) {
	type key struct {
		site, version, language string
		sum                     consent.Hash
	}
	list, at := []*shownNotice{}, map[key]*shownNotice{}
	err := k.Scan(ctx, q, func(r *consent.Record) error {
		id := key{r.Site, r.PolicyVersion, r.Notice.Language, r.Notice.SHA256}
		n := at[id]
		if n == nil {
			n = &shownNotice{Site: r.Site, PolicyVersion: r.PolicyVersion, Language: r.Notice.Language, SHA256: r.Notice.SHA256, First: r.Time}
			at[id], list = n, append(list, n)
		}
		n.Last = r.Time
		switch r.Event {
		case consent.EventGiven:
			n.Given++
		case consent.EventRefused:
			n.Refused++
		case consent.EventWithdrawn:
			n.Withdrawn++
		}
		return nil
	})
	return list, err
}

// addNotices adds the sub-command that lists the texts.
func (f *recordsFlags) addNotices(sub subCommand) {
	var site string
	c := sub("notices", "List the texts that visitors were asked with, by policy version and language",
		`Counts for each text how often it was agreed to, refused and withdrawn from, and tells when it was first and last
answered: whether visitors were asked fairly shows here. What changed between two texts:
diff <(caddy consent records notice SHA256) <(caddy consent records notice SHA256)`, 0,
		func(ctx context.Context, k records.Keeper, out io.Writer, _ []string) error {
			list, err := shownNotices(ctx, k, records.Query{Site: site})
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(out).Encode(list)
			}
			t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "SITE\tPOLICY\tLANGUAGE\tFIRST (UTC)\tLAST (UTC)\tGIVEN\tREFUSED\tWITHDRAWN\tSHA256")
			for _, n := range list {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%x\n", n.Site, n.PolicyVersion, n.Language, n.First.UTC().Format(time.DateTime), n.Last.UTC().Format(time.DateTime), n.Given, n.Refused, n.Withdrawn, n.SHA256[:])
			}
			return t.Flush()
		})
	c.Flags().StringVar(&site, "site", "", "only this site")
}

// addNotice adds the sub-command that prints a text.
func (f *recordsFlags) addNotice(sub subCommand) {
	sub("notice SHA256", "Show the text that a record's visitor was asked with",
		`Prints the text whose hash stands in a record under privacy_notice. Each text is kept in Caddy's storage, under
consent/notices, so that a record proves what was agreed to also after the text has changed.`, 1,
		func(ctx context.Context, k records.Keeper, out io.Writer, args []string) error {
			var sum consent.Hash
			if err := sum.UnmarshalText([]byte(args[0])); err != nil {
				return fmt.Errorf("%q: %w: it stands in the record under privacy_notice", args[0], err)
			}
			text, err := k.Notice(ctx, sum)
			if err == nil {
				_, err = out.Write(text)
			}
			return err
		})
}
