//go:build unix

package rules

import (
	"syscall"
	"testing"
)

// cpuTime reports the processor time of an operation beside the time on the clock, which on a shared machine says more
// about the others.
func cpuTime(b *testing.B) func() {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	return func() {
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		spent := after.Utime.Nano() - before.Utime.Nano()
		b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	}
}
