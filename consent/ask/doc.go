// Package ask asks the site's own app, or another consent service, over HTTP what a visitor answered there.
//
// A service is asked with the visitor's cookies that the operator named and nothing else: no address, no user agent, no page.
// It answers with JSON, out of which a gjson path leads to the answers. A visitor without such a cookie is not asked about.
//
// An error never grants: whatever the service cannot be understood to say is unknown (consent.Stored.Unknown), under which
// nothing optional is permitted, since it may hold a refusal. Requests wait for the service for a short time at most, share
// one question about one visitor, and do not wait at all while it is down. Answers are remembered for a few seconds; cookies
// are not: what is remembered goes by their hash.
package ask
