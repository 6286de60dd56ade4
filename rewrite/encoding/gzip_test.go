package encoding

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// gunzip reads with the standard library, which checks length and checksum.
func gunzip(t *testing.T, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGzip: whatever the pieces, flushes and constants, what comes out is what went in.
func TestGzip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	// The constant repeats what the page says and the page what the constant says: a reference across the seam would show.
	page := strings.Repeat("<p>Some text of a page, some text of a script.</p>\n", 300)
	text := []byte(strings.Repeat("Some text of a script, some text of a page;\n", 200))
	constant, err := NewConstant(text)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		var b bytes.Buffer
		want := ""
		g := NewGzip(&b, constant, GzipLevel(random.IntN(2)))
		for range random.IntN(6) {
			switch random.IntN(4) {
			case 0:
				_, _ = g.Write(text)
				want += string(text)
			case 1:
				if err := g.Flush(); err != nil {
					t.Fatal(err)
				}
			default:
				piece := page[:random.IntN(len(page))]
				_, _ = g.Write([]byte(piece))
				want += piece
			}
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if got := gunzip(t, b.Bytes()); got != want {
			t.Fatalf("%d bytes came out as %d others", len(want), len(got))
		}
		if g.Size() != int64(len(want)) {
			t.Fatalf("Size says %d, not %d", g.Size(), len(want))
		}
	}
}

// TestGzipConstant: a constant costs what it costs compressed well, its copy what any text costs.
func TestGzipConstant(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for range 500 { // so varied that one level of compression finds what another does not
		text = append(text, []string{"function", "return ", "const", "second.", "third", "()", "{};", "=", "if"}[random.IntN(9)]...)
	}
	constant, err := NewConstant(text)
	if err != nil {
		t.Fatal(err)
	}
	var taken, copied bytes.Buffer
	for b, piece := range map[*bytes.Buffer][]byte{&taken: text, &copied: bytes.Clone(text)} {
		g := NewGzip(b, constant, GzipFast)
		_, _ = g.Write(piece)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(taken.Bytes(), constant.deflated) {
		t.Error("the constant was compressed anew")
	}
	if bytes.Contains(copied.Bytes(), constant.deflated) {
		t.Error("a copy passed for the constant")
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// TestGzipTellsOfErrors: wherever the writer below fails, the body does not end well; and it ends once.
func TestGzipTellsOfErrors(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 100<<10) // more than a block
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	constant, err := NewConstant([]byte("a constant"))
	if err != nil {
		t.Fatal(err)
	}
	body := func(w io.Writer) error {
		g := NewGzip(w, constant, GzipFast)
		if _, err := g.Write(text); err != nil {
			return err
		}
		if _, err := g.Write(constant.text); err != nil {
			return err
		}
		if err := g.Flush(); err != nil {
			return err
		}
		if err := g.Close(); err != nil {
			return err
		}
		return g.Close()
	}
	var whole bytes.Buffer
	if err := body(&whole); err != nil || gunzip(t, whole.Bytes()) != string(text)+"a constant" {
		t.Fatal(err)
	}
	for room := 0; room < whole.Len(); room += 1 + min(room, whole.Len()-room-1)/2 {
		if err := body(&full{room}); err != io.ErrShortWrite {
			t.Errorf("with room for %d of %d bytes: %v", room, whole.Len(), err)
		}
	}
}

// TestGzipFlush: all that was written can be read after a flush.
func TestGzipFlush(t *testing.T) {
	var b bytes.Buffer
	g := NewGzip(&b, nil, GzipFast)
	_, _ = g.Write([]byte("step 1"))
	if err := g.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "step 1" {
		t.Fatalf("after a flush %q can be read: %v", got, err)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for value, want := range map[string]bool{
		"gzip, deflate, br, zstd": true, "br;q=1.0, GZIP;q=0.5": true, "x-gzip": true, "*": true, "br": false, "": false, "identity": false,
		"gzip;q=0": false, "gzip; q=0.000, *": false, "*;q=0": false, "gzip;q=0.001": true, "br, *;q=0.1": true,
	} {
		if got := AcceptsGzip([]string{value}); got != want {
			t.Errorf("%q: %t, want %t", value, got, want)
		}
	}
	if AcceptsGzip(nil) {
		t.Error("no field asks for gzip")
	}
}

// TestGzipHistory: what follows a flush may refer to what came before it, also in a stream that takes over from another.
func TestGzipHistory(t *testing.T) {
	for range 3 {
		var b bytes.Buffer
		g := NewGzip(&b, nil, GzipFast)
		random := rand.New(rand.NewPCG(1, 2))
		text := make([]byte, 2000)
		for i := range text {
			text[i] = byte('a' + random.IntN(26))
		}
		var sizes []int
		for range 3 {
			_, _ = g.Write(text)
			if err := g.Flush(); err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, b.Len())
		}
		if sizes[1]-sizes[0] > 100 || sizes[2]-sizes[1] > 100 {
			t.Errorf("the same again and again comes to %d bytes in all", sizes)
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if got := gunzip(t, b.Bytes()); got != strings.Repeat(string(text), 3) {
			t.Errorf("%d bytes came out wrong", len(got))
		}
	}
}
