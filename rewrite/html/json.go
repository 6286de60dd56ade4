package html

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// AppendSpeculationRules appends to dst a set of speculation rules in which the URLs that are gated lead nowhere. (HTML,
// 7.6.1 "Speculation rules")
func AppendSpeculationRules(dst, rules []byte, o Options) []byte {
	r := NewRewriter(nil, o)
	if o.Policy == nil || !r.judgeJSON(rules, scriptRules) {
		return append(dst, rules...)
	}
	return append(dst, r.text...)
}

// judgeJSON replaces the gated URLs in an import map or speculation rules. (WHATWG HTML, 8.1.5.2; Speculation Rules, 3)
func (r *Rewriter) judgeJSON(s []byte, st scriptType) bool {
	r.res.Element, r.res.Attribute, r.res.Beacon = elScript.name, "", false
	r.res.Destination = rewrite.DestinationScript
	if st == scriptRules {
		r.res.Destination = rewrite.DestinationPrefetch
	}
	changed := r.o.Readings.Open() && encoding.Swallows(s, 0)
	if changed {
		s = encoding.AppendApart(nil, s, 0)
	}
	for len(s) > 0 {
		i := bytes.IndexByte(s, '"')
		if i < 0 {
			break
		}
		r.text = append(r.text, s[:i+1]...)
		s = s[i+1:]
		end := 0
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(s))
		if value := unescapeJSON(s[:end]); looksAbsolute(value) || bytes.IndexByte(value, '/') >= 0 {
			if v := r.judgeURL(value); v.Gate {
				changed = true
				r.text = append(r.text, "about:invalid"...)
				s = s[end:]
				end = 0
			}
		}
		if end < len(s) {
			end++ // the closing quote
		}
		r.text = append(r.text, s[:end]...)
		s = s[end:]
	}
	r.text = append(r.text, s...)
	return changed
}

// unescapeJSON returns the text of a JSON string's inside.
func unescapeJSON(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		if s[i] != 'u' || i+4 >= len(s) {
			if j := bytes.IndexByte([]byte("btnfr"), s[i]); j >= 0 {
				out = append(out, "\b\t\n\f\r"[j])
			} else {
				out = append(out, s[i])
			}
			continue
		}
		var r rune
		for _, c := range s[i+1 : i+5] {
			r = r<<4 | rune(max(ascii.HexValue(c), 0))
		}
		out = append(out, string(r)...)
		i += 4
	}
	return out
}
