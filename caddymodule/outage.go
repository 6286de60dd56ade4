package caddymodule

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
)

// outage makes the log tell of something that does not work once a minute, however many visitors meet it. That it works
// again is told by nothing: what is cached and what is spooled succeeds all the while.
type outage struct {
	what   string // does not work, what that means for visitors, and what to do
	where  string // the store's address
	told   atomic.Pointer[time.Time]
	failed atomic.Int64 // since it was told
}

// toldEvery is how often an outage is logged.
const toldEvery = time.Minute

// note takes a failure. That whoever asked broke off is none.
func (o *outage) note(ctx context.Context, log *zap.Logger, site string, err error) {
	if ctx.Err() != nil {
		return
	}
	n := o.failed.Add(1)
	now, told := time.Now(), o.told.Load()
	if (told == nil || now.Sub(*told) >= toldEvery) && o.told.CompareAndSwap(told, &now) {
		o.failed.Add(-n)
		log.Error(o.what, anonymize.Own("store", o.where), zap.String("site", site), zap.Int64("failures", n), zap.Error(err))
	}
}

// noteUnreadable counts and logs that the records could not be read for this request.
func (x *exchange) noteUnreadable(err error) {
	metrics.CountError(metrics.ErrorStore)
	x.site.app.recordsOut.note(x.r.Context(), x.site.app.log, x.siteName, err)
}
