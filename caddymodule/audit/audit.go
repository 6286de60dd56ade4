// Package audit finds what in a JSON configuration of Caddy breaks the gateway's promises: logs that hold visitors' addresses,
// and answers, headers and error pages that pass by the gateway.
//
// It reads the configuration alone. Each finding says what, why and the way out; where only the operator can tell, it is a note.
package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// Finding is a place where a configuration breaks a promise, or may. Notes are for the operator to judge.
type Finding struct {
	File   string `json:"file"`
	Site   string `json:"site,omitempty"`
	Path   string `json:"path"` // into the JSON configuration
	Rule   string `json:"rule"`
	Note   bool   `json:"note"`
	What   string `json:"what"`
	Why    string `json:"why"`
	Remedy string `json:"remedy"`
}

// Write prints the finding for a reader, or as one line of JSON.
func (f *Finding) Write(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(f)
	}
	kind := "finding"
	if f.Note {
		kind = "note"
	}
	where := f.File
	if f.Site != "" {
		where += ": " + f.Site
	}
	_, err := fmt.Fprintf(out, "%s: %s [%s] %s\n  where: %s\n  why:   %s\n  do:    %s\n", where, kind, f.Rule, f.What, f.Path, f.Why, f.Remedy)
	return err
}

// auditor collects findings.
type auditor struct {
	file     string
	config   gjson.Result
	vendors  *catalogue.Catalogue
	findings []Finding
}

// Configuration looks through the JSON configuration that a file stands for; vendors, or nil, are those that the gateway gates.
// The findings are in the order of sites, logs first. Whatever config is, it does not panic.
func Configuration(file string, config []byte, vendors *catalogue.Catalogue) []Finding {
	a := &auditor{file: file, config: gjson.ParseBytes(config), vendors: vendors}
	a.logs()
	a.options("apps.consent", "", a.config.Get("apps.consent"))
	a.config.Get("apps.http.servers").ForEach(func(name, server gjson.Result) bool {
		a.server("apps.http.servers."+name.String(), server)
		return true
	})
	slices.SortStableFunc(a.findings, func(x, y Finding) int { return cmp.Compare(x.Site, y.Site) })
	return a.findings
}

func (a *auditor) add(f Finding) {
	f.File = a.file
	a.findings = append(a.findings, f)
}

const addressWhy = "its lines hold visitors' addresses: in the request, its headers, messages and errors"

// logs looks at every log of the configuration, and at the default log if it has none.
func (a *auditor) logs() {
	all := a.config.Get("logging.logs")
	if !all.Get("default").Exists() {
		a.add(Finding{
			Path: "logging.logs.default", Rule: "log-raw", What: "Caddy's default log has no format anonymize", Why: addressWhy,
			Remedy: "write log { format anonymize } into the global options",
		})
	}
	sites := a.logSites()
	all.ForEach(func(name, log gjson.Result) bool {
		a.log(name.String(), sites[name.String()], log)
		return true
	})
}

// logSites tells for each log of sites which they are.
func (a *auditor) logSites() map[string]string {
	sites := map[string][]string{}
	a.config.Get("apps.http.servers").ForEach(func(_, server gjson.Result) bool {
		logs := server.Get("logs")
		if name := logs.Get("default_logger_name").String(); name != "" {
			sites[name] = append(sites[name], listens(server))
		}
		logs.Get("logger_names").ForEach(func(host, names gjson.Result) bool {
			for _, name := range names.Array() {
				sites[name.String()] = append(sites[name.String()], host.String())
			}
			return true
		})
		return true
	})
	joined := map[string]string{}
	for name, hosts := range sites {
		slices.Sort(hosts)
		joined[name] = strings.Join(slices.Compact(hosts), ", ")
	}
	return joined
}

// log looks at one log.
func (a *auditor) log(name, site string, log gjson.Result) {
	path := "logging.logs." + name
	output := log.Get("writer.output").String()
	if output == "discard" {
		return
	}
	if !anonymizes(log.Get("encoder")) {
		f := Finding{
			Site: site, Path: path, Rule: "log-raw", What: fmt.Sprintf("the log %s has no format anonymize", name), Why: addressWhy,
			Remedy: "write format anonymize into it; to keep its format: format anonymize { wrap FORMAT }",
		}
		if site != "" && !log.Get("encoder").Exists() {
			f.What = "the site's log has an output of its own and no format"
			f.Why = "it does not take the format of the global log; " + addressWhy
		}
		a.add(f)
	}
	if output == "file" {
		a.retention(site, path+".writer", log.Get("writer"))
	}
}

// retention looks whether a file is deleted when it is said to be. Caddy rolls files by size only, if not told otherwise,
// and deletes when it rolls: a quiet site's first line stays for years.
func (a *auditor) retention(site, path string, writer gjson.Result) {
	promised := "roll_keep_for"
	if !writer.Get("roll_keep_days").Exists() {
		if promised = "retention"; !a.config.Get("apps.consent.retention").Exists() {
			return
		}
	}
	roll := writer.Get("roll")
	rolled := func(by string) bool { return writer.Get(by).Exists() && (!roll.Exists() || roll.Bool()) }
	f := Finding{
		Site: site, Path: path, Rule: "log-retention", What: "the log file " + writer.Get("filename").String() + " is not rolled by time, although " + promised + " is set",
		Why:    "old files are deleted when a file is rolled, and by default that happens at 100 MB: a quiet site keeps its lines for years",
		Remedy: "write roll_at 00:00 beside roll_keep_for into output file",
	}
	switch {
	case rolled("roll_at"), rolled("roll_minutes"):
		return
	case rolled("roll_interval"):
		f.Note, f.What = true, "the log file "+writer.Get("filename").String()+" is rolled by roll_interval alone"
		f.Why = "that happens when the next line is written: where nobody comes any more, the last lines stay"
		f.Remedy = "write roll_at 00:00 instead of roll_interval"
	}
	a.add(f)
}

// anonymizes reports whether the encoder, or one that it wraps, masks addresses: those around it write through it.
func anonymizes(encoder gjson.Result) bool {
	for ; encoder.Exists(); encoder = encoder.Get("wrap") {
		if encoder.Get("format").String() == "anonymize" {
			return true
		}
	}
	return false
}

// listens names a server by its addresses.
func listens(server gjson.Result) string {
	var all []string
	for _, l := range server.Get("listen").Array() {
		all = append(all, l.String())
	}
	return strings.Join(all, ", ")
}
