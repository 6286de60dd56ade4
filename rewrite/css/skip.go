package css

import (
	"math/bits"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// unconcerned reports that what separates declarations and rules means nothing but that another one may begin, as in most
// of a sheet.
func (s *scanner) unconcerned() bool {
	return !s.careful && s.functions == 0 && !s.top && !s.font && !s.fontFace && !s.property && !s.imports && !s.namespace
}

// skipDeclarations passes over whole declarations where the scanner is unconcerned, up to the first byte from i on at which
// a token may begin that is looked at, and finds out about the last of them.
func (s *scanner) skipDeclarations(buf []byte, i int) int {
	j := skipPlain(buf, i, classToken)
	end := j
	if j == len(buf) {
		end = nameStart(buf, i, j) // what is behind comes again
	}
	k := end
	for k > i && classes[buf[k-1]]&classSeparator == 0 {
		k--
	}
	if k == i {
		return j
	}
	for k < end && ascii.IsSpace(buf[k]) {
		k++
	}
	s.declaration = k == end
	s.custom = k < end && buf[k] == '-' && k+1 < len(buf) && (buf[k+1] == '-' || buf[k+1] == '\\')
	return j
}

// skipPlain returns the index of the first byte from i on that has a class of the mask. It gathers the classes of eight
// bytes in a word, because the runs are short and a loop with a branch for each byte would mispredict the end of every one.
func skipPlain(buf []byte, i int, mask uint8) int {
	wide := uint64(mask) * 0x0101010101010101
	for ; i+8 <= len(buf); i += 8 {
		b := buf[i : i+8 : i+8]
		low := uint64(classes[b[0]]) | uint64(classes[b[1]])<<8 | uint64(classes[b[2]])<<16 | uint64(classes[b[3]])<<24
		high := uint64(classes[b[4]]) | uint64(classes[b[5]])<<8 | uint64(classes[b[6]])<<16 | uint64(classes[b[7]])<<24
		if w := (low | high<<32) & wide; w != 0 {
			return i + bits.TrailingZeros64(w)>>3
		}
	}
	for i < len(buf) && classes[buf[i]]&mask == 0 {
		i++
	}
	return i
}
