package rules

import "strings"

// pathIndex finds paths that give a vendor's software away on any host. A pattern begins at a slash; the four bytes after
// it are its key, so that a request costs one probe for each of its slashes.
type pathIndex struct {
	slots [256]int16 // 1 + first pattern of the bucket
	list  []pathRule
}

type pathRule struct {
	key    uint32
	next   int16
	vendor int32
	path   glob
	param  parameter
	text   string
}

// key4 reads four bytes in lower case; the caller knows that they are there.
func key4(s []byte) uint32 {
	return uint32(lower[s[0]]) | uint32(lower[s[1]])<<8 | uint32(lower[s[2]])<<16 | uint32(lower[s[3]])<<24
}

func bucket(key uint32) uint8 { return uint8((key * 2654435761) >> 24) }

func (x *pathIndex) add(path string, vendor int32) {
	r := pathRule{key: key4([]byte(path[1:])), vendor: vendor, text: path}
	path, r.param = newParameter(strings.TrimPrefix(path, "/"))
	r.path = newGlob(path)
	b := bucket(r.key)
	r.next = x.slots[b]
	x.list = append(x.list, r)
	x.slots[b] = int16(len(x.list))
}

// lookup returns the vendor and the pattern, -1 if there is none.
func (x *pathIndex) lookup(a *address) (int32, string) {
	path := a.path
	for i := 0; i+5 <= len(path); i++ {
		if path[i] != '/' {
			continue
		}
		rest := path[i+1:]
		key := key4(rest)
		for n := x.slots[bucket(key)]; n != 0; n = x.list[n-1].next {
			if r := &x.list[n-1]; r.key == key && r.path.matchPrefix(rest) && r.param.match(a.query) {
				return r.vendor, r.text
			}
		}
	}
	return -1, ""
}
