package caddymodule

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

// stage is one step of a body's way: content decoder, transcoder or rewriter.
type stage interface {
	io.Writer
	Flush() error
	Close() error
}

// responseWriter edits the header of every response and streams the body of those that a browser would take for markup
// or style through a rewriter. It forwards what it does not understand.
//
// It may be called from different goroutines, one at a time (reverse_proxy flushes from a timer).
type responseWriter struct {
	*caddyhttp.ResponseWriterWrapper
	wrapper     caddyhttp.ResponseWriterWrapper
	x           *exchange
	status      int
	plan        plan
	committed   bool
	kind        encoding.Kind
	decoder     *encoding.Decoder // content decoding, nil for identity
	gzip        *encoding.Gzip    // compresses again what came compressed, nil where nobody wants it
	held        []byte            // the beginning of the decoded body, until the rewriter is chosen
	contentType string            // as the upstream declared it
	body        stage             // the first stage after decoding, nil until chosen
	rewritten   bool
	out         output
}

func (x *exchange) newResponseWriter(w http.ResponseWriter) *responseWriter {
	rw := &x.writer
	rw.x, rw.wrapper.ResponseWriter, rw.out.w = x, w, rw
	rw.ResponseWriterWrapper = &rw.wrapper
	return rw
}

// WriteHeader edits the header. Interim responses (RFC 9110, 15.2) are edited and passed on and do not count as the answer.
func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.x.editInterim(w.Header())
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	if status == http.StatusSwitchingProtocols {
		w.x.editInterim(w.Header())
	} else {
		w.status = w.x.editHeader(w.Header(), status)
	}
	w.plan = w.choose()
	switch {
	case w.x.instead != nil:
		w.plan = planBlock
		w.replace(w.status, "text/html; charset=utf-8", w.x.instead)
	case w.plan == planBlock:
		w.replace(http.StatusBadGateway, "text/plain; charset=utf-8",
			[]byte("This page could not be checked for trackers and is withheld (on_unrewritable block).\n"))
	case w.plan == planPass || w.bodyless():
		w.commit()
	}
}

// replace answers in place of the upstream.
func (w *responseWriter) replace(status int, contentType string, body []byte) {
	h := w.Header()
	forget(h)
	header.NotStored(h)
	h.Set("Content-Type", contentType)
	w.status = status
	w.commit()
	if w.x.r.Method != http.MethodHead {
		_, _ = w.ResponseWriter.Write(body)
	}
}

// forget removes what was said of a body that will not be sent.
func forget(h http.Header) {
	header.Rewritten(h)
	for _, name := range [...]string{"Content-Type", "Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Expires", "Cache-Control"} {
		delete(h, name)
	}
}

func (w *responseWriter) commit() {
	if !w.committed {
		w.committed = true
		w.ResponseWriter.WriteHeader(w.status)
	}
}

// Write takes a piece of the upstream's body.
func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	var err error
	switch {
	case w.plan == planPass:
		return w.ResponseWriter.Write(p)
	case w.plan == planBlock || w.bodyless():
		return len(p), nil
	case w.decoder != nil:
		_, err = w.decoder.Write(p)
	default:
		err = w.feed(p)
	}
	if err == nil {
		err = w.out.settle()
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// ReadFrom is needed because the wrapper's own would go past Write.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.plan == planPass {
		return w.ResponseWriterWrapper.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{w}, r)
}

// feeder hands decoded bytes to feed.
type feeder struct{ w *responseWriter }

func (f feeder) Write(p []byte) (int, error) { return len(p), f.w.feed(p) }

// feed holds the beginning of the body until its kind and character encoding can be told.
func (w *responseWriter) feed(p []byte) error {
	if w.body != nil {
		_, err := w.body.Write(p)
		return err
	}
	if len(w.held) == 0 && len(p) >= encoding.PrescanLength {
		w.held = p // for as long as it takes to begin
		err := w.begin(false)
		if w.body == nil {
			w.held = bytes.Clone(p)
		}
		return err
	}
	w.held = append(w.held, p...)
	if len(w.held) < encoding.PrescanLength {
		return nil
	}
	return w.begin(false)
}

// begin chooses the rewriter by what was held, and starts it. A body of no declared type is waited for until its beginning
// tells what a browser would make of it.
func (w *responseWriter) begin(end bool) error {
	h := w.Header()
	if w.kind == encoding.KindNeedMore {
		if w.kind = encoding.KindOf(w.contentType, false, w.held, end); w.kind == encoding.KindNeedMore {
			return nil
		}
		if w.x.fetch != fetchFragment { // which keeps the type that its script sees
			defineType(h, w.kind)
		}
	}
	sink := w.sink(h)
	if w.kind == encoding.KindXML && w.x.styleWanted() && !bytes.HasPrefix(bytes.TrimLeft(w.held, "\xef\xbb\xbf\xfe\xff\x00 \t\r\n"), []byte("<")) {
		w.kind = encoding.KindCSS
	}
	w.body = w.x.rewriter(sink, h, w.kind, w.contentType, w.held)
	if w.body != sink {
		w.x.editRewritten(h, w.kind)
		w.rewritten = true
	}
	held := w.held
	w.held = nil
	_, err := w.body.Write(held)
	return err
}

// sink returns where the rewriter writes to.
func (w *responseWriter) sink(h http.Header) stage {
	level := encoding.GzipSmall
	if w.decoder != nil {
		delete(h, "Content-Encoding")
		delete(h, "Content-Length")
		level = encoding.GzipFast // undoing the coding has cost something, too
	}
	if w.insteadOfEncode(h) {
		w.x.gzip = true
	} else if w.decoder == nil {
		return &w.out
	}
	w.x.declareCoding(h)
	if !w.x.gzip {
		return &w.out
	}
	w.gzip = encoding.NewGzip(&w.out, w.x.guard().constant, level)
	return w.gzip
}

// abort frees what an upstream that ended early, or panicked, leaves behind.
func (w *responseWriter) abort() {
	if w.decoder != nil {
		w.decoder.Abort()
	}
	w.out.free()
}

// markBytes is how much tells every byte order mark, and UTF-16 without one, from text (HTML, 13.2.3.2).
const markBytes = 4

// FlushError passes on what the upstream flushes: all that can be decided leaves at once.
func (w *responseWriter) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.plan == planRewrite && !w.bodyless() {
		if w.decoder != nil {
			if err := w.decoder.Flush(); err != nil {
				return err
			}
		}
		if w.body == nil {
			if len(w.held) < markBytes {
				return nil // what has come may be half a byte order mark, or nothing: the header can still change
			}
			if err := w.begin(false); err != nil || w.body == nil {
				return err
			}
		}
		if err := w.body.Flush(); err != nil {
			return err
		}
		if w.gzip != nil {
			if err := w.gzip.Flush(); err != nil {
				return err
			}
		}
		if err := w.out.Flush(); err != nil {
			return err
		}
	}
	//nolint:bodyclose // there is no response here
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// finish ends the body after the upstream ended without an error. An aborted upstream must not look like a clean end, so
// nothing is called then.
func (w *responseWriter) finish() error {
	if w.status == 0 {
		w.x.editHeader(w.Header(), http.StatusOK) // nobody answered: an empty 200 follows
		return nil
	}
	if w.plan != planRewrite || w.bodyless() {
		return nil
	}
	if w.decoder != nil {
		if err := w.decoder.Close(); err != nil {
			return err
		}
	}
	if w.body == nil {
		if err := w.begin(true); err != nil {
			return err
		}
	}
	if err := w.body.Close(); err != nil {
		return err
	}
	if w.gzip != nil {
		w.x.policy.tally.Written = int(w.gzip.Size())
		if err := w.gzip.Close(); err != nil {
			return err
		}
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	w.commit()
	if w.rewritten {
		header.RewrittenTrailers(w.Header())
	}
	w.body = nil
	w.x.done()
	return nil
}

// fail makes the best of an error: an error page where nothing was sent yet, or else an end that does not look like one,
// because what is said of the original's length was removed.
func (w *responseWriter) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case w.committed && w.plan == planRewrite && !w.bodyless():
		panic(http.ErrAbortHandler)
	case w.status != 0 && !w.committed:
		forget(w.Header())
		if he := (caddyhttp.HandlerError{}); !errors.As(err, &he) {
			return caddyhttp.Error(http.StatusBadGateway, err)
		}
	}
	return err
}

var (
	_ http.ResponseWriter = (*responseWriter)(nil)
	_ io.ReaderFrom       = (*responseWriter)(nil)
)
