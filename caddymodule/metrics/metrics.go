// Package metrics counts what the gateway does, for Prometheus, under caddy_consent_.
//
// The counts go on across configuration reloads; no label has more values than the configuration, the catalogue and MaxSites
// allow.
package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-consent/caddy-consent/consent"
)

// The metrics stand in Caddy's registry, which each configuration makes anew, while their counts go on. What a label can
// say is bounded: the only one that a client could invent, the site, is "other" beyond MaxSites.
var collectors = struct {
	decisions, gated, answers, errors *prometheus.CounterVec
	judged, rewritten                 prometheus.Counter
	listRules, listChecked            *prometheus.GaugeVec
}{
	decisions: counterVec("decisions_total", "Pages by the regime that held and what was decided: granted, partly, refused or undecided.", "regime", "outcome"),
	gated:     counterVec("gated_total", "Things that were gated, or would have been in report mode.", "site", "kind", "purpose", "vendor"),
	answers:   counterVec("answers_total", "Visitors' answers that were recorded, by event.", "event"),
	errors:    counterVec("errors_total", "What did not work: store (records could not be read), answer (one could not be recorded), notice (a text could not be kept), limit (too many answers from one network), ask (a consent service), unrewritable and oversize (bodies), list (a filter list).", "error"),
	judged:    prometheus.NewCounter(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "consent", Name: "judged_total", Help: "URLs that pages asked the gateway about at run time."}),
	listRules: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "caddy", Subsystem: "consent", Name: "list_rules", Help: "Rules in force, by filter list."}, []string{"list"}),
	listChecked: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "caddy", Subsystem: "consent", Name: "list_checked_timestamp_seconds",
		Help: "When a filter list's publisher last said that it is current, or its file was written."}, []string{"list"}),
	rewritten: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "consent", Name: "rewritten_bytes_total", Help: "Bytes that came out of the rewriters."}),
}

// What can be counted is there from the start, at zero: a rate over a series that appears with its first count misses it.
func init() {
	for _, e := range []consent.Event{consent.EventGiven, consent.EventRefused, consent.EventWithdrawn} {
		collectors.answers.WithLabelValues(string(e))
	}
	for _, e := range []Error{ErrorStore, ErrorNotice, ErrorAnswer, ErrorLimit, ErrorAsk, ErrorUnrewritable, ErrorOversize, ErrorList} {
		collectors.errors.WithLabelValues(string(e))
	}
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "consent", Name: name, Help: help}, labels)
}

// Register puts the metrics, and more of them, into a configuration's registry, if it has one.
func Register(r *prometheus.Registry, more ...prometheus.Collector) error {
	if r == nil {
		return nil
	}
	for _, c := range append(more, collectors.decisions, collectors.gated, collectors.answers, collectors.errors, collectors.judged, collectors.rewritten, collectors.listRules, collectors.listChecked) {
		if err := r.Register(c); err != nil && !errors.As(err, new(prometheus.AlreadyRegisteredError)) {
			return err
		}
	}
	return nil
}

// Error is what did not work.
type Error string

// The errors that are counted.
const (
	ErrorStore        Error = "store"        // it did not answer: only refusals were in force
	ErrorNotice       Error = "notice"       // the text of a notice could not be kept
	ErrorAnswer       Error = "answer"       // an answer could not be recorded
	ErrorLimit        Error = "limit"        // too many answers from one network
	ErrorAsk          Error = "ask"          // a consent service does not answer
	ErrorUnrewritable Error = "unrewritable" // a body that could not be read
	ErrorOversize     Error = "oversize"     // a document with something too large to be judged whole
	ErrorList         Error = "list"         // a filter list that could not be loaded
)

// CountError counts one more error of a kind.
func CountError(e Error) { collectors.errors.WithLabelValues(string(e)).Inc() }

// CountAnswer counts an answer that was recorded, or a refusal that holds without.
func CountAnswer(e consent.Event) { collectors.answers.WithLabelValues(string(e)).Inc() }

// CountJudged counts URLs that a page asked about.
func CountJudged(n int) { collectors.judged.Add(float64(n)) }

// CountRewritten counts bytes that came out of the rewriters.
func CountRewritten(bytes int) { collectors.rewritten.Add(float64(bytes)) }

// CountGated counts things that were gated on a site. Of sites there must be no more than MaxSites, and "other".
func CountGated(site, kind string, purpose consent.Purpose, vendor string, n int) {
	collectors.gated.WithLabelValues(site, kind, purpose.String(), vendor).Add(float64(n))
}

// ForgetLists takes out what is said of filter lists.
func ForgetLists() {
	collectors.listRules.Reset()
	collectors.listChecked.Reset()
}

// SetListRules says how many rules of a list are in force.
func SetListRules(list string, n int) { collectors.listRules.WithLabelValues(list).Set(float64(n)) }

// SetListChecked says when a list was known to be current.
func SetListChecked(list string, at time.Time) {
	collectors.listChecked.WithLabelValues(list).Set(float64(at.Unix()))
}

// MaxSites bounds the sites that have metrics of their own.
const MaxSites = 100

// outcomes by what a page was decided.
var outcomes = [...]string{"undecided", "refused", "partly", "granted"}

// outcome tells a decision in one word.
func outcome(d *consent.Decision) int {
	switch granted := d.Permitted & consent.OptionalPurposes; {
	case granted == consent.OptionalPurposes:
		return 3
	case granted != 0:
		return 2
	case d.Denied&consent.OptionalPurposes != 0:
		return 1
	}
	return 0
}

// pageCounters are the decisions' counters, looked up once.
var pageCounters = func() (c [consent.ByRegion][len(outcomes)]prometheus.Counter) {
	for i := range c {
		for n, name := range outcomes {
			c[i][n] = collectors.decisions.WithLabelValues(consent.Regime(i).String(), name)
		}
	}
	return c
}()

// CountPage counts a page by what was decided for it.
func CountPage(d *consent.Decision) {
	if int(d.Regime) < len(pageCounters) {
		pageCounters[d.Regime][outcome(d)].Inc()
	}
}
