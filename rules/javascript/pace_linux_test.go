package javascript

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPaceOfHostileScripts: what makes a reader go back again and again costs no hundreds of times what plain code costs,
// in CPU time of the thread: a busy machine cannot disturb it.
func TestPaceOfHostileScripts(t *testing.T) {
	recogniser, hosts := fromCatalogue(t)
	runtime.LockOSThread() // spent is the thread's
	defer runtime.UnlockOSThread()
	spent := func() time.Duration {
		var used unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
			t.Fatal(err)
		}
		return time.Duration(used.Nano())
	}
	const size = 1 << 15
	pace := func(piece string) time.Duration {
		text, best := slices.Repeat([]byte(piece), size/len(piece)), time.Hour
		for range 5 {
			start := spent()
			recogniser.Find(text, hosts)
			best = min(best, spent()-start)
		}
		return best
	}
	plain := pace("x=a+f('b');y='c';")
	list := "[" + strings.Repeat("'a',", 900) + strings.Repeat("'a'].join('')", 600)
	for _, piece := range []string{"].join('')", list, "\"\n.replace('a','b')", "`${.replace('a','b')", "\"\n.concat('a')", "'" + strings.Repeat(`\x41`, 8000) + "'", "'" + strings.Repeat(`\"`, 8000) + "'",
		`\".concat('a')`, "[\"].join('',", "[\"','\",'].join(\"", "['a','" + strings.Repeat("].join('a','", 2000)} {
		if took := pace(piece); took > 40*plain {
			t.Errorf("%.30q: %v, %d times plain code's %v", piece, took, took/plain, plain)
		}
	}
}
