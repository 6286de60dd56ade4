package caddymodule

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	"github.com/caddy-consent/caddy-consent/rewrite/json"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
)

// readsJSON reports whether a JSON body is rewritten: the rules by which a browser loads pages ahead always, others where
// the operator says that they hold HTML.
func (x *exchange) readsJSON(contentType string) bool {
	return isRuleSet(contentType) || slices.ContainsFunc(x.site.options.JSON, func(g string) bool { return weburl.MatchPath(g, x.url.Path) })
}

// isRuleSet tells speculation rules by their type, without which no browser takes them (Speculation Rules, "fetch speculation rules").
func isRuleSet(contentType string) bool {
	essence, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(essence), "application/speculationrules+json")
}

// jsonStage returns the first stage for a JSON body.
func (x *exchange) jsonStage(out stage, h http.Header, contentType string) stage {
	o := x.htmlOptions(h, encoding.KindJSON)
	if isRuleSet(contentType) {
		return &ruleSetStage{stage: out, options: o}
	}
	x.html = rewriters.Get().(*html.Rewriter)
	return json.NewRewriter(out, json.Options{HTML: func(dst, fragment []byte) []byte {
		b := bytes.NewBuffer(dst)
		x.html.Reset(b, o)
		_, _ = x.html.Write(fragment) // a bytes.Buffer does not fail
		_ = x.html.Close()
		return b.Bytes()
	}})
}

// maxRuleSet bounds a set of speculation rules; of a larger one nothing is left.
const maxRuleSet = 64 << 10

// ruleSetStage holds a set of speculation rules until it can be judged.
type ruleSetStage struct {
	stage
	options html.Options
	held    []byte
	large   bool
}

// Write holds p.
func (s *ruleSetStage) Write(p []byte) (int, error) {
	if s.large = s.large || len(s.held)+len(p) > maxRuleSet; s.large {
		s.held = nil
	} else {
		s.held = append(s.held, p...)
	}
	return len(p), nil
}

// Flush waits for the end.
func (s *ruleSetStage) Flush() error { return nil }

// Close judges the rules.
func (s *ruleSetStage) Close() error {
	if s.large {
		s.held = []byte("{}")
	}
	_, err := s.stage.Write(html.AppendSpeculationRules(nil, s.held, s.options))
	return err
}
