package html

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestPlainReads: scanPlain reads nothing behind its bytes, here a page that must not be read.
func TestPlainReads(t *testing.T) {
	needVectors(t)
	size := os.Getpagesize()
	pages, err := syscall.Mmap(-1, 0, 2*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Munmap(pages) }()
	if err := syscall.Mprotect(pages[size:], syscall.PROT_NONE); err != nil {
		t.Skip(err)
	}
	var m scanMemory
	for _, doc := range []string{strings.Repeat("<p a=''>", 64), strings.Repeat("<a href=\"/\">", 40), strings.Repeat("<", 400), "x" + strings.Repeat("<a b", 100)} {
		for n := range len(doc) {
			b := pages[size-n : size]
			copy(b, doc[len(doc)-n:])
			scanPlain(&m, &passing, b)
			scanPlain(&m, &judging, b)
		}
	}
}
