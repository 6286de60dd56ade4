package rules

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// pathIndex finds paths that give a vendor's software away on any host. A pattern begins at a slash; the four bytes after
// it are its key, so that a request costs one probe for each of its slashes.
type pathIndex struct {
	slots [1024]int16 // 1 + first pattern of the bucket
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

// key4 reads four bytes, letters in lower case; the caller knows that they are there. What else the bit joins is told
// apart when the pattern is compared.
func key4(s []byte) uint32 { return binary.LittleEndian.Uint32(s) | 0x20202020 }

func bucket(key uint32) uint32 { return key * 2654435761 >> 22 }

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
	i := 0
	for ; i+8+4 <= len(path); i += 8 {
		// Eight bytes at a time: the upper bit of a byte of slashes is set where there is a slash.
		const ones, low = 0x0101010101010101, 0x7F7F7F7F7F7F7F7F
		w := binary.LittleEndian.Uint64(path[i:]) ^ '/'*ones
		slashes := ^(((w & low) + low) | w | low)
		for ; slashes != 0; slashes &= slashes - 1 {
			rest := path[i+bits.TrailingZeros64(slashes)/8+1:]
			if n := x.slots[bucket(key4(rest))]; n != 0 {
				if r := x.from(n, rest, a.query); r != nil {
					return r.vendor, r.text
				}
			}
		}
	}
	for ; i+5 <= len(path); i++ {
		if path[i] == '/' {
			rest := path[i+1:]
			if r := x.from(x.slots[bucket(key4(rest))], rest, a.query); r != nil {
				return r.vendor, r.text
			}
		}
	}
	return -1, ""
}

// from returns the first pattern of the bucket that describes what stands behind a slash, at least four bytes; nil if
// there is none.
func (x *pathIndex) from(n int16, rest, query []byte) *pathRule {
	for key := key4(rest); n != 0; {
		r := &x.list[n-1]
		if r.key == key && r.path.matchPrefix(rest) && r.param.match(query) {
			return r
		}
		n = r.next
	}
	return nil
}
