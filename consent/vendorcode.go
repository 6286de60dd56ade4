package consent

import (
	"encoding/binary"
	"math/bits"
)

// A Token writes individual answers in one of two ways, whichever suits their numbers. Both have one spelling for each set
// of answers, and room for vendorBytes.
//
//   - Dense, for numbers up to maxDense: five answers of three values fit a byte (3^5 = 243), so that all of them fit;
//     zero bytes at the end are left out.
//   - Sparse, where a number is higher: for each answer, by ascending number, the distance from the one before, less one,
//     and whether it is agreement, as unsigned varints: 25 answers always fit, some 45 of numbers at random, 51 at most.
const (
	vendorBytes    = 51
	tritsPerByte   = 5
	maxDense       = vendorBytes * tritsPerByte
	tritNone       = 0
	tritRefused    = 1
	tritGranted    = 2
	maxTritsOfByte = 242
)

// Fits reports whether a Token has room for the answers.
func (v *VendorChoices) Fits() bool {
	var b [vendorBytes + binary.MaxVarintLen16]byte
	return !v.sparse() || len(v.appendSparse(b[:0])) <= vendorBytes
}

// fitting returns as much of the answers as a Token has room for, without permitting more: all of them, else the refusals
// only. It reports false where even those do not fit: then all purposes are to be refused.
func (v VendorChoices) fitting() (VendorChoices, bool) {
	if v.Fits() {
		return v, true
	}
	v = v.withoutGrants()
	return v, v.Fits()
}

// sparse reports whether a number is beyond the dense form.
func (v *VendorChoices) sparse() bool {
	const dense = (maxDense + 1) / 64 // words, and no part of one
	return [vendorWords - dense]uint64(v.granted[dense:]) != [vendorWords - dense]uint64{} ||
		[vendorWords - dense]uint64(v.refused[dense:]) != [vendorWords - dense]uint64{}
}

// appendDense appends the shortest dense form, at most vendorBytes long.
func (v *VendorChoices) appendDense(dst []byte) []byte {
	start, end := len(dst), len(dst)
	if v.IsZero() {
		return dst
	}
	for n := uint16(1); n <= maxDense; n += tritsPerByte {
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

// parseVendors reads the answers of a token of that format.
func parseVendors(format byte, src []byte) (VendorChoices, bool) {
	if format == formatSparse {
		return parseSparse(src)
	}
	return parseDense(src)
}

// parseDense reads what appendDense wrote and refuses any other spelling.
func parseDense(src []byte) (v VendorChoices, ok bool) {
	if len(src) > 0 && src[len(src)-1] == 0 {
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

// appendSparse appends the sparse form and stops soon after vendorBytes.
func (v *VendorChoices) appendSparse(dst []byte) []byte {
	start, last := len(dst), uint16(0)
	for n, granted := range v.All() {
		step := uint64(n-last-1) << 1
		if granted {
			step |= 1
		}
		if dst, last = binary.AppendUvarint(dst, step), n; len(dst)-start > vendorBytes {
			break
		}
	}
	return dst
}

// parseSparse reads what appendSparse wrote and refuses any other spelling.
func parseSparse(src []byte) (v VendorChoices, ok bool) {
	last := uint64(0)
	for len(src) > 0 {
		step, n := binary.Uvarint(src)
		if n <= 0 || step >= 2*MaxVendor || n != max(1, (bits.Len64(step)+6)/7) {
			return VendorChoices{}, false
		}
		last += step>>1 + 1
		if last > MaxVendor {
			return VendorChoices{}, false
		}
		v.Set(uint16(last), step&1 == 1)
		src = src[n:]
	}
	return v, v.sparse()
}
