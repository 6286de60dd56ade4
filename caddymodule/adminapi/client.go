package adminapi

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Client asks a running instance through its admin API.
type Client struct{ address string }

// NewClient returns a client for the admin API at an address, "" for Caddy's default.
func NewClient(address string) Client {
	if address == "" {
		address = caddy.DefaultAdminListen
	}
	return Client{address}
}

// send sends a request below /consent/. The caller closes the body.
func (c Client) send(method, path string, query url.Values, body any) (io.ReadCloser, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	uri := Base + path
	if len(query) > 0 {
		uri += "?" + query.Encode()
	}
	res, err := caddycmd.AdminAPIRequest(c.address, method, uri, http.Header{}, content)
	if err != nil {
		return nil, c.explain(err)
	}
	return res.Body, nil
}

// explain says what to do about what Caddy's client returns.
func (c Client) explain(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), "connection refused") {
		return fmt.Errorf("no Caddy answers at %s: start it with the admin API on, or name its address with --address (the records can be read without it: --store FILE or --config FILE)", c.address)
	}
	// The API answers errors as {"error":"…"}.
	text := err.Error()
	if i := strings.IndexByte(text, '{'); i >= 0 {
		var answer struct {
			Error string `json:"error"`
		}
		if json.Unmarshal([]byte(text[i:]), &answer) == nil && answer.Error != "" {
			return errors.New(answer.Error)
		}
	}
	if strings.Contains(text, "HTTP 404") {
		return fmt.Errorf("the Caddy at %s has no consent gateway", c.address)
	}
	return err
}

// Call sends a request below /consent/ and decodes the JSON answer into to.
func (c Client) Call(method, path string, query url.Values, body, to any) error {
	r, err := c.send(method, path, query, body)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if err := json.NewDecoder(r).Decode(to); err != nil {
		return fmt.Errorf("the answer of %s cannot be read: %w", c.address, err)
	}
	return nil
}

// Scan implements records.Keeper.
func (c Client) Scan(_ context.Context, q records.Query, fn func(*consent.Record) error) error {
	r, err := c.send(http.MethodGet, "records", q.Values(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	lines := json.NewDecoder(r)
	for {
		var line RecordLine
		switch err := lines.Decode(&line); {
		case err != nil:
			return fmt.Errorf("the records did not come completely: %w", err)
		case line.Error != "":
			return errors.New(line.Error)
		case line.End:
			return nil
		case line.Record == nil:
			continue
		}
		if err := fn(line.Record); err != nil {
			return err
		}
	}
}

// Erase implements records.Keeper.
func (c Client) Erase(_ context.Context, site string, id consent.ID) (r records.Removal, err error) {
	err = c.Call(http.MethodDelete, "records", records.Query{Site: site, ID: id}.Values(), nil, &r)
	return r, err
}

// Sweep implements records.Keeper.
func (c Client) Sweep(_ context.Context, anyClock bool) (r records.Removal, err error) {
	err = c.Call(http.MethodPost, "records/sweep", url.Values{"any_clock": {strconv.FormatBool(anyClock)}}, nil, &r)
	return r, err
}

// Verify implements records.Keeper.
func (c Client) Verify(_ context.Context, anchors []store.Head) (r store.Report, err error) {
	if anchors == nil {
		anchors = []store.Head{}
	}
	err = c.Call(http.MethodPost, "records/verify", nil, anchors, &r)
	return r, err
}

// Disclosures implements records.Keeper.
func (c Client) Disclosures(_ context.Context, site string) (lines []store.Disclosure, err error) {
	err = c.Call(http.MethodGet, "records/disclosures", url.Values{"site": {site}}, nil, &lines)
	return lines, err
}

// Notice implements records.Keeper.
func (c Client) Notice(_ context.Context, sum consent.Hash) ([]byte, error) {
	r, err := c.send(http.MethodGet, "records/notice", url.Values{"sha256": {hex.EncodeToString(sum[:])}}, nil)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	return text, errors.Join(err, r.Close())
}

// Close implements records.Keeper.
func (Client) Close() error { return nil }
