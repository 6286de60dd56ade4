package caddymodule

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
)

// TestStatusOfStore: whoever asks how the gateway is doing is told that its store does not answer.
func TestStatusOfStore(t *testing.T) {
	app := newServed(t, true).handler.app
	if s := app.status(t.Context()); s.Store.Error != "" || len(s.Sites) == 0 {
		t.Errorf("while all is well: %+v", s)
	}
	app.store.Store = &brokenStore{Store: app.store.Store, down: true}
	if s := app.status(t.Context()); s.Store.Error != errDown.Error() {
		t.Errorf("while the store is down: %+v", s)
	}
}

// TestMetricsFromTheStart: what can be counted is there before it was counted first, and has a name as Prometheus wants it.
func TestMetricsFromTheStart(t *testing.T) {
	newServed(t, true)
	r := prometheus.NewRegistry()
	if err := metrics.Register(r, spooled); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]bool{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			series[name] = true
		}
		if kind := f.GetType().String(); kind == "COUNTER" != strings.HasSuffix(f.GetName(), "_total") || f.GetHelp() == "" {
			t.Errorf("%s is a %s: %q", f.GetName(), kind, f.GetHelp())
		}
	}
	for _, want := range []string{
		"caddy_consent_spooled_records", "caddy_consent_errors_total error=store", "caddy_consent_answers_total event=given",
		"caddy_consent_answers_total event=withdrawn", "caddy_consent_decisions_total outcome=refused regime=opt-in",
	} {
		if !series[want] {
			t.Errorf("no %s", want)
		}
	}
}
