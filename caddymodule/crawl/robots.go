package crawl

import (
	"bufio"
	"io"
	"strings"

	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
)

// userAgent is the product token of the scan, for robots.txt (RFC 9309, 2.2.1).
const userAgent = "caddy-consent"

// robots are the rules of a robots.txt that hold for the scan. The zero value allows all.
type robots struct{ rules []robotsRule }

type robotsRule struct {
	path  string
	allow bool
}

// parseRobots reads the group for our product token or, if there is none, that for everybody (RFC 9309, 2.2.1).
func parseRobots(r io.Reader) robots {
	var own, all robots
	var named, agents, star bool // the group names us; its user-agent lines are being read; it is for everybody
	found := false
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "user-agent":
			if !agents {
				named, star = false, false
			}
			agents = true
			named = named || strings.EqualFold(value, userAgent)
			star = star || value == "*"
			found = found || named
		case "allow", "disallow":
			agents = false
			rule := robotsRule{value, strings.EqualFold(strings.TrimSpace(key), "allow")}
			switch {
			case value == "": // an empty Disallow forbids nothing
			case named:
				own.rules = append(own.rules, rule)
			case star:
				all.rules = append(all.rules, rule)
			}
		}
	}
	if found {
		return own
	}
	return all
}

// allows reports whether a path, with its query, may be fetched: the longest rule counts, and of two alike the one that
// allows (RFC 9309, 2.2.2).
func (r robots) allows(path string) bool {
	best, allow := -1, true
	for _, rule := range r.rules {
		n := len(rule.path)
		if robotsMatch(rule.path, path) && (n > best || n == best && rule.allow) {
			best, allow = n, rule.allow
		}
	}
	return allow
}

// robotsMatch matches the beginning of a path; "*" stands for any run of characters, "$" at the end for the path's end.
func robotsMatch(pattern, path string) bool {
	if whole, ok := strings.CutSuffix(pattern, "$"); ok {
		return weburl.MatchPath(whole, path)
	}
	return weburl.MatchPath(pattern+"*", path)
}
