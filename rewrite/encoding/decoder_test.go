package encoding_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

type flusher interface {
	io.WriteCloser
	Flush() error
}

var encoders = map[string]func(io.Writer) flusher{
	"gzip":   func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"x-gzip": func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) flusher {
		return zlib.NewWriter(w)
	},
	"deflate raw": func(w io.Writer) flusher { f, _ := flate.NewWriter(w, 6); return f },
	"br":          func(w io.Writer) flusher { return brotli.NewWriterLevel(w, 5) },
	"zstd":        func(w io.Writer) flusher { z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)); return z },
	"gzip, gzip":  func(w io.Writer) flusher { return newNested(gzip.NewWriter(w), gzipOver) },
	"br, gzip":    func(w io.Writer) flusher { return newNested(gzip.NewWriter(w), brotliOver) },
}

func gzipOver(w io.Writer) flusher   { return gzip.NewWriter(w) }
func brotliOver(w io.Writer) flusher { return brotli.NewWriter(w) }

type nested struct{ inner, outer flusher }

func newNested(outer flusher, inner func(io.Writer) flusher) nested {
	return nested{inner(outer), outer}
}
func (n nested) Write(p []byte) (int, error) { return n.inner.Write(p) }
func (n nested) Flush() error                { return errors.Join(n.inner.Flush(), n.outer.Flush()) }
func (n nested) Close() error                { return errors.Join(n.inner.Close(), n.outer.Close()) }

// codingName strips the variant from a key of encoders.
func codingName(key string) string { return strings.TrimSuffix(key, " raw") }

func encode(t testing.TB, key string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := encoders[key](&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(codings string, limits encoding.Limits, chunks ...[]byte) ([]byte, error) {
	var out bytes.Buffer
	d, err := encoding.NewDecoder(codings, &out, limits)
	if err != nil {
		return nil, err
	}
	for _, c := range chunks {
		if _, err := d.Write(c); err != nil {
			d.Abort()
			return out.Bytes(), err
		}
	}
	err = d.Close()
	return out.Bytes(), err
}

var page = []byte("<!DOCTYPE html><html><head><title>A page</title></head><body>" +
	strings.Repeat("<p>Some words, <a href=/x>a link</a> and <img src=/i.png>.</p>\n", 300) + "</body></html>")

func TestDecoderUndoesEveryCodingAtEverySplit(t *testing.T) {
	for key := range encoders {
		t.Run(key, func(t *testing.T) {
			body := encode(t, key, page)
			for i := 0; i <= len(body); i += 1 + len(body)/300 {
				got, err := decode(codingName(key), encoding.Limits{}, body[:i], body[i:])
				if err != nil || !bytes.Equal(got, page) {
					t.Fatalf("split at %d of %d: %d bytes, %v", i, len(body), len(got), err)
				}
			}
			var single [][]byte
			for i := range body {
				single = append(single, body[i:i+1])
			}
			if got, err := decode(codingName(key), encoding.Limits{}, single...); err != nil || !bytes.Equal(got, page) {
				t.Fatalf("byte by byte: %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestDecoderWithholdsNothingThatWasFlushed(t *testing.T) {
	for key, newEncoder := range encoders {
		t.Run(key, func(t *testing.T) {
			var wire, out bytes.Buffer
			enc := newEncoder(&wire)
			d, err := encoding.NewDecoder(codingName(key), &out, encoding.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Abort()
			want := ""
			for i := range 20 {
				step := fmt.Sprintf("<p>step %d</p>", i)
				want += step
				io.WriteString(enc, step)
				enc.Flush()
				if _, err := d.Write(wire.Bytes()); err != nil {
					t.Fatal(err)
				}
				wire.Reset()
				if err := d.Flush(); err != nil || out.String() != want {
					t.Fatalf("after flush %d: %q, %v", i, out.String(), err)
				}
			}
		})
	}
}

func TestDecoderPassesOnWhatIsNotEncoded(t *testing.T) {
	for _, codings := range []string{"gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "br, gzip", "identity", ""} {
		for _, text := range []string{"<!DOCTYPE html><p>hi", "<p>", "\n <html>", `{"a":1}`, "\ufeff<html><body>hi", string(page), "<", "\n"} {
			for _, split := range []int{0, 1, len(text) / 2} {
				got, err := decode(codings, encoding.Limits{}, []byte(text[:split]), []byte(text[split:]))
				if err != nil || string(got) != text {
					t.Errorf("%q claimed of %.20q: got %.20q, %v", codings, text, got, err)
				}
			}
		}
	}
	for _, other := range []string{"\x00\x8bx", "\x1f\x8ax", "\x1f"} {
		if got, err := decode("gzip", encoding.Limits{}, []byte(other)); err != nil || string(got) != other {
			t.Errorf("gzip claimed of %q: got %q, %v", other, got, err)
		}
	}
	for _, other := range []string{"\x29\xb5\x2f\xfdx", "\x28\xb5\x2f\xfex", "\x60\x2a\x4d\x18", "\x50\x2a\x4d\x17", "\x50\x2a\x4d"} {
		if got, err := decode("zstd", encoding.Limits{}, []byte(other)); err != nil || string(got) != other {
			t.Errorf("zstd claimed of %q: got %q, %v", other, got, err)
		}
	}
	// Encoded once, declared twice.
	if got, err := decode("gzip, gzip", encoding.Limits{}, encode(t, "gzip", page)); err != nil || !bytes.Equal(got, page) {
		t.Errorf("gzip declared twice: %d bytes, %v", len(got), err)
	}
}

// TestDecoderTellsCodingsFromText: brotli has no magic, and may begin as text does: with a space in this one.
func TestDecoderTellsCodingsFromText(t *testing.T) {
	var body bytes.Buffer
	w := brotli.NewWriterOptions(&body, brotli.WriterOptions{Quality: 5, LGWin: 16})
	_, _ = w.Write(page[:19])
	_ = w.Flush()
	_, _ = w.Write(page[19:])
	_ = w.Close()
	if body.Bytes()[0] != ' ' {
		t.Fatalf("begins with %q, which proves nothing", body.Bytes()[0])
	}
	if got, err := decode("br", encoding.Limits{}, body.Bytes()); err != nil || !bytes.Equal(got, page) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestDecoderSkipsFrames(t *testing.T) {
	for _, magic := range []string{"\x50", "\x5f"} {
		body := append([]byte(magic+"\x2a\x4d\x18\x04\x00\x00\x00abcd"), encode(t, "zstd", page)...)
		if got, err := decode("zstd", encoding.Limits{}, body); err != nil || !bytes.Equal(got, page) {
			t.Errorf("after a skippable frame of %q: %d bytes, %v", magic, len(got), err)
		}
	}
}

// TestDecoderPassesWhatIsNoBomb: by default anything of 8 MiB may come out, and beyond that what real pages unfold to.
func TestDecoderPassesWhatIsNoBomb(t *testing.T) {
	var n counter
	d, _ := encoding.NewDecoder("gzip", &n, encoding.Limits{})
	if _, err := d.Write(zeros(t, "gzip", 8<<20-1)); err != nil || d.Close() != nil || n != 8<<20-1 {
		t.Errorf("%d of 8 MiB less one byte passed: %v", n, err)
	}
	long := bytes.Repeat(page, 9<<20/len(page))
	if got, err := decode("gzip", encoding.Limits{}, encode(t, "gzip", long)); err != nil || len(got) != len(long) {
		t.Errorf("%d of %d bytes of pages passed: %v", len(got), len(long), err)
	}
}

func TestDecoderEmptyBody(t *testing.T) {
	for key := range encoders {
		if got, err := decode(codingName(key), encoding.Limits{}); len(got) != 0 || err != nil {
			t.Errorf("%s: %q, %v", key, got, err)
		}
		if got, err := decode(codingName(key), encoding.Limits{}, encode(t, key, nil)); len(got) != 0 || err != nil {
			t.Errorf("%s of nothing: %q, %v", key, got, err)
		}
	}
}

func TestDecoderReportsTruncation(t *testing.T) {
	for key := range encoders {
		body := encode(t, key, page)
		for _, n := range []int{3, 11, len(body) / 2, len(body) - 1} {
			if key == "zstd" {
				n = max(n, 5) // with less, it has no magic
			}
			got, err := decode(codingName(key), encoding.Limits{}, body[:n])
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut to %d of %d bytes: %d bytes came out, error %v", key, n, len(body), len(got), err)
			}
			if !bytes.HasPrefix(page, got) {
				t.Errorf("%s cut to %d: what came out is no prefix", key, n)
			}
		}
	}
}

func TestDecoderReportsCorruption(t *testing.T) {
	body := encode(t, "gzip", page)
	body[len(body)-6] ^= 0xff // the checksum
	if _, err := decode("gzip", encoding.Limits{}, body); err == nil {
		t.Error("a wrong checksum passed")
	}
}

func TestDecoderIgnoresWhatFollows(t *testing.T) {
	for key := range encoders {
		if key == "zstd" {
			continue // frames may follow each other; anything else there is an error
		}
		body := append(encode(t, key, page), "trailing bytes"...)
		if got, err := decode(codingName(key), encoding.Limits{}, body); err != nil || !bytes.Equal(got, page) {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
	}
	members := append(encode(t, "gzip", page[:100]), encode(t, "gzip", page[100:])...)
	if got, err := decode("gzip", encoding.Limits{}, members); err != nil || !bytes.Equal(got, page) {
		t.Errorf("two gzip members: %d bytes, %v", len(got), err)
	}
}

// zeros encodes n zero bytes.
func zeros(t testing.TB, key string, n int64) []byte {
	var b bytes.Buffer
	w := encoders[key](&b)
	if _, err := io.CopyN(w, zeroReader{}, n); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDecoderStopsBombs(t *testing.T) {
	for _, key := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		bomb := zeros(t, key, 12<<20)
		var n counter
		d, _ := encoding.NewDecoder(key, &n, encoding.Limits{})
		_, err := d.Write(bomb)
		if err == nil {
			err = d.Close()
		}
		var limit *encoding.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s: %d bytes passed, %v", key, n, err)
		} else if int64(n) > 8<<20+200*int64(len(bomb)) {
			t.Errorf("%s: %d bytes of %d passed before %v", key, n, len(bomb), err)
		}
		if _, again := d.Write([]byte("x")); !errors.As(again, &limit) && again == nil {
			t.Errorf("%s: a write after the error passed", key)
		}
		d.Abort()
	}
	if _, err := decode("gzip", encoding.Limits{Bytes: 1000}, encode(t, "gzip", page)); !errors.As(err, new(*encoding.LimitError)) {
		t.Errorf("more than Bytes: %v", err)
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func TestDecoderRefusesLargeZstdWindow(t *testing.T) {
	var b bytes.Buffer
	z, _ := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	io.CopyN(z, zeroReader{}, 9<<20)
	z.Close()
	if _, err := decode("zstd", encoding.Limits{Ratio: 1 << 40}, b.Bytes()); !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Errorf("a 64 MiB window: %v", err)
	}
}

func TestDecoderEndsItsGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	body := encode(t, "gzip", page)
	for i := range 300 {
		d, _ := encoding.NewDecoder("gzip", io.Discard, encoding.Limits{})
		d.Write(body[:rand.IntN(len(body))])
		switch i % 4 {
		case 0:
			d.Close()
		case 1:
			d.Abort()
			d.Abort()
		case 2:
			d.Abort()
			d.Close()
		case 3:
			d.Close()
			d.Close()
			d.Abort()
		}
	}
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

type failing struct{ after int }

var errDisk = errors.New("writer failed")

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestDecoderReturnsWriterErrors(t *testing.T) {
	d, _ := encoding.NewDecoder("gzip", &failing{100}, encoding.Limits{})
	_, err := d.Write(encode(t, "gzip", page))
	if err == nil {
		err = d.Close()
	}
	if !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic(errDisk) }

// A panic below (net/http's ErrAbortHandler) must reach the caller on its own goroutine, and Abort must still work.
func TestDecoderLetsWriterPanicsThrough(t *testing.T) {
	d, _ := encoding.NewDecoder("gzip", panicking{}, encoding.Limits{})
	defer d.Abort()
	defer func() {
		if recover() != errDisk {
			t.Error("the panic did not arrive")
		}
	}()
	d.Write(encode(t, "gzip", page))
	d.Close()
}

func TestDecoderOnLockedThreads(t *testing.T) {
	var out bytes.Buffer
	d, _ := encoding.NewDecoder("br", &out, encoding.Limits{})
	body := encode(t, "br", page)
	for i := range body {
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			_, err := d.Write(body[i : i+1])
			done <- err
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil || !bytes.Equal(out.Bytes(), page) {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

func TestSupported(t *testing.T) {
	for codings, want := range map[string]bool{
		"": true, "identity": true, "gzip": true, "GZip": true, "x-gzip": true, " br ": true, "deflate,gzip": true,
		"gzip, , br": true, "zstd": true, "dcb": false, "gzip, compress": false, "exi": false, "gzip;q=1": true, "none": true, "gzip, none": false, "none, utf-8": true, "none, exi": false,
		"gzip,gzip,gzip,gzip": true, "gzip,gzip,gzip,gzip,gzip": false,
	} {
		if got := encoding.Supported(codings); got != want {
			t.Errorf("Supported(%q) = %v", codings, got)
		}
	}
	for codings, want := range map[string]bool{"": true, "identity, identity": true, "gzip": false, "what": true, "compress": false, "gzip, what": false} {
		if got := encoding.Identity(codings); got != want {
			t.Errorf("Identity(%q) = %v", codings, got)
		}
	}
	if _, err := encoding.NewDecoder("compress", io.Discard, encoding.Limits{}); err != encoding.ErrUnsupported {
		t.Errorf("NewDecoder: %v", err)
	}
}

func FuzzDecoder(f *testing.F) {
	for key := range encoders {
		f.Add(codingName(key), encode(f, key, page[:500]), 7)
	}
	f.Add("br", []byte("<html>"), 1)
	f.Fuzz(func(t *testing.T, codings string, body []byte, split int) {
		if !encoding.Supported(codings) || len(body) > 1<<16 {
			return
		}
		limits := encoding.Limits{Free: 1 << 20, Ratio: 10}
		whole, err := decode(codings, limits, body)
		split = max(0, min(split, len(body)))
		parts, partsErr := decode(codings, limits, body[:split], body[split:])
		if err == nil && (partsErr != nil || !bytes.Equal(whole, parts)) {
			t.Fatalf("whole: %d bytes; in parts: %d bytes, %v", len(whole), len(parts), partsErr)
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	for _, key := range []string{"gzip", "deflate", "br", "zstd"} {
		body := encode(b, key, page)
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(page)))
			for b.Loop() {
				d, _ := encoding.NewDecoder(key, io.Discard, encoding.Limits{})
				d.Write(body)
				if err := d.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
