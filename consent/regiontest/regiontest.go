// Package regiontest writes region databases for tests.
package regiontest

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Database returns a file of the MaxMind DB format 2.0: an IPv4 tree of two nodes, in which 64.0.0.0/2, with 127.0.0.1, is
// the subdivision TX of a country of two letters, and no other address is known.
func Database(country string) []byte {
	text := func(s string) []byte { return append([]byte{2<<5 | byte(len(s))}, s...) }
	dict := func(pairs ...[]byte) []byte {
		return append([]byte{7<<5 | byte(len(pairs)/2)}, slices.Concat(pairs...)...)
	}
	uint16of := func(v uint16) []byte { return binary.BigEndian.AppendUint16([]byte{5<<5 | 2}, v) }
	uint32of := func(v uint32) []byte { return binary.BigEndian.AppendUint32([]byte{6<<5 | 4}, v) }
	list := func(items ...[]byte) []byte {
		return append([]byte{byte(len(items)), 11 - 7}, slices.Concat(items...)...)
	}

	const nodes = 2
	const missing, found = nodes, nodes + 16
	var b bytes.Buffer
	for _, record := range []uint32{1, missing, missing, found} { // node 0: left, right; node 1: left, right
		b.Write([]byte{byte(record >> 16), byte(record >> 8), byte(record)})
	}
	b.Write(make([]byte, 16))
	b.Write(dict(text("country"), dict(text("iso_code"), text(country)),
		text("subdivisions"), list(dict(text("iso_code"), text("TX")))))
	b.WriteString("\xab\xcd\xefMaxMind.com")
	b.Write(dict(
		text("node_count"), uint32of(nodes), text("record_size"), uint16of(24), text("ip_version"), uint16of(4),
		text("database_type"), text("Test-City"), text("binary_format_major_version"), uint16of(2),
		text("binary_format_minor_version"), uint16of(0), text("build_epoch"), append([]byte{8, 9 - 7}, make([]byte, 8)...),
		text("languages"), list(text("en")), text("description"), dict(text("en"), text("test")),
	))
	return b.Bytes()
}
