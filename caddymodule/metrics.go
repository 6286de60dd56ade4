package caddymodule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-consent/caddy-consent/consent"
)

// The metrics stand in Caddy's registry, which each configuration makes anew, while their counts go on. What a label can
// say is bounded: the only one that a client could invent, the site, is "other" beyond maxMetricSites.
var metrics = struct {
	decisions, gated, answers, errors *prometheus.CounterVec
	judged, rewritten                 prometheus.Counter
	listRules, listChecked            *prometheus.GaugeVec
}{
	decisions: counterVec("decisions_total", "Pages by the regime that held and what was decided: granted, partly, refused or undecided.", "regime", "outcome"),
	gated:     counterVec("gated_total", "Things that were gated, or would have been in report mode.", "site", "kind", "purpose", "vendor"),
	answers:   counterVec("answers_total", "Visitors' answers that were recorded, by event.", "event"),
	errors:    counterVec("errors_total", "What did not work: store, answer, notice, limit, ask, unrewritable, oversize, list.", "error"),
	judged:    prometheus.NewCounter(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "consent", Name: "judged_total", Help: "URLs that pages asked the gateway about at run time."}),
	listRules: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "caddy", Subsystem: "consent", Name: "list_rules", Help: "Rules in force, by filter list."}, []string{"list"}),
	listChecked: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "caddy", Subsystem: "consent", Name: "list_checked_timestamp_seconds",
		Help: "When a filter list's publisher last said that it is current, or its file was written."}, []string{"list"}),
	rewritten: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "consent", Name: "rewritten_bytes_total", Help: "Bytes that came out of the rewriters."}),
}

// spooled is asked for when the metrics are.
var spooled = prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "caddy", Subsystem: "consent", Name: "spooled_records",
	Help: "Records of refusals that wait on disk until the store takes them."}, func() float64 {
	n := 0
	openStores.Range(func(_, v any) bool {
		if l, ok := v.(*storeLease); ok {
			n += l.spool.Stats().Pending
		}
		return true
	})
	return float64(n)
})

// What can be counted is there from the start, at zero: a rate over a series that appears with its first count misses it.
func init() {
	for _, e := range []consent.Event{consent.EventGiven, consent.EventRefused, consent.EventWithdrawn} {
		metrics.answers.WithLabelValues(string(e))
	}
	for _, name := range []string{errorStore, errorNotice, errorAnswer, errorLimit, errorAsk, errorUnrewritable, errorOversize, errorList} {
		metrics.errors.WithLabelValues(name)
	}
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "caddy", Subsystem: "consent", Name: name, Help: help}, labels)
}

// registerMetrics puts the metrics into a configuration's registry.
func registerMetrics(r *prometheus.Registry) error {
	if r == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{spooled, metrics.decisions, metrics.gated, metrics.answers, metrics.errors, metrics.judged, metrics.rewritten, metrics.listRules, metrics.listChecked} {
		if err := r.Register(c); err != nil && !errors.As(err, new(prometheus.AlreadyRegisteredError)) {
			return err
		}
	}
	return nil
}

// The errors that are counted.
const (
	errorStore        = "store"        // it did not answer: only refusals were in force
	errorNotice       = "notice"       // the text of a notice could not be kept
	errorAnswer       = "answer"       // an answer could not be recorded
	errorLimit        = "limit"        // too many answers from one network
	errorAsk          = "ask"          // a consent service does not answer
	errorUnrewritable = "unrewritable" // a body that could not be read
	errorOversize     = "oversize"     // a document with something too large to be judged whole
	errorList         = "list"         // a filter list that could not be loaded
)

func countError(name string) { metrics.errors.WithLabelValues(name).Inc() }

// maxMetricSites bounds the sites that have metrics of their own.
const maxMetricSites = 100

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
			c[i][n] = metrics.decisions.WithLabelValues(consent.Regime(i).String(), name)
		}
	}
	return c
}()

func countPage(d *consent.Decision) {
	if int(d.Regime) < len(pageCounters) {
		pageCounters[d.Regime][outcome(d)].Inc()
	}
}
