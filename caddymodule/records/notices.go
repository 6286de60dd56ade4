package records

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// noticeTimeout bounds how long an answer waits until the text that was agreed to is kept.
const noticeTimeout = 2 * time.Second

// Blobs are what is used of Caddy's storage.
type Blobs interface {
	Exists(ctx context.Context, key string) bool
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
}

// NoticePath is where the text of a notice lies in Caddy's storage. It holds nothing of visitors and stays as long as the
// storage: a record names it by its hash only (ISO/IEC TS 27560, privacy_notice), which would prove nothing without it.
func NoticePath(sum consent.Hash) string {
	return "consent/notices/" + hex.EncodeToString(sum[:]) + ".txt"
}

// Notices keeps the texts that visitors were asked with.
type Notices struct {
	kept sync.Map // hashes that are known to be in the storage
}

// Keep stores a text under its hash, unless it is there.
func (n *Notices) Keep(ctx context.Context, storage Blobs, sum consent.Hash, text func() []byte) error {
	if _, known := n.kept.Load(sum); known {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	path := NoticePath(sum)
	if !storage.Exists(ctx, path) {
		if err := storage.Store(ctx, path, text()); err != nil {
			return err
		}
	}
	n.kept.Store(sum, struct{}{})
	return nil
}

// Notice implements Keeper. A text that was changed since is refused.
func (k Local) Notice(ctx context.Context, sum consent.Hash) ([]byte, error) {
	text, err := k.Texts.Load(ctx, NoticePath(sum))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("notice %x: %w: no visitor of this gateway was asked with it, or its storage is another one: name the configuration with --config", sum, store.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("notice %x: %w", sum, err)
	case !bytes.Equal(hashOf(text), sum[:]):
		return nil, fmt.Errorf("notice %x: %w: the text in %s was changed", sum, store.ErrTampered, NoticePath(sum))
	}
	return text, nil
}

func hashOf(text []byte) []byte { sum := sha256.Sum256(text); return sum[:] }
