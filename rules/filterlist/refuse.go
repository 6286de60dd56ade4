package filterlist

import (
	"bytes"
	"fmt"
)

// Samples are requests that a site cannot do without, to try lists on before they are put in force.
type Samples struct {
	// Necessary must all pass: hosts and URLs that the operator declared necessary.
	Necessary []Request
	// FirstParty are ordinary requests of the site to itself; at most a fifth of them may be blocked.
	FirstParty []Request
}

// maxFirstParty is the part of first-party samples that may be blocked: a site has a few analytics of its own.
const maxFirstParty = 0.2

// Refusal is the error of Refuse: lists that would do damage.
type Refusal struct {
	Result          // the rule, of several the one met first
	URL     string  // the sample it would block
	Blocked float64 // part of the first-party samples that would be blocked; 0 for a necessary sample
	Query   bool    // all parameters of the URL would be taken away instead
}

// Error names the rule with its list and line, and what it would block.
func (r *Refusal) Error() string {
	rule := fmt.Sprintf("%s:%d: rule %q", r.List, r.Line, cut(r.Rule, 200))
	if r.Query {
		return fmt.Sprintf("%s would take all parameters from the site's own URLs, such as %s", rule, r.URL)
	}
	if r.Blocked == 0 {
		return fmt.Sprintf("%s would block %s, which is declared necessary", rule, r.URL)
	}
	return fmt.Sprintf("the lists would block %.0f %% of the site's own requests, such as %s by %s", 100*r.Blocked, r.URL, rule)
}

// Refuse returns a *Refusal if the engine would block a necessary sample or more than a fifth of the first-party ones, or
// take the query from any of those: then the lists that were in force before should stay.
func (e *Engine) Refuse(s Samples) error {
	for i := range s.Necessary {
		if res, blocked := e.Match(&s.Necessary[i]); blocked {
			return &Refusal{Result: res, URL: string(s.Necessary[i].URL)}
		}
	}
	var first *Refusal
	blocked := 0
	for i := range s.FirstParty {
		if rest, changed := e.RemoveParams(&s.FirstParty[i], nil, nil); changed && bytes.IndexByte(rest, '?') < 0 {
			return &Refusal{Result: e.firstModifier(&s.FirstParty[i]), URL: string(s.FirstParty[i].URL), Query: true}
		}
		if res, ok := e.Match(&s.FirstParty[i]); ok {
			blocked++
			if first == nil {
				first = &Refusal{Result: res, URL: string(s.FirstParty[i].URL)}
			}
		}
	}
	if first == nil || float64(blocked) <= maxFirstParty*float64(len(s.FirstParty)) {
		return nil
	}
	first.Blocked = float64(blocked) / float64(len(s.FirstParty))
	return first
}

// firstModifier names the first $removeparam rule that applies.
func (e *Engine) firstModifier(r *Request) (res Result) {
	s := e.acquire(r)
	defer e.scratch.Put(s)
	e.modifiers(s, modRemoveParam, modRemoveParam, nil, func(id uint32, _ string, _ int) {
		if res.Rule == "" {
			res.Source, res.ListIndex = e.source(id), int(e.roots[e.rules[id].list])
		}
	})
	return res
}
