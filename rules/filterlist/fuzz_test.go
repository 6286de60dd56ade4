package filterlist

import (
	"strings"
	"testing"
)

// FuzzMatch checks that any list parses without a panic and that the engine, the engine from its cache and the reference
// agree on any request.
func FuzzMatch(f *testing.F) {
	f.Add("||ads.com^", "https://ads.com/", "https://example.com/", uint8(2))
	f.Add(strings.Join(syntheticRules(), "\n"), "https://www.google.com/ads.js?a=1", "https://mail.google.de/", uint8(4))
	f.Add("/[0-9]{3}/$domain=a.*|~b.c\n@@x$important\n||x|", "http://a.b.c:80/123x", "http://a.b", uint8(0))
	f.Add("0.0.0.0 a.b c.d\n!#if a\n!#else\nabc\n!#endif\nx.y##z", "https://a.b./abc", "about:blank", uint8(13))
	f.Fuzz(func(t *testing.T, list, url, page string, typ uint8) {
		l, rep, err := Parse("fuzz", strings.NewReader(list), Limits{MaxBytes: 1 << 16, MaxRules: 500})
		if rep == nil || (err == nil) != (l != nil) {
			t.Fatal(l, rep, err)
		}
		if err != nil {
			return
		}
		e, err := Compile(l)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRequest(url, page, 1<<(typ%14))
		if err != nil || !plausible(&r) {
			return
		}
		got, blocked := e.Match(&r)
		want, wantBlocked := e.reference().match(&r)
		if blocked != wantBlocked || (got.Rule == "") != (want.Rule == "") {
			t.Errorf("%q on %q: %+v, reference %+v", r.URL, r.PageHost, got, want)
		}
		e.CSP(&r, nil, nil)
		e.RemoveParams(&r, nil, nil)
	})
}

// plausible reports whether a URL has the form of a serialised one, for which alone the matchers have to agree.
func plausible(r *Request) bool {
	for _, c := range r.URL {
		if c <= ' ' || c >= 0x7F {
			return false
		}
	}
	host := string(r.Host()) + r.PageHost
	scheme, _, _ := strings.Cut(string(r.URL), ":")
	return hostLen(host) == len(host) && !strings.Contains(host, "..") && host[0] != '.' && hostLen(scheme) == len(scheme) &&
		r.URL[r.HostStart-1] == '/' && strings.IndexByte("/:", r.URL[r.HostEnd]) == 0 && !strings.HasPrefix(r.PageHost, ".")
}
