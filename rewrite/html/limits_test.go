package html

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// repeated reads a pattern again and again: a document that is never in memory.
type repeated struct {
	head, body, tail string
	count            int
}

func (d repeated) writeTo(w io.Writer, scale int) {
	_, _ = io.WriteString(w, d.head)
	piece := strings.Repeat(d.body, 1+(8<<10)/len(d.body))
	count := d.count / 8
	if os.Getenv("REWRITE_HUGE") != "" {
		count = d.count * 4 // 64 MiB of an attribute
	}
	for n := count * scale * len(d.body); n > 0; n -= len(piece) {
		_, _ = io.WriteString(w, piece[:min(n, len(piece))])
	}
	_, _ = io.WriteString(w, d.tail)
}

type counter struct {
	n    int
	last []byte
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	c.last = append(c.last, p[max(len(p)-200, 0):]...)
	c.last = append(c.last[:0], c.last[max(len(c.last)-200, 0):]...)
	return len(p), nil
}

// TestMemory: whatever is huge, a stream holds no more than its limit and 2 MiB, and takes linear time; what follows the
// huge thing is judged. REWRITE_HUGE makes the documents 32 times as large.
func TestMemory(t *testing.T) {
	const tracker = `<img src="http://tracker.test/end">`
	for name, d := range map[string]repeated{
		"attribute":         {`<img alt="`, "x", `">` + tracker, 16 << 20},
		"data URL":          {`<img src="data:image/png;base64,`, "xyz/", `">` + tracker, 4 << 20},
		"URL":               {`<img src="http://ok.test/`, "x", `">` + tracker, 4 << 20},
		"attributes":        {`<p `, "a=b ", `>` + tracker, 1e6},
		"handlers":          {`<p `, `onx="y()" `, `>` + tracker, 1e5},
		"nested":            {``, "<div>", tracker, 1e6},
		"nested svg":        {``, "<svg><desc>", tracker, 2e5},
		"names":             {`<`, "a", `>` + tracker, 4 << 20},
		"comment":           {`<!--`, "-->x<!--", `-->` + tracker, 1e6},
		"script":            {`<script>`, "a<b;", `</script>` + tracker, 4 << 20},
		"style":             {`<style>`, "p{color:red}", `</style>` + tracker, 1e6},
		"text":              {``, "x< ", " " + tracker, 4 << 20},
		"srcdoc":            {`<iframe srcdoc="`, "<p>", `"></iframe>` + tracker, 1e6},
		"deep quotes":       {`<svg><style><p></style>`, `<a b="`, ` " ' >` + tracker, 1e6},
		"deep unquoted":     {`<svg><style><p></style>`, `<img src=x"y`, ` >` + tracker, 3e5},
		"deep scripts":      {`<svg><style><p></style>`, `<script>`, `</script></script>` + tracker, 1e5},
		"deep wide scripts": {`<svg><style><p></style>`, `<script >x</script>`, tracker, 1e5},
		"bases":             {`<svg>`, `<base href=/x/>`, `</svg>` + tracker, 1e5},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := streamHuge(t, d, 1), time.Duration(0)
			for range 5 { // other work on the machine can only make it slower
				if second = streamHuge(t, d, 2); second <= 5*first/2+10*time.Millisecond {
					return
				}
				first = max(first, streamHuge(t, d, 1))
			}
			t.Errorf("twice the input takes %v instead of %v", second, first)
		})
	}
}

// streamHuge streams a document and returns the time it took.
func streamHuge(t *testing.T, d repeated, scale int) time.Duration {
	runtime.GC()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	c := new(counter)
	r := NewRewriter(c, options(t))
	start := time.Now()
	d.writeTo(r, scale)
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&during)
	if held := int64(during.HeapAlloc) - int64(before.HeapAlloc); held > int64(defaultLimit+2<<20) {
		t.Errorf("%d bytes held", held)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if c.n == 0 || strings.Contains(string(c.last), ` src="http://tracker.test/end"`) {
		t.Errorf("the end is not judged: %s", c.last)
	}
	return took
}

func TestLimited(t *testing.T) {
	for doc, want := range map[string]error{
		`<img alt="` + strings.Repeat("x", 100) + `">`:   nil,
		`<img alt="` + strings.Repeat("x", 40000) + `">`: ErrLimit,
		`<script>` + strings.Repeat("x", 40000):          ErrLimit,
	} {
		r := NewRewriter(io.Discard, options(t))
		_, _ = r.Write([]byte(doc))
		_ = r.Close()
		if !errors.Is(r.Limited(), want) {
			t.Errorf("%.20s…: %v", doc, r.Limited())
		}
	}
}

// TestFlush: what is decided has been written before the next piece comes.
func TestFlush(t *testing.T) {
	for in, want := range map[string]string{
		"<p>Hello":                        "<p>Hello",
		"<p>Hello <b":                     "<p>Hello ",
		"<p>Hello </":                     "<p>Hello ",
		"a<!-- comment":                   "a<!-- comment",
		"a<script>1":                      "a",
		"<style>p{}":                      "<style>p{}",
		"<svg><style><p></style></svg>ab": "<svg><style><p></style></svg>ab",
	} {
		var c strings.Builder
		r := NewRewriter(&c, options(t))
		_, _ = r.Write([]byte(in))
		if err := r.Flush(); err != nil || c.String() != want {
			t.Errorf("%q: %q, want %q, error %v", in, c.String(), want, err)
		}
	}
}

type failing struct{ after int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	for n := range 4 {
		r := NewRewriter(&failing{n}, options(t))
		var err error
		for range 10 {
			if _, err = r.Write([]byte(`<img src="http://tracker.test/"><style>p{}</style>`)); err != nil {
				break
			}
		}
		if !errors.Is(err, errFull) || !errors.Is(r.Close(), errFull) {
			t.Errorf("after %d: %v", n, err)
		}
	}
}
