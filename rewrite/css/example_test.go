package css_test

import (
	"fmt"
	"io"
	"os"

	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

func ExampleNewRewriter() {
	base, _ := url.Parse("https://shop.example/style.css")
	r := css.NewRewriter(os.Stdout, &css.Options{Policy: &policy{}, Resolve: base.Resolve, Mark: "M4rk"})
	io.WriteString(r, "body { background: url(paper.png) }\n")
	io.WriteString(r, "@import 'https://tracker.test/fonts';\n")
	r.Close()
	// Output:
	// body { background: url(paper.png) }
	// @import 'about:invalid#consent,M4rk,analytics,t,https://tracker.test/fonts';
}

func ExampleAppend() {
	base, _ := url.Parse("https://shop.example/")
	o := &css.Options{Policy: &policy{}, Resolve: base.Resolve, Mark: "M4rk"}
	fmt.Printf("%s\n", css.Append(nil, []byte("background:url(//tracker.test/1.gif)"), o))
	// Output: background:url(about:invalid#consent,M4rk,analytics,t,//tracker.test/1.gif)
}
