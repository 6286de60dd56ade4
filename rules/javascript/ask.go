package javascript

import "github.com/caddy-consent/caddy-consent/rules/internal/ascii"

// asker puts what stands in a script in the form that Addresses wants. It has the memory for that, which would be
// allocated each time otherwise.
type asker struct {
	Addresses
	lower [maxHost]byte
	made  [512]byte // a URL that is put together
}

// maxHost is the length of the longest host name (RFC 1035, 2.3.4, without the last dot).
const maxHost = 253

// known reports whether a URL of the host may be a vendor's.
func (q *asker) known(host []byte) bool { return len(host) <= maxHost && q.Host(q.lowered(host)) }

// ask returns what Addresses.URL says.
func (q *asker) ask(a *address) (vendor int, rule string) {
	return q.URL(q.lowered(a.host), a.path, a.query)
}

func (q *asker) lowered(host []byte) []byte {
	for i, c := range host {
		q.lower[i] = ascii.Lower[c]
	}
	return q.lower[:len(host)]
}
