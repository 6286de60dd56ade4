package catalogue

import "strings"

// packageHosts are the addresses at which the hosts that serve the npm registry's packages to browsers have one: %s is the
// package's name or, ending in a slash, its scope. Those that build on request have versions and options before it.
var packageHosts = []string{
	".jsdelivr.net/npm/%s", ".jsdelivr.net/combine/*npm/%s", "unpkg.com/%s", "esm.run/%s", "esm.sh/*%s", "cdn.skypack.dev/*%s", ".jspm.io/npm:%s", "jspm.dev/*%s",
}

// packagePatterns returns the patterns of all places where a vendor's packages are.
func packagePatterns(names []string) []string {
	var list []string
	for _, name := range names {
		for _, p := range packageHosts {
			list = append(list, strings.ReplaceAll(p, "%s", name))
		}
	}
	return list
}

// packageName reports whether s is the name of a package ("posthog-js", "@hotjar/browser") or a scope ("@segment/").
func packageName(s string) bool {
	scope, rest, scoped := strings.Cut(s, "/")
	if scoped {
		name, ok := strings.CutPrefix(scope, "@")
		return ok && plainName(name) && (rest == "" || plainName(rest))
	}
	return plainName(s)
}

func plainName(s string) bool {
	return len(s) > 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}
