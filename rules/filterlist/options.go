package filterlist

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// options are those of one rule, as parsed. The zero value is a rule without any.
type options struct {
	flags       uint16
	types, not  Type
	mod         modifier
	value       string
	valueRegexp string // the expression in value, if that is one, in Go's syntax
	from, to    []hostOption
	deny        []hostOption
	methods     uint32 // bits of methodNames
	hasMethods  bool
	methodsNot  bool
	cosmetic    bool // an exception for cosmetic rules only
}

// hostOption is one entry of domain=, to= or denyallow=.
type hostOption struct {
	name        string
	not, entity bool
	changed     bool // name is not spelled so in the rule
}

func (o *options) reset() {
	*o = options{from: o.from[:0], to: o.to[:0], deny: o.deny[:0]}
}

// splitOptions cuts a rule into pattern and options, at the first $ after which everything reads as options. A $ in
// front of a regular expression's closing slash belongs to the expression.
func splitOptions(s string) (pattern, opts string) {
	if len(s) > 2 && s[0] == '/' && s[len(s)-1] == '/' {
		return s, ""
	}
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '$')
		if i < 0 {
			return s, ""
		}
		i += from
		if (i == 0 || s[i-1] != '\\') && looksLikeOptions(s[i+1:]) {
			return s[:i], s[i+1:]
		}
		from = i + 1
	}
}

func looksLikeOptions(s string) bool {
	if s == "" {
		return false
	}
	for s != "" {
		var o string
		o, s = nextOption(s)
		name, _, _ := strings.Cut(strings.TrimPrefix(o, "~"), "=")
		if name == "" {
			return false
		}
		for i := 0; i < len(name); i++ {
			if c := fold[name[i]]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// nextOption cuts the first option off: at a comma that is not escaped and not inside a value /like this/.
func nextOption(s string) (option, rest string) {
	inRegexp := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '/':
			if inRegexp {
				inRegexp = false
			} else if i > 0 && (s[i-1] == '=' || s[i-1] == '~' || s[i-1] == '|') {
				inRegexp = strings.IndexByte(s[i+1:], '/') >= 0
			}
		case ',':
			if !inRegexp {
				return s[:i], s[i+1:]
			}
		}
	}
	return s, ""
}

// parse reads the options; the error is the reason for dropping the rule.
func (o *options) parse(s string) error {
	for s != "" {
		var opt string
		opt, s = nextOption(s)
		name, value, hasValue := strings.Cut(opt, "=")
		name, not := strings.CutPrefix(strings.ToLower(name), "~")
		if t, ok := typeByName[name]; ok {
			if hasValue {
				return fmt.Errorf("option %q takes no value", name)
			}
			if not {
				o.not |= t
			} else {
				o.types |= t
			}
			continue
		}
		var err error
		if hasValue {
			err = o.parseValue(name, value, not)
		} else {
			err = o.parseFlag(name, not)
		}
		if err != nil {
			return err
		}
	}
	return o.check()
}

// parseFlag reads an option without a value.
func (o *options) parseFlag(name string, not bool) error {
	flag := uint16(0)
	switch name {
	case "third-party", "3p":
		flag = flagThirdParty
		if not {
			flag = flagFirstParty
		}
		not = false
	case "first-party", "1p":
		flag = flagFirstParty
		if not {
			flag = flagThirdParty
		}
		not = false
	case "strict3p", "strict-third-party":
		flag = flagStrict3p
	case "strict1p", "strict-first-party":
		flag = flagStrict1p
	case "important":
		flag = flagImportant
	case "match-case":
		flag = flagMatchCase
	case "badfilter":
		flag = flagBad
	case "all":
		o.types |= AllTypes
	case "removeparam", "queryprune":
		return o.setModifier(modRemoveParam, "", not)
	case "csp": // without a value, an exception that lifts every such rule; so are the next two
		return o.setModifier(modCSP, "", not)
	case "redirect":
		return o.setModifier(modRedirect, "", not)
	case "redirect-rule":
		return o.setModifier(modRedirectRule, "", not)
	case "empty":
		return o.setModifier(modRedirect, "nooptext", not)
	case "mp4":
		o.types |= Media
		return o.setModifier(modRedirect, "noopmp4-1s", not)
	case "generichide", "ghide", "elemhide", "ehide", "specifichide", "shide":
		o.cosmetic = true
	default:
		if strings.Trim(name, "_") != "" { // _ is AdGuard's filler
			return fmt.Errorf("option %q is not supported", name)
		}
	}
	if not {
		return fmt.Errorf("option %q cannot be negated", name)
	}
	o.flags |= flag
	return nil
}

// parseValue reads an option with a value.
func (o *options) parseValue(name, value string, not bool) (err error) {
	if not {
		return fmt.Errorf("option %q cannot be negated", name)
	}
	switch name {
	case "domain", "from":
		o.from, err = parseHosts(o.from, value, true)
	case "to":
		o.to, err = parseHosts(o.to, value, true)
	case "denyallow":
		o.deny, err = parseHosts(o.deny, value, false)
	case "method":
		err = o.parseMethods(value)
	case "csp":
		if strings.Contains(strings.ToLower(value), "report-") {
			return fmt.Errorf("option \"csp\" must not report")
		}
		err = o.setModifier(modCSP, value, false)
	case "removeparam", "queryprune":
		err = o.setModifier(modRemoveParam, value, false)
		o.valueRegexp = paramRegexp(value)
	case "redirect":
		err = o.setModifier(modRedirect, value, false)
	case "redirect-rule":
		err = o.setModifier(modRedirectRule, value, false)
	case "rewrite":
		if !strings.HasPrefix(value, "abp-resource:") {
			return fmt.Errorf("option \"rewrite\" takes abp-resource: only")
		}
		err = o.setModifier(modRedirect, value, false)
	case "reason": // a note to the reader
	default:
		err = fmt.Errorf("option %q is not supported", name)
	}
	return err
}

// paramRegexp returns the expression of $removeparam=/re/ in Go's syntax, "" for a plain name.
func paramRegexp(value string) string {
	value = strings.ReplaceAll(strings.TrimPrefix(value, "~"), `\,`, ",")
	re, fold := strings.CutSuffix(value, "/i")
	if !fold {
		re = strings.TrimSuffix(value, "/")
	}
	if len(re) < 2 || len(re) == len(value) || re[0] != '/' {
		return ""
	}
	if fold {
		return "(?i)" + re[1:]
	}
	return re[1:]
}

func (o *options) setModifier(m modifier, value string, not bool) error {
	if o.mod != modNone {
		return fmt.Errorf("more than one modifier")
	}
	if not {
		return fmt.Errorf("a modifier cannot be negated")
	}
	o.mod, o.value = m, value
	return nil
}

func (o *options) parseMethods(value string) error {
	for i, v := range strings.Split(value, "|") {
		name, not := strings.CutPrefix(strings.ToLower(v), "~")
		bit := slices.Index(methodNames[:], name)
		if bit < 0 {
			return fmt.Errorf("unknown method %q", v)
		}
		if i > 0 && not != o.methodsNot {
			return fmt.Errorf("option \"method\" mixes names with and without ~")
		}
		o.methods |= 1 << bit
		o.methodsNot, o.hasMethods = not, true
	}
	return nil
}

// check refuses what contradicts itself, and settles the types.
func (o *options) check() error {
	const party = flagThirdParty | flagFirstParty
	const strict = flagStrict3p | flagStrict1p
	switch {
	case o.flags&party == party, o.flags&strict == strict:
		return fmt.Errorf("first- and third-party exclude each other")
	case o.types != 0 && o.types&^o.not == 0, o.types == 0 && o.not&defaultTypes == defaultTypes:
		return fmt.Errorf("no resource type is left")
	}
	return nil
}

// typeSet is the set of types the rule applies to.
func (o *options) typeSet() Type {
	switch {
	case o.types != 0:
		return o.types &^ o.not
	case o.mod == modCSP:
		return (Document | Subdocument) &^ o.not
	case o.mod == modRemoveParam:
		return (Document | Subdocument | XHR) &^ o.not
	}
	return defaultTypes &^ o.not
}

// parseHosts reads a list of hosts joined by |. It accepts ~host and name.* only where the option has them.
func parseHosts(hosts []hostOption, value string, full bool) ([]hostOption, error) {
	for more := true; more; {
		var h hostOption
		h.name, value, more = strings.Cut(value, "|")
		h.name, h.not = strings.CutPrefix(h.name, "~")
		h.name, h.entity = strings.CutSuffix(h.name, ".*")
		if !full && (h.not || h.entity) {
			return hosts, fmt.Errorf("option \"denyallow\" takes plain hosts only")
		}
		name, err := ruleHost(h.name)
		if err != nil {
			return hosts, err
		}
		h.changed = name != h.name
		h.name = name
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// ruleHost returns a host of a rule in the form that a serialised URL has.
func ruleHost(host string) (string, error) {
	plain := host != ""
	for i := 0; i < len(host); i++ {
		if c := host[i]; chars[c]&charHost == 0 || c != fold[c] {
			plain = false
		}
	}
	if plain && host[0] != '.' && host[len(host)-1] != '.' {
		return host, nil
	}
	host = strings.TrimSuffix(host, ".")
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && a.Is6() {
		return "[" + a.String() + "]", nil
	}
	if a, err := idna.Lookup.ToASCII(host); err == nil && a != "" {
		return a, nil
	}
	return "", fmt.Errorf("%q is not a host name", cut(host, 80))
}

// cut shortens text for a report.
func cut(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
