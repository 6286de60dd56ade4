package source

import (
	"context"
	"errors"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// Compiled is what Compile made.
type Compiled struct {
	*filterlist.Engine
	// Reports has one entry for each source.
	Reports []*filterlist.Report
	// Errors has one entry for each source where Compile fails because of some: what is wrong with it, or nil.
	Errors []error
}

// Compile loads the sources and joins them into an engine. The error joins those of all sources: no engine is made of only
// some of the lists. Nothing is written.
func Compile(ctx context.Context, sources ...*Source) (Compiled, error) {
	texts := make([][]byte, len(sources))
	var errs []error
	for i, s := range sources {
		var err error
		texts[i], err = s.text(ctx)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return Compiled{Errors: errs}, err
	}
	var c Compiled
	errs = nil
	lists := make([]*filterlist.List, len(sources))
	for i, s := range sources {
		l, rep, err := s.parse(ctx, texts[i])
		lists[i] = l
		c.Reports = append(c.Reports, rep)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		c.Errors = errs
		return c, err
	}
	var err error
	c.Engine, err = filterlist.Compile(lists...)
	return c, err
}
