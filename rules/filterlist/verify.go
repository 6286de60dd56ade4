package filterlist

import (
	"errors"
	"math/bits"
)

var errRange = errors.New("an offset is out of range")

// verify checks that matching with what a file held can neither panic nor loop.
func (e *Engine) verify() error {
	if len(e.roots) != len(e.names) || bits.OnesCount(uint(len(e.tokens))) != 1 ||
		bits.OnesCount(uint(len(e.hosts))) != 1 || bits.OnesCount(uint(len(e.pages))) != 1 || bits.OnesCount(uint(len(e.tails.long))) != 1 || len(e.conds) == 0 {
		return errRange
	}
	for i := range e.rules {
		if !e.soundRule(&e.rules[i]) {
			return errRange
		}
	}
	for _, t := range e.tables() {
		if !t.sound(len(e.rules)) {
			return errRange
		}
	}
	var p parser
	for _, src := range e.sources {
		if err := p.checkRegexp(src); err != nil {
			return err
		}
		p.regexps = 0 // the total is the business of each list
	}
	return nil
}

func (e *Engine) soundRule(r *rule) bool {
	blob := uint64(len(e.blob))
	if r.shape == shapeRegexp {
		if int64(r.pat) >= int64(len(e.sources)) {
			return false
		}
	} else if r.shape > shapeRegexp || uint64(r.pat)+uint64(r.patLen) > blob {
		return false
	}
	return uint64(r.text)+uint64(r.textLen) <= blob && int(r.list) < len(e.names) && r.mod <= modRedirectRule &&
		(r.cond == 0 || e.soundConditions(r.cond))
}

// soundConditions walks a rule's conditions as matching does.
func (e *Engine) soundConditions(at uint32) bool {
	if uint64(at) >= uint64(len(e.conds)) {
		return false
	}
	for c := e.conds[at:]; ; {
		if len(c) == 0 {
			return false
		}
		op, n := c[0]>>opShift, c[0]&countMask
		words := n
		switch op {
		case 0:
			return true
		case opFrom, opTo, opDeny, opValue:
			words *= 2
		}
		if n == 0 || uint64(words) >= uint64(len(c)) || !e.soundBody(op, c[1:1+words]) {
			return false
		}
		c = c[1+words:]
	}
}

func (e *Engine) soundBody(op uint32, body []uint32) bool {
	switch op {
	case opFrom, opTo, opDeny:
		for i := 1; i < len(body); i += 2 {
			if int(body[i]&hostOffset) >= len(e.blob) {
				return false
			}
		}
		return true
	case opMethod:
		return len(body) == 1
	case opValue:
		return len(body) == 2 && uint64(body[0])+uint64(body[1]) <= uint64(len(e.blob))
	case opValueRegexp:
		return len(body) == 1 && int64(body[0]) < int64(len(e.sources))
	}
	return false
}

// sound reports whether every reference stays inside and every search ends.
func (t *table) sound(rules int) bool {
	for _, id := range t.always {
		if int64(id) >= int64(rules) {
			return false
		}
	}
	for _, p := range t.posts {
		if int64(p.rule&^lastPost) >= int64(rules) {
			return false
		}
	}
	if n := len(t.posts); n > 0 && t.posts[n-1].rule&lastPost == 0 {
		return false
	}
	if len(t.slots) == 0 {
		return true
	}
	free := false
	for _, s := range t.slots {
		switch {
		case s.ref == 0:
			free = true
		case s.ref&refRun == 0 && int64(s.ref) > int64(rules), s.ref&refRun != 0 && int64(s.ref&^refRun) >= int64(len(t.posts)):
			return false
		}
	}
	return free && bits.OnesCount(uint(len(t.slots))) == 1
}
