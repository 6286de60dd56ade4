package url

import "strings"

// MatchPath reports whether a path matches a pattern in which "*" stands for any run of characters.
func MatchPath(pattern, path string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == path
	}
	path, ok := strings.CutPrefix(path, head)
	for ok && star {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(path, part)
		}
		_, path, ok = strings.Cut(path, part)
	}
	return ok
}
