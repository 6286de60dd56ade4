package html

import (
	"bytes"
	"math/bits"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// attrID names an attribute that can lead to a contact or that says whether another one does. 0 is any other attribute.
type attrID uint8

// attrSet is a set of attributes.
type attrSet uint64

func (s attrSet) has(id attrID) bool { return s&(1<<id) != 0 }

const (
	attrOther attrID = iota
	attrOn           // any event handler: a name that begins with "on"
	attrAction
	attrArchive
	attrAs
	attrAttributionSrc
	attrBackground
	attrBy
	attrClassID
	attrClipPath
	attrCode
	attrCodeBase
	attrConfig
	attrContent
	attrCursor
	attrData
	attrDynSrc
	attrFill
	attrFilter
	attrFormAction
	attrFrom
	attrHeight
	attrHidden
	attrHref
	attrHTTPEquiv
	attrImageSrcset
	attrLanguage
	attrLowSrc
	attrManifest
	attrMarkerEnd
	attrMarkerMid
	attrMarkerStart
	attrMask
	attrPing
	attrPoster
	attrRel
	attrSrc
	attrSrcdoc
	attrSrcset
	attrStroke
	attrStyle
	attrTo
	attrType
	attrValue
	attrValues
	attrWidth
	attrXlinkHref
	attrCount
)

var attrNames = [attrCount]string{"", "on", "action", "archive", "as", "attributionsrc", "background", "by", "classid", "clip-path", "code",
	"codebase", "config", "content", "cursor", "data", "dynsrc", "fill", "filter", "formaction", "from", "height", "hidden", "href",
	"http-equiv", "imagesrcset", "language", "lowsrc", "manifest", "marker-end", "marker-mid", "marker-start", "mask", "ping", "poster", "rel",
	"src", "srcdoc", "srcset", "stroke", "style", "to", "type", "value", "values", "width", "xlink:href"}

// role is how an attribute's value is read.
type role uint8

const (
	roleNone     role = iota
	roleURL           // one URL that is fetched
	roleSrcset        // image candidates (WHATWG HTML, 4.8.4.2.1)
	roleURLs          // URLs separated by white space or commas
	roleLink          // a link: harmless, but for a javascript: URL
	roleRefresh       // meta content (WHATWG HTML, 2.5.8)
	roleSrcdoc        // a document
	roleStyle         // CSS declarations
	roleCSSValue      // the value of a CSS property
	roleValues        // SMIL values: a list separated by ';'
	roleBase          // base href
	roleDocument      // a URL that is navigated to
	roleCSP           // a Content Security Policy
)

// use says what an element does with an attribute.
type use struct {
	attr        attrID
	role        role
	destination rewrite.Destination
}

// element is an element that the rewriter knows.
type element struct {
	name  string
	flags elementFlags
	bit   uint8          // the element's place in sets of the second stage; 0 for all that use no attribute of their own
	mask  attrSet        // the attributes in uses, and attrOn
	uses  [attrCount]use // by attribute
}

// elementFlags say what an element means to the tokenizer and to the tree (WHATWG HTML, 13.2.6).
type elementFlags uint16

const (
	flagRaw      elementFlags = 1 << iota // RCDATA or RAWTEXT follows
	flagScript                            // script data follows
	flagPlain                             // PLAINTEXT follows
	flagVoid                              // no end tag
	flagBreakout                          // ends foreign content (13.2.6.5)
	flagForeign                           // svg and math
	flagPoint                             // may be an integration point (13.2.6.5)
	flagSimple                            // neither closes other elements nor is ever ignored in body
	flagInject                            // html, head, body: where to inject
	flagContext                           // select, template, frameset, col, noscript: may change how raw text is read
)

// anyUses apply to every element: links of MathML and SVG can be any element.
var anyUses = []use{
	{attrStyle, roleStyle, rewrite.DestinationImage},
	{attrBackground, roleURL, rewrite.DestinationImage},
	{attrAttributionSrc, roleURLs, rewrite.DestinationPing},
	{attrHref, roleLink, rewrite.DestinationDocument},
	{attrXlinkHref, roleLink, rewrite.DestinationDocument},
	{attrClipPath, roleCSSValue, rewrite.DestinationImage},
	{attrCursor, roleCSSValue, rewrite.DestinationImage},
	{attrFill, roleCSSValue, rewrite.DestinationImage},
	{attrFilter, roleCSSValue, rewrite.DestinationImage},
	{attrMarkerEnd, roleCSSValue, rewrite.DestinationImage},
	{attrMarkerMid, roleCSSValue, rewrite.DestinationImage},
	{attrMarkerStart, roleCSSValue, rewrite.DestinationImage},
	{attrMask, roleCSSValue, rewrite.DestinationImage},
	{attrStroke, roleCSSValue, rewrite.DestinationImage},
}

const (
	dScript = rewrite.DestinationScript
	dImage  = rewrite.DestinationImage
	dMedia  = rewrite.DestinationMedia
	dFrame  = rewrite.DestinationFrame
	dObject = rewrite.DestinationObject
	dPing   = rewrite.DestinationPing
	dNav    = rewrite.DestinationDocument
)

// hrefs is what SVG elements do that fetch (SVG 2, 16.2 "linking"); links is SMIL's animation of such a link.
var (
	hrefs = []use{{attrHref, roleURL, dImage}, {attrXlinkHref, roleURL, dImage}}
	smil  = []use{{attrTo, roleValues, dImage}, {attrFrom, roleValues, dImage}, {attrBy, roleValues, dImage}, {attrValues, roleValues, dImage},
		{attrHref, roleURL, dImage}, {attrXlinkHref, roleURL, dImage}}
	media = []use{{attrSrc, roleURL, dMedia}, {attrPoster, roleURL, dImage}}
	amp   = []use{{attrSrc, roleURL, dImage}, {attrSrcset, roleSrcset, dImage}, {attrPoster, roleURL, dImage},
		{attrConfig, roleURL, rewrite.DestinationEmpty}}
	image = []use{{attrSrc, roleURL, dImage}, {attrSrcset, roleSrcset, dImage}, {attrLowSrc, roleURL, dImage}, {attrDynSrc, roleURL, dMedia},
		{attrHref, roleURL, dImage}, {attrXlinkHref, roleURL, dImage}}
	anchor = []use{{attrPing, roleURLs, dPing}}
	frame  = []use{{attrSrc, roleURL, dFrame}, {attrSrcdoc, roleSrcdoc, dFrame}}
	object = []use{{attrData, roleURL, dObject}, {attrSrc, roleURL, dObject}, {attrCode, roleURL, dObject}, {attrClassID, roleURL, dObject},
		{attrCodeBase, roleURL, dObject}, {attrArchive, roleURLs, dObject}}
)

// fetching are the elements that do more with their attributes than any element does. (WHATWG HTML; SVG 2; MathML Core; AMP; legacy elements as browsers' preload scanners see them)
var fetching = map[string][]use{
	"script": {{attrSrc, roleURL, dScript}, {attrHref, roleURL, dScript}, {attrXlinkHref, roleURL, dScript}},
	"link":   {{attrHref, roleURL, rewrite.DestinationEmpty}, {attrImageSrcset, roleSrcset, dImage}},
	"base":   {{attrHref, roleBase, dNav}},
	"meta":   {{attrContent, roleRefresh, dNav}},
	"img":    image, "image": image, "input": append(image[:4:4], use{attrFormAction, roleDocument, dNav}),
	"source": append(image[1:2:2], use{attrSrc, roleURL, dMedia}),
	"video":  media, "audio": media, "track": media, "bgsound": media, "model": media,
	"iframe": frame, "frame": frame, "portal": frame, "fencedframe": frame,
	"embed": object, "object": object, "applet": object,
	"param":  {{attrValue, roleValues, dObject}},
	"form":   {{attrAction, roleDocument, dNav}},
	"button": {{attrFormAction, roleDocument, dNav}},
	"html":   {{attrManifest, roleURL, rewrite.DestinationManifest}},
	"a":      anchor, "area": anchor,
	"mglyph": image[:1],
	"use":    hrefs, "feimage": hrefs, "mpath": hrefs, "textpath": hrefs, "tref": hrefs,
	"lineargradient": hrefs, "radialgradient": hrefs, "pattern": hrefs, "filter": hrefs,
	"cursor": hrefs, "font-face-uri": hrefs, "color-profile": hrefs, "handler": hrefs,
	"set": smil, "animate": smil, "animatemotion": smil, "animatetransform": smil,
	"animatecolor": smil,
	"amp-img":      amp, "amp-anim": amp, "amp-pixel": amp, "amp-analytics": amp,
	"amp-iframe": {{attrSrc, roleURL, dFrame}}, "amp-video": media, "amp-audio": media,
	"amp-ad": amp, "amp-video-iframe": append(media[1:2:2], use{attrSrc, roleURL, dFrame}),
}

// flagged are the elements that have a flag.
var flagged = []struct {
	flags elementFlags
	names string
}{
	{flagRaw, "title textarea style xmp iframe noembed noframes"},
	{flagScript, "script"},
	{flagPlain, "plaintext"},
	{flagVoid, "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr image"},
	{flagBreakout, "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre " +
		"ruby s small span strong strike sub sup table tt u ul var"},
	{flagForeign, "svg math"},
	{flagPoint, "desc title foreignobject annotation-xml mi mo mn ms mtext"},
	{flagSimple, "b font i s u em span div p strong small code sub sup section label"},
	{flagInject, "html head body"},
	{flagContext, "select template frameset col noscript"},
}

// elements are all known elements; elements[0] stands for every other one.
var elements = buildElements()

func buildElements() []element {
	list := []element{{}}
	index := map[string]int{}
	get := func(name string) *element {
		if index[name] == 0 {
			index[name] = len(list)
			list = append(list, element{name: name})
		}
		return &list[index[name]]
	}
	for name, uses := range fetching {
		e := get(name)
		for _, u := range uses {
			e.uses[u.attr] = u
		}
	}
	for _, f := range flagged {
		for name := range strings.FieldsSeq(f.names) {
			get(name).flags |= f.flags
		}
	}
	bit := uint8(0)
	for i := range list {
		e := &list[i]
		if fetching[e.name] != nil || e.name == "style" {
			bit++
			e.bit = bit
		}
		e.mask = 1 << attrOn
		for _, u := range anyUses {
			if e.uses[u.attr].role == roleNone {
				e.uses[u.attr] = u
			}
		}
		for id := range e.uses {
			if e.uses[id].role != roleNone {
				e.mask |= 1 << id
			}
		}
	}
	return list
}

// table is an immutable hash table from a name's key to an index. It is large enough for nearly every key to have its place
// for itself.
type table struct {
	keys  [tableSize]uint64
	ids   [tableSize]uint8
	names [256]string // by id
}

const tableSize = 2048

// slot returns where a key is looked for first: the highest bits of a product, as many as tableSize needs.
func slot(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> 53 }

// keyOf returns the key of a name: its first eight bytes in lower case, the first in the lowest byte. It is never 0.
func keyOf(name []byte) (key uint64) {
	for i := range min(len(name), 8) {
		key |= uint64(nameByte[name[i]]) << (8 * i)
	}
	return key
}

func (t *table) add(name string, id int) {
	key := keyOf([]byte(name))
	i := slot(key)
	for t.keys[i] != 0 {
		i = (i + 1) % tableSize
	}
	t.keys[i], t.ids[i], t.names[id] = key, uint8(id), name
}

// find returns the id added for the name, 0 for none.
func (t *table) find(key uint64, name []byte) int {
	for i := slot(key); ; i = (i + 1) % tableSize {
		switch k := t.keys[i%tableSize]; {
		case k == 0:
			return 0
		case k != key:
		default:
			id := t.ids[i%tableSize]
			if known := t.names[id]; len(known) == len(name) && (len(name) <= 8 || ascii.EqualFold(name, known)) {
				return int(id)
			}
		}
	}
}

// findShort is find for the key of a name of at most seven bytes, which no other name has.
func (t *table) findShort(key uint64) int {
	i := slot(key)
	for t.keys[i%tableSize] != key {
		if t.keys[i%tableSize] == 0 {
			return 0
		}
		i++
	}
	return int(t.ids[i%tableSize])
}

var (
	attrTable    = newAttrTable()
	elementTable = newElementTable()
)

func newAttrTable() *table {
	t := new(table)
	for id := attrOn + 1; id < attrCount; id++ {
		t.add(attrNames[id], int(id))
	}
	return t
}

func newElementTable() *table {
	t := new(table)
	for i := 1; i < len(elements); i++ {
		t.add(elements[i].name, i)
	}
	return t
}

// lookupAttr returns the attribute of that name; key is made of the lower-case name.
func lookupAttr(key uint64, name []byte) attrID {
	if id := attrTable.find(key, name); id != 0 {
		return attrID(id)
	}
	if isHandler(name) {
		return attrOn
	}
	return attrOther
}

// lookupAttrOf is lookupAttr; in XML any prefix can stand for XLink (Namespaces in XML, 3).
func lookupAttrOf(key uint64, name []byte, xml bool) attrID {
	id := lookupAttr(key, name)
	if xml && id == attrOther && bytes.HasSuffix(name, []byte(":href")) {
		return attrXlinkHref
	}
	return id
}

// lookupElement returns the element of that name, elements[0] for one that is not known.
func lookupElement(key uint64, name []byte) *element { return &elements[elementTable.find(key, name)] }

func byName(name string) *element { return lookupElement(keyOf([]byte(name)), []byte(name)) }

var (
	elBase, elBody, elCol, elFont, elFrameset    = byName("base"), byName("body"), byName("col"), byName("font"), byName("frameset")
	elHead, elIframe, elLink, elMeta, elNoscript = byName("head"), byName("iframe"), byName("link"), byName("meta"), byName("noscript")
	elFrame, elArea                              = byName("frame"), byName("area")
	elScript, elSelect, elStyle, elTemplate, elA = byName("script"), byName("select"), byName("style"), byName("template"), byName("a")
)

// elementOf returns the first element of a set of the second stage, which is not empty.
func elementOf(set uint64) *element { return &elements[bitElements[bits.TrailingZeros64(set)]] }

// bitElements maps a bit to an index in elements.
var bitElements = func() (t [64]uint16) {
	for i := range elements {
		if elements[i].bit != 0 {
			t[elements[i].bit] = uint16(i)
		}
	}
	return t
}()
