// Package rewrite holds the contract between what streams a response and what judges it: a Policy is asked about each
// resource, inline script and cookie that a response would make the browser fetch or store.
//
// The packages below it do the work: html, css, json, cookie, header, encoding, guard, ipmask, url. None of them knows
// why a thing is gated, only that the Policy said so.
package rewrite

// Destination is a request's destination (Fetch standard, 2.2.5 "destination"), with the kinds of contact added that the
// standard leaves outside of it.
type Destination uint8

// The destinations a page can cause.
const (
	DestinationEmpty     Destination = iota // fetch(), XMLHttpRequest, EventSource
	DestinationScript                       // script elements, modulepreload, SVG script
	DestinationStyle                        // stylesheets and @import
	DestinationImage                        // img, srcset, poster, CSS images, SVG image, favicon
	DestinationFont                         // @font-face
	DestinationMedia                        // audio, video, track, source
	DestinationFrame                        // iframe, frame, portal, fencedframe
	DestinationObject                       // object, embed, applet
	DestinationManifest                     // link rel=manifest
	DestinationWorker                       // Worker, SharedWorker, ServiceWorker
	DestinationPing                         // a ping, sendBeacon, attributionsrc
	DestinationReport                       // report-uri, Reporting-Endpoints, NEL
	DestinationConnect                      // preconnect and dns-prefetch: a connection, no request
	DestinationPrefetch                     // prefetch, prerender, speculation rules
	DestinationDocument                     // navigation: meta refresh, form action, Location, Refresh
	DestinationWebSocket                    // WebSocket, WebTransport
)

// Resource is one thing that a response would make a browser contact.
type Resource struct {
	// URL is the absolute URL as the WHATWG URL standard serialises it, without fragment. The bytes are valid during
	// the call only.
	URL []byte
	// Host is the part of URL that is the host, without port and userinfo: URL[HostStart:HostEnd].
	HostStart, HostEnd int
	// Destination is what the browser would use it for.
	Destination Destination
	// Element and Attribute name where it stood, in lower case; Element is "" for a response header, "style" for CSS.
	Element, Attribute string
	// Beacon is true for an element whose shape is that of a tracking pixel: at most 1×1, or hidden by its own
	// attributes or style.
	Beacon bool
}

// Host returns the host within URL.
func (r *Resource) Host() []byte { return r.URL[r.HostStart:r.HostEnd] }

// Verdict is a Policy's answer. The zero value lets the thing pass.
type Verdict struct {
	// Gate makes the thing inert until the visitor agrees.
	Gate bool
	// Drop, with Gate, makes it inert for good: nothing is kept that could revive it.
	Drop bool
	// Vendor and Purpose name who and why in marks and reports: identifiers of [a-z0-9-], never markup.
	Vendor, Purpose string
	// Globals are the names that the page's code expects of a gated script, separated by spaces; those of arrays end in
	// "[]", those of objects that are no functions in "{}". They follow the vendor in the mark of a parked script, so that
	// the guard can stand in for them at once.
	Globals string
	// Placeholder is the document shown in a gated frame's own box (as its srcdoc); nil leaves the box empty.
	Placeholder []byte
}

// Policy judges for one response. Its methods are called by one goroutine at a time, must not keep their arguments and
// must not panic. A Policy that cannot tell must gate what may track.
type Policy interface {
	// Resource judges a contact.
	Resource(r *Resource) Verdict
	// Script judges the text of an inline script (or an event-handler attribute) that is about to run.
	Script(text []byte) Verdict
	// Cookie judges a cookie by its name.
	Cookie(name []byte) Verdict
}

// Marks are the attributes that carry a gated element's state. Only elements whose Mark attribute begins with the
// response's own random value are ever revived; the rest of its value is the purpose and the vendor, separated by single spaces.
const (
	// Mark is the attribute "data-consent": `VALUE PURPOSE VENDOR`, on a parked script followed by the globals it would define.
	Mark = "data-consent"
	// MarkPrefix goes before the name of an attribute that was taken off: src becomes data-consent-src.
	MarkPrefix = "data-consent-"
	// InertScriptType is the type that a parked script gets; its own type, if any, is kept as data-consent-type.
	InertScriptType = "text/plain"
	// InertCSS begins the URL that stands in a style sheet for a gated one: about:invalid#consent,VALUE,PURPOSE,VENDOR,URL
	// with the original URL percent-encoded so that it needs no quotes (CSS Values 4, 4.5.4: about:invalid is never fetched).
	InertCSS = "about:invalid#consent,"
)
