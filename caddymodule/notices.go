package caddymodule

import (
	"context"

	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
)

// keepNotice makes sure that the text behind a record can be shown later. An answer counts also where it cannot.
func (a *App) keepNotice(x *exchange, r *consent.Record) {
	err := a.notices.Keep(context.WithoutCancel(x.r.Context()), a.ctx.Storage(), r.Notice.SHA256, func() []byte { return x.site.ui.NoticeText(r.Notice.Language) })
	if err == nil {
		a.noticesFailing.Store(false)
		return
	}
	metrics.CountError(metrics.ErrorNotice)
	if !a.noticesFailing.Swap(true) {
		a.log.Error("the text of a notice could not be kept: records that name it cannot be shown with it; make Caddy's storage writable",
			zap.String("site", r.Site), zap.String("file", records.NoticePath(r.Notice.SHA256)), zap.Error(err))
	}
}
