package encoding

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Limits bound what one body may unfold to. A zero field stands for its default.
type Limits struct {
	// Ratio is how many bytes may come out for each byte that went in, beyond Free. Default 200: Envoy's cap
	// of 100 cut real traffic (envoyproxy/envoy#29020), and gzip cannot exceed 1032.
	Ratio int64
	// Free is how many bytes may come out before Ratio counts. Default 8 MiB.
	Free int64
	// Bytes is how many bytes may come out at all. Default: no limit, because decoding holds no more than a window.
	Bytes int64
}

// LimitError says that a body unfolded beyond its Limits: a decompression bomb.
type LimitError struct {
	// In and Out count the bytes that went in and came out so far.
	In, Out int64
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("content coding: %d bytes unfold to more than %d", e.In, e.Out)
}

// ErrUnsupported is returned by NewDecoder for a coding that it does not know.
var ErrUnsupported = errors.New("content coding: not supported")

var (
	errClosed  = errors.New("content coding: decoder closed")
	errAborted = errors.New("content coding: aborted")
)

// Decoder undoes the content codings of a body that is pushed into it. Every Write passes on all that can be decoded
// from what came so far, so nothing is held back of a stream that its sender flushes. A body that does not begin like
// the coding it claims is passed on as it is, as browsers do.
//
// The libraries for these codings pull, so each Decoder runs one goroutine from its first byte until Close or Abort, one of which
// must be called. The two never run at the same time: what is decoded is written by the caller of Write and Close.
// A Decoder serves one goroutine at a time.
type Decoder struct {
	w      io.Writer
	worker *worker
	list   []coding
	limits Limits
	err    error
}

// NewDecoder returns a Decoder that writes to w. codings is the Content-Encoding field value, several fields joined by commas.
func NewDecoder(codings string, w io.Writer, limits Limits) (*Decoder, error) {
	list, ok := parseCodings(codings)
	if !ok {
		return nil, ErrUnsupported
	}
	if limits.Ratio <= 0 {
		limits.Ratio = 200
	}
	if limits.Free <= 0 {
		limits.Free = 8 << 20
	}
	return &Decoder{w: w, list: list, limits: limits}, nil
}

// Write decodes p. After an error from the body, the Limits or the writer below, every later call returns that error.
func (d *Decoder) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if len(d.list) == 0 {
		n, err := d.w.Write(p)
		d.err = err
		return n, err
	}
	if d.worker == nil {
		d.worker = startWorker(d.list, d.limits)
	}
	if err := d.step(order{input: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush reports the state of the Decoder; all that could be decoded is written already.
func (d *Decoder) Flush() error { return d.err }

// Close ends the body, writes what is left and frees the Decoder. A body that was cut short is an error
// (io.ErrUnexpectedEOF), an empty one is not.
func (d *Decoder) Close() error {
	if d.err == nil && d.worker != nil {
		d.err = d.step(order{eof: true})
	}
	err := d.err
	d.Abort()
	d.err = errClosed
	if err == errClosed {
		return nil
	}
	return err
}

// Abort frees the Decoder without writing anything. It may be called at any time, also after Close.
func (d *Decoder) Abort() {
	if d.worker != nil {
		d.worker.abort()
		d.worker = nil
	}
	if d.err == nil {
		d.err = errAborted
	}
}

// step gives the worker an order and writes what it decodes until it has nothing left to do.
func (d *Decoder) step(o order) error {
	for d.worker != nil {
		r := d.worker.do(o)
		switch {
		case r.ended:
			d.worker = nil
			d.err = r.err
			return r.err
		case len(r.output) == 0:
			return nil
		}
		if _, err := d.w.Write(r.output); err != nil {
			d.err = err
			d.Abort()
			return err
		}
		o = order{}
	}
	return d.err
}

// order is what a worker is told: here is input, there is no more, stop, or (zero) go on.
type order struct {
	input      []byte
	eof, abort bool
}

// reply is what a worker says: here is output, I am at the end, or (zero) I need input.
type reply struct {
	output []byte
	ended  bool
	err    error
}

// worker is the goroutine in which the pulling decoders run, as a coroutine: it runs only inside do.
// iter.Pull would do this faster, but ends the process when its caller is locked to another OS thread.
type worker struct {
	orders  chan order
	replies chan reply
	limits  Limits

	input []byte
	eof   bool
	in    int64
}

func startWorker(list []coding, limits Limits) *worker {
	w := &worker{orders: make(chan order), replies: make(chan reply), limits: limits}
	go w.run(list)
	return w
}

func (w *worker) do(o order) reply {
	w.orders <- o
	return <-w.replies
}

// abort ends the goroutine and waits until it no longer touches anything of the caller's.
func (w *worker) abort() {
	for !w.do(order{abort: true}).ended {
	}
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (w *worker) run(list []coding) {
	err := w.wait(<-w.orders)
	if err == nil {
		err = w.decode(list)
	}
	w.replies <- reply{ended: true, err: err}
}

// decode returns at the end of the body. A panic of a decoding library is an error of the body.
func (w *worker) decode(list []coding) (err error) {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	var s stack
	defer s.release()
	defer func() {
		if p := recover(); p != nil {
			s.broken = true
			err = fmt.Errorf("content coding: %v", p)
		}
	}()
	r, err := s.open(list, w)
	if err != nil {
		return err
	}
	for idle := 0; idle < 100; idle++ {
		n, err := r.Read(buf[:])
		if n > 0 {
			idle = 0
			w.replies <- reply{output: buf[:n]}
			if err := w.wait(<-w.orders); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return s.drain()
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// wait takes an order in.
func (w *worker) wait(o order) error {
	if o.abort {
		return errAborted
	}
	if o.input != nil {
		w.input = o.input
	}
	w.eof = w.eof || o.eof
	return nil
}

// Read gives the undermost decoder its input and suspends the worker when there is none.
func (w *worker) Read(p []byte) (int, error) {
	for len(w.input) == 0 {
		if w.eof {
			return 0, io.EOF
		}
		w.replies <- reply{}
		if err := w.wait(<-w.orders); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.input)
	w.input = w.input[n:]
	w.in += int64(n)
	return n, nil
}

// meter counts what one coding unfolds to.
type meter struct {
	r   io.Reader
	w   *worker
	out int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.out += int64(n)
	l := &m.w.limits
	if m.out-l.Free > m.w.in*l.Ratio || l.Bytes > 0 && m.out > l.Bytes {
		return 0, &LimitError{In: m.w.in, Out: m.out}
	}
	return n, err
}
