package consent

import (
	"iter"
	"math/bits"
)

// MaxVendor is the highest vendor number that can carry an individual choice. It bounds a Token, and so the cookie.
const MaxVendor = 255

// VendorChoices holds a visitor's individual answers about vendors, by catalogue number (1 to MaxVendor). An answer
// overrides the answer about the vendor's purpose. The zero value holds none; values compare with ==.
type VendorChoices struct {
	granted, refused [4]uint64
}

// Set notes an answer in place of an earlier one. It reports false, and notes nothing, for a number that cannot carry
// one: the caller then refuses the vendor's whole purpose, or tells the visitor.
func (v *VendorChoices) Set(number uint16, granted bool) bool {
	if number == 0 || number > MaxVendor {
		return false
	}
	i, bit := number/64, uint64(1)<<(number%64)
	v.granted[i] &^= bit
	v.refused[i] &^= bit
	if granted {
		v.granted[i] |= bit
	} else {
		v.refused[i] |= bit
	}
	return true
}

// Clear removes the answer about one vendor.
func (v *VendorChoices) Clear(number uint16) {
	if number <= MaxVendor {
		v.granted[number/64] &^= 1 << (number % 64)
		v.refused[number/64] &^= 1 << (number % 64)
	}
}

// Granted reports whether the visitor agreed to this vendor in particular.
func (v *VendorChoices) Granted(number uint16) bool {
	return number <= MaxVendor && v.granted[number/64]>>(number%64)&1 != 0
}

// Refused reports whether the visitor refused this vendor in particular.
func (v *VendorChoices) Refused(number uint16) bool {
	return number <= MaxVendor && v.refused[number/64]>>(number%64)&1 != 0
}

// IsZero reports whether there is no individual answer.
func (v *VendorChoices) IsZero() bool { return *v == VendorChoices{} }

// All yields the answers by ascending number; true is agreement.
func (v *VendorChoices) All() iter.Seq2[uint16, bool] {
	return func(yield func(uint16, bool) bool) {
		for i := range v.granted {
			for set := v.granted[i] | v.refused[i]; set != 0; set &= set - 1 {
				n := uint16(i*64 + bits.TrailingZeros64(set))
				if !yield(n, v.Granted(n)) {
					return
				}
			}
		}
	}
}

// strictest keeps the refusals of either and the agreements of both.
func (v VendorChoices) strictest(o VendorChoices) VendorChoices {
	for i := range v.granted {
		v.refused[i] |= o.refused[i]
		v.granted[i] &= o.granted[i] &^ v.refused[i]
	}
	return v
}

// withoutGrants keeps the refusals only.
func (v VendorChoices) withoutGrants() VendorChoices {
	v.granted = [4]uint64{}
	return v
}

// Five answers of three values fit a byte (3^5 = 243): all vendors take 51 bytes, trailing zero bytes are left out.
const (
	tritsPerByte   = 5
	vendorBytes    = MaxVendor / tritsPerByte
	tritNone       = 0
	tritRefused    = 1
	tritGranted    = 2
	maxTritsOfByte = 242
)

// appendTrits appends the shortest encoding of v, at most vendorBytes long.
func (v *VendorChoices) appendTrits(dst []byte) []byte {
	start, end := len(dst), len(dst)
	for n := uint16(1); n <= MaxVendor; n += tritsPerByte {
		b := byte(0)
		for k := uint16(tritsPerByte); k > 0; k-- {
			trit := byte(tritNone)
			switch m := n + k - 1; {
			case v.Refused(m):
				trit = tritRefused
			case v.Granted(m):
				trit = tritGranted
			}
			b = b*3 + trit
		}
		dst = append(dst, b)
		if b != 0 {
			end = len(dst)
		}
	}
	return dst[:max(start, end)]
}

// parseTrits reads what appendTrits wrote and refuses any other spelling.
func parseTrits(src []byte) (v VendorChoices, ok bool) {
	if len(src) > vendorBytes || len(src) > 0 && src[len(src)-1] == 0 {
		return v, false
	}
	for i, b := range src {
		if b > maxTritsOfByte {
			return VendorChoices{}, false
		}
		for n := uint16(i*tritsPerByte + 1); b != 0; n, b = n+1, b/3 {
			switch b % 3 {
			case tritRefused:
				v.Set(n, false)
			case tritGranted:
				v.Set(n, true)
			}
		}
	}
	return v, true
}

func (v VendorChoices) grantsAny() bool { return v.granted != [4]uint64{} }

// with returns v with the answers of o in place of its own.
func (v VendorChoices) with(o VendorChoices) VendorChoices {
	for i := range v.granted {
		answered := o.granted[i] | o.refused[i]
		v.granted[i] = v.granted[i]&^answered | o.granted[i]
		v.refused[i] = v.refused[i]&^answered | o.refused[i]
	}
	return v
}

func (v VendorChoices) refusesAny() bool { return v.refused != [4]uint64{} }
