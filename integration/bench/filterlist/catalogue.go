package main

import (
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// ourCatalogue is the project's own rules without any list: what a gateway does that names none.
func ourCatalogue(reqs []request) row {
	r := row{Name: "rules, catalogue alone"}
	s := load(&r, func() *rules.Set {
		c, err := catalogue.Builtin()
		if err != nil {
			panic(err)
		}
		s, err := rules.New(c, nil, rules.Options{})
		if err != nil {
			panic(err)
		}
		return s
	})
	prepared := prepare(reqs)
	measure(&r, len(reqs), func(i int) bool {
		_, gated := s.Match(&prepared[i], rules.Context{})
		return gated
	})
	return r
}
