package caddymodule

import "sync"

// outputBuffer is what is gathered before it is sent: a write to the connection costs more than a copy.
type outputBuffer [40 << 10]byte

var outputs = sync.Pool{New: func() any { return new(outputBuffer) }}

// leastOutput is how much is sent before the upstream flushes or ends: encode looks at the first write alone to decide
// whether compressing pays.
const leastOutput = 4 << 10

// output gathers the pieces that come out of a rewriter.
type output struct {
	w   *responseWriter
	buf *outputBuffer // of the pool
	n   int           // how much of buf is taken
}

func (o *output) Write(p []byte) (int, error) {
	o.w.x.policy.tally.Written += len(p)
	n := len(p)
	if o.n > 0 { // filled up first: a small first write would keep encode from compressing
		fit := copy(o.buf[o.n:], p)
		o.n += fit
		p = p[fit:]
		if o.n == len(o.buf) {
			if err := o.Flush(); err != nil {
				return 0, err
			}
		}
	}
	if len(p) >= len(o.buf) {
		o.w.commit()
		_, err := o.w.ResponseWriter.Write(p)
		return n, err
	}
	if len(p) > 0 {
		if o.buf == nil {
			o.buf = outputs.Get().(*outputBuffer)
		}
		o.n += copy(o.buf[o.n:], p)
	}
	return n, nil
}

// settle sends what one piece of the upstream's body came to, if it is worth a write.
func (o *output) settle() error {
	if o.n < leastOutput {
		return nil
	}
	return o.Flush()
}

// Flush sends what was gathered.
func (o *output) Flush() error {
	if o.n == 0 {
		return nil
	}
	o.w.commit()
	_, err := o.w.ResponseWriter.Write(o.buf[:o.n])
	o.free() // a stream that waits for its upstream holds none
	return err
}

// Close does nothing: an output that stands in for a rewriter has nothing to add.
func (*output) Close() error { return nil }

// free gives the buffer back.
func (o *output) free() {
	if o.buf != nil {
		outputs.Put(o.buf)
		o.buf, o.n = nil, 0
	}
}

var _ stage = (*output)(nil)
