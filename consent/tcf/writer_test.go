package tcf_test

import (
	"strings"
	"time"
)

// writer packs bits as the specifications say: six to a character, the last one filled with zeros.
type writer struct{ bits []byte }

func (w *writer) uint(v uint64, n int) *writer {
	for i := n - 1; i >= 0; i-- {
		w.bits = append(w.bits, byte(v>>i&1))
	}
	return w
}

// fibonacci writes the Zeckendorf sum from its smallest term up, and a 1 to end it.
func (w *writer) fibonacci(v int) *writer {
	terms := []int{1, 2}
	for terms[len(terms)-1] <= v {
		terms = append(terms, terms[len(terms)-1]+terms[len(terms)-2])
	}
	var bits []byte
	for i := len(terms) - 1; i >= 0; i-- {
		bit := byte(0)
		if terms[i] <= v {
			bit, v = 1, v-terms[i]
		}
		if bit == 1 || len(bits) > 0 {
			bits = append([]byte{bit}, bits...)
		}
	}
	w.bits = append(append(w.bits, bits...), 1)
	return w
}

func (w *writer) String() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b strings.Builder
	for i := 0; i < len(w.bits); i += 6 {
		v := 0
		for k := i; k < i+6; k++ {
			v <<= 1
			if k < len(w.bits) {
				v |= int(w.bits[k])
			}
		}
		b.WriteByte(alphabet[v])
	}
	return b.String()
}

// core writes a TC core segment field by field, in the order of the specification.
func core(version uint64, updated time.Time, purposes ...int) string {
	var w writer
	at := uint64(updated.UnixMilli() / 100)
	w.uint(version, 6).uint(at, 36).uint(at, 36)
	w.uint(300, 12).uint(2, 12).uint(1, 6) // CMP, its version, screen
	w.uint(3, 6).uint(13, 6).uint(48, 12)  // language "DN", vendor list
	w.uint(5, 6).uint(1, 1).uint(0, 1)     // policy, service-specific, texts
	w.uint(0, 12)                          // special features
	set := make([]uint64, 25)
	for _, p := range purposes {
		set[p] = 1
	}
	for _, bit := range set[1:] {
		w.uint(bit, 1)
	}
	w.uint(1<<24-1, 24)                       // legitimate interest for everything
	w.uint(0, 1).uint(3, 6).uint(4, 6)        // purpose one treatment, publisher "DE"
	w.uint(5, 16).uint(0, 1).uint(0b10101, 5) // vendor consents
	w.uint(0, 16).uint(0, 1)                  // vendor legitimate interests
	w.uint(0, 12)                             // publisher restrictions
	return w.String()
}

// header writes a GPP header of single sections.
func header(ids ...int) string {
	var w writer
	w.uint(3, 6).uint(1, 6).uint(uint64(len(ids)), 12)
	last := 0
	for _, id := range ids {
		w.uint(0, 1).fibonacci(id - last)
		last = id
	}
	return w.String()
}

// section writes a GPP core of a version with 2-bit fields at offsets.
func section(version uint64, fields map[int]uint64) string {
	w := (&writer{}).uint(version, 6)
	for at := 6; at < 60; at += 2 {
		w.uint(fields[at], 2)
	}
	return w.String()
}
