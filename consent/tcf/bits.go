package tcf

// packed is a run of bits, six to a character of the base64url alphabet, most significant first. TCF and GPP pack so:
// unlike base64 it may have any length, without padding.
type packed string

// valid reports whether all characters are of the alphabet.
func (p packed) valid() bool {
	for i := range len(p) {
		if sixBits[p[i]] > 63 {
			return false
		}
	}
	return true
}

// uint returns n bits from offset on; ok is false where the string is too short. n is at most 64.
func (p packed) uint(offset, n int) (v uint64, ok bool) {
	if offset < 0 || offset+n > 6*len(p) {
		return 0, false
	}
	for i := offset; i < offset+n; i++ {
		v = v<<1 | uint64(sixBits[p[i/6]]>>(5-i%6)&1)
	}
	return v, true
}

// sixBits maps a character to its value; 255 is none.
var sixBits = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	return t
}()

// cursor reads one field after the other and remembers the first failure.
type cursor struct {
	bits packed
	at   int
	bad  bool
}

func (c *cursor) uint(n int) uint64 {
	v, ok := c.bits.uint(c.at, n)
	c.at += n
	c.bad = c.bad || !ok
	return v
}

// fibonacci reads one number in Fibonacci coding (GPP, "Fibonacci Encoding"), at most limit; a greater one is a failure,
// found after few bits.
func (c *cursor) fibonacci(limit int) int {
	sum, a, b, last := 0, 1, 2, uint64(0)
	for !c.bad {
		bit := c.uint(1)
		if bit == 1 && last == 1 {
			return sum
		}
		if bit == 1 {
			sum += a
		}
		if a > limit || sum > limit {
			c.bad = true
		}
		a, b, last = b, a+b, bit
	}
	return 0
}
