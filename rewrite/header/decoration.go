package header

import (
	"bytes"
	"encoding/hex"
	"strings"
)

// Decoration is a set of query parameters that carry an identity from site to site. It is immutable.
type Decoration struct {
	exact    map[string]struct{}
	prefixes []string
}

// defaultDecoration names the click and visitor identifiers that advertising platforms append to links. Campaign
// names (utm_*) are not in it: they name no person.
var defaultDecoration = [...]string{
	"gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "srsltid", "_ga", "_gl", "_gac",
	"fbclid", "msclkid", "yclid", "ymclid", "ysclid", "ttclid", "twclid", "li_fat_id", "epik", "rdt_cid", "sccid", "igshid", "igsh",
	"mc_eid", "_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking", "mkt_tok", "vero_id", "vero_conv",
	"_kx", "irclickid", "wickedid", "oly_anon_id", "oly_enc_id", "__s", "ml_subscriber_hash", "cx_click_id", "s_cid", "obclid", "tblci",
	"qclid", "dicbo", "sms_click", "cto_pld", "adroll_*",
}

// DefaultDecoration returns the set that is used when the operator names none.
func DefaultDecoration() *Decoration { return NewDecoration(defaultDecoration[:]...) }

// NewDecoration returns the set of those parameter names, compared without regard to ASCII case; a name that ends in "*"
// stands for all that begin so. Empty names are ignored.
func NewDecoration(names ...string) *Decoration {
	d := &Decoration{exact: make(map[string]struct{}, len(names))}
	for _, n := range names {
		n = strings.ToLower(n)
		if p, ok := strings.CutSuffix(n, "*"); ok && p != "" {
			d.prefixes = append(d.prefixes, p)
		} else if n != "" && !ok {
			d.exact[n] = struct{}{}
		}
	}
	return d
}

// Strip appends to dst the URL reference without the parameters in the set, looking into its query and, because scripts
// read them from there too, into a fragment that is a query by its shape. Everything else keeps its bytes. It
// reports false, and appends nothing, when there is nothing to remove.
func (d *Decoration) Strip(dst, url []byte) (out []byte, changed bool) {
	q := bytes.IndexAny(url, "?#")
	if q < 0 || bytes.IndexByte(url[q:], '=') < 0 {
		return dst, false
	}
	begin := len(dst)
	out = append(dst, url[:q]...)
	rest := url[q:]
	if rest[0] == '?' {
		end := bytes.IndexByte(rest, '#')
		if end < 0 {
			end = len(rest)
		}
		var c bool
		out, c = d.parameters(out, rest[:end])
		changed, rest = c, rest[end:]
	}
	if bytes.IndexByte(rest, '=') >= 0 {
		var c bool
		out, c = d.parameters(out, rest)
		changed = changed || c
	} else {
		out = append(out, rest...)
	}
	if !changed {
		return dst[:begin], false
	}
	return out, true
}

// parameters appends a "?" or "#" and the parameters after it that stay; the mark goes when nothing does.
func (d *Decoration) parameters(out, query []byte) ([]byte, bool) {
	begin := len(out)
	out = append(out, query[0])
	changed, first := false, true
	for rest, more := query[1:], true; more; {
		var p []byte
		p, rest, more = bytes.Cut(rest, []byte{'&'})
		if d.has(p) {
			changed = true
			continue
		}
		if !first {
			out = append(out, '&')
		}
		first = false
		out = append(out, p...)
	}
	if changed && first {
		out = out[:begin]
	}
	return out, changed
}

// has reports whether a parameter is in the set. Its name may be percent-encoded.
func (d *Decoration) has(p []byte) bool {
	i := bytes.IndexByte(p, '=')
	if i <= 0 {
		return false
	}
	var name [64]byte
	n := 0
	for j := 0; j < i; j++ {
		c := p[j]
		if c == '%' && j+2 < i {
			var b [1]byte
			if _, err := hex.Decode(b[:], p[j+1:j+3]); err == nil {
				c = b[0]
				j += 2
			}
		}
		if n == len(name) {
			return false
		}
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		name[n] = c
		n++
	}
	if _, ok := d.exact[string(name[:n])]; ok {
		return true
	}
	for _, prefix := range d.prefixes {
		if n >= len(prefix) && string(name[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}
