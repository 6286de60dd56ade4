package caddymodule

import "github.com/caddy-consent/caddy-consent/rewrite/encoding"

// guardsWorker reports whether the answer is a worker's script (Fetch, 2.2.5: a request whose destination is script-like),
// whose own requests no page sees: the guard goes in front of it.
func (x *exchange) guardsWorker(kind encoding.Kind) bool {
	return kind == encoding.KindOther && x.fetch == fetchWorker && x.site.mode != modeReport
}

// worker puts the guard in front of a worker's script. Its mark is the visitor's state, not a random value: a service
// worker whose script differs by one byte would be installed anew at every visit (Service Workers, "update").
type worker struct {
	stage
	prefix []byte
}

func (x *exchange) workerStage(out stage) stage {
	return &worker{out, x.guard().AppendWorker(nil, x.guardPage(x.state(), ""))}
}

func (w *worker) Write(p []byte) (int, error) {
	if w.prefix != nil && len(p) > 0 {
		if _, err := w.stage.Write(w.prefix); err != nil {
			return 0, err
		}
		w.prefix = nil
	}
	return w.stage.Write(p)
}
