package guard

import (
	"slices"
	"strings"
)

// A URL pattern's hash takes five of these digits, 30 bits.
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// key returns the digits of a pattern's hash, "" if an earlier vendor has the same pattern.
func (k *catalogue) key(v *Vendor, text string) (digest string) {
	h := hash(text)
	if other, taken := k.text[h]; taken {
		if other != text {
			k.fail(v, "pattern %q has the same hash as %q", text, other)
		}
		return ""
	}
	k.text[h] = text
	for shift := 24; shift >= 0; shift -= 6 {
		digest += digits[h>>shift&63 : h>>shift&63+1]
	}
	return digest
}

// hash is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), its upper 30 bits.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h >> 2
}

// odds is how many hashes there are for each in a filter: of so many others one seems to be in it.
const odds = 46

// filter writes a set of hashes, each modulo size, in ascending order as the distance from the one before: one of digits, and a
// full stop for each 64.
func filter(hashes []uint32) (text string, size uint32) {
	size = max(1, uint32(len(hashes))*odds)
	var places []uint32
	for _, h := range hashes {
		places = append(places, h%size)
	}
	slices.Sort(places)
	var b strings.Builder
	at := uint32(0)
	for _, p := range slices.Compact(places) {
		b.WriteString(strings.Repeat(".", int((p-at)/64)))
		b.WriteByte(digits[(p-at)%64])
		at = p
	}
	return b.String(), size
}
