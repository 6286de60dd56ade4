// Package url resolves the URLs of a page as a browser does (WHATWG URL standard), into a buffer of the caller.
//
// It knows the schemes that lead to a contact with a host: http, https, ws, wss and ftp. References of any other scheme
// (data:, blob:, about:, javascript:, mailto:, file: …) contact nobody; Resolve answers them with ok == false and
// [Scheme] tells them apart. Fragments are never sent and therefore never kept.
package url

import (
	"errors"
	"strconv"
	"strings"
)

// ErrInvalid is returned for what is not an absolute URL that contacts a host.
var ErrInvalid = errors.New("url: not an absolute URL with a host")

// URL is a parsed, serialised URL: a base to resolve against. It is immutable. A nil *URL is no base.
type URL struct {
	href               string
	schemeEnd          int // index of the colon
	hostStart, hostEnd int
	pathStart          int
	queryStart         int // index of '?', len(href) without a query
}

// Parse parses an absolute URL. Its fragment is dropped.
func Parse(s string) (*URL, error) {
	abs, hs, he, ok := (*URL)(nil).Resolve(nil, []byte(s))
	if !ok {
		return nil, ErrInvalid
	}
	return newURL(abs, hs, he), nil
}

// Join returns the URL that ref means when u is the base; nil if that is not one that contacts a host.
func (u *URL) Join(ref []byte) *URL {
	abs, hs, he, ok := u.Resolve(nil, ref)
	if !ok {
		return nil
	}
	return newURL(abs, hs, he)
}

func newURL(abs []byte, hostStart, hostEnd int) *URL {
	href := string(abs)
	path, _, _ := strings.Cut(href, "?")
	return &URL{
		href: href, schemeEnd: strings.IndexByte(href, ':'), hostStart: hostStart, hostEnd: hostEnd,
		pathStart: hostEnd + strings.IndexByte(href[hostEnd:], '/'), queryStart: len(path),
	}
}

// String returns the serialised URL without fragment.
func (u *URL) String() string { return u.href }

// Host returns the host without port: lower-case ASCII, IPv6 in brackets.
func (u *URL) Host() string { return u.href[u.hostStart:u.hostEnd] }

// HostRange returns where in String the host begins and ends.
func (u *URL) HostRange() (start, end int) { return u.hostStart, u.hostEnd }

// Scheme returns the scheme without colon, in lower case.
func (u *URL) Scheme() string { return u.href[:u.schemeEnd] }

// Resolve appends to dst[:0] the URL that ref means with u as base, serialised without fragment; abs[hostStart:hostEnd]
// is its host. ok is false when the reference is invalid or contacts no host; abs is then only dst's memory.
// It does not allocate while dst is large enough and the host is ASCII. (URL standard, 4.4 "URL parsing")
func (u *URL) Resolve(dst, ref []byte) (abs []byte, hostStart, hostEnd int, ok bool) {
	ref = trim(ref)
	if hasTabOrNewline(ref) {
		ref = stripTabAndNewline(ref)
	}
	p := parser{dst: dst[:0], base: u}
	ok = p.parse(ref)
	return p.dst, p.hostStart, p.hostEnd, ok
}

type parser struct {
	dst                []byte
	base               *URL
	defaultPort        int
	hostStart, hostEnd int
}

// parse implements the scheme, relative and authority-slashes states.
func (p *parser) parse(ref []byte) bool {
	n := schemeLen(ref)
	if n == 0 && p.base == nil {
		return false
	} else if n == 0 {
		_, p.defaultPort = contactScheme([]byte(p.base.Scheme()))
		return p.relative(ref)
	}
	scheme, port := contactScheme(ref[:n])
	if scheme == "" {
		return false
	}
	p.defaultPort = port
	ref = ref[n+1:]
	if p.base != nil && p.base.Scheme() == scheme {
		return p.relative(ref) // special relative or authority state
	}
	p.dst = append(p.dst, scheme...)
	return p.authority(ref)
}

// relative implements the relative and relative slash states.
func (p *parser) relative(ref []byte) bool {
	u := p.base
	if len(ref) > 1 && isSlash(ref[0]) && isSlash(ref[1]) {
		p.dst = append(p.dst, u.Scheme()...)
		return p.authority(ref)
	}
	p.dst = append(p.dst, u.href[:u.pathStart]...)
	p.hostStart, p.hostEnd = u.hostStart, u.hostEnd
	path := len(p.dst)
	switch {
	case len(ref) == 0 || ref[0] == '#':
		p.dst = append(p.dst, u.href[u.pathStart:]...)
	case ref[0] == '?':
		p.dst = append(p.dst, u.href[u.pathStart:u.queryStart]...)
		p.query(ref)
	case isSlash(ref[0]):
		p.path(path, ref)
	default:
		p.dst = append(p.dst, u.href[u.pathStart:u.queryStart]...)
		for p.dst[len(p.dst)-1] != '/' {
			p.dst = p.dst[:len(p.dst)-1]
		}
		p.segments(path, ref)
	}
	return true
}

// authority implements the states from special authority slashes to path start.
func (p *parser) authority(ref []byte) bool {
	for len(ref) > 0 && isSlash(ref[0]) {
		ref = ref[1:]
	}
	p.dst = append(p.dst, "://"...)
	if n := plainHost(ref); n > 0 {
		p.hostStart = len(p.dst)
		p.dst = append(p.dst, ref[:n]...)
		p.hostEnd = len(p.dst)
		p.path(len(p.dst), ref[n:])
		return true
	}
	end, at := len(ref), -1
	for i, c := range ref {
		if c == '@' {
			at = i
		} else if c == '/' || c == '\\' || c == '?' || c == '#' {
			end = i
			break
		}
	}
	host := ref[:end]
	if at >= 0 {
		p.userinfo(ref[:at])
		host = ref[at+1 : end]
	}
	host, port, ok := splitPort(host)
	if !ok || len(host) == 0 {
		return false
	}
	p.hostStart = len(p.dst)
	if p.dst, ok = appendHost(p.dst, host); !ok {
		return false
	}
	p.hostEnd = len(p.dst)
	if port >= 0 && port != p.defaultPort {
		p.dst = append(p.dst, ':')
		p.dst = strconv.AppendInt(p.dst, int64(port), 10)
	}
	p.path(len(p.dst), ref[end:])
	return true
}

// plainHost returns the length of the host that ref begins with if nothing has to be done to it and neither userinfo nor
// a port is beside it, 0 otherwise.
func plainHost(ref []byte) int {
	label, n := 0, 0
	for n < len(ref) && hostBytes[ref[n]] {
		n++
		if ref[n-1] == '.' {
			label = n
		}
	}
	if n == label || ref[label] >= '0' && ref[label] <= '9' { // empty, a root label or maybe an address
		return 0
	}
	if n < len(ref) && ref[n] != '/' && ref[n] != '?' && ref[n] != '#' {
		return 0
	}
	return n
}

// hostBytes are the bytes of host names that are written as a browser writes them.
var hostBytes = func() (t [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789-_." {
		t[c] = true
	}
	return t
}()

func (p *parser) userinfo(s []byte) {
	colon := false
	for _, c := range s {
		if c == ':' && !colon {
			colon = true
			p.dst = append(p.dst, ':')
			continue
		}
		p.dst = appendEncoded(p.dst, c, userinfoSet)
	}
	if len(s) > 0 {
		p.dst = append(p.dst, '@')
	}
}

// path appends an absolute path, which may be empty or begin with a query.
func (p *parser) path(start int, ref []byte) {
	p.dst = append(p.dst, '/')
	if len(ref) > 0 && isSlash(ref[0]) {
		ref = ref[1:]
	}
	p.segments(start, ref)
}

// segments implements the path state: dst ends in '/', and start is the index of the path's first '/'.
func (p *parser) segments(start int, ref []byte) {
	seg := len(p.dst)
	for i := 0; ; i++ {
		if n := plainRun(ref[i:], pathSet); n > 0 {
			p.dst = append(p.dst, ref[i:i+n]...)
			i += n
		}
		end := i == len(ref) || ref[i] == '?' || ref[i] == '#'
		if !end && !isSlash(ref[i]) {
			p.dst = appendEncoded(p.dst, ref[i], pathSet)
			continue
		}
		switch dots(p.dst[seg:]) {
		case 2:
			p.dst = p.dst[:seg]
			if seg-1 > start {
				for seg--; p.dst[seg-1] != '/'; seg-- {
				}
			}
			p.dst = p.dst[:seg]
		case 1:
			p.dst = p.dst[:seg]
		default:
			if !end {
				p.dst = append(p.dst, '/')
			}
		}
		seg = len(p.dst)
		if end {
			p.query(ref[i:])
			return
		}
	}
}

// query appends a query that begins with '?', up to the fragment.
func (p *parser) query(ref []byte) {
	if len(ref) == 0 || ref[0] != '?' {
		return
	}
	p.dst = append(p.dst, '?')
	for ref = ref[1:]; ; ref = ref[1:] {
		n := plainRun(ref, querySet)
		p.dst = append(p.dst, ref[:n]...)
		if ref = ref[n:]; len(ref) == 0 || ref[0] == '#' {
			return
		}
		p.dst = appendEncoded(p.dst, ref[0], querySet)
	}
}

// plainRun returns how many bytes s begins with that stay as they are in a path's segment or in a query.
func plainRun(s []byte, set encodeSet) int {
	if set == pathSet {
		set |= slashSet
	}
	for i, c := range s {
		if encodeSets[c]&set != 0 {
			return i
		}
	}
	return len(s)
}

// dots returns of how many dots, written as they are or percent-encoded, a path segment consists; 0 if of anything else.
func dots(seg []byte) int {
	n := 0
	for len(seg) > 0 {
		switch {
		case seg[0] == '.':
			seg = seg[1:]
		case len(seg) >= 3 && seg[0] == '%' && seg[1] == '2' && seg[2]|0x20 == 'e':
			seg = seg[3:]
		default:
			return 0
		}
		n++
	}
	return n
}

// splitPort returns port -1 when there is none. (host and port states)
func splitPort(s []byte) (host []byte, port int, ok bool) {
	colon, bracket := -1, false
	for i, c := range s {
		switch {
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case c == ':' && !bracket && colon < 0:
			colon = i
		}
	}
	if colon < 0 {
		return s, -1, true
	}
	port = -1
	for _, c := range s[colon+1:] {
		if c < '0' || c > '9' {
			return nil, 0, false
		}
		if port = max(port, 0)*10 + int(c-'0'); port > 65535 {
			return nil, 0, false
		}
	}
	return s[:colon], port, true
}
