package javascript

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// dataScripts returns the scripts that a script names in data: URLs, to import or run them, nil if there are none: one behind
// the other, and those that these name in turn. (Fetch, 6 "data: URLs")
func dataScripts(text []byte) (code []byte) {
	for range maxVeiledPasses {
		inner := dataScriptsOnce(text)
		if inner == nil {
			break
		}
		code, text = append(code, inner...), inner
	}
	return code
}

func dataScriptsOnce(text []byte) (code []byte) {
	const scheme = "data:"
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], ':')
		if n < 0 {
			return code
		}
		i += n
		quote := i - len(scheme)
		if quote < 0 || !isQuote(text[quote]) || !ascii.HasPrefixFold(text[quote+1:], scheme) {
			continue
		}
		literal := text[quote:min(len(text), quote+maxVeiled)]
		if end := literalEnd(literal, 0); end >= 0 {
			literal = literal[:end]
		}
		head, body, ok := bytes.Cut(unescape(nil, literal[1+len(scheme):]), []byte{','})
		if i = quote + len(literal) - 1; !ok || ascii.IndexFold(head, "script") < 0 {
			continue
		}
		if body = decodePercent(body); ascii.IndexFold(head, ";base64") >= 0 {
			body = decodeBase64(body)
		}
		code = append(append(code, "\n;"...), body...)
	}
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }
