package caddymodule

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// observer lets a response pass as it is and shows a copy of it to a writer whose output nobody receives: what would be
// gated is counted, and not a byte or field is changed.
type observer struct {
	*caddyhttp.ResponseWriterWrapper
	shadow *responseWriter
	header http.Header // the shadow's
	broken bool        // the shadow could not follow
}

func newObserver(w http.ResponseWriter, x *exchange) *observer {
	o := &observer{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
	o.shadow = x.newResponseWriter(discarded{&o.header})
	return o
}

// WriteHeader shows the header of the final response.
func (o *observer) WriteHeader(status int) {
	if o.shadow.status == 0 && status >= 200 {
		o.header = o.Header().Clone()
		o.shadow.WriteHeader(status)
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write shows a piece of the body and passes it on.
func (o *observer) Write(p []byte) (int, error) {
	if o.shadow.status == 0 {
		o.WriteHeader(http.StatusOK)
	}
	if !o.broken {
		_, err := o.shadow.Write(p)
		o.broken = err != nil
	}
	return o.ResponseWriter.Write(p)
}

// ReadFrom keeps the fast way for bodies that are not looked at.
func (o *observer) ReadFrom(r io.Reader) (int64, error) {
	if o.shadow.status == 0 {
		o.WriteHeader(http.StatusOK)
	}
	if o.shadow.plan == planPass {
		return o.ResponseWriterWrapper.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{o}, r)
}

// FlushError passes a flush on.
func (o *observer) FlushError() error {
	return http.NewResponseController(o.ResponseWriter).Flush()
}

// finish lets the shadow count what the end of the body holds.
func (o *observer) finish(err error) {
	if err == nil && !o.broken && o.shadow.status != 0 {
		_ = o.shadow.finish()
	}
}

// discarded is a response that nobody reads: it is written to be looked at on its way.
type discarded struct{ header *http.Header }

func (d discarded) Header() http.Header       { return *d.header }
func (discarded) WriteHeader(int)             {}
func (discarded) Write(p []byte) (int, error) { return len(p), nil }

var _ io.ReaderFrom = (*observer)(nil)
