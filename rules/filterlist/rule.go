package filterlist

// rule is one compiled network rule. Its strings are offsets into a blob, so that a hundred thousand rules are one
// allocation, and so that the compiled form goes to disk as it is.
type rule struct {
	text    uint32 // the rule as it stood in the list
	pat     uint32 // the pattern without anchors, in lower case unless flagMatchCase; a regular expression's index
	cond    uint32 // its conditions in the cond words; 0 for none
	line    uint32 // line number in its list, from 1
	textLen uint16
	patLen  uint16
	types   uint16 // Type
	flags   uint16
	list    uint16 // index of the list's name
	shape   shape
	mod     modifier
}

// The flags of a rule.
const (
	flagException uint16 = 1 << iota
	flagImportant
	flagBad        // $badfilter: removes the rule that it repeats
	flagMatchCase  // the pattern is compared with the URL as it is
	flagThirdParty // only if Request.ThirdParty
	flagFirstParty // only if not
	flagStrict3p   // only if the hosts differ
	flagStrict1p   // only if the hosts are equal
	flagLeft       // | at the start
	flagRight      // | at the end
	flagHost       // || at the start
	flagHostWhole  // the literal after || is a whole host name: something that ends a host follows it
	flagPage       // an exception with $document: it holds for all requests of the page
)

// shape says how a pattern is compared.
type shape uint8

const (
	shapeAny    shape = iota // no pattern
	shapeHost                // ||host^: pat is the host alone
	shapePlain               // a literal without * and ^
	shapeGlob                // with * or ^
	shapeRegexp              // pat is an index
)

// modifier is what a rule does instead of blocking.
type modifier uint8

const (
	modNone         modifier = iota
	modCSP                   // $csp
	modRemoveParam           // $removeparam
	modRedirect              // $redirect: blocks and names a stand-in
	modRedirectRule          // $redirect-rule: names a stand-in for what another rule blocks
)

// Conditions are words: a head (operation and number of entries), then the entries. The list ends with a zero word.
//
//	opFrom, opTo, opDeny: entries of two words, sorted by the first: hash of the host; offset and flags of its text
//	opMethod:             one word: a set of methods
//	opValue:              two words: offset and length of the modifier's value
//	opValueRegexp:        one word: index of a regular expression
const (
	opFrom uint32 = iota + 1
	opTo
	opDeny
	opMethod
	opValue
	opValueRegexp
)

const (
	opShift   = 24
	countMask = 1<<22 - 1

	setEntity   = 1 << 22 // in the head of a set of hosts: an entry is an entity
	setIncludes = 1 << 23 // an entry is no exclusion: hosts that are not in the set do not match

	hostNot    = 1 << 31 // the entry is an exclusion (~host)
	hostEntity = 1 << 30 // the entry ends in .* (any public suffix), which is not part of its text
	hostOffset = 1<<30 - 1
)

// condition splits the first condition off; body is nil at the end of the list.
func condition(c []uint32) (head uint32, body, rest []uint32) {
	head = c[0]
	n := head & countMask
	switch head >> opShift {
	case 0:
		return 0, nil, nil
	case opFrom, opTo, opDeny, opValue:
		n *= 2
	}
	return head, c[1 : 1+n], c[1+n:]
}

// The methods as bits; a list names them in lower case.
var methodNames = [...]string{"get", "head", "post", "put", "delete", "connect", "options", "patch"}

func methodBit(upper string) uint32 {
	switch upper {
	case "", "GET":
		return 1
	case "HEAD":
		return 2
	case "POST":
		return 4
	case "PUT":
		return 8
	case "DELETE":
		return 16
	case "CONNECT":
		return 32
	case "OPTIONS":
		return 64
	case "PATCH":
		return 128
	}
	return 1 << 31 // another method: no list can name it
}
