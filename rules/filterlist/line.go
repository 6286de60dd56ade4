package filterlist

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// kind is what a line of a list is.
type kind uint8

const (
	kindNetwork kind = iota
	kindComment
	kindCosmetic
	kindDirective
	kindHosts
)

// classify tells what a line (trimmed, not empty) is.
func classify(s string) kind {
	switch s[0] {
	case '!':
		if strings.HasPrefix(s, "!#") {
			return kindDirective
		}
		return kindComment
	case '[':
		if strings.HasPrefix(s, "[$") { // AdGuard: a cosmetic rule with modifiers
			return kindCosmetic
		}
		if strings.HasSuffix(s, "]") {
			return kindComment
		}
	case '#':
		if len(s) == 1 || s[1] == ' ' || s[1] == '\t' || s[1] == '#' && strings.Trim(s, "#") == "" {
			return kindComment
		}
	}
	if isCosmetic(s) {
		return kindCosmetic
	}
	if s[0] == '#' {
		return kindComment
	}
	if isHostsLine(s) {
		return kindHosts
	}
	return kindNetwork
}

// isCosmetic finds the marks of element hiding, scriptlets and HTML filtering. What stands before the mark can only be a
// list of domains.
func isCosmetic(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '#', '$':
			return cosmeticMark(s[i:])
		case '/', '|', '@', '^', '!', '"', '=', '?', '&':
			// Only a domain that is a regular expression may hold these, and those begin with a slash.
			if s[0] == '/' {
				j := strings.Index(s, "/#")
				return j > 0 && cosmeticMark(s[j+1:])
			}
			return false
		}
	}
	return false
}

func cosmeticMark(s string) bool {
	return slices.ContainsFunc(cosmeticMarks, func(m string) bool { return strings.HasPrefix(s, m) })
}

var cosmeticMarks = []string{"##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#@$?#", "#%#", "#@%#", "$$", "$@$"}

// isHostsLine reports whether the line begins with an IP address and a space, as in a hosts file (hosts(5)).
func isHostsLine(s string) bool {
	i := strings.IndexAny(s, " \t")
	if i < 2 || s[0] != ':' && (s[0] < '0' || s[0] > '9') && s[0] != 'f' {
		return false
	}
	_, err := netip.ParseAddr(s[:i])
	return err == nil
}

// hostsNames returns the names that a line of a hosts file sends nowhere; none for the machine's own names.
func hostsNames(s string) ([]string, error) {
	s, _, _ = strings.Cut(s, "#")
	fields := strings.Fields(s)
	addr, _ := netip.ParseAddr(fields[0])
	if !addr.IsLoopback() && !addr.IsUnspecified() {
		for _, n := range fields[1:] {
			if !isLocalName(n) {
				return nil, errors.New("a hosts line with a real address does not block")
			}
		}
		return nil, nil
	}
	var names []string
	for _, n := range fields[1:] {
		if isLocalName(n) {
			continue
		}
		h, err := ruleHost(n)
		if err != nil {
			return nil, err
		}
		names = append(names, h)
	}
	return names, nil
}

func isLocalName(n string) bool {
	_, err := netip.ParseAddr(n)
	return err == nil || n == "local" || n == "localhost" || strings.HasPrefix(n, "localhost.") || n == "broadcasthost" ||
		strings.HasPrefix(n, "ip6-")
}

// network is a parsed network rule.
type network struct {
	options
	pattern string
	shape   shape
}

// minLiteral is how many bytes, stars apart, a pattern needs that nothing else restricts: shorter ones match almost anything.
const minLiteral = 3

// parse reads a network rule; the error is the reason for dropping it.
func (n *network) parse(s string) error {
	n.reset()
	n.shape, n.pattern = shapeAny, ""
	body, exception := strings.CutPrefix(s, "@@")
	pattern, opts := splitOptions(body)
	if opts != "" {
		if err := n.options.parse(opts); err != nil {
			return err
		}
	}
	if exception {
		n.flags |= flagException
	}
	if n.cosmetic {
		if err := n.checkCosmetic(); err != nil || n.cosmetic {
			return err
		}
	}
	for i := 0; i < len(pattern); i++ {
		if pattern[i] <= ' ' || pattern[i] == 0x7F {
			return errors.New("a space or control character, which no URL holds")
		}
	}
	if len(pattern) > 2 && pattern[0] == '/' && pattern[len(pattern)-1] == '/' {
		n.pattern, n.shape = pattern[1:len(pattern)-1], shapeRegexp
	} else if err := n.parsePattern(pattern); err != nil {
		return err
	}
	return n.finish(pattern, opts)
}

// finish checks the rule as a whole.
func (n *network) finish(pattern, opts string) error {
	if opts == "" && n.flags&flagException == 0 && isBareHost(pattern) {
		n.shape, n.flags = shapeHost, flagHost|flagHostWhole
	}
	if n.flags&flagException == 0 && n.value == "" && n.mod != modNone && n.mod != modRemoveParam {
		return errors.New("the modifier needs a value")
	}
	if n.flags&flagException != 0 && n.types&Document != 0 && n.mod == modNone {
		n.flags |= flagPage
	}
	if n.shape == shapeRegexp || n.flags&flagHost != 0 || includes(n.from) || includes(n.to) || len(n.deny) > 0 {
		return nil
	}
	if n.mod == modRemoveParam {
		return nil // meant for all URLs, and blocks none
	}
	if n.shape == shapeAny && (n.types|n.not != 0 || n.flags&(flagThirdParty|flagStrict3p) != 0) {
		return nil // $script or $third-party alone: wide, but what its author wrote
	}
	if len(n.pattern)-strings.Count(n.pattern, "*") < minLiteral {
		return errors.New("the pattern is too short: it would match almost any URL")
	}
	return nil
}

// includes reports whether a set of hosts does more than exclude some.
func includes(hosts []hostOption) bool {
	return slices.ContainsFunc(hosts, func(h hostOption) bool { return !h.not })
}

func (n *network) checkCosmetic() error {
	if n.flags&flagException == 0 {
		return errors.New("this option is for exceptions only")
	}
	if n.types&^Document != 0 {
		return errors.New("an exception for cosmetic rules with resource types")
	}
	if n.types&Document != 0 { // the network part of it is an exception for the page
		n.cosmetic = false
	}
	return nil
}

// parsePattern takes the anchors off and finds the shape.
func (n *network) parsePattern(p string) error {
	switch {
	case strings.HasPrefix(p, "||"):
		n.flags |= flagHost
		p = p[2:]
	case strings.HasPrefix(p, "|"):
		n.flags |= flagLeft
		p = p[1:]
	}
	if strings.HasSuffix(p, "|") {
		n.flags |= flagRight
		p = p[:len(p)-1]
	}
	if n.flags&flagHost == 0 {
		if t := strings.TrimLeft(p, "*"); t != p {
			n.flags &^= flagLeft
			p = t
		}
	}
	if t := strings.TrimRight(p, "*"); t != p {
		n.flags &^= flagRight
		p = t
	}
	if p == "" {
		n.flags &^= flagHost | flagLeft | flagRight
		return nil
	}
	p, err := n.encode(p)
	if err != nil {
		return err
	}
	n.pattern = p
	n.shape = shapePlain
	if strings.ContainsAny(p, "*^") {
		n.shape = shapeGlob
	}
	if n.flags&flagHost == 0 {
		return nil
	}
	host := p[:hostLen(p)]
	rest := p[len(host):]
	switch {
	case host == "":
	case rest == "^" && n.flags&flagRight == 0:
		n.pattern, n.shape = host, shapeHost
		n.flags |= flagHostWhole
	case rest != "" && rest[0] != '*', rest == "" && n.flags&flagRight != 0:
		n.flags |= flagHostWhole
	}
	if strings.HasSuffix(host, ".") { // not a whole name, whatever follows
		n.flags &^= flagHostWhole
		if n.shape == shapeHost {
			n.pattern, n.shape = p, shapeGlob
		}
	}
	return nil
}

func hostLen(p string) int {
	for i := 0; i < len(p); i++ {
		if chars[p[i]]&charHost == 0 {
			return i
		}
	}
	return len(p)
}

// encode brings a pattern to the form that serialised URLs have: ASCII, lower case unless $match-case.
func (n *network) encode(p string) (string, error) {
	ascii, lower := true, true
	for i := 0; i < len(p); i++ {
		ascii = ascii && p[i] < 0x80
		lower = lower && p[i] == fold[p[i]]
	}
	if !ascii {
		host := ""
		if n.flags&flagHost != 0 {
			i := strings.IndexAny(p, "/^:?*")
			if i < 0 {
				i = len(p)
			}
			a, err := idna.Lookup.ToASCII(p[:i])
			if err != nil {
				return "", fmt.Errorf("%q is not a host name", cut(p[:i], 80))
			}
			host, p = a, p[i:]
		}
		p = host + percentEncode(p)
		lower = false
	}
	if n.flags&flagMatchCase == 0 && !lower {
		p = strings.ToLower(p)
	}
	return p, nil
}

// percentEncode encodes what is not ASCII (URL standard, "percent-encode after encoding").
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x80 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// isBareHost reports whether a line is nothing but a registered host name, which uBlock Origin takes as ||host^.
func isBareHost(s string) bool {
	if !strings.Contains(s, ".") || hostLen(s) != len(s) || s[0] == '.' || s[0] == '-' || s[len(s)-1] == '.' {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(strings.ToLower(s))
	return icann && len(suffix) < len(s)
}
