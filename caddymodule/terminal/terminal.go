// Package terminal keeps what pages, clients and lists said from moving the cursor, or worse, on the terminal that shows it.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writer keeps what pages, clients and lists said from moving the cursor, or worse, on the terminal that shows it:
// control characters but tab and newline leave as JSON escapes them. Nobody splits a character over two writes.
type writer struct{ w io.Writer }

// NewWriter returns a writer to a terminal.
func NewWriter(w io.Writer) io.Writer { return writer{w} }

// Write reports the length of p, whatever it became.
func (c writer) Write(p []byte) (int, error) {
	text := escapeFunc(string(p), controls, func(r rune, _ string) string { return fmt.Sprintf(`\u%04x`, r) })
	if _, err := io.WriteString(c.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

func controls(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' }

// OneLine percent-encodes what is no part of a visible line: control characters, line separators, marks that change the
// direction of writing, broken characters.
func OneLine(s string) string {
	hidden := func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }
	return escapeFunc(s, hidden, func(_ rune, raw string) (text string) {
		for i := range len(raw) {
			text += fmt.Sprintf("%%%02X", raw[i])
		}
		return text
	})
}

// escapeFunc replaces the characters for which f holds; instead gets each and its bytes.
func escapeFunc(s string, f func(rune) bool, instead func(r rune, raw string) string) string {
	if !strings.ContainsFunc(s, f) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if f(r) {
			b.WriteString(instead(r, s[i:i+n]))
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
