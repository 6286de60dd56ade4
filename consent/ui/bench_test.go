package ui_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// BenchmarkAppendBanner stands beside BenchmarkCopy: the copy of as many bytes.
func BenchmarkAppendBanner(b *testing.B) {
	u := someUI(b)
	for state, p := range states {
		b.Run(state, func(b *testing.B) {
			dst := u.AppendBanner(nil, &p)
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst = u.AppendBanner(dst[:0], &p)
			}
		})
	}
}

func BenchmarkCopy(b *testing.B) {
	p := states["ask"]
	src := someUI(b).AppendBanner(nil, &p)
	dst := make([]byte, 0, len(src))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		dst = append(dst[:0], src...)
	}
}

func BenchmarkAppendPlaceholder(b *testing.B) {
	u := someUI(b)
	e := ui.Embed{Lang: "de", URL: "https://www.youtube.com/embed/abc", Return: "/"}
	dst := u.AppendPlaceholder(nil, &someVendors[3], &e)
	b.ReportAllocs()
	for b.Loop() {
		dst = u.AppendPlaceholder(dst[:0], &someVendors[3], &e)
	}
}

func BenchmarkNegotiate(b *testing.B) {
	u := someUI(b)
	b.ReportAllocs()
	for b.Loop() {
		u.Negotiate("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7")
	}
}

// manyVendors is as long a list as a catalogue makes.
func manyVendors() []ui.Vendor {
	list := make([]ui.Vendor, 164)
	for i := range list {
		list[i] = someVendors[i%len(someVendors)]
		list[i].ID, list[i].Number = fmt.Sprintf("vendor-%d", i), uint16(i)
	}
	return list
}

func BenchmarkWritePreferences(b *testing.B) {
	u := mustNew(b, ui.Config{Vendors: manyVendors()})
	p := ui.Page{Lang: "de"}
	b.ReportAllocs()
	for b.Loop() {
		if err := u.WritePreferences(io.Discard, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	c := ui.Config{Vendors: manyVendors()}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ui.New(c); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAppendBannerDoesNotAllocate: the banner is on the way of every page.
func TestAppendBannerDoesNotAllocate(t *testing.T) {
	u := someUI(t)
	for state, p := range states {
		dst := u.AppendBanner(nil, &p)
		if n := testing.AllocsPerRun(100, func() { dst = u.AppendBanner(dst[:0], &p) }); n != 0 {
			t.Errorf("%s: %v allocations", state, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { u.Negotiate("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7") }); n != 0 {
		t.Errorf("Negotiate: %v allocations", n)
	}
}
