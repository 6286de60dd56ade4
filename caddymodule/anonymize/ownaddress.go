package anonymize

import (
	"bytes"
	"crypto/rand"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// ownAddress is an address of the operator's own, as the configuration names it: of the store, or of a service that is asked.
// It is no visitor's, so an Encoder leaves it as it is; in what an error says of it, it is masked as everything is.
type ownAddress string

// String implements fmt.Stringer, for every other encoder.
func (a ownAddress) String() string { return string(a) }

// Own returns a field with an address of the operator's own.
func Own(key, address string) zap.Field { return zap.Stringer(key, ownAddress(address)) }

// maxOwn is how many addresses of the operator's own one line can have; more are masked.
const maxOwn = 4

// ownMark is what stands for them while a line is masked. It has no digit, colon or dot and so is no part of an address; nobody
// outside knows it, nor would it help: only addresses of fields of the same line take its place.
var ownMark = func() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails, crypto/rand
	for i := range b {
		b[i] = 'g' + b[i]%20
	}
	return "own_" + string(b) + "_"
}()

// withOwnMarked returns the fields of a line with marks for the operator's own addresses, and those. Nearly always there is
// none; then nothing is copied.
func withOwnMarked(fields []zapcore.Field) (marked []zapcore.Field, own []ownAddress) {
	marked = fields
	for i, f := range fields {
		a, ok := f.Interface.(ownAddress)
		if !ok || len(own) == maxOwn || strings.Trim(string(a), ownCharacters) != "" {
			continue
		}
		if own == nil {
			marked = append([]zapcore.Field(nil), fields...)
		}
		marked[i] = zap.String(f.Key, ownMark+string(rune('g'+len(own))))
		own = append(own, a)
	}
	return marked, own
}

// ownCharacters are what an address may be made of to be written as it is: no encoder quotes them.
const ownCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:/-_[],@"

// putOwn puts the addresses where their marks are.
func putOwn(line []byte, own []ownAddress) []byte {
	for i, a := range own {
		line = bytes.ReplaceAll(line, []byte(ownMark+string(rune('g'+i))), []byte(a))
	}
	return line
}
