package html

import (
	"math/bits"
	"testing"
)

func TestNames(t *testing.T) {
	seen := map[uint8]string{}
	for i := range elements {
		e := &elements[i]
		if i > 0 && byName(e.name) != e {
			t.Errorf("%s is not found", e.name)
		}
		if i > 0 && e.bit != 0 {
			if seen[e.bit] != "" || elementOf(1<<e.bit) != e {
				t.Errorf("%s and %s share a bit", e.name, seen[e.bit])
			}
			seen[e.bit] = e.name
		}
		if e.mask.has(attrOther) || bits.OnesCount64(uint64(e.mask)) < len(anyUses) {
			t.Errorf("%s: mask %x", e.name, e.mask)
		}
	}
	if len(seen) > 63 {
		t.Errorf("%d elements do not fit a set", len(seen))
	}
	for i, e := range []*element{elA, elBase, elBody, elCol, elFont, elFrameset, elHead, elIframe, elLink, elMeta, elNoscript, elScript, elSelect, elStyle, elTemplate} {
		if e == &elements[0] {
			t.Errorf("element %d of the named ones is unknown", i)
		}
	}
	for id := attrOn + 1; id < attrCount; id++ {
		if lookupAttr(keyOf([]byte(attrNames[id])), []byte(attrNames[id])) != id {
			t.Errorf("attribute %s", attrNames[id])
		}
	}
	for _, n := range []string{"xsrc", "src2", "data-src", "backgroun", "x-attributionsrc", "zttributionsrc"} {
		if id := lookupAttr(keyOf([]byte(n)), []byte(n)); id != attrOther {
			t.Errorf("%s is taken for %s", n, attrNames[id])
		}
	}
	if lookupAttr(keyOf([]byte("ONload")), []byte("ONload")) != attrOn || lookupAttr(keyOf([]byte("on")), []byte("on")) != attrOther {
		t.Error("event handlers")
	}
}
