package filterlist

import "strings"

// matchConditions evaluates the conditions at an offset; all of them must hold. A modifier's value is no condition.
func (e *Engine) matchConditions(at uint32, s *scratch) bool {
	for head, body, rest := condition(e.conds[at:]); body != nil; head, body, rest = condition(rest) {
		ok := true
		switch head >> opShift {
		case opFrom:
			ok = inHosts(e.blob, head, body, s.pageHost, s.pageSuffixes())
		case opTo:
			ok = inHosts(e.blob, head, body, s.lower[:s.hostEnd], s.host)
		case opDeny:
			ok = !inHosts(e.blob, head, body, s.lower[:s.hostEnd], s.host)
		case opMethod:
			ok = body[0]&s.method != 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// inHosts reports whether a host matches a set. The most specific entry for the host or its parents decides; without
// any, hosts match a set that only excludes.
func inHosts[T string | []byte](blob string, head uint32, set []uint32, text T, parts []hostPart) bool {
	suffix := -1
	if head&setEntity != 0 && len(parts) > 0 {
		first := int(parts[len(parts)-1].at)
		suffix = first + suffixStart(string(text[first:]))
	}
	for i := len(parts) - 1; i >= 0; i-- {
		p := parts[i]
		if ref, ok := lookup(blob, set, p.hash, text[p.at:], 0); ok {
			return ref&hostNot == 0
		}
		if int(p.at) >= suffix {
			continue
		}
		name := text[p.at:suffix]
		if ref, ok := lookup(blob, set, hostHash(string(name)), name, hostEntity); ok {
			return ref&hostNot == 0
		}
	}
	return head&setIncludes == 0
}

// lookup finds a host among the entries of a set, which are sorted by hash.
func lookup[T string | []byte](blob string, set []uint32, hash uint32, host T, entity uint32) (ref uint32, ok bool) {
	lo, hi := 0, len(set)/2
	for lo < hi {
		if mid := (lo + hi) / 2; set[2*mid] < hash {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for ; lo < len(set)/2 && set[2*lo] == hash; lo++ {
		ref = set[2*lo+1]
		if ref&hostEntity == entity && isHostAt(blob, ref&hostOffset, host) {
			return ref, true
		}
	}
	return 0, false
}

// isHostAt reports whether the blob holds that host, and no longer one, at an offset.
func isHostAt[T string | []byte](blob string, at uint32, host T) bool {
	rest := blob[at:]
	if len(rest) <= len(host) || rest[:len(host)] != string(host) {
		return false
	}
	rest = rest[len(host):]
	return chars[rest[0]]&charHost == 0 || strings.HasPrefix(rest, ".*")
}

// hostsOf calls f for each entry of the rule's set of that kind.
func hostsOf(blob string, conds []uint32, at, op uint32, f func(host string, ref uint32)) {
	if at == 0 {
		return
	}
	for head, body, rest := condition(conds[at:]); body != nil; head, body, rest = condition(rest) {
		if head>>opShift != op {
			continue
		}
		for i := 0; i < len(body); i += 2 {
			f(hostAt(blob, body[i+1]), body[i+1])
		}
	}
}

// hostAt reads the host of an entry.
func hostAt(blob string, ref uint32) string {
	rest := blob[ref&hostOffset:]
	n := hostLen(rest)
	if ref&hostEntity != 0 {
		n = len(strings.TrimSuffix(rest[:n], "."))
	} else if strings.HasPrefix(rest, "[") {
		n = strings.IndexByte(rest, ']') + 1
	}
	return rest[:n]
}
