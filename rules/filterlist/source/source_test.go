package source_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
	"github.com/caddy-consent/caddy-consent/rules/filterlist/source"
)

// publisher serves lists as a publisher does, over TLS.
type publisher struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string]string
	status   int
	requests []string // path, status
	etag     bool
}

func newPublisher(t *testing.T, files map[string]string) *publisher {
	p := &publisher{files: files, etag: true}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := p.status
	body, ok := p.files[r.URL.Path]
	tag := fmt.Sprintf("%q", fmt.Sprint(crc32.ChecksumIEEE([]byte(body))))
	switch {
	case status != 0:
	case strings.HasPrefix(r.URL.Path, "/down"):
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		return
	case !ok:
		status = http.StatusNotFound
	case p.etag && r.Header.Get("If-None-Match") == tag:
		status = http.StatusNotModified
	default:
		status = http.StatusOK
	}
	p.requests = append(p.requests, fmt.Sprint(r.URL.Path, " ", status))
	if p.etag {
		w.Header().Set("ETag", tag)
	}
	w.WriteHeader(status)
	if status == http.StatusOK {
		_, _ = w.Write([]byte(body))
	}
}

// set changes a file and the status of the answers (0 for the right one).
func (p *publisher) set(path, body string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[path], p.status = body, status
}

// took returns the requests since the last call.
func (p *publisher) took() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := strings.Join(p.requests, ", ")
	p.requests = nil
	return s
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func load(t *testing.T, s *source.Source, rules int) {
	t.Helper()
	l, _, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if l.Len() != rules {
		t.Errorf("%d rules, want %d", l.Len(), rules)
	}
}

func changed(t *testing.T, s *source.Source, want bool, wantErr string) {
	t.Helper()
	got, err := s.Changed(context.Background())
	if got != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
		t.Errorf("changed: %v %v, want %v %q", got, err, want, wantErr)
	}
}

func TestRemote(t *testing.T) {
	p := newPublisher(t, map[string]string{"/list.txt": "||a.com^\n"})
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	o := source.Options{Dir: t.TempDir(), Client: p.Client(), Refresh: 24 * time.Hour, Now: c.Now}
	s, err := source.New(p.URL+"/list.txt", o)
	if err != nil {
		t.Fatal(err)
	}
	step := func(requests string) {
		t.Helper()
		if got := p.took(); got != requests {
			t.Errorf("requests %q, want %q", got, requests)
		}
	}
	load(t, s, 1)
	step("/list.txt 200")
	load(t, s, 1)
	changed(t, s, false, "")
	step("") // not due

	c.now = c.now.Add(25 * time.Hour)
	changed(t, s, false, "")
	step("/list.txt 304")

	p.set("/list.txt", "||a.com^\n||b.com^\n", 0)
	c.now = c.now.Add(25 * time.Hour)
	changed(t, s, true, "")
	step("/list.txt 200")
	changed(t, s, true, "") // until it is loaded
	load(t, s, 2)
	changed(t, s, false, "")
	step("")

	for _, bad := range []struct {
		body   string
		status int
		want   string
	}{
		{"<!doctype html>", 0, "not a filter list"},
		{"", 500, "answered 500"},
		{strings.Repeat("no list at all\n", 99), 0, "not a filter list"},
		{strings.Repeat("||large.example^\n", 3<<20), 0, "larger than"},
	} {
		p.set("/list.txt", bad.body, bad.status)
		c.now = c.now.Add(25 * time.Hour)
		changed(t, s, false, bad.want)
		changed(t, s, false, "") // the next try waits
		load(t, s, 2)            // the last good copy stays
		p.took()
	}

	again, err := source.New(p.URL+"/list.txt", o) // after a restart, without network
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	load(t, again, 2)
	changed(t, again, false, "refused")
	load(t, again, 2)
}

func TestRemoteDamagedCopy(t *testing.T) {
	p := newPublisher(t, map[string]string{"/list.txt": "||a.com^\n"})
	o := source.Options{Dir: t.TempDir(), Client: p.Client()}
	for i := range 3 {
		s, err := source.New(p.URL+"/list.txt", o)
		if err != nil {
			t.Fatal(err)
		}
		load(t, s, 1)
		if got := p.took(); got != "/list.txt 200" {
			t.Errorf("round %d: %s", i, got)
		}
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(o.Dir, []string{"*.txt", "*.json", "*"}[i]))
		for _, f := range files {
			if err := os.WriteFile(f, []byte("||evil.com^\n||cut"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestRemoteInclude(t *testing.T) {
	p := newPublisher(t, map[string]string{"/l/list.txt": "||a.com^\n!#include sub/more.txt\n!#include gone.txt\n", "/l/sub/more.txt": "||b.com^\n"})
	c := &clock{time.Now()}
	s, err := source.New(p.URL+"/l/list.txt", source.Options{Dir: t.TempDir(), Client: p.Client(), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, 2)
	if got := p.took(); got != "/l/list.txt 200, /l/sub/more.txt 200, /l/gone.txt 404" {
		t.Error(got)
	}
	p.set("/l/sub/more.txt", "||b.com^\n||c.com^\n", 0)
	c.now = c.now.Add(25 * time.Hour)
	changed(t, s, true, "")
	load(t, s, 3)
}

// TestKeep: nothing is written until it is to be kept; then it is, with all that is included.
func TestKeep(t *testing.T) {
	p := newPublisher(t, map[string]string{"/l/list.txt": "||a.com^\n!#include more.txt\n", "/l/more.txt": "||b.com^\n", "/one.txt": "||c.com^\n"})
	o := source.Options{Dir: filepath.Join(t.TempDir(), "lists"), Client: p.Client()}
	for _, path := range []string{"/l/list.txt", "/one.txt"} {
		s, err := source.New(p.URL+path, o)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := filepath.Glob(filepath.Join(o.Dir, "*"))
		if _, err := source.Compile(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		if after, _ := filepath.Glob(filepath.Join(o.Dir, "*")); len(after) != len(before) {
			t.Errorf("%s: loading it wrote %q", path, after)
		}
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		again, err := source.New(p.URL+path, o)
		if err != nil {
			t.Fatal(err)
		}
		p.took()
		if _, err = source.Compile(context.Background(), again); err != nil || p.took() != "" {
			t.Errorf("%s: what was kept is not found: %v", path, err)
		}
	}
}

func TestRemoteRefuses(t *testing.T) {
	p := newPublisher(t, map[string]string{})
	s, err := source.New(p.URL+"/down", source.Options{Client: p.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Load(context.Background()); err == nil || !strings.Contains(err.Error(), "a redirect from https to http") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, _ = source.New(p.URL+"/list.txt", source.Options{Client: p.Client()})
	if _, _, err := s.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for name, want := range map[string]string{
		"http://lists.example/x.txt": `list "http://lists.example/x.txt": use https, so that nobody can change the list on its way`,
		"http://127.0.0.1/x.txt":     "",
		"https://lists.example/":     "",
		"https:///x":                 `list "https:///x": use https`,
		"ftp://lists.example/x.txt":  `list "ftp://lists.example/x.txt": use a path, an https URL or one of adguard-tracking, easylist, easyprivacy, fanboy-social`,
		"":                           `list "": use a path`,
		"easyprivacy":                "",
		"lists/mine.txt":             "",
	} {
		s, err := source.New(name, source.Options{})
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
		if err == nil && s.Name() != name {
			t.Errorf("%q is named %q", name, s.Name())
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	write("list.txt", "||a.com^\n!#include more.txt\n!#include link.txt\n", time.Hour)
	write("more.txt", "||b.com^\n", time.Hour)
	if err := os.Symlink("/etc/hosts", filepath.Join(dir, "link.txt")); err != nil {
		t.Skip(err)
	}
	s, err := source.New(filepath.Join(dir, "list.txt"), source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, rep, err := s.Load(context.Background())
	if err != nil || rep.Rules != 2 || rep.Dropped != 1 || rep.Drops[0].Line != 3 {
		t.Error(rep, err)
	}
	changed(t, s, false, "")
	write("more.txt", "||b.com^\n", time.Minute)
	changed(t, s, false, "")
	changed(t, s, true, "")
	load(t, s, 2)
	changed(t, s, false, "")
	write("list.txt", "", time.Minute) // somebody begins to write
	changed(t, s, false, "")
	write("list.txt", "||a.com^\n", time.Hour) // of the first one's age, but shorter
	changed(t, s, false, "")
	changed(t, s, true, "")
	load(t, s, 1)
	if err := os.Remove(filepath.Join(dir, "list.txt")); err != nil {
		t.Fatal(err)
	}
	changed(t, s, false, "no such file")

	for name, want := range map[string]string{
		dir:         "not a regular file",
		"easyprivy": "nor is it one of the names adguard-tracking, easylist",
		"/dev/zero": "not a regular file",
	} {
		s, err := source.New(name, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Load(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestCompile(t *testing.T) {
	lists := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(lists, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.txt", "||a.com^\n||x^$app=y\n")
	write("b.txt", "||b.com^\n")
	var sources []*source.Source
	for _, name := range []string{"a.txt", "b.txt"} {
		s, err := source.New(filepath.Join(lists, name), source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
	for _, rules := range []int{2, 3} {
		c, err := source.Compile(context.Background(), sources...)
		if err != nil {
			t.Fatal(err)
		}
		if c.Len() != rules || len(c.Reports) != 2 || c.Reports[0].Dropped != 1 || c.Reports[1].Rules != rules-1 {
			t.Errorf("%d rules, reports %+v", c.Len(), c.Reports)
		}
		write("b.txt", "||b.com^\n||c.com^\n")
	}
	write("b.txt", "<html>")
	c, err := source.Compile(context.Background(), sources...)
	if !errors.Is(err, filterlist.ErrNotAList) || len(c.Errors) != 2 || c.Errors[0] != nil || c.Errors[1] == nil {
		t.Error(err, c.Errors)
	}
}

func ExampleNew() {
	_, err := source.New("http://lists.example/list.txt", source.Options{})
	fmt.Println(err)
	// Output: list "http://lists.example/list.txt": use https, so that nobody can change the list on its way
}

func ExampleCompile() {
	dir, err := os.MkdirTemp("", "lists")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(path, []byte("||tracker.example^\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	s, err := source.New(path, source.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := source.Compile(context.Background(), s)
	fmt.Println(c.Len(), err)
	// Output: 1 <nil>
}
