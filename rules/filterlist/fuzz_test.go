package filterlist

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
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
		var b bytes.Buffer
		if _, err := e.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		c, err := ReadEngine(&b)
		if err != nil {
			t.Fatal(err)
		}
		if again, ok := c.Match(&r); again != got || ok != blocked {
			t.Errorf("from the cache: %+v, was %+v", again, got)
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

// FuzzReadEngine checks that damaged files, even with a right checksum, neither panic nor hang.
func FuzzReadEngine(f *testing.F) {
	for _, rules := range []string{"||a.com^", "/x.js$domain=a.com|~b.*\n@@y.js$document\n/[a-z]9/\n$removeparam=/a/,domain=q.com\n||z^$csp=x"} {
		l, _, err := Parse("seed", strings.NewReader(rules), Limits{})
		if err != nil {
			f.Fatal(err)
		}
		e, err := Compile(l)
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := e.WriteTo(&b); err != nil {
			f.Fatal(err)
		}
		for i := cacheHead; i < b.Len(); i += 7 {
			x := bytes.Clone(b.Bytes())
			x[i] ^= 0x81
			f.Add(x)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < cacheHead {
			return
		}
		data = append([]byte(cacheMagic), data[4:]...)
		binary.LittleEndian.PutUint32(data[4:], cacheVersion)
		binary.LittleEndian.PutUint64(data[8:], uint64(len(data)-cacheHead))
		binary.LittleEndian.PutUint32(data[16:], crc32.Checksum(data[cacheHead:], castagnoli))
		e, err := ReadEngine(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, url := range []string{"https://a.com/x.js?q=a", "https://y.js/y.js", "https://z/abc9"} {
			r, _ := NewRequest(url, "https://q.com/", Script)
			e.Match(&r)
			e.CSP(&r, nil, nil)
			e.RemoveParams(&r, nil, nil)
		}
		e.Lists()
	})
}
