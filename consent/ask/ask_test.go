package ask_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ask"
)

const (
	analytics = consent.Purposes(consent.Analytics)
	marketing = consent.Purposes(consent.Marketing)
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// service answers by a handler and counts the questions.
func service(t testing.TB, change func(*ask.Config), h http.HandlerFunc) (*ask.Service, *atomic.Int64) {
	t.Helper()
	questions := new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		questions.Add(1)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	c := ask.Config{URL: server.URL + "/consent", Cookies: []string{"session"}, Path: "consent", Timeout: ask.MaxTimeout}
	if change != nil {
		change(&c)
	}
	s, err := ask.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, questions
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func text(s consent.Stored) string {
	if s.Unknown {
		return "unknown"
	}
	return s.Granted.String() + "|" + s.Denied.String()
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		h      http.HandlerFunc
		change func(*ask.Config)
		want   string
	}{
		"object":              {says(200, `{"consent":{"analytics":true,"marketing":"denied","other":1}}`), nil, "analytics|marketing"},
		"list":                {says(200, `{"consent":["analytics"]}`), nil, "analytics|functional,marketing,social"},
		"own names":           {says(200, `{"consent":{"stats":1}}`), func(c *ask.Config) { c.Purposes = map[string]consent.Purposes{"stats": analytics} }, "analytics|none"},
		"the answer":          {says(200, `{"marketing":false}`), func(c *ask.Config) { c.Path = "@this" }, "none|marketing"},
		"decided":             {says(200, `{"consent":["analytics"],"at":"2026"}`), func(c *ask.Config) { c.Decided = "at" }, "analytics|functional,marketing,social"},
		"not decided":         {says(200, `{"consent":["analytics"]}`), func(c *ask.Config) { c.Decided = "at" }, "none|none"},
		"null":                {says(200, `{"consent":null}`), nil, "none|none"},
		"nothing known":       {says(404, `{"consent":{"analytics":true}}`), nil, "none|none"},
		"no content":          {says(204, ""), nil, "none|none"},
		"error":               {says(500, `{"consent":{"analytics":true}}`), nil, "unknown"},
		"created":             {says(201, `{"consent":{"analytics":true}}`), nil, "unknown"},
		"login":               {says(401, `{"consent":{"analytics":true}}`), nil, "unknown"},
		"redirect":            {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, nil, "unknown"},
		"page":                {says(200, "<!doctype html>"), nil, "unknown"},
		"empty":               {says(200, ""), nil, "unknown"},
		"cut off":             {says(200, `{"consent":{"analytics":true}`), nil, "unknown"},
		"too long":            {says(200, `{"consent":{"analytics":true},"x":"`+strings.Repeat("x", 8<<10)+`"}`), nil, "unknown"},
		"deep":                {says(200, strings.Repeat("[", 8<<10)), nil, "unknown"},
		"too slow":            {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(c *ask.Config) { c.Timeout = 20 * time.Millisecond }, "unknown"},
		"by default too slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(c *ask.Config) { c.Timeout = 0 }, "unknown"},
		"endless":             {func(w http.ResponseWriter, r *http.Request) { endless(w, r) }, nil, "unknown"},
		"hangs up":            {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "unknown"},
		"more than said": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"consent":{"analytics":true}}`)
		}, nil, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			s, questions := service(t, c.change, c.h)
			if got := text(s.Read(consent.Cookies{"session=abc"}, now)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			// On a busy machine the time is over before the question arrives.
			if n := questions.Load(); n != 1 && (n != 0 || !strings.HasSuffix(name, "too slow")) {
				t.Errorf("%d questions", n)
			}
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, strings.Repeat(" ", 1000)); err != nil {
			return
		}
	}
}

// TestCarries: the question holds the named cookies as they came, the operator's fields, and nothing else.
func TestCarries(t *testing.T) {
	var got *http.Request
	s, questions := service(t, func(c *ask.Config) {
		c.Cookies, c.Header = []string{"session", "shop:id"}, http.Header{"authorization": {"Bearer x"}}
	}, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(t.Context())
		w.WriteHeader(http.StatusNotFound)
	})
	s.Read(consent.Cookies{`_ga=GA1.1; session="a,b"; theme=dark`, "shop:id=7; session=second; sessions=no"}, now)
	fields := fmt.Sprint(got.Header)
	if want := `map[Accept:[application/json] Authorization:[Bearer x] Cookie:[session="a,b"; shop:id=7; session=second]]`; fields != want {
		t.Errorf("fields %s\nwant   %s", fields, want)
	}
	if got.Method != http.MethodGet || got.RequestURI != "/consent" {
		t.Errorf("%s %s", got.Method, got.RequestURI)
	}
	before := questions.Load()
	if got := text(s.Read(consent.Cookies{"_ga=1; Session=x"}, now)); got != "none|none" || questions.Load() != before {
		t.Errorf("without the cookies: %s, asked %d times", got, questions.Load()-before)
	}
	for _, cookies := range []string{
		"session=" + strings.Repeat("x", 5000), "session=a\r\nX-Forwarded-For: 1", "session=a\x00", "session=\x7f", "session=\x1f", "session=\x01", "session=\n",
	} {
		if got := text(s.Read(consent.Cookies{cookies}, now)); got != "unknown" || questions.Load() != before {
			t.Errorf("%.30q: %s, asked %d times", cookies, got, questions.Load()-before)
		}
	}
	// None of these was a failure of the service.
	if got := text(s.Read(consent.Cookies{"session=a\tb"}, now)); got != "none|none" || questions.Load() != before+1 {
		t.Errorf("after them: %s, asked %d times", got, questions.Load()-before)
	}
}

// TestRemembers: one question about one visitor in Config.Keep, one at a time, whatever many requests come.
func TestRemembers(t *testing.T) {
	answer := atomic.Pointer[string]{}
	answer.Store(new(`{"consent":["analytics"]}`))
	s, questions := service(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond) // so that the others arrive meanwhile
		_, _ = io.WriteString(w, *answer.Load())
	})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if got := s.Read(consent.Cookies{"session=a"}, now); got.Granted != analytics {
				t.Errorf("got %s", text(got))
			}
		})
	}
	wg.Wait()
	if n := questions.Load(); n != 1 {
		t.Errorf("%d questions about one visitor", n)
	}
	answer.Store(new(`{"consent":[]}`))
	if got := s.Read(consent.Cookies{"session=a"}, now.Add(5*time.Second)); text(got) != "analytics|functional,marketing,social" || questions.Load() != 1 {
		t.Errorf("after 5 s: %s, %d questions", text(got), questions.Load())
	}
	for _, later := range []time.Duration{ask.DefaultKeep + time.Second, -time.Hour} { // the second: the clock was set back
		before := questions.Load()
		if got := s.Read(consent.Cookies{"session=a"}, now.Add(later)); got.Granted != 0 || questions.Load() != before+1 {
			t.Errorf("after %s: %s, %d more questions", later, text(got), questions.Load()-before)
		}
	}
	if got := s.Read(consent.Cookies{"session=b"}, now); got.Granted != 0 {
		t.Errorf("the answer of another visitor: %s", text(got))
	}
	answer.Store(new(`no JSON`))
	before := questions.Load()
	for range 2 {
		if got := s.Read(consent.Cookies{"session=c"}, now); text(got) != "unknown" || questions.Load() != before+1 {
			t.Errorf("what cannot be understood: %s, %d questions", text(got), questions.Load()-before)
		}
	}
	answer.Store(new(`{"consent":["marketing"]}`))
	if got := s.Read(consent.Cookies{"session=c"}, now.Add(2*time.Second)); got.Granted != marketing {
		t.Errorf("2 s after what could not be understood: %s", text(got))
	}
}

// TestKeep: an answer counts for as long as the operator said.
func TestKeep(t *testing.T) {
	s, questions := service(t, func(c *ask.Config) { c.Keep = ask.MaxKeep }, says(200, `{"consent":["analytics"]}`))
	for _, after := range []time.Duration{0, ask.MaxKeep - time.Second} {
		if s.Read(consent.Cookies{"session=a"}, now.Add(after)); questions.Load() != 1 {
			t.Errorf("after %s: %d questions", after, questions.Load())
		}
	}
}

// TestFlood: visitors beyond those whose questions are under way are not waited for, and grant nothing.
func TestFlood(t *testing.T) {
	var under, most atomic.Int64
	release := make(chan struct{})
	s, questions := service(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		_, _ = io.WriteString(w, `{"consent":["analytics"]}`)
	})
	var wg sync.WaitGroup
	var unknown atomic.Int64
	for i := range 500 {
		wg.Go(func() {
			if s.Read(consent.Cookies{fmt.Sprintf("session=%d", i)}, now).Unknown && unknown.Add(1) == 500-64 {
				close(release)
			}
		})
	}
	wg.Wait()
	if most.Load() > 64 || questions.Load() != 64 || unknown.Load() != 500-64 {
		t.Errorf("%d questions, %d at once; %d visitors unknown", questions.Load(), most.Load(), unknown.Load())
	}
}

// TestCircuit: a service that is down is waited for five times, then asked again every 5 s, and never grants meanwhile. One
// that answers with errors stays asked: a visitor may have caused them.
func TestCircuit(t *testing.T) {
	var changes []string
	var broken atomic.Bool
	s, questions := service(t, func(c *ask.Config) {
		c.Changed = func(err error) { changes = append(changes, fmt.Sprint(err != nil)) }
	}, func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		status := http.StatusOK
		if strings.Contains(r.Header.Get("Cookie"), "bad") {
			status = http.StatusInternalServerError
		}
		says(status, `{"consent":["marketing"]}`)(w, r)
	})
	visitor := 0
	read := func(after time.Duration, kind string) string {
		visitor++
		return text(s.Read(consent.Cookies{fmt.Sprintf("session=%s%d", kind, visitor)}, now.Add(after)))
	}
	for range 70 { // more than there may be connections
		if got := read(0, "bad"); got != "unknown" {
			t.Fatal(got)
		}
	}
	if got := read(0, ""); !strings.HasPrefix(got, "marketing|") {
		t.Errorf("after 70 errors of other visitors: %s", got)
	}
	broken.Store(true)
	before := questions.Load()
	for range 50 {
		if got := read(0, ""); got != "unknown" {
			t.Fatalf("while down: %s", got)
		}
	}
	// net/http repeats an idempotent request whose kept connection fails: a question may be two requests.
	if n := questions.Load() - before; n < 5 || n > 10 {
		t.Errorf("%d requests while down, want 5 questions", n)
	}
	before = questions.Load()
	if got := read(6*time.Second, ""); got != "unknown" || questions.Load() == before {
		t.Errorf("after 6 s: %s, %d requests", got, questions.Load()-before)
	}
	before = questions.Load()
	if got := read(-time.Hour, ""); got != "unknown" || questions.Load() == before {
		t.Errorf("after the clock was set back: %s, %d requests", got, questions.Load()-before)
	}
	if got := read(6*time.Second, ""); got != "unknown" {
		t.Error(got)
	}
	broken.Store(false)
	before = questions.Load()
	if got := read(7*time.Second, ""); got != "unknown" || questions.Load() != before {
		t.Errorf("1 s after it was tried: %s, %d requests", got, questions.Load()-before)
	}
	for range 3 {
		if got := read(13*time.Second, ""); !strings.HasPrefix(got, "marketing|") {
			t.Errorf("back: %s", got)
		}
	}
	if got := fmt.Sprint(changes); got != "[true false]" {
		t.Errorf("told of down and up as %s", got)
	}
}

// TestNobodyIsTold: a service may go down, and come back, without anybody who wants to know.
func TestNobodyIsTold(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	s, _ := service(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"consent":["analytics"]}`)
	})
	for i := range 6 {
		s.Read(consent.Cookies{fmt.Sprintf("session=%d", i)}, now)
	}
	broken.Store(false)
	if got := s.Read(consent.Cookies{"session=b"}, now.Add(time.Minute)); got.Granted != analytics {
		t.Errorf("back: %s", text(got))
	}
}

func TestNewNamesAllThatIsWrong(t *testing.T) {
	_, err := ask.New(ask.Config{URL: "ftp://x", Timeout: time.Minute, Keep: time.Hour})
	for _, want := range []string{"http://app:3000/consent", "cookies", "@this", "1m0s", "1h0m0s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	good := func() ask.Config {
		return ask.Config{URL: "https://x/", Cookies: []string{"session"}, Path: "x", Timeout: ask.MaxTimeout, Keep: ask.MaxKeep}
	}
	if _, err := ask.New(good()); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*ask.Config){
		"ask http://: give an address": func(c *ask.Config) { c.URL = "http://" }, "ask http://x y: give an address": func(c *ask.Config) { c.URL = "http://x y" },
		`"a=b" cannot be`: func(c *ask.Config) { c.Cookies = []string{"a=b"} }, `"a b" cannot be`: func(c *ask.Config) { c.Cookies = []string{"a b"} },
		`"" cannot be`: func(c *ask.Config) { c.Cookies = []string{""} }, "timeout -1ns": func(c *ask.Config) { c.Timeout = -1 }, "cache -1ns": func(c *ask.Config) { c.Keep = -1 },
		`"x" names no purpose`: func(c *ask.Config) { c.Purposes = map[string]consent.Purposes{"x": 64} },
	} {
		c := good()
		change(&c)
		if _, err := ask.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}
