package encoding

import (
	"bytes"
	"encoding/base64"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// Data reads a data: URL, of which rest follows the colon: its type in lower case, and its body in an encoding that is
// Transparent. A body that is not base64 as it says is taken as far as it is. ok is false without a comma. (Fetch, 6)
func Data(rest []byte) (mime string, body []byte, ok bool) {
	head, body, ok := bytes.Cut(rest, []byte{','})
	if !ok {
		return "", nil, false
	}
	mime = string(bytes.ToLower(head))
	if i := bytes.IndexByte(body, '#'); i >= 0 {
		body = body[:i]
	}
	body = url.AppendDecoded(nil, body)
	if i := bytes.LastIndexByte(head, ';'); i >= 0 && ascii.EqualFold(bytes.Trim(head[i+1:], "\t\n\f\r "), "base64") {
		text := bytes.TrimRight(bytes.Join(bytes.Fields(body), nil), "=")
		body = make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
		n, _ := base64.RawStdEncoding.Decode(body, text)
		body = body[:n]
	}
	name, _ := Sniff(mime, body)
	if Transparent(name) {
		return mime, body, true
	}
	var out bytes.Buffer
	w, err := NewTranscoder(name, &out)
	if err != nil {
		return mime, body, true
	}
	_, _ = w.Write(body) // a bytes.Buffer does not fail
	_ = w.Close()
	return mime, out.Bytes(), true
}
