package integration

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// piecemeal reaches the tracker by an address that stands nowhere.
const piecemeal = `var a="https://www.face",b="book.com/tr?id=1%26v=NAME";new Image().src=(a+b).replace("%26","\x26")`

// innerDocuments are documents within or beside a page, whose scripts the page's guard does not see by itself.
var innerDocuments = []struct{ name, kind, body string }{
	{"svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>` + piecemeal + `</script></svg>`},
	{"svg-handler", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload='` + piecemeal + `'/>`},
	{"xml", "text/xml", `<x><script xmlns="http://www.w3.org/1999/xhtml">` + piecemeal + `</script></x>`},
	{"svg-in-frame", "text/html", `<!DOCTYPE html><iframe src="/svg/NAME"></iframe>`},
	{"svg-in-object", "text/html", `<!DOCTYPE html><object type="image/svg+xml" data="/svg/NAME"></object>`},
	{"data-frame", "text/html", `<!DOCTYPE html><iframe src="data:text/html;base64,BASE64"></iframe>`},
	{"data-object", "text/html", `<!DOCTYPE html><object data="data:text/html;base64,BASE64"></object>`},
	{"srcdoc", "text/html", `<!DOCTYPE html><iframe srcdoc='<!DOCTYPE html><script>` + piecemeal + `</script>'></iframe>`},
	{"srcdoc-sandboxed", "text/html", `<!DOCTYPE html><iframe sandbox="allow-scripts" srcdoc='<script>` + piecemeal + `</script>'></iframe>`},
	{"javascript-frame", "text/html", `<!DOCTYPE html><iframe src="javascript:'<script src=https://www.face'+'book.com/tr?id=1%26v=NAME></scr'+'ipt>'"></iframe>`},
	{"module-data", "text/html", `<!DOCTYPE html><script type="module">import "data:text/javascript,import%20'https://www.face%62ook.com/tr?id=1%26v=NAME'"</script>`},
	{"module-data-base64", "text/html", `<!DOCTYPE html><script type="module">import "data:text/javascript;base64,IMPORT"</script>`},
	{"module-escaped", "text/html", `<!DOCTYPE html><script type="module">import "https://www.face\u0062ook.com/tr?id=1&v=NAME"</script>`},
	{"script-data", "text/html", `<!DOCTYPE html><script src="data:text/javascript,PIECES"></script>`},
	{"module-src-data", "text/html", `<!DOCTYPE html><script type="module" src="data:text/javascript;base64,IMPORT"></script>`},
	{"xml-data-frame", "text/html", `<!DOCTYPE html><iframe src="data:text/xml,<x><script xmlns='http://www.w3.org/1999/xhtml'>PIECES</script></x>"></iframe>`},
	{"svg-data-frame", "text/html", `<!DOCTYPE html><iframe src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><script>PIECES</script></svg>"></iframe>`},
	{"svg-data-object", "text/html", `<!DOCTYPE html><object data="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><script>PIECES</script></svg>"></object>`},
	{"svg-data-embed", "text/html", `<!DOCTYPE html><embed type="image/svg+xml" src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><script>PIECES</script></svg>">`},
	{"srcdoc-in-data", "text/html", `<!DOCTYPE html><iframe src="data:text/html,<iframe srcdoc='&lt;script>PIECES&lt;/script>'></iframe>"></iframe>`},
	{"data-in-srcdoc", "text/html", `<!DOCTYPE html><iframe srcdoc="<iframe src='data:text/html;base64,BASE64'></iframe>"></iframe>`},
	{"bundle", "text/html", `<!DOCTYPE html><script type="webbundle">{"source":"https://www.facebook.com/tr?id=1&v=NAME","scopes":["https://www.facebook.com/"]}</script>`},
	{"font-in-worker", "text/html", `<!DOCTYPE html><script>new Worker("/worker/NAME")</script>`},
}

// TestInnerDocuments: each reaches the tracker without the gateway, and none with it.
func TestInnerDocuments(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dir, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		kind, body := "text/html", ""
		switch dir {
		case "svg":
			kind, body = innerDocuments[0].kind, innerDocuments[0].body
		case "worker":
			kind, body = "text/javascript", `new FontFace("x","url(https://www.face"+"book.com/tr?id=1&v=NAME)").load().catch(()=>{})`
		case "page":
			for _, p := range innerDocuments {
				if p.name == name {
					kind, body = p.kind, p.body
				}
			}
		}
		inner := base64.StdEncoding.EncodeToString([]byte("<!DOCTYPE html><script>" + strings.ReplaceAll(piecemeal, "NAME", name) + "</script>"))
		w.Header().Set("Content-Type", kind)
		pieces := "new Image().src=`https://www.face`+`book.com/tr?id=1`+String.fromCharCode(38)+`v=" + name + "`"
		imported := base64.StdEncoding.EncodeToString([]byte("import 'https://www.face\\u0062ook.com/tr?id=1&v=" + name + "'"))
		_, _ = io.WriteString(w, strings.NewReplacer("NAME", name, "BASE64", inner, "PIECES", pieces, "IMPORT", imported).Replace(body))
	}))
	t.Cleanup(upstream.Close)
	origin := strings.TrimPrefix(upstream.URL, "http://")
	d := lab.NewDoor(t)
	d.Site("plain.test", origin)
	b := lab.NewBrowser(t, d)
	for _, p := range innerDocuments {
		if !lab.Soon(func() bool {
			b.Try("https://plain.test/page/"+p.name, 3*time.Second)
			d.Quiet(200 * time.Millisecond)
			return tamperedContact(d, p.name) != nil
		}) {
			t.Errorf("%s: no contact without the gateway: nothing is proven", p.name)
		}
	}
	d.Site("guarded.test", lab.Gateway(t, origin, "consent", ""))
	d.Reset()
	for _, p := range innerDocuments {
		b.Try("https://guarded.test/page/"+p.name, 3*time.Second)
		d.Quiet(200 * time.Millisecond)
	}
	b.Try("about:blank", 3*time.Second)
	d.Quiet(300 * time.Millisecond)
	for _, c := range d.Contacts() {
		t.Errorf("contact %s%s (%s)", c.Host, c.Path, c.Dest)
	}
}
