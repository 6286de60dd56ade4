package html

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite"
)

// pixels notes which resources have the shape of a tracking pixel.
type pixels struct {
	trackers
	beacon bool
}

func (p *pixels) Resource(r *rewrite.Resource) rewrite.Verdict {
	p.beacon = r.Beacon
	return rewrite.Verdict{}
}

func TestShapeOfAPixel(t *testing.T) {
	for attributes, want := range map[string]bool{
		`width=1 height=1`:     true,
		`width=0 height=1px`:   true,
		`hidden`:               true,
		`style="display:none"`: true,
		`style="position:absolute;visibility: hidden"`:        true,
		`style="width:1px;height:1px"`:                        true,
		`width=16 height=16 style="width:1px;height:1px"`:     true,
		`width=1 height=1 style="display:none"`:               true,
		`width=1 height=20 style="display:none"`:              true,
		`width=16 height=16`:                                  false,
		`width=1 height=20`:                                   false, // a line
		`width=20 height=1`:                                   false,
		`width=16 height=16 style="float:right;display:none"`: false, // a wheel that turns later
		`width="100%" height=200 hidden`:                      false,
		`style="width:10px"`:                                  false,
	} {
		p := &pixels{}
		o := options(t)
		o.Policy = p
		rewriteAll(t, o, `<img src="//other.test/i" `+attributes+`>`)
		if p.beacon != want {
			t.Errorf("%s: %v, want %v", attributes, p.beacon, want)
		}
	}
}
