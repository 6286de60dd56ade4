package encoding_test

import (
	"html"
	"io"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// TestEncoderGivesBackWhatWasDecoded: a page that is decoded and encoded again reads as before, character references
// included, of which a browser takes &#128; to &#159; for those of windows-1252 (HTML, 13.2.5.80).
func TestEncoderGivesBackWhatWasDecoded(t *testing.T) {
	for _, name := range []string{"shift_jis", "gbk", "gb18030", "big5", "euc-kr"} {
		through := func(open func(string, io.Writer) (io.WriteCloser, error), text string) string {
			var out strings.Builder
			w, err := open(name, &out)
			if err != nil {
				t.Fatal(name, err)
			}
			if _, err = io.WriteString(w, text); err == nil {
				err = w.Close()
			}
			if err != nil {
				t.Fatal(name, err)
			}
			return out.String()
		}
		for lead := range 128 {
			var text strings.Builder
			for trail := range 256 {
				text.WriteString(string([]byte{byte(128 + lead), byte(trail), '\n'}))
			}
			want := through(encoding.NewTranscoder, text.String())
			if got := html.UnescapeString(through(encoding.NewTranscoder, through(encoding.NewEncoder, want))); got != html.UnescapeString(want) {
				for i, line := range strings.Split(got, "\n") {
					if old := strings.Split(want+strings.Repeat("\n", 600), "\n")[i]; line != html.UnescapeString(old) {
						t.Errorf("%s, lead byte %x: %+q became %+q", name, 128+lead, old, line)
						break
					}
				}
			}
		}
	}
}
