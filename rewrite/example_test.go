package rewrite_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// noTracker gates a host, the cookies that begin as its own do, and the scripts that name it.
type noTracker struct{}

func verdict(gate bool) rewrite.Verdict {
	return rewrite.Verdict{Gate: gate, Vendor: "tracker", Purpose: "analytics"}
}

func (noTracker) Resource(r *rewrite.Resource) rewrite.Verdict {
	return verdict(string(r.Host()) == "tracker.example")
}

func (noTracker) Script(text []byte) rewrite.Verdict {
	return verdict(strings.Contains(string(text), "tracker.example"))
}

func (noTracker) Cookie(name []byte) rewrite.Verdict {
	return verdict(strings.HasPrefix(string(name), "_trk"))
}

// ExamplePolicy: one policy judges what a response makes a browser do, wherever it stands.
func ExamplePolicy() {
	base, err := url.Parse("https://shop.example/")
	if err != nil {
		panic(err)
	}
	h := http.Header{"Set-Cookie": {"_trk=1", "basket=2"}, "Link": {"<https://tracker.example/t.js>; rel=preload; as=script"}}
	header.Edit(h, &header.Options{Policy: noTracker{}, Resolve: base.Resolve})
	fmt.Println(h)

	w := html.NewRewriter(os.Stdout, html.Options{Policy: noTracker{}, Base: base, Mark: "0123456789abcdef"})
	w.Write([]byte(`<p style="background: url(//tracker.example/dot)">Hello</p>` + "\n"))
	w.Write([]byte(`<script>load("https://tracker.example/t.js")</script>`))
	w.Close()
	// Output:
	// map[Set-Cookie:[basket=2]]
	// <p style="background: url(about:invalid#consent,0123456789abcdef,analytics,tracker,//tracker.example/dot)">Hello</p>
	// <script data-consent="0123456789abcdef analytics tracker" type="text/plain">load("https://tracker.example/t.js")</script>
}
