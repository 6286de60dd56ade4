//go:build !purego

package html

import "golang.org/x/sys/cpu"

// vectors says that scanPlain can be called.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// scanPlain returns how much of b, which begins in the data state, is text and plain tags for sure, and where the tokenizer is
// in the data state again: up to the '<' before what is not plain, or up to where less than scanWindow bytes are left.
//
//go:noescape
func scanPlain(m *scanMemory, r *plainRules, b []byte) (n int)
