package javascript

// word says what a name means to the reader, 0 for most names.
type word uint16

const (
	wordOperand    word = 1 << iota // an operand, hence maybe a regular expression, follows
	wordControl                     // a parenthesis follows that is no operand
	wordImport                      // import
	wordFrom                        // from
	wordFunction                    // function
	wordCase                        // case
	wordLoads                       // a call of it makes a browser fetch something
	wordNeutral                     // a call of it only looks at a string or shows it
	wordSource                      // an assignment to a property of that name makes a browser fetch something
	wordWaits                       // a function follows that only waits for the page
	wordWaitsFirst                  // the same, where a statement begins with it
	wordExports                     // what it belongs to hands a library to others: AMD, CommonJS
)

var wordLists = map[word][]string{
	wordOperand:  {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "instanceof", "yield", "await"},
	wordControl:  {"if", "while", "for", "with"},
	wordImport:   {"import"},
	wordFrom:     {"from"},
	wordFunction: {"function"},
	wordCase:     {"case"},
	wordLoads: {"createElement", "createElementNS", "write", "writeln", "Image", "sendBeacon", "fetch", "XMLHttpRequest", "import",
		"importScripts", "insertAdjacentHTML", "setAttribute", "WebSocket", "EventSource", "ajax", "require", "Worker",
		"SharedWorker", "createContextualFragment", "parseHTML", "appendChild", "insertBefore"},
	wordNeutral: {"indexOf", "lastIndexOf", "includes", "contains", "test", "match", "search", "startsWith", "endsWith", "split",
		"log", "warn", "error", "info", "debug", "alert", "confirm", "parse", "querySelector", "querySelectorAll",
		"matches", "closest", "addEventListener", "getElementById", "hasOwnProperty", "RegExp", "Error", "stringify",
		"expect", "open", "assert"},
	wordSource:     {"src", "innerHTML", "outerHTML", "srcdoc", "data", "href"},
	wordWaits:      {"addEventListener", "attachEvent", "ready", "domReady", "onload"},
	wordWaitsFirst: {"$", "jQuery"},
	wordExports:    {"amd", "exports"},
}

// wordTable holds the words by their hash, with linear probing; wordLengths, by a word's first byte, a bit for each length.
type wordEntry struct {
	text string
	word word
}

var wordTable, wordLengths = func() (table [256]wordEntry, lengths [256]uint32) {
	for w, list := range wordLists {
		for _, text := range list {
			lengths[text[0]] |= 1 << len(text)
			at := wordHash([]byte(text))
			for table[at].text != "" && table[at].text != text {
				at++
			}
			table[at].text = text
			table[at].word |= w
		}
	}
	return table, lengths
}()

func wordHash(name []byte) uint8 {
	return name[0]*7 + name[len(name)-1]*29 + name[len(name)/2]*101 + uint8(len(name))*11
}

// wordOf returns what a name means, of which wordLengths says that it may be a word.
func wordOf(name []byte) word {
	for at := wordHash(name); wordTable[at].text != ""; at++ {
		if wordTable[at].text == string(name) {
			return wordTable[at].word
		}
	}
	return 0
}
