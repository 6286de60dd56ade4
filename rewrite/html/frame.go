package html

import (
	"hash/fnv"
	"strconv"
)

// frameName returns the name attribute for a gated frame, nil for other tags. On the way back and forth in its history a
// browser fetches what a frame of the same name held when the page was left, whatever the page says now; a frame without
// a name goes by its place (WHATWG HTML, 7.4.6.2 "get the target history entry"; Chromium's unique names). After a
// withdrawal that would be the vendor's document. So a gated frame has a name that no other page has.
func (r *Rewriter) frameName(tag []byte, t *tag) []byte {
	if r.plan.gone()&(1<<attrSrc|1<<attrSrcdoc) == 0 {
		return nil
	}
	if el := r.element(t, tag); el != elIframe && el != elFrame {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.o.Mark)) // the mark itself would be told to whom the frame shows later
	r.frames++
	_, _ = h.Write(strconv.AppendInt(nil, int64(r.frames), 10))
	b := append([]byte(nil), ` name="consent-`...)
	return append(strconv.AppendUint(b, h.Sum64(), 36), '"')
}
