package caddymodule

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// noticeTimeout bounds how long an answer waits until the text that was agreed to is kept.
const noticeTimeout = 2 * time.Second

// blobs are what is used of Caddy's storage.
type blobs interface {
	Exists(ctx context.Context, key string) bool
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
}

// noticePath is where the text of a notice lies in Caddy's storage. It holds nothing of visitors and stays as long as the
// storage: a record names it by its hash only (ISO/IEC TS 27560, privacy_notice), which would prove nothing without it.
func noticePath(sum consent.Hash) string {
	return "consent/notices/" + hex.EncodeToString(sum[:]) + ".txt"
}

// notices keeps the texts that visitors were asked with.
type notices struct {
	kept    sync.Map // hashes that are known to be in the storage
	failing atomic.Bool
}

// keep stores a text under its hash, unless it is there.
func (n *notices) keep(ctx context.Context, storage blobs, sum consent.Hash, text func() []byte) error {
	if _, known := n.kept.Load(sum); known {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	path := noticePath(sum)
	if !storage.Exists(ctx, path) {
		if err := storage.Store(ctx, path, text()); err != nil {
			return err
		}
	}
	n.kept.Store(sum, struct{}{})
	return nil
}

// Notice implements recordKeeper. A text that was changed since is refused.
func (k storeKeeper) Notice(ctx context.Context, sum consent.Hash) ([]byte, error) {
	text, err := k.storage.Load(ctx, noticePath(sum))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("notice %x: %w: no visitor of this gateway was asked with it, or its storage is another one: name the configuration with --config", sum, store.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("notice %x: %w", sum, err)
	case !bytes.Equal(hashOf(text), sum[:]):
		return nil, fmt.Errorf("notice %x: %w: the text in %s was changed", sum, store.ErrTampered, noticePath(sum))
	}
	return text, nil
}

func hashOf(text []byte) []byte { sum := sha256.Sum256(text); return sum[:] }

// keepNotice makes sure that the text behind a record can be shown later. An answer counts also where it cannot.
func (a *App) keepNotice(x *exchange, r *consent.Record) {
	err := a.notices.keep(context.WithoutCancel(x.r.Context()), a.ctx.Storage(), r.Notice.SHA256, func() []byte { return x.site.ui.NoticeText(r.Notice.Language) })
	if err == nil {
		a.notices.failing.Store(false)
		return
	}
	metrics.CountError(metrics.ErrorNotice)
	if !a.notices.failing.Swap(true) {
		a.log.Error("the text of a notice could not be kept: records that name it cannot be shown with it; make Caddy's storage writable",
			zap.String("site", r.Site), zap.String("file", noticePath(r.Notice.SHA256)), zap.Error(err))
	}
}

// Notice implements recordKeeper.
func (c adminClient) Notice(_ context.Context, sum consent.Hash) ([]byte, error) {
	r, err := c.do(http.MethodGet, "records/notice", url.Values{"sha256": {hex.EncodeToString(sum[:])}}, nil)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	return text, errors.Join(err, r.Close())
}

func (a *App) adminNotice(w http.ResponseWriter, r *http.Request) (any, error) {
	var sum consent.Hash
	if err := sum.UnmarshalText([]byte(r.URL.Query().Get("sha256"))); err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	text, err := a.keeper().Notice(r.Context(), sum)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = w.Write(text)
	return nil, err
}

// addNotice adds the sub-command that prints a text.
func (f *recordsFlags) addNotice(sub subCommand) {
	sub("notice SHA256", "Show the text that a record's visitor was asked with",
		`Prints the text whose hash stands in a record under privacy_notice. Each text is kept in Caddy's storage, under
consent/notices, so that a record proves what was agreed to also after the text has changed.`, 1,
		func(ctx context.Context, k recordKeeper, out io.Writer, args []string) error {
			var sum consent.Hash
			if err := sum.UnmarshalText([]byte(args[0])); err != nil {
				return fmt.Errorf("%q: %w: it stands in the record under privacy_notice", args[0], err)
			}
			text, err := k.Notice(ctx, sum)
			if err == nil {
				_, err = out.Write(text)
			}
			return err
		})
}
