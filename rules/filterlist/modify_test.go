package filterlist

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestRemoveParams(t *testing.T) {
	for _, tt := range []struct{ rules, url, want string }{
		{"$removeparam=utm_source", "https://a.com/?utm_source=x&b=1", "https://a.com/?b=1"},
		{"$removeparam=utm_source", "https://a.com/?b=1&utm_source=x", "https://a.com/?b=1"},
		{"$removeparam=utm_source", "https://a.com/?utm_source", "https://a.com/"},
		{"$removeparam=utm_source", "https://a.com/?UTM_SOURCE=x", ""},
		{"$removeparam=utm_source", "https://a.com/utm_source=x", ""},
		{"$removeparam=/^utm_/", "https://a.com/?utm_a=1&utm_b=2&c=3&c=4", "https://a.com/?c=3&c=4"},
		{"$removeparam=/^UTM_/i", "https://a.com/?utm_a=1&c=3", "https://a.com/?c=3"},
		{"$removeparam=/^x{1\\,2}=/", "https://a.com/?xx=1&c=3", "https://a.com/?c=3"},
		{"$removeparam=~id", "https://a.com/?id=1&x=2", "https://a.com/?id=1"},
		{"||a.com^$removeparam", "https://a.com/?id=1&x=2", "https://a.com/"},
		{"||b.com^$removeparam", "https://a.com/?id=1&x=2", ""},
		{"$removeparam=x @@||a.com^$removeparam=x", "https://a.com/?x=1", ""},
		{"$removeparam=x $removeparam=y @@||a.com^$removeparam=x", "https://a.com/?x=1&y=2", "https://a.com/?x=1"},
		{"$removeparam=x @@||a.com^$removeparam", "https://a.com/?x=1", ""},
		{"$removeparam=x,image", "https://a.com/?x=1", ""},
	} {
		e := compile(t, strings.Split(tt.rules, " ")...)
		got, changed := e.RemoveParams(request(t, tt.url, "", Document), nil, []byte(">"))
		if string(got) != ">"+tt.want || changed != (tt.want != "") {
			t.Errorf("%s: %s: %s %v, want %s", tt.rules, tt.url, got, changed, tt.want)
		}
	}
}

func TestCSP(t *testing.T) {
	for _, tt := range []struct {
		rules []string
		want  []string
	}{
		{[]string{"||a.com^$csp=script-src 'none'", "||a.com^$csp=worker-src 'none'", "||b.com^$csp=x"}, []string{"script-src 'none'", "worker-src 'none'"}},
		{[]string{"||a.com^$csp=x", "||a.com/^$csp=x"}, []string{"x"}},
		{[]string{"||a.com^$csp=x", "||a.com^$csp=y", "@@||a.com^$csp=x"}, []string{"y"}},
		{[]string{"||a.com^$csp=x", "||a.com^$csp=y", "@@||a.com^$csp"}, nil},
		{[]string{"||a.com^$csp=x", "@@||a.com^$document"}, nil},
		{[]string{"||a.com^$script"}, nil},
	} {
		got := compile(t, tt.rules...).CSP(request(t, "https://a.com/", "https://a.com/", Document), nil, nil)
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.rules, got, tt.want)
		}
	}
}

func TestRedirect(t *testing.T) {
	for _, tt := range []struct{ rules, want string }{
		{"||a.com^$redirect=noop.js", "noop.js"},
		{"||a.com^ ||a.com^$redirect-rule=noop.js", "noop.js"},
		{"||a.com^$redirect=noop.js ||a.com^$redirect-rule=better.js:10", "better.js"},
		{"||a.com^$redirect=noop.js:5 ||a.com^$redirect-rule=worse.js:-1", "noop.js"},
		{"||a.com^$redirect=noop.js @@||a.com^$redirect=noop.js", ""},
		{"||a.com^ ||a.com^$redirect-rule=noop.js @@||a.com^$redirect-rule", ""},
		{"||a.com^$rewrite=abp-resource:blank-js,domain=a.com", "abp-resource:blank-js"},
		{"||a.com^$empty", "nooptext"},
		{"||a.com^", ""},
	} {
		res, blocked := compile(t, strings.Split(tt.rules, " ")...).Match(request(t, "https://a.com/x.js", "https://a.com", Script))
		if !blocked || res.Redirect != tt.want {
			t.Errorf("%s: %v %q, want %q", tt.rules, blocked, res.Redirect, tt.want)
		}
	}
}

func TestRefuse(t *testing.T) {
	own := func(n int) (s []Request) {
		for _, p := range strings.Fields("/ /app.js /style.css /logo.png /api/items /analytics.js /font.woff2 /a /b /c")[:n] {
			s = append(s, *request(t, "https://shop.example"+p, "https://shop.example/", Script))
		}
		return s
	}
	stripe := *request(t, "https://js.stripe.com/v3/", "https://shop.example/", Script)
	for _, tt := range []struct {
		rule    string
		samples Samples
		want    string
	}{
		{"||ads.com^", Samples{[]Request{stripe}, own(10)}, ""},
		{"/analytics.js", Samples{nil, own(10)}, ""},
		{"||stripe.com^", Samples{[]Request{stripe}, nil}, `test:1: rule "||stripe.com^" would block https://js.stripe.com/v3/, which is declared necessary`},
		{"$removeparam=utm_source", Samples{nil, []Request{*request(t, "https://shop.example/?id=1&utm_source=x", "https://shop.example/", Document)}}, ""},
		{"$removeparam", Samples{nil, []Request{*request(t, "https://shop.example/?id=1&page=2", "https://shop.example/", Document)}}, `test:1: rule "$removeparam" would take all parameters from the site's own URLs, such as https://shop.example/?id=1&page=2`},
		{"||shop.example^", Samples{[]Request{stripe}, own(10)}, `the lists would block 100 % of the site's own requests, such as https://shop.example/ by test:1: rule "||shop.example^"`},
		{`/\.(js|css|png)$/`, Samples{nil, own(10)}, `the lists would block 40 % of the site's own requests, such as https://shop.example/app.js by test:1: rule "/\\.(js|css|png)$/"`},
	} {
		err := compile(t, tt.rule).Refuse(tt.samples)
		if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.rule, err, tt.want)
		}
		var r *Refusal
		if err != nil && (!errors.As(err, &r) || r.Line != 1) {
			t.Errorf("%s: %#v", tt.rule, err)
		}
	}
}
