package caddymodule

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// debugWriter holds an answer back until all of it was judged, so that its header can say what was gated in its body.
type debugWriter struct {
	*caddyhttp.ResponseWriterWrapper
	x      *exchange
	status int // 0 until the header is known
	held   []byte
	sent   bool
}

// maxHeld bounds what is held back; of a longer body the header tells what was gated until there.
const maxHeld = 4 << 20

func newDebugWriter(w http.ResponseWriter, x *exchange) *debugWriter {
	return &debugWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}, x: x}
}

// WriteHeader keeps the status; interim answers and upgrades are passed on.
func (w *debugWriter) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status == http.StatusSwitchingProtocols:
		w.status = status
		_ = w.send()
	case status < 200:
		w.ResponseWriter.WriteHeader(status)
	default:
		w.status = status
	}
}

// Write holds the body back.
func (w *debugWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if !w.sent && len(w.held)+len(p) <= maxHeld {
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if err := w.send(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom is needed because the wrapper's own would go past Write.
func (w *debugWriter) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, r)
}

// FlushError sends what nobody rewrites, such as an event stream; the rest waits.
func (w *debugWriter) FlushError() error {
	if !w.sent && encoding.KindOf(w.Header().Get("Content-Type"), false, nil, false) != encoding.KindOther {
		return nil
	}
	w.WriteHeader(http.StatusOK)
	if err := w.send(); err != nil {
		return err
	}
	//nolint:bodyclose // there is no response here
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// send writes the header, with the reasons there are by now, and what was held.
func (w *debugWriter) send() error {
	if w.sent || w.status == 0 {
		return nil
	}
	w.sent = true
	w.x.explain(w.Header())
	w.ResponseWriter.WriteHeader(w.status)
	held := w.held
	w.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := w.ResponseWriter.Write(held)
	return err
}

var _ io.ReaderFrom = (*debugWriter)(nil)
