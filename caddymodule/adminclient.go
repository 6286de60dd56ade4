package caddymodule

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

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// adminClient asks a running instance through its admin API.
type adminClient struct{ address string }

func newAdminClient(address string) adminClient {
	if address == "" {
		address = caddy.DefaultAdminListen
	}
	return adminClient{address}
}

// do sends a request below /consent/. The caller closes the body.
func (c adminClient) do(method, path string, query url.Values, body any) (io.ReadCloser, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	uri := adminBase + path
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
func (c adminClient) explain(err error) error {
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

// get decodes a JSON answer.
func (c adminClient) get(method, path string, query url.Values, body, to any) error {
	r, err := c.do(method, path, query, body)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if err := json.NewDecoder(r).Decode(to); err != nil {
		return fmt.Errorf("the answer of %s cannot be read: %w", c.address, err)
	}
	return nil
}

// Scan implements recordKeeper.
func (c adminClient) Scan(_ context.Context, q recordQuery, fn func(*consent.Record) error) error {
	r, err := c.do(http.MethodGet, "records", q.query(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	lines := json.NewDecoder(r)
	for {
		var line recordLine
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

// Erase implements recordKeeper.
func (c adminClient) Erase(_ context.Context, site string, id consent.ID) (r removal, err error) {
	err = c.get(http.MethodDelete, "records", recordQuery{Site: site, ID: id}.query(), nil, &r)
	return r, err
}

// Sweep implements recordKeeper.
func (c adminClient) Sweep(_ context.Context, anyClock bool) (r removal, err error) {
	err = c.get(http.MethodPost, "records/sweep", url.Values{"any_clock": {strconv.FormatBool(anyClock)}}, nil, &r)
	return r, err
}

// Verify implements recordKeeper.
func (c adminClient) Verify(_ context.Context, anchors []store.Head) (r store.Report, err error) {
	if anchors == nil {
		anchors = []store.Head{}
	}
	err = c.get(http.MethodPost, "records/verify", nil, anchors, &r)
	return r, err
}

// Disclosures implements recordKeeper.
func (c adminClient) Disclosures(_ context.Context, site string) (lines []store.Disclosure, err error) {
	err = c.get(http.MethodGet, "records/disclosures", url.Values{"site": {site}}, nil, &lines)
	return lines, err
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

// Close implements recordKeeper.
func (adminClient) Close() error { return nil }
