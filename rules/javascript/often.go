package javascript

import "strings"

// commonWords are words of scripts that have nothing to do with vendors, the frequent ones.
const commonWords = `new push apply call on function document element name window type push true script create event text https data elements page node parent
async insert before location content false return load user display class width typeof query javascript article cookie
date child time height undefined append length listener this ready slot index site init html mobile href error track
body title object click remove loaded style timeout null write attribute domain selector protocol config value enable
post catch media request link client view service show container json string item console size login scroll image head
replace path analytics default start form email array inner header video arguments version position search call state
action target custom desktop math status auto layer enabled news send test open block render random agent split from
code button none hide onload parse left right targeting close images check message source comment services each info
mode match account callback bottom next iframe clear share widget first static with navigator offset preload current
response params property section settings wrapper update apply single footer storage case server host local component
banner category options language connect number logged span social queue interval prototype context char profile font
home const submit color switch admin theme toggle hidden format handler border register template author active input
channel encode success referrer attach join hash expires base embed debug consent line module complete device sidebar
change session loading cache origin phone last label after secure original refresh core global access find plugins
your meta prevent tags external inline layout method live description only fixed includes visible delay void flag
escape native common that then rect screen platform focus break product substring mapping slice observer more filter
bind background everything popup require resource sign performance icon while allow token iter slide animation unit
detail related redirect done root report alert hostname enter placement pixel browser jquery premium proxy field
padding lower responsive campaign print available controller subscribe fetch stats here keys prefix stop when vars
assets build tracking network click advert market media digital online mail monitor measure metric insight visit
visitor counter marketing commerce international .com/ .net/ .org/ www. http://`

// common has these words, commonGroups the groups of four bytes in them, and commonLetters estimates how often a character
// stands in scripts; the latter two with case folded as in groupBit.
var common, commonGroups, commonLetters = func() (words map[string]bool, groups map[uint32]bool, letters [256]float64) {
	words, groups = make(map[string]bool), make(map[uint32]bool)
	for word := range strings.FieldsSeq(commonWords) {
		words[word] = true
		for i := range len(word) - 3 {
			groups[folded(word[i], word[i+1], word[i+2], word[i+3])] = true
		}
	}
	for i := range letters {
		letters[i] = 0.003
	}
	const ranked = " et.noirasc,d(lu)m=pfhg;\"b:{v}wxy0k1'j2q3z/[]-_$"
	for i := range len(ranked) {
		c := ranked[i] | 0x20
		letters[c] = max(letters[c], 0.08/(1+float64(i)/4))
	}
	return words, groups, letters
}()

func folded(a, b, c, d byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16 | uint32(d)<<24) | 0x20202020
}

// often estimates how often a name stands in scripts.
func often(name string) float64 {
	if len(name) <= 2 || name == "function" {
		return 1
	}
	f := 1.0
	for i := range len(name) {
		f *= commonLetters[name[i]|0x20]
	}
	if common[name] {
		f += 0.01
	}
	return f
}

// groupOften estimates how often groups stand in scripts that hold one character of each set.
func groupOften(sets []string) float64 {
	f := 1.0
	for _, set := range sets {
		sum := 0.0
		for i := range len(set) {
			sum += commonLetters[set[i]|0x20]
		}
		f *= sum
	}
	switch {
	case choices(sets[:4]) > 1:
		f += 0.03
	case commonGroups[folded(sets[0][0], sets[1][0], sets[2][0], sets[3][0])]:
		f += 0.02
	}
	return f
}
