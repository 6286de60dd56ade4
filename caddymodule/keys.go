package caddymodule

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// keyPath is where the generated key lies in Caddy's storage. All instances that share the storage share the key.
const keyPath = "consent/key"

// provisionKeys makes the ring from the configured keys, or from the one in Caddy's storage. Where that is not there yet, it
// leaves it to open to make one.
func (a *App) provisionKeys() error {
	if len(a.Keys) > 0 {
		return a.useKeys(a.Keys...)
	}
	ctx, cancel := context.WithTimeout(a.ctx, keyTimeout)
	defer cancel()
	text, err := a.ctx.Storage().Load(ctx, keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return a.useStoredKey(string(text), err)
}

// keyTimeout bounds how long Caddy's storage is waited for.
const keyTimeout = 10 * time.Second

// makeKey generates the key, unless there is one, under a lock that other instances respect.
func (a *App) makeKey() error {
	if a.keys != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, keyTimeout)
	defer cancel()
	s := a.ctx.Storage()
	if err := s.Lock(ctx, keyPath); err != nil {
		return a.useStoredKey("", err)
	}
	defer func() { _ = s.Unlock(context.WithoutCancel(ctx), keyPath) }()
	text, err := s.Load(ctx, keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(consent.GenerateKey().Secret() + "\n")
		err = s.Store(ctx, keyPath, text)
	}
	return a.useStoredKey(string(text), err)
}

// useStoredKey makes the ring of what the storage held, or failed with.
func (a *App) useStoredKey(text string, err error) error {
	if err != nil {
		return fmt.Errorf("consent key: %w (give one with: key BASE64)", err)
	}
	return a.useKeys(strings.TrimSpace(text))
}

// useKeys makes the ring, and what signs the records.
func (a *App) useKeys(texts ...string) error {
	var keys []consent.Key
	var errs []error
	for i, text := range texts {
		var k consent.Key
		secret, err := replaced(text)
		if err == nil {
			k, err = consent.ParseKey(secret)
			if err != nil && strings.HasPrefix(text, "{") {
				err = fmt.Errorf("%s: %w", text, err) // a placeholder, no secret
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("consent key %d: %w", i+1, err))
		}
		keys = append(keys, k)
	}
	if len(errs) > 0 {
		return problem.At(a.Places, keyPlace, errors.Join(errs...))
	}
	var err, signerErr error
	a.keys, err = consent.NewKeyring(keys[0], keys[1:]...)
	a.signer, signerErr = signerOf(keys)
	return problem.At(a.Places, keyPlace, errors.Join(err, signerErr))
}

// signerOf returns what signs the heads of the records' chain, with keys derived from those that sign answers: whoever can
// write to the store alone cannot make a chain that verifies.
func signerOf(keys []consent.Key) (*store.Signer, error) {
	var private []ed25519.PrivateKey
	for _, k := range keys {
		seed, err := hkdf.Key(sha256.New, []byte(k.Secret()), nil, "consent chain heads", ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		private = append(private, ed25519.NewKeyFromSeed(seed))
	}
	var older []ed25519.PublicKey
	for _, k := range private[1:] {
		older = append(older, k.Public().(ed25519.PublicKey))
	}
	return store.NewSigner(private[0], older...)
}
