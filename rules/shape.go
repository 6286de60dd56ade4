package rules

import (
	"bytes"
	"slices"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// shapeIndex recognises trackers that nobody has listed by the shape of their address: hosts whose first label says what
// they are for (stats.example.com), and images that are called with as many parameters as only a beacon has.
type shapeIndex struct {
	labels map[string]*shape
	// lengths has, for each first letter, a bit for the length of each label that begins with it, so that most hosts
	// cost no look-up.
	lengths [256]uint32
	beacon  *shape // nil for none
}

type shape struct {
	vendor int32
	text   string
}

// beaconParameters is how many parameters make an image called *.gif a beacon.
const beaconParameters = 5

func (x *shapeIndex) add(label string, vendor int32) {
	if x.labels == nil {
		x.labels = make(map[string]*shape)
	}
	x.labels[label] = &shape{vendor, "host shape " + label + ".*"}
	x.lengths[label[0]] |= 1 << (len(label) & 31)
}

// lookup returns the vendor that stands for a request of this shape, or nil.
func (x *shapeIndex) lookup(r *Request, a *address) *shape {
	if r.Type == filterlist.Document { // where the visitor goes
		return nil
	}
	if dot := bytes.IndexByte(a.host, '.'); dot > 0 {
		label := a.host[:dot]
		for n := len(label) - 1; n > 0 && '0' <= label[n] && label[n] <= '9'; n-- { // stats2
			label = label[:n]
		}
		if len(label) < 32 && x.lengths[label[0]]>>len(label)&1 != 0 && subdomain(a.host[dot+1:]) {
			if s := x.labels[string(label)]; s != nil && !bytes.Contains(a.query, []byte("optOut")) { // where visitors object
				return s
			}
		}
	}
	if x.beacon != nil && r.Type == filterlist.Image && len(a.query) > 2*beaconParameters && bytes.HasSuffix(a.path, []byte(".gif")) &&
		bytes.Count(a.query, []byte("=")) >= beaconParameters && bytes.Count(a.query, []byte("&")) >= beaconParameters-1 {
		return x.beacon
	}
	return nil
}

// subdomain reports whether the part of a host after its first label can have been registered, so that the label is a
// name that its owner gave: "example.com" and "example.co.uk" can, "com" and "co.uk" cannot. It need not be exact: what
// it takes for registered by mistake is a host that says it is for tracking all the same.
func subdomain(rest []byte) bool {
	dot := bytes.IndexByte(rest, '.')
	if dot < 0 {
		return false
	}
	if len(rest)-dot != len(".uk") {
		return true
	}
	switch string(rest[:dot]) {
	case "co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go":
		return false
	}
	return true
}

// pictureNames are words in the names of pictures that a page holds hidden, or stretches from a pixel, to show or fill
// something later.
var pictureNames = [...]string{"spacer", "blank", "transparent", "placeholder", "loading", "loader", "spinner", "progress", "logo", "icon", "arrow"}

// Picture reports whether an address without a query names a picture that pages show, and not what a counter answers
// with, so that an image of it is none of a tracker's pixels although it is hidden or of one pixel. Counters send the
// smallest there is, a GIF or PNG, and call it neither logo nor spacer; no photograph is one.
func Picture(url []byte) bool {
	if bytes.IndexByte(url, '?') >= 0 {
		return false
	}
	name := url[bytes.LastIndexByte(url, '/')+1:]
	dot := bytes.LastIndexByte(name, '.')
	switch {
	case dot < 0:
	case oneOf(name[dot+1:], "jpg", "jpeg", "webp", "avif", "heic", "svg"):
		return true
	case oneOf(name[dot+1:], "gif", "png"):
		for _, word := range pictureNames {
			if ascii.IndexFold(name[:dot], word) >= 0 {
				return true
			}
		}
	}
	return ascii.IndexFold(url, "/photo/") >= 0
}

func oneOf(s []byte, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return len(s) == len(word) && ascii.HasPrefixFold(s, word) })
}
