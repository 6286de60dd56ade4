// Package guard makes the script that goes first in a page: it gates what the page creates at run time, stands in for
// the globals of gated vendors, revives in place what the visitor permits, and withdraws it again.
//
// The script is constant per Compile, so that one hash admits it to a site's Content-Security-Policy; what differs per
// response travels in data attributes of its element. Hosts, URL patterns and names are compiled to 30-bit hashes of
// their characters: a URL is judged by one walk over its characters, and the whole catalogue costs a few kilobytes.
//
// A Guard is immutable and safe for concurrent use.
package guard
