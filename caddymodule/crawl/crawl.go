// Package crawl fetches the pages and style sheets of a site, one after the other, and has each judged.
//
// It stays on the site, obeys robots.txt (RFC 9309), sends no cookie, runs no script, and is bounded in pages, bytes and time.
package crawl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Bounds of a crawl.
const (
	maxPageBytes   = 8 << 20
	maxRobotsBytes = 500 << 10 // RFC 9309, 2.5
	maxQueue       = 5000
	pageTimeout    = 20 * time.Second
	stylesPerPage  = 4
)

// Judge looks at a response that was asked for as dest (Fetch, 2.2.5), and at its body.
type Judge func(res *http.Response, dest string, body []byte) error

// Crawl fetches pages of sites, one after the other, and has them judged.
type Crawl struct {
	judge    Judge
	pages    int
	client   *http.Client
	problems []string
	behind   bool // a gateway, which is among the problems

	host    string // of the site that is crawled now, without www
	robots  robots
	queue   []target
	queued  map[string]bool
	fetched int
	styles  int
}

// target is one thing to fetch.
type target struct {
	url   *url.URL
	style bool
}

// errOffSite ends a fetch that was led to another site.
var errOffSite = errors.New("leads to another site")

// New returns a crawl of so many pages.
func New(pages int, j Judge) *Crawl {
	return &Crawl{judge: j, pages: pages, client: &http.Client{Timeout: pageTimeout}}
}

// Problems returns what went wrong, a line each.
func (c *Crawl) Problems() []string { return c.problems }

// Site crawls the site that a URL belongs to. Only a start that cannot be fetched is an error; what else goes wrong is
// listed in Problems.
func (c *Crawl) Site(ctx context.Context, start string) error {
	if !strings.Contains(start, "://") {
		start = "https://" + start
	}
	u, err := url.Parse(start)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no address of a site: use https://host/ (see --help)", start)
	}
	c.host, c.queue, c.queued, c.fetched, c.styles = "", nil, map[string]bool{}, 0, 0
	if u, err = c.settle(ctx, u); err != nil {
		return fmt.Errorf("%s: %w", start, err)
	}
	c.host = bareHost(u)
	c.robots = c.readRobots(ctx, u)
	if !c.robots.allows(u.RequestURI()) {
		return fmt.Errorf("%s: robots.txt forbids it", u)
	}
	c.enqueue(target{url: u})
	for first := true; len(c.queue) > 0; first = false {
		t := c.queue[0]
		c.queue = c.queue[1:]
		if err := c.fetch(ctx, t); err != nil {
			if first {
				return fmt.Errorf("%s: %w", t.url, err)
			}
			if ctx.Err() != nil {
				c.problems = append(c.problems, fmt.Sprintf("the time is over after %d pages (--timeout)", c.fetched))
				return nil //nolint:nilerr // it stands among the problems
			}
			if !errors.Is(err, errOffSite) {
				c.problems = append(c.problems, fmt.Sprintf("%s: %v", t.url, err))
			}
		}
	}
	return nil
}

// settle follows the start's redirects: example.com may be at www.example.com.
func (c *Crawl) settle(ctx context.Context, u *url.URL) (*url.URL, error) {
	res, err := c.get(ctx, u, "document")
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	return res.Request.URL, nil
}

// get sends a request that looks like a navigation, without cookies, so that each page is judged as a first visit.
func (c *Crawl) get(ctx context.Context, u *url.URL, dest string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (compatible; "+userAgent+")")
	r.Header.Set("Accept", "text/html,text/css;q=0.9,*/*;q=0.5")
	r.Header.Set("Sec-Fetch-Dest", dest)
	return c.client.Do(r)
}

func (c *Crawl) readRobots(ctx context.Context, u *url.URL) robots {
	res, err := c.get(ctx, u.ResolveReference(&url.URL{Path: "/robots.txt"}), "empty")
	if err != nil {
		return robots{}
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return robots{}
	}
	return parseRobots(io.LimitReader(res.Body, maxRobotsBytes))
}

// bareHost is the host, with its port, without www.
func bareHost(u *url.URL) string { return strings.TrimPrefix(strings.ToLower(u.Host), "www.") }

// enqueue takes a page or style sheet of the site that was not met before and that robots.txt allows.
func (c *Crawl) enqueue(t target) {
	t.url.Fragment = ""
	key := t.url.String()
	if bareHost(t.url) != c.host || c.queued[key] || len(c.queued) >= maxQueue || !c.robots.allows(t.url.RequestURI()) {
		return
	}
	c.queued[key] = true
	c.queue = append(c.queue, t)
}

// fetch gets one thing and judges it.
func (c *Crawl) fetch(ctx context.Context, t target) error {
	dest := "document"
	switch {
	case t.style && c.styles >= stylesPerPage*c.pages, !t.style && c.fetched >= c.pages:
		return nil
	case t.style:
		dest = "style"
		c.styles++
	default:
		c.fetched++
	}
	res, err := c.get(ctx, t.url, dest)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if bareHost(res.Request.URL) != c.host {
		return errOffSite
	}
	if res.StatusCode >= http.StatusBadRequest {
		return errors.New(res.Status)
	}
	if ct := res.Header.Get("Content-Type"); !strings.Contains(ct, "html") && !strings.Contains(ct, "css") {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPageBytes+1))
	if err != nil {
		return err
	}
	if len(body) > maxPageBytes {
		body = body[:maxPageBytes]
		c.problems = append(c.problems, fmt.Sprintf("%s: only its first %d MiB are looked at", res.Request.URL, maxPageBytes>>20))
	}
	if !c.behind && bytes.Contains(body, []byte("<script data-consent-guard=")) {
		c.behind = true
		c.problems = append(c.problems, fmt.Sprintf("%s: a gateway stands before this site, and takes out what is looked for: scan the site behind it", res.Request.URL))
	}
	if !t.style {
		c.follow(res.Request.URL, body)
	}
	return c.judge(res, dest, body)
}

// follow enqueues what a page links to.
func (c *Crawl) follow(base *url.URL, body []byte) {
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
		default:
			continue
		}
		tag := z.Token()
		ref, rel := "", ""
		for _, a := range tag.Attr {
			switch a.Key {
			case "href", "src":
				ref = strings.TrimSpace(a.Val)
			case "rel":
				rel = strings.ToLower(a.Val)
			}
		}
		u, err := base.Parse(ref)
		if ref == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" {
			continue
		}
		switch {
		case tag.Data == "base":
			base = u
		case tag.Data == "a" && !strings.Contains(rel, "nofollow"), tag.Data == "area", tag.Data == "frame", tag.Data == "iframe":
			c.enqueue(target{url: u})
		case tag.Data == "link" && strings.Contains(rel, "stylesheet"):
			c.enqueue(target{url: u, style: true})
		}
	}
}
