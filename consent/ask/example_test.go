package ask_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ask"
)

func ExampleNew() {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"user": {"answered": true, "consent": {"stats": true, "ads": false}}}`)
	}))
	defer app.Close()
	s, err := ask.New(ask.Config{
		URL:      app.URL + "/me",
		Cookies:  []string{"session"},
		Path:     "user.consent",
		Decided:  "user.answered",
		Purposes: map[string]consent.Purposes{"stats": consent.Purposes(consent.Analytics), "ads": consent.Purposes(consent.Marketing)},
		Timeout:  ask.MaxTimeout,
	})
	if err != nil {
		panic(err)
	}
	answer := s.Read(consent.Cookies{"session=abc; theme=dark"}, time.Now())
	fmt.Println(answer.Granted, answer.Denied)
	answer = s.Read(consent.Cookies{"theme=dark"}, time.Now()) // of a visitor without a session nobody is asked
	fmt.Println(answer.Granted, answer.Denied, answer.Unknown)
	// Output:
	// analytics marketing
	// none none false
}
