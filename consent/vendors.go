package consent

import (
	"iter"
	"math/bits"
)

// MaxVendor is the highest vendor number that can carry an individual choice.
const MaxVendor = 64*vendorWords - 1

const vendorWords = 24

// VendorChoices holds a visitor's individual answers about vendors, by catalogue number (1 to MaxVendor). An answer
// overrides the answer about the vendor's purpose. The zero value holds none; values compare with ==. A Token has room for
// a bounded number of answers; see Fits.
type VendorChoices struct {
	granted, refused vendorSet
}

type vendorSet [vendorWords]uint64

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
	v.granted = vendorSet{}
	return v
}

func (v VendorChoices) grantsAny() bool { return v.granted != vendorSet{} }

// with returns v with the answers of o in place of its own.
func (v VendorChoices) with(o VendorChoices) VendorChoices {
	for i := range v.granted {
		answered := o.granted[i] | o.refused[i]
		v.granted[i] = v.granted[i]&^answered | o.granted[i]
		v.refused[i] = v.refused[i]&^answered | o.refused[i]
	}
	return v
}

func (v VendorChoices) refusesAny() bool { return v.refused != vendorSet{} }
