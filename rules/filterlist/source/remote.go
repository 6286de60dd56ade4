package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// remote is a list at a URL, with the last good copy of it.
type remote struct {
	url     *url.URL
	options Options
	client  *http.Client

	mu   sync.Mutex
	copy *held
	next time.Time    // when the URL may be asked again
	tell bool         // the copy is newer than what open returned
	kept bool         // the copy is on disk
	at   atomic.Int64 // when the copy was checked, to be read while it is being fetched
}

// held is a copy and what is known of it. On disk the text has a file of its own.
type held struct {
	URL          string
	ETag         string    `json:",omitempty"`
	LastModified string    `json:",omitempty"`
	Checked      time.Time // when the publisher last said that this is its list
	SHA256       string    // of the text, so that the two files are known to belong together
	text         []byte
}

const (
	retry        = 10 * time.Minute // after a failure
	maxRedirects = 5
)

func newRemote(u *url.URL, o Options) *remote {
	client := *o.Client
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		if r.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
			return errors.New("a redirect from https to " + r.URL.Scheme)
		}
		return nil
	}
	return &remote{url: u, options: o, client: &client}
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (r *remote) open(ctx context.Context) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.copy == nil {
		r.readCopy()
	}
	if r.copy == nil {
		if err := r.fetch(ctx); err != nil {
			return nil, err
		}
	}
	r.tell = false
	return r.copy.text, nil
}

func (r *remote) changed(ctx context.Context) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tell {
		return true, nil
	}
	if r.copy == nil {
		r.readCopy()
	}
	if r.options.Now().Before(r.next) {
		return false, nil
	}
	before := ""
	if r.copy != nil {
		before = r.copy.SHA256
	}
	err := r.fetch(ctx)
	r.tell = r.copy != nil && r.copy.SHA256 != before
	return r.tell, errors.Join(err, r.writeCopy())
}

func (r *remote) keep() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writeCopy()
}

func (r *remote) checked() time.Time {
	if at := r.at.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// sibling returns an included list: of the same origin, which the path being relative and without ".." ensures.
func (r *remote) sibling(path string) (origin, error) {
	return newRemote(r.url.JoinPath("..", path), r.options), nil
}

// fetch asks the URL, with the copy's validators if there is one (RFC 9110, 13.1), and makes what it sends the copy.
func (r *remote) fetch(ctx context.Context) error {
	now := r.options.Now()
	r.next = now.Add(min(retry, r.options.Refresh))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "caddy-consent")
	if r.copy != nil && r.copy.ETag != "" {
		req.Header.Set("If-None-Match", r.copy.ETag)
	} else if r.copy != nil && r.copy.LastModified != "" {
		req.Header.Set("If-Modified-Since", r.copy.LastModified)
	}
	res, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	fresh := &held{URL: r.url.String(), ETag: res.Header.Get("ETag"), LastModified: res.Header.Get("Last-Modified"), Checked: now}
	switch {
	case res.StatusCode == http.StatusNotModified && r.copy != nil:
		fresh = r.copy
		fresh.Checked = now
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answered %s", r.url, res.Status)
	default:
		if fresh.text, err = readAll(res.Body); err != nil {
			return fmt.Errorf("%s: %w", r.url, err)
		}
		if _, _, err := filterlist.Parse(r.url.String(), bytes.NewReader(fresh.text), filterlist.Limits{}); err != nil {
			return err
		}
		fresh.SHA256 = sum(fresh.text)
	}
	r.copy, r.kept, r.next = fresh, false, now.Add(r.options.Refresh)
	r.at.Store(now.UnixNano())
	return nil
}

func sum(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

// paths returns where the copy's text and what is known of it stand.
func (r *remote) paths() (text, info string) {
	base := filepath.Join(r.options.Dir, sum([]byte(r.url.String()))[:24])
	return base + ".txt", base + ".json"
}

// readCopy takes the copy from disk. One that is not whole counts as none.
func (r *remote) readCopy() {
	if r.options.Dir == "" {
		return
	}
	textPath, infoPath := r.paths()
	info, err := os.ReadFile(infoPath)
	if err != nil {
		return
	}
	var h held
	if json.Unmarshal(info, &h) != nil || h.URL != r.url.String() {
		return
	}
	f, err := os.Open(textPath)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	if h.text, err = readAll(f); err != nil || sum(h.text) != h.SHA256 {
		return
	}
	r.copy, r.kept, r.next = &h, true, h.Checked.Add(r.options.Refresh)
	r.at.Store(h.Checked.UnixNano())
	if h.Checked.After(r.options.Now()) { // a clock that was wrong then
		r.next = time.Time{}
	}
}

// writeCopy puts a copy that is newer than the one on disk there: the text first, then what is known of it, each in one step.
func (r *remote) writeCopy() error {
	if r.options.Dir == "" || r.copy == nil || r.kept {
		return nil
	}
	textPath, infoPath := r.paths()
	info, err := json.Marshal(r.copy)
	if err != nil {
		return err
	}
	err = writeFile(textPath, r.copy.text)
	if err == nil {
		err = writeFile(infoPath, info)
	}
	r.kept = err == nil
	return err
}

// writeFile replaces a file in one step, so that a crash leaves the old one or the new one.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
