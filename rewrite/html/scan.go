package html

// Nearly all tags of a page are plain: a quote behind each '=', no '<', and no '>' but at the end, an element and attributes
// that mean nothing to anybody. To find their ends one by one costs branches that cannot be foretold. So where the processor
// can, scanPlain tells of 64 bytes at once, without branches, which of them are in tags, names and values, if all tags are
// plain, and what is not: there, the tokenizer goes on.

// scanWindow is how many bytes scanPlain needs: a block, and what tells a name that begins at its end.
const scanWindow = 64 + 8

// scanMemory is room for scanPlain.
type scanMemory [4]uint64

// plainRules say what is not plain.
type plainRules struct {
	elements *plainTable
	attrs    *plainTable // nil while attributes mean nothing
	link     uint64      // in its upper six bytes, how an attribute of attrs begins that is plain unless mayBeScript; or noLink
}

const (
	link   = '"'<<56 | '='<<48 | 'f'<<40 | 'e'<<32 | 'r'<<24 | 'h'<<16
	noLink = 1
)

// plainTable has -1 for what begins with the same three letters as a name that is not plain, and for little else.
type plainTable [1 << 12]int8

// add adds what begins with these letters, in either case.
func (t *plainTable) add(letters string) {
	key := uint32(letters[0])<<8 | uint32(letters[1])<<16 | uint32(letters[2])<<24 | 0x20202000
	t[key*0x9E3779B1>>20] = -1
}

// passing are the rules without a policy, judging those with one, linking those where it sees links as well.
var passing, judging, linking = newPlainRules()

func newPlainRules() (passing, judging, linking plainRules) {
	passing = plainRules{elements: new(plainTable), link: noLink}
	judging = plainRules{elements: new(plainTable), attrs: new(plainTable), link: link}
	common := elements[0].mask | 1<<attrPing // what counts on any element, and all that does on a and area
	for id := attrOn + 1; id < attrCount; id++ {
		if common.has(id) {
			judging.attrs.add(attrNames[id])
		}
	}
	for c := range 256 {
		judging.attrs.add(string([]byte{'o', 'n', byte(c)}))
	}
	for i, el := range elements[1:] {
		special := watchedAttrs[i+1]&special != 0
		if special {
			passing.elements.add(el.name)
		}
		if special || el.mask&^common != 0 || el.uses[attrHref].role != roleLink {
			judging.elements.add(el.name)
		}
	}
	linking = judging
	linking.link = noLink
	return passing, judging, linking
}

// scan passes over text and plain tags from b[p] on, as far as that is fast, and returns where it stopped. Where there is
// little that is plain, it soon tries one time in eight only.
func (t *tokenizer) scan(b []byte, p int) int {
	n := min(len(b)-p, t.skim)
	if n < scanWindow || !vectors {
		return p
	}
	if t.idle > 0 {
		t.idle--
		return p
	}
	r := &passing
	if t.tag.judged {
		if r = &judging; t.tag.links {
			r = &linking
		}
	}
	var m scanMemory
	n = scanPlain(&m, r, b[p:p+n])
	if n < scanWindow/2 {
		t.poor = min(t.poor+1, 14)
		t.idle = t.poor / 2
	} else {
		t.poor = 0
	}
	return p + n
}
