package html

import (
	"bytes"
	"slices"
)

type insertion struct {
	at   int
	text []byte
}

// inject puts text at the end of what has come, unseen.
func (d *deepScanner) inject(text []byte) { d.insert(d.base+len(d.buf), text) }

// limitValues judges by its beginning what is too large to be held.
func (d *deepScanner) limitValues() {
	from := d.pos - d.limit()
	for i := range d.quoted {
		if v := &d.quoted[i]; v.set != 0 && v.start < from {
			d.r.limited = d.r.limited || relevant(*v)
			d.report(v, d.pos)
			v.id = attrOther
		}
	}
	for i := range d.unquoted {
		if v := &d.unquoted[i]; v.set != 0 && v.start < from {
			d.r.limited = true
			d.report(v, d.pos)
			d.inert |= v.set
			*v = candidate{}
		}
	}
	for len(d.texts) > 0 && d.texts[0].at < from {
		d.judgeText(0, true)
		d.texts = slices.Delete(d.texts, 0, 1)
	}
}

// limitNames makes an attribute inert whose name is followed by more space than may be held. It is called at places that do
// not depend on how the stream is split.
func (d *deepScanner) limitNames() {
	from := d.pos - d.limit()
	if v := (candidate{attr: d.valueAttr, set: d.value}); d.value != 0 && v.at < from && relevant(v) {
		d.insert(v.at, renamed)
		d.valueAttr = attr{}
	}
	if v := (candidate{attr: d.attr, set: d.after}); d.after != 0 && v.at < from && relevant(v) {
		d.insert(v.at, renamed)
		d.attr = attr{}
	}
}

// held returns the position from which on bytes may still change.
func (d *deepScanner) held() int {
	at := d.pos
	if d.inName {
		at = min(at, max(d.nameAt-1, d.pos-maxAttrName))
	}
	if d.name != 0 {
		at = min(at, max(d.attr.at, d.pos-maxAttrName-1))
	}
	if v := (candidate{attr: d.attr, set: d.after}); d.after != 0 && relevant(v) {
		at = min(at, v.at)
	}
	if v := (candidate{attr: d.valueAttr, set: d.value}); d.value != 0 && relevant(v) {
		at = min(at, v.at)
	}
	for i := range d.quoted {
		if v := &d.quoted[i]; v.set != 0 && relevant(*v) {
			at = min(at, v.at)
		}
	}
	for i := range d.unquoted {
		if v := &d.unquoted[i]; v.set != 0 {
			at = min(at, v.at)
		}
	}
	for _, t := range d.texts {
		at = min(at, t.at)
	}
	return at
}

// bytes returns what lies between two positions, or its end if the beginning has been handed on.
func (d *deepScanner) bytes(from, to int) []byte { return d.buf[max(from-d.base, 0) : to-d.base] }

func (d *deepScanner) insert(at int, text []byte) {
	i := len(d.ins)
	for i > 0 && d.ins[i-1].at > at {
		i--
	}
	if i > 0 && d.ins[i-1].at == at && bytes.Equal(d.ins[i-1].text, text) {
		return
	}
	d.ins = slices.Insert(d.ins, i, insertion{at, text})
}

// flushTo hands on everything before a position.
func (d *deepScanner) flushTo(at int) {
	done := d.base
	n := 0
	for _, in := range d.ins {
		if in.at > at {
			break
		}
		d.r.put(d.buf[done-d.base : in.at-d.base])
		d.r.put(in.text)
		done = in.at
		n++
	}
	d.ins = slices.Delete(d.ins, 0, n)
	d.r.put(d.buf[done-d.base : at-d.base])
	d.buf = append(d.buf[:0], d.buf[at-d.base:]...)
	d.base = at
}
