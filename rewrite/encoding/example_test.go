package encoding_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

func ExampleNewDecoder() {
	var wire bytes.Buffer
	z := gzip.NewWriter(&wire)
	io.WriteString(z, "<p>hello</p>")
	z.Close()

	var out strings.Builder
	d, _ := encoding.NewDecoder("gzip", &out, encoding.Limits{})
	defer d.Abort()
	d.Write(wire.Bytes())
	fmt.Println(d.Close(), out.String())
	// Output: <nil> <p>hello</p>
}
