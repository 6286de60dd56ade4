//go:build !unix

package rules

import "testing"

func cpuTime(*testing.B) func() { return func() {} }
