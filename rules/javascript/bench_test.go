package javascript_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/javascript"
)

// unseen makes scripts of which a Set cannot remember what it said of them: a number behind each changes every time.
type unseen struct {
	text   []byte
	number []byte
}

func newUnseen(text []byte) *unseen {
	u := &unseen{text: append(bytes.Clone(text), "\n//00000000"...)}
	u.number = u.text[len(u.text)-8:]
	return u
}

func (u *unseen) next() []byte {
	for i := len(u.number) - 1; i >= 0; i-- {
		if u.number[i]++; u.number[i] <= '9' {
			break
		}
		u.number[i] = '0'
	}
	return u.text
}

// judge measures how fast the scripts are judged; one operation is all of them.
func judge(b *testing.B, texts ...[]byte) (found int) {
	s := builtin(b)
	var list []*unseen
	size := 0
	for _, text := range texts {
		list = append(list, newUnseen(text))
		size += len(text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, u := range list {
			if _, ok := s.Script(u.next(), rules.Context{}); ok {
				found++
			}
		}
	}
	return found
}

// BenchmarkVendor reads a script that holds a vendor.
func BenchmarkVendor(b *testing.B) {
	if judge(b, []byte(javascript.SiteScript+javascript.Snippets["google-tag-manager"][0])) == 0 {
		b.Error("not recognised")
	}
}

// BenchmarkNothing judges a script of the site's own.
func BenchmarkNothing(b *testing.B) {
	if judge(b, []byte(strings.Repeat(javascript.SiteScript, 20))) != 0 {
		b.Error("recognised")
	}
}

// BenchmarkPages judges the inline scripts of real pages.
func BenchmarkPages(b *testing.B) { judge(b, javascript.PageScripts(b)...) }

func BenchmarkDeclared(b *testing.B) {
	text := []byte(javascript.SiteScript)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		javascript.Declared(text)
	}
}
