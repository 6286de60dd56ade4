package header_test

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// policy gates every host that contains "tracker" and every cookie whose name begins with "_".
type policy struct{ seen []string }

func (p *policy) Resource(r *rewrite.Resource) rewrite.Verdict {
	if p.seen != nil {
		p.seen = append(p.seen, fmt.Sprintf("%s %s %d", r.URL, r.Attribute, r.Destination))
	}
	if bytes.Contains(r.Host(), []byte("tracker")) {
		return rewrite.Verdict{Gate: true, Vendor: "tracker", Purpose: "analytics"}
	}
	return rewrite.Verdict{}
}
func (p *policy) Script([]byte) rewrite.Verdict { return rewrite.Verdict{} }
func (p *policy) Cookie(name []byte) rewrite.Verdict {
	return rewrite.Verdict{Gate: bytes.HasPrefix(name, []byte("_")), Vendor: "tracker", Purpose: "analytics"}
}

func options(t testing.TB) *header.Options {
	base, err := url.Parse("https://site.example/dir/page")
	if err != nil {
		t.Fatal(err)
	}
	return &header.Options{Policy: &policy{}, Resolve: base.Resolve}
}

func TestEditFields(t *testing.T) {
	for _, c := range []struct{ field, in, want string }{
		{"Link", "<https://tracker.test/a.js>; rel=preload; as=script", ""},
		{"Link", "<//tracker.test>; rel=preconnect", ""},
		{"Link", `<https:\\tracker.test\x>; rel="dns-prefetch"`, ""},
		{"Link", "</own.js>; rel=preload; as=script", "</own.js>; rel=preload; as=script"},
		{"Link", "</own.css>;rel=stylesheet , <https://tracker.test/>;rel=prefetch,</b>; rel=next", "</own.css>;rel=stylesheet, </b>; rel=next"},
		{"Link", "<https://tracker.test/>;rel=prefetch, </a>; rel=x", "</a>; rel=x"},
		{"Link", "<https://tracker.test/>; rel=canonical", "<https://tracker.test/>; rel=canonical"},
		{"Link", `<https://tracker.test/>; rel="canonical preload"`, ""},
		{"Link", `<https://tracker.test/>; rel=canonical; rel=preload`, ""},
		{"Link", `<https://tracker.test/>; REL=PreLoad`, ""},
		{"Link", `<https://tracker.test/>; rel="pre\load"`, ""},
		{"Link", `</a,b>; rel=preload; title="x, <https://tracker.test/>; rel=preload"`, `</a,b>; rel=preload; title="x, <https://tracker.test/>; rel=preload"`},
		{"Link", `</a>; rel="next, <https://tracker.test/>; rel=preload`, ""},
		{"Link", `junk, <https://tracker.test/>; rel=preload`, ""},
		{"Link", `</a>; rel=preload junk; x, </b>; rel=next`, `</a>; rel=preload junk; x, </b>; rel=next`},
		{"Link", `</a> rel=preload, </b>; rel=next`, `</b>; rel=next`},
		{"Link", `</i>; rel=preload; as=image; imagesrcset="/a 1x, https://tracker.test/b 2x"`, ""},
		{"Link", `</i>; rel=preload; as=image; imagesrcset="/a 1x,https://tracker.test/b"`, ""},
		{"Link", `</i>; rel=preload; as=image; imagesrcset="https://tracker.test/b, /a 2x"`, ""},
		{"Link", "no links here", "no links here"},
		{"Link", "</a>; rel=next,, </b>; rel=prev ,", "</a>; rel=next,, </b>; rel=prev ,"},
		{"Link", `</a>; rel=next; "x"`, ""},
		{"Link", `</a>; rel=x"y`, ""},
		{"Link", `</a>; rel=preload; "x"`, ""},
		{"Link", `</a>; title="x\"y"; rel=next`, `</a>; title="x\"y"; rel=next`},
		{"Link", `</a>; title="\", <https://tracker.test/>; rel=preload"`, `</a>; title="\", <https://tracker.test/>; rel=preload"`},
		{"Link", `</a>; title="x", <https://tracker.test/>; rel=preload`, `</a>; title="x"`},
		{"Link", `</a>; rel=next, <https://tracker.test/; rel=preload`, `</a>; rel=next`},
		{"Link", "</own.js>; rel=preload; crossorigin; as=script", "</own.js>; rel=preload; crossorigin; as=script"},
		{"Link", "<https://tracker.test/>; crossorigin; rel=preload", ""},

		{"Refresh", "0;url=https://tracker.test/", ""},
		{"Refresh", "0; URL = 'https://tracker.test/'", ""},
		{"Refresh", `3.5,"//tracker.test/x`, ""},
		{"Refresh", "1 https://tracker.test", ""},
		{"Refresh", " 0 ;\turl\t=\thttps://tracker.test/", ""},
		{"Refresh", "0; abc=//tracker.test/", "0; abc=//tracker.test/"}, // a path
		{"Refresh", "5", "5"},
		{"Refresh", "5; url=/next", "5; url=/next"},

		{"Location", "/next?x=1", "/next?x=1"},
		{"Location", "https://tracker.test/collect", ""},
		{"Location", "//tracker.test", ""},

		{"Content-Security-Policy", "default-src 'self'; report-uri https://tracker.test/csp", "default-src 'self'"},
		{"Content-Security-Policy", "report-uri /csp https://tracker.test/csp; img-src *", "report-uri /csp; img-src *"},
		{"Content-Security-Policy", "img-src  *;REPORT-URI //tracker.test/;  x", "img-src  *;  x"},
		{"Content-Security-Policy", "report-uri https://tracker.test/csp", ""},
		{"Content-Security-Policy", "img-src a, report-uri //tracker.test, font-src b", "img-src a,, font-src b"},
		{"Content-Security-Policy", "report-uri /own; report-to x", "report-uri /own; report-to x"},
		{"Content-Security-Policy", ", report-uri /own ,", ", report-uri /own ,"},
		{"Content-Security-Policy-Report-Only", "default-src 'none'; report-uri //tracker.test/", "default-src 'none'"},

		{"Alt-Svc", `h3=":443"; ma=86400, h2="alt.example:443"`, `h3=":443"; ma=86400, h2="alt.example:443"`},
		{"Alt-Svc", `h3=":443", h3="tracker.test:443"; ma=1`, ""},
		{"Alt-Svc", `clear`, `clear`},
		{"Report-To", `{"group":"g","max_age":1,"endpoints":[{"url":"https://tracker.test/r"}]}`, ""},
		{"Report-To", `{"group":"g","endpoints":[{"url":"https:\/\/tracker.test\/r"}]}`, ""},
		{"Report-To", `{"group":"g","endpoints":[{"url":"https:\u002f\u002ftracker.test\u002Fr"}]}`, ""},
		{"Report-To", `{"group":"g","endpoints":[{"url":"https://site.example/r"}]}`, `{"group":"g","endpoints":[{"url":"https://site.example/r"}]}`},
		{"Reporting-Endpoints", `main="https://tracker.test/r"`, ""},
		{"Reporting-Endpoints", `main="/r", other="https://tracker.test/r`, ""},
		{"Reporting-Endpoints", `main="/r"`, `main="/r"`},
		{"Nel", `{"report_to":"g","max_age":1}`, `{"report_to":"g","max_age":1}`},
		{"Expect-Ct", `max-age=1, report-uri="https://tracker.test/"`, ""},
		{"X-Xss-Protection", "1; report=https://tracker.test/x", "1"},
		{"X-Xss-Protection", "1; mode=block", "1; mode=block"},
		{"X-Xss-Protection", "\xe4\xe4\xe4\xe4; report=/x", "\xe4\xe4\xe4\xe4; report=/x"}, // Latin-1 is no UTF-8, and its lower case is longer
		{"X-Xss-Protection", "\xe4\xe4\xe4\xe4; REPORT=https://tracker.test/x", "\xe4\xe4\xe4\xe4"},

		{"Speculation-Rules", `"https://tracker.test/rules.json"`, ""},
		{"Speculation-Rules", `"/rules.json"`, `"/rules.json"`},
		{"Sourcemap", "https://tracker.test/app.js.map", ""},
		{"X-Sourcemap", "app.js.map", "app.js.map"},
		{"sourcemap", "https://tracker.test/app.js.map", ""}, // a name that nobody made canonical

		{"Set-Cookie", "session=1; HttpOnly", "session=1; HttpOnly"},
		{"Set-Cookie", "session=1; Max-Age=99", "session=1; Max-Age=99"},
		{"Set-Cookie", "_ga=1; Path=/", ""},
		{"Set-Cookie", "=_ga=1", ""},
		{"Set-Cookie", "_alone", ""},
		{"Set-Cookie", "a=1\r\nSet-Cookie: _ga=2", ""},
		{"Link", "</a>; rel=x\r\nX: y", ""},
		{"Location", "/x\x00", ""},

		{"Content-Type", "text/html", "text/html"},
		{"Alt-Svc", `h3=":443"`, `h3=":443"`},
		{"Accept-Ch", "Sec-CH-UA-Model, DPR", "Sec-CH-UA-Model, DPR"}, // marketing is not refused
	} {
		h := http.Header{c.field: {c.in}}
		header.Edit(h, options(t))
		got := strings.Join(h[c.field], "|")
		if got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.field, c.in, got, c.want)
		}
		before := h.Clone()
		if header.Edit(h, options(t)); !reflect.DeepEqual(before, h) {
			t.Errorf("%s: %q: a second Edit changed %v to %v", c.field, c.in, before, h)
		}
	}
}

func TestEditKeepsOtherValues(t *testing.T) {
	shared := []string{"a=1", "_ga=2", "b=3", "_gid=4"}
	h := http.Header{"Set-Cookie": shared}
	if header.Edit(h, options(t)); !reflect.DeepEqual(h["Set-Cookie"], []string{"a=1", "b=3"}) {
		t.Errorf("left %q", h["Set-Cookie"])
	}
	if !reflect.DeepEqual(shared, []string{"a=1", "_ga=2", "b=3", "_gid=4"}) {
		t.Errorf("the slice that others hold became %q", shared)
	}
}

func TestEditRedirect(t *testing.T) {
	o := options(t)
	p := o.Policy.(*policy)
	p.seen = []string{}
	o.Destination = rewrite.DestinationImage
	h := http.Header{"Location": {"https://tracker.test/pixel#f"}}
	if v := header.Edit(h, o); !v.Gate || v.Vendor != "tracker" || len(h) != 0 {
		t.Errorf("verdict %+v, header %v", v, h)
	}
	if want := fmt.Sprintf("https://tracker.test/pixel location %d", rewrite.DestinationImage); p.seen[0] != want {
		t.Errorf("asked about %q, want %q", p.seen[0], want)
	}
	h = http.Header{"Location": {"/own"}}
	if v := header.Edit(h, o); v.Gate {
		t.Errorf("of the same response's next header: %+v", v)
	}
}

// TestEditTellsWhereItLooks: the policy learns which field a reference stands in, and what it would be fetched as.
func TestEditTellsWhereItLooks(t *testing.T) {
	const ref = "https://other.test/"
	for field, c := range map[string]struct {
		value string
		want  rewrite.Destination
	}{
		"Location": {ref, rewrite.DestinationFrame}, "Refresh": {"0;url=" + ref, rewrite.DestinationDocument},
		"Report-To": {`{"url":"` + ref + `"}`, rewrite.DestinationReport}, "Nel": {`"` + ref + `"`, rewrite.DestinationReport},
		"Speculation-Rules": {`"` + ref + `"`, rewrite.DestinationPrefetch}, "Alt-Svc": {`h3="other.test"`, rewrite.DestinationConnect},
	} {
		o := options(t)
		p := o.Policy.(*policy)
		p.seen, o.Destination = []string{}, rewrite.DestinationFrame
		header.Edit(http.Header{field: {c.value}}, o)
		if want := fmt.Sprintf("%s %s %d", ref, strings.ToLower(field), c.want); len(p.seen) != 1 || p.seen[0] != want {
			t.Errorf("%s: asked about %q, want %q", field, p.seen, want)
		}
	}
}

func TestLinkDestinations(t *testing.T) {
	for link, want := range map[string]rewrite.Destination{
		"rel=preload; as=script": rewrite.DestinationScript, "as=font; rel=preload": rewrite.DestinationFont,
		"rel=preload; as=fetch": rewrite.DestinationEmpty, "rel=modulepreload": rewrite.DestinationScript,
		"rel=stylesheet": rewrite.DestinationStyle, "rel=preconnect; as=script": rewrite.DestinationConnect,
		"rel=prefetch; as=document": rewrite.DestinationFrame, "rel=prefetch": rewrite.DestinationPrefetch,
		"rel=preload; as=track": rewrite.DestinationMedia, "rel=icon": rewrite.DestinationImage, "rel=manifest": rewrite.DestinationManifest,
		"rel=apple-touch-icon": rewrite.DestinationImage, "rel=mask-icon": rewrite.DestinationImage, "rel=compression-dictionary": rewrite.DestinationPrefetch,
		"rel=preload; as=image": rewrite.DestinationImage, "rel=preload; as=video": rewrite.DestinationMedia, "rel=preload; as=json": rewrite.DestinationScript,
		"rel=preload; as=object": rewrite.DestinationObject, "rel=preload; as=style": rewrite.DestinationStyle,
	} {
		o := options(t)
		p := o.Policy.(*policy)
		p.seen = []string{}
		header.Edit(http.Header{"Link": {"<https://other.test/>; " + link}}, o)
		if w := fmt.Sprintf("https://other.test/ link %d", want); len(p.seen) != 1 || p.seen[0] != w {
			t.Errorf("%s: asked about %q, want %q", link, p.seen, w)
		}
	}
}

func TestEditClampsCookies(t *testing.T) {
	o := options(t)
	o.MaxCookieAge, o.Now = time.Hour, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h := http.Header{"Set-Cookie": {"a=1; Max-Age=99999; Path=/", "b=2"}}
	header.Edit(h, o)
	if want := []string{"a=1; Max-Age=3600; Path=/", "b=2"}; !reflect.DeepEqual(h["Set-Cookie"], want) {
		t.Errorf("got %q", h["Set-Cookie"])
	}
}

const features = "attribution-reporting=(), browsing-topics=(), join-ad-interest-group=(), private-aggregation=(), run-ad-auction=(), shared-storage=(), shared-storage-select-url=()"

func TestOptOut(t *testing.T) {
	for name, c := range map[string]struct{ in, want http.Header }{
		"nothing there": {http.Header{}, http.Header{"Permissions-Policy": {features}}},
		"beside the site's": {
			http.Header{"Permissions-Policy": {`geolocation=(self "https://maps.example"), browsing-topics=*, x=?1;p="a,b"`}},
			http.Header{"Permissions-Policy": {`geolocation=(self "https://maps.example"), browsing-topics=*, x=?1;p="a,b"`, features}},
		},
		"instead of an invalid one": {
			http.Header{"Permissions-Policy": {`geolocation 'self'`}}, http.Header{"Permissions-Policy": {features}},
		},
		"advertising fields": {
			http.Header{"Observe-Browsing-Topics": {"?1"}, "Attribution-Reporting-Register-Source": {"{}"}, "Accept-Ch": {"Sec-CH-UA-Model, DPR , sec-ch-ua-arch"}, "Critical-Ch": {"Sec-CH-UA-Model"}},
			http.Header{"Permissions-Policy": {features}, "Accept-Ch": {"DPR"}},
		},
	} {
		o := options(t)
		o.OptOut = true
		if header.Edit(c.in, o); !reflect.DeepEqual(c.in, c.want) {
			t.Errorf("%s: got %q", name, c.in)
		}
		if header.Edit(c.in, o); !reflect.DeepEqual(c.in, c.want) {
			t.Errorf("%s: a second Edit gave %q", name, c.in)
		}
	}
}

func TestFeatureless(t *testing.T) {
	o := options(t)
	o.OptOut, o.Featureless = true, true
	h := http.Header{"Permissions-Policy": {"geolocation=()"}, "Observe-Browsing-Topics": {"?1"}}
	if header.Edit(h, o); !reflect.DeepEqual(h, http.Header{"Permissions-Policy": {"geolocation=()"}}) {
		t.Errorf("got %q", h)
	}
}

func TestInvalidPermissionsPolicyIsReplaced(t *testing.T) {
	for v, valid := range map[string]bool{
		"a": true, "a=()": true, "a=(self)": true, "a=*": true, "*=1": true, `a=("x" self);r="y", b`: true, "a=1;b;c=d": true, "a=:AA==:": true,
		"a=( self  none )": true, `a="x\"y"`: true, "": true, "a , b": true, "a_b-c.d*z9=1": true, "a=1;  b=2": true, "a=(x;y z)": true,
		"a;,b": false, "a=\u00fc": false,
		"a=": false, "A=1": false, "a=(": false, "a=1,": false, "a,,b": false, "a=1 b": false, `a="x`: false, "a=(x": false, `a=("x"y)`: false, "a;=1": false, "geolocation 'none'; x": false,
	} {
		o := options(t)
		o.OptOut = true
		h := http.Header{"Permissions-Policy": {v}}
		header.Edit(h, o)
		if kept := len(h["Permissions-Policy"]) == 2; kept != valid {
			t.Errorf("%q: kept is %v, want %v", v, kept, valid)
		}
	}
}

func FuzzEdit(f *testing.F) {
	for _, s := range []string{
		`<https://tracker.test/>; rel=preload, </a>; rel="x\"y"`, "0;url=https://tracker.test", "report-uri //tracker.test; x, y",
		`{"endpoints":[{"url":"https://tracker.test"}]}`, `a="b\`, `<>;rel=preload;imagesrcset=" , ,"`, "_ga=1",
	} {
		f.Add(s)
	}
	fields := []string{"Link", "Refresh", "Location", "Content-Security-Policy", "Report-To", "X-Xss-Protection", "Set-Cookie", "Sourcemap", "Permissions-Policy", "Accept-Ch"}
	f.Fuzz(func(t *testing.T, value string) {
		for _, field := range fields {
			h := http.Header{field: {value}}
			o := options(t)
			o.OptOut, o.Decoration = true, header.DefaultDecoration()
			header.Edit(h, o)
			before := h.Clone()
			if header.Edit(h, o); !reflect.DeepEqual(before, h) {
				t.Fatalf("%s %q: %q, then %q", field, value, before, h)
			}
			for _, v := range h[field] {
				if strings.ContainsAny(v, "\r\n\x00") {
					t.Fatalf("%s %q: wrote %q", field, value, v)
				}
			}
		}
	})
}

// TestControlCharacters: a value with one anywhere is removed, but for tabs.
func TestControlCharacters(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			value := []byte("default-src 'self'; x")
			value[at] = byte(c)
			h := http.Header{"Content-Security-Policy": {string(value)}}
			header.Edit(h, options(t))
			if removed := len(h) == 0; removed != (c < ' ' && c != '\t' || c == 0x7f) {
				t.Errorf("%q: removed %v", value, removed)
			}
		}
	}
}

// TestEditFindsFieldsInAnySpelling: a map that did not come from net/http may hold names in any case.
func TestEditFindsFieldsInAnySpelling(t *testing.T) {
	for _, field := range []string{
		"Set-Cookie: _ga=1", "Link: <https://tracker.test/>; rel=preload", "Refresh: 0;url=https://tracker.test/", "Location: https://tracker.test/",
		"Content-Security-Policy: report-uri https://tracker.test/", "Content-Security-Policy-Report-Only: report-uri https://tracker.test/",
		"X-Content-Security-Policy: report-uri https://tracker.test/", "X-Webkit-Csp: report-uri https://tracker.test/",
		`Report-To: {"endpoints":[{"url":"https://tracker.test/"}]}`, `Reporting-Endpoints: a="https://tracker.test/"`,
		`Nel: {"report_to":"https://tracker.test/"}`, `Expect-Ct: report-uri="https://tracker.test/"`,
		`Public-Key-Pins: report-uri="https://tracker.test/"`, `Public-Key-Pins-Report-Only: report-uri="https://tracker.test/"`,
		"X-Xss-Protection: 1; report=https://tracker.test/", `Speculation-Rules: "https://tracker.test/"`, "Sourcemap: https://tracker.test/",
		"X-Sourcemap: https://tracker.test/", "Accept-Ch: Sec-CH-UA-Model", "Critical-Ch: Sec-CH-UA-Model",
		"Attribution-Reporting-Register-Source: x", "Observe-Browsing-Topics: ?1", "Ad-Auction-Signals: x", "Supports-Ad-Auction-Bid: x",
	} {
		name, value, _ := strings.Cut(field, ": ")
		for _, spelled := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			o := options(t)
			o.OptOut = true
			h := http.Header{spelled: {value}, "Permissions-Policy": nil}
			header.Edit(h, o)
			if got := h[spelled]; len(got) > 0 && got[0] == value {
				t.Errorf("%s: %s stays", spelled, value)
			}
		}
	}
}

// typical is the header of a page of a real shop.
func typical() http.Header {
	return http.Header{
		"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"max-age=0, private"}, "Server": {"nginx"},
		"Date": {"Tue, 05 May 2026 10:00:00 GMT"}, "Etag": {`W/"0123456789abcdef"`}, "Vary": {"Accept-Encoding, Cookie"},
		"X-Frame-Options": {"SAMEORIGIN"}, "X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"strict-origin-when-cross-origin"},
		"Strict-Transport-Security": {"max-age=31536000"}, "X-Request-Id": {"b3c9e1"}, "X-Runtime": {"0.04"}, "X-Cache": {"MISS"},
		"Link":                    {`</assets/app.css>; rel=preload; as=style, <https://cdn.example>; rel=preconnect, <https://site.example/>; rel="https://api.w.org/"`},
		"Set-Cookie":              {"session=0123456789; Path=/; HttpOnly; SameSite=Lax", "csrf=abcdef; Path=/"},
		"Content-Security-Policy": {"default-src 'self' https:; img-src * data:; script-src 'self' 'unsafe-inline' https://cdn.example"},
		"Report-To":               {`{"group":"default","max_age":86400,"endpoints":[{"url":"https://site.example/reports"}]}`},
		"Nel":                     {`{"report_to":"default","max_age":86400}`},
	}
}

func BenchmarkEdit(b *testing.B) {
	h := typical()
	o := options(b)
	b.ReportAllocs()
	for b.Loop() {
		header.Edit(h, o)
	}
}

// BenchmarkClone is a yardstick for the machine: copying the same header.
func BenchmarkClone(b *testing.B) {
	h := typical()
	for b.Loop() {
		h.Clone()
	}
}

// BenchmarkEditOptOut includes making the header anew, since Edit changes it.
func BenchmarkEditOptOut(b *testing.B) {
	o := options(b)
	o.OptOut = true
	h := typical()
	b.ReportAllocs()
	for b.Loop() {
		delete(h, "Permissions-Policy")
		header.Edit(h, o)
	}
}

func ExampleEdit() {
	base, _ := url.Parse("https://shop.example/")
	h := http.Header{
		"Link":       {"</app.css>; rel=preload; as=style, <https://tracker.test>; rel=preconnect"},
		"Set-Cookie": {"session=1", "_ga=2"},
	}
	header.Edit(h, &header.Options{Policy: &policy{}, Resolve: base.Resolve})
	fmt.Println(h["Link"], h["Set-Cookie"])
	// Output: [</app.css>; rel=preload; as=style] [session=1]
}
