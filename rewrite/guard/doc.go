// Package guard makes the script that goes first in a page: it gates what the page creates at run time, stands in for
// the globals of gated vendors, revives in place what the visitor permits, and withdraws it again.
//
// The script is constant per Compile, so that one hash admits it to a site's Content-Security-Policy; what differs per
// response travels in data attributes of its element. It knows ways to contact somebody, not whom: whose a host, a path or a
// cookie is knows a second part, which every page fetches and a browser keeps, and before that has come the gateway. Until
// one of them has answered, a request waits. Hosts and URL patterns are compiled to 30-bit hashes: a URL is judged by one
// walk over its characters.
//
// A Guard is immutable and safe for concurrent use.
package guard
