package filterlist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Type is a set of resource types as filter lists name them: one bit for each. A Request carries exactly one.
type Type uint32

// The types, with the option names that lists use for them.
const (
	Document    Type = 1 << iota // document, doc, main_frame: a navigation of the whole page
	Subdocument                  // subdocument, frame
	Script                       // script
	Stylesheet                   // stylesheet, css
	Image                        // image
	Font                         // font
	Media                        // media
	Object                       // object, object-subrequest
	XHR                          // xmlhttprequest, xhr, fetch
	Ping                         // ping, beacon
	WebSocket                    // websocket
	Popup                        // popup: a new window
	CSPReport                    // csp_report
	Other                        // other
)

// AllTypes holds every type. A rule without a type option has them all but Document and Popup.
const (
	AllTypes     = Other<<1 - 1
	defaultTypes = AllTypes &^ (Document | Popup)
)

var typeNames = [...]string{"document", "subdocument", "script", "stylesheet", "image", "font", "media", "object",
	"xmlhttprequest", "ping", "websocket", "popup", "csp_report", "other"}

// String returns the names of the types in the set, joined by commas.
func (t Type) String() string {
	var names []string
	for i, n := range typeNames {
		if t&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

// ParseType returns the type of that option name, aliases included.
func ParseType(name string) (Type, error) {
	if t, ok := typeByName[name]; ok {
		return t, nil
	}
	return 0, fmt.Errorf("unknown resource type %q: use one of %s", name, strings.Join(typeNames[:], ", "))
}

var typeByName = map[string]Type{
	"document": Document, "doc": Document, "main_frame": Document,
	"subdocument": Subdocument, "frame": Subdocument, "sub_frame": Subdocument,
	"script": Script, "stylesheet": Stylesheet, "css": Stylesheet, "image": Image, "img": Image, "font": Font,
	"media": Media, "object": Object, "object-subrequest": Object,
	"xmlhttprequest": XHR, "xhr": XHR, "fetch": XHR, "ping": Ping, "beacon": Ping,
	"websocket": WebSocket, "popup": Popup, "csp_report": CSPReport, "other": Other,
}

// Request is what a page would fetch, as Engine.Match is asked about it. Fill it directly on a request path; NewRequest
// does so for tools and tests.
type Request struct {
	// URL is absolute and as the WHATWG URL standard serialises it, without fragment. It is only read.
	URL []byte
	// HostStart and HostEnd delimit the host in URL, without userinfo and port: URL[HostStart:HostEnd].
	HostStart, HostEnd int
	// Type is the one type of the request. Zero is taken as Other.
	Type Type
	// PageHost is the page's host in lower case, as in its serialised URL; "" if unknown.
	PageHost string
	// ThirdParty says that page and host have different registrable domains (the public suffix and one label).
	ThirdParty bool
	// Method is the HTTP method in upper case; "" is taken as GET.
	Method string
}

// Host returns the host within URL.
func (r *Request) Host() []byte { return r.URL[r.HostStart:r.HostEnd] }

var errNoHost = errors.New("not an absolute URL with a host")

// NewRequest describes a fetch of rawURL by the page at pageURL. A page without a host ("", about:blank) is none, and the
// request then counts as third-party.
// It lower-cases scheme and host, converts international host names and cuts the fragment, no more: it is for tools and
// tests, not a URL parser. It fails for a URL without a host.
func NewRequest(rawURL, pageURL string, t Type) (Request, error) {
	u, start, end, err := normalize(rawURL)
	if err != nil {
		return Request{}, fmt.Errorf("%q: %w", rawURL, err)
	}
	r := Request{URL: []byte(u), HostStart: start, HostEnd: end, Type: t, ThirdParty: true}
	p, start, end, err := normalize(pageURL)
	if err != nil {
		return r, nil //nolint:nilerr // an unknown page is another site
	}
	r.PageHost = p[start:end]
	r.ThirdParty = registrable(string(r.Host())) != registrable(r.PageHost)
	return r, nil
}

// normalize returns the URL with scheme and host in ASCII lower case and the bounds of its host.
func normalize(s string) (u string, start, end int, err error) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "#")
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return "", 0, 0, errNoHost
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?\\"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if !strings.HasPrefix(tail, "/") {
		tail = "/" + tail
	}
	userinfo := authority[:strings.LastIndexByte(authority, '@')+1]
	host, port := authority[len(userinfo):], ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i:]
	}
	host = asciiHost(host)
	if host == "" {
		return "", 0, 0, errNoHost
	}
	head := strings.ToLower(scheme) + "://" + userinfo
	return head + host + port + strings.ReplaceAll(tail, " ", "%20"), len(head), len(head) + len(host), nil
}

// asciiHost returns the host in ASCII lower case (UTS #46); a name that cannot be converted is only lower-cased.
func asciiHost(host string) string {
	for i := 0; i < len(host); i++ {
		if host[i] >= 0x80 {
			if a, err := idna.Lookup.ToASCII(host); err == nil {
				return a
			}
			break
		}
	}
	return strings.ToLower(host)
}

// registrable returns the registrable domain of a host, the host itself where it has none.
func registrable(host string) string {
	host = strings.TrimSuffix(host, ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return host
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}
