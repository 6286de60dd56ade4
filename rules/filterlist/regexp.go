package filterlist

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
)

// The bounds of regular expressions. Matching is linear in the URL times the size of the expression (RE2), so that the
// size bounds the time of a match as well as that of compiling.
const (
	maxRegexpLen   = 2048
	maxRegexpSize  = 1000    // states of one expression, with counted repetitions written out
	maxRegexpTotal = 100_000 // states of all expressions of a list
	// maxKeyless bounds the states, one for a rule that is no expression, of a list's rules that have to be tried on every
	// URL because they have no token, host or page of their own. Real lists have fewer than ten such rules.
	maxKeyless = 2000
)

var errKeyless = errors.New("the rule would have to be tried on every URL, and the list has too many of those")

// regexpSource is the expression in Go's syntax. Lists mean it without regard to case unless they say $match-case.
func regexpSource(p string, flags uint16) string {
	if flags&flagMatchCase != 0 {
		return p
	}
	return "(?i)" + p
}

// checkRegexp refuses what RE2 does not have (look-around, back references) and what is too large.
func (p *parser) checkRegexp(src string) error {
	if len(src) > maxRegexpLen {
		return fmt.Errorf("the regular expression is longer than %d bytes", maxRegexpLen)
	}
	re, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return fmt.Errorf("the regular expression is not supported: %w", err)
	}
	size := regexpSize(re)
	if size > maxRegexpSize {
		return fmt.Errorf("the regular expression has more than %d states", maxRegexpSize)
	}
	if p.regexps += size; p.regexps > maxRegexpTotal {
		return errors.New("the regular expressions of the list are too large together")
	}
	return nil
}

// regexpSize estimates from above how many states the expression compiles to.
func regexpSize(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 8
	}
	for _, sub := range re.Sub {
		n += regexpSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<20)
}

// requiredLiterals appends, in lower case, literals that every match of the expression contains.
func requiredLiterals(src string, lits []string) []string {
	re, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return lits
	}
	return collectLiterals(re, lits)
}

func collectLiterals(re *syntax.Regexp, lits []string) []string {
	switch re.Op {
	case syntax.OpLiteral:
		lits = append(lits, strings.ToLower(string(re.Rune)))
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			lits = collectLiterals(sub, lits)
		}
	case syntax.OpCapture, syntax.OpPlus:
		lits = collectLiterals(re.Sub[0], lits)
	case syntax.OpRepeat:
		if re.Min > 0 {
			lits = collectLiterals(re.Sub[0], lits)
		}
	}
	return lits
}
