package guard

import (
	"fmt"
	"strings"
	"testing"
)

// TestFilter: all that went in is in, and of what did not little seems to be.
func TestFilter(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3000} {
		var in []uint32
		for i := range n {
			in = append(in, hash(fmt.Sprintf("host%d.example", i)))
		}
		text, size := filter(in)
		set, place := map[uint32]bool{}, uint32(0)
		for _, c := range text { // as the script reads it
			if c == '.' {
				place += 64
				continue
			}
			place += uint32(strings.IndexRune(digits, c))
			set[place] = true
		}
		for i, h := range in {
			if !set[h%size] {
				t.Errorf("of %d: number %d is missing", n, i)
			}
		}
		wrong := 0
		for i := range 10_000 {
			if set[hash(fmt.Sprintf("other%d.example", i))%size] {
				wrong++
			}
		}
		if wrong > 10_000/odds*5/4 {
			t.Errorf("of %d: %d of 10,000 others seem to be in", n, wrong)
		}
	}
}
