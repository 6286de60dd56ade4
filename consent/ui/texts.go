package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/caddy-consent/caddy-consent/consent"
)

//go:embed lang/*.json
var languageFiles embed.FS

// texts are the texts of one language by key.
type texts map[string]string

// textRules are the keys that a language must have: the longest length in characters, so that no text can push the
// buttons out of sight, and the words in braces that a text must contain once.
var textRules = map[string]struct {
	max   int
	slots []string
}{
	"language": {max: 40}, "title": {max: 60}, "intro": {max: 480}, "effect": {max: 480}, "rights": {max: 200}, "accept": {max: 32}, "refuse": {max: 32},
	"save": {max: 40}, "choose": {max: 60}, "details": {max: 80}, "open": {max: 50}, "policy": {max: 60}, "imprint": {max: 60},
	"saved": {max: 120}, "error": {max: 200}, "dead_link": {max: 200}, "signal": {max: 60}, "signal_text": {max: 400, slots: []string{"{signal}"}},
	"purpose_necessary": {max: 40}, "purpose_necessary_text": {max: 240},
	"purpose_functional": {max: 40}, "purpose_functional_text": {max: 240},
	"purpose_analytics": {max: 40}, "purpose_analytics_text": {max: 240},
	"purpose_marketing": {max: 40}, "purpose_marketing_text": {max: 240},
	"purpose_social": {max: 40}, "purpose_social_text": {max: 240},
	"undecided": {max: 200}, "refused": {max: 200}, "granted": {max: 200, slots: []string{"{purposes}"}},
	"providers": {max: 60, slots: []string{"{count}"}}, "as_purpose": {max: 60}, "always": {max: 60}, "never": {max: 60},
	"opt_out": {max: 80}, "retention": {max: 80, slots: []string{"{time}"}}, "withdraw": {max: 60}, "record": {max: 60}, "back": {max: 60},
	"embed": {max: 80, slots: []string{"{provider}"}}, "embed_text": {max: 300, slots: []string{"{provider}", "{purpose}"}},
	"load": {max: 40}, "load_always": {max: 60, slots: []string{"{provider}"}},
	"link": {max: 60, slots: []string{"{provider}"}}, "share": {max: 60, slots: []string{"{provider}"}},
}

// rightToLeft are the languages written from right to left.
var rightToLeft = map[string]bool{"ar": true, "he": true, "fa": true, "ur": true, "yi": true, "ckb": true, "ps": true, "dv": true, "ug": true, "sd": true}

// loadTexts returns the languages a configuration offers, with its own texts in place of the built-in ones.
func loadTexts(c *Config, p *problems) map[string]texts {
	all := builtinTexts(p)
	builtin := "is not built in: give all its texts, or use some of " + strings.Join(slices.Sorted(maps.Keys(all)), " ")
	for _, lang := range slices.Sorted(maps.Keys(c.Texts)) {
		if !validLanguage(lang) {
			p.add("texts", lang, `must be a language of two or three letters in lower case, such as "en"`)
			continue
		}
		if all[lang] == nil {
			if 2*len(c.Texts[lang]) < len(textRules) {
				p.add("texts", lang, builtin) // another one was meant: what is missing here would fill a screen
				continue
			}
			all[lang] = texts{}
		}
		overrideTexts(all[lang], lang, c.Texts[lang], p)
	}
	offered := all
	if len(c.Languages) > 0 {
		offered = map[string]texts{}
		for _, lang := range c.Languages {
			if all[lang] == nil {
				p.add("languages", lang, builtin)
				continue
			}
			offered[lang] = all[lang]
		}
	}
	return offered
}

// defaultLanguage returns the language for those whom none offered fits.
func (c *Config) defaultLanguage() string {
	if len(c.Languages) > 0 {
		return c.Languages[0]
	}
	return "en"
}

func builtinTexts(p *problems) map[string]texts {
	all := map[string]texts{}
	files, err := languageFiles.ReadDir("lang")
	if err != nil {
		p.add("languages", "lang", err.Error())
	}
	for _, f := range files {
		t := texts{}
		data, err := languageFiles.ReadFile("lang/" + f.Name())
		if err == nil {
			err = json.Unmarshal(data, &t)
		}
		if err != nil {
			p.add("languages", f.Name(), err.Error())
		}
		all[strings.TrimSuffix(f.Name(), ".json")] = t
	}
	return all
}

func overrideTexts(t texts, lang string, own map[string]string, p *problems) {
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if _, ok := textRules[key]; !ok {
			p.add("texts "+lang, key, "is no text: use some of "+strings.Join(slices.Sorted(maps.Keys(textRules)), " "))
			continue
		}
		if checkMeaning(t, lang, key, own[key], p) {
			t[key] = own[key]
		}
	}
	checkTexts(t, lang, p)
}

// choices are texts of which visitors must be able to tell each from all others: answers, and names of purposes.
var choices = [][]string{
	{"accept", "refuse", "save", "withdraw"},
	{"purpose_necessary", "purpose_functional", "purpose_analytics", "purpose_marketing", "purpose_social"},
}

// checkMeaning refuses to let a choice go by the built-in words of another one.
func checkMeaning(builtin texts, lang, key, own string, p *problems) bool {
	for _, group := range choices {
		for _, other := range group {
			if slices.Contains(group, key) && other != key && reading(own) != "" && reading(own) == reading(builtin[other]) {
				p.add("texts "+lang+" "+key, own, "reads the same as "+other+": visitors could not tell the two apart")
				return false
			}
		}
	}
	return true
}

// reading is what a reader takes from a text: its letters and digits, whatever their case, form and punctuation.
func reading(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}

// mixesScripts tells whether letters of one word come from alphabets that look alike: "Аccept" begins with a Cyrillic letter.
func mixesScripts(s string) bool {
	for _, word := range strings.Fields(s) {
		scripts := 0
		for _, table := range [...]*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek} {
			if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(table, r) }) {
				scripts++
			}
		}
		if scripts > 1 {
			return true
		}
	}
	return false
}

// checkTexts reports what is missing in a language, cannot be shown, or would make one answer harder to see.
func checkTexts(t texts, lang string, p *problems) {
	for _, key := range slices.Sorted(maps.Keys(textRules)) {
		option, rule := "texts "+lang+" "+key, textRules[key]
		value, ok := t[key]
		if !ok {
			p.add(option, "", "is missing: a language that is not built in needs every text")
			continue
		}
		checkPlain(p, option, value, rule.max)
		for _, slot := range rule.slots {
			if strings.Count(value, slot) != 1 {
				p.add(option, value, "must contain "+slot+" once")
			}
		}
	}
	for _, group := range choices {
		for i, key := range group {
			if mixesScripts(t[key]) {
				p.add("texts "+lang+" "+key, t[key], "mixes alphabets within a word, so that it may read as another one")
			}
			for _, other := range group[:i] {
				if reading(t[key]) != "" && reading(t[key]) == reading(t[other]) {
					p.add("texts "+lang+" "+key, t[key], "reads the same as "+other+": visitors could not tell the two apart")
				}
			}
		}
	}
	if a, r := utf8.RuneCountInString(t["accept"]), utf8.RuneCountInString(t["refuse"]); a > 0 && r > 0 && (r > 3*a || a > 3*r) {
		p.add("texts "+lang+" refuse", t["refuse"], "and accept differ too much in length: the two buttons must weigh the same")
	}
}

// joining are invisible characters that texts need: the soft hyphen, joiners, marks of direction.
const joining = "\u00ad\u200c\u200d\u200e\u200f"

// checkPlain reports a text that is not plain, visible text of at most limit characters.
func checkPlain(p *problems, option, s string, limit int) {
	letters := 0
	for _, r := range s {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r),
			unicode.Is(unicode.Cf, r) && !strings.ContainsRune(joining, r):
			p.add(option, s, fmt.Sprintf("holds the control character U+%04X", r))
			return
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			letters++
		case r == '<' || r == '>':
			p.add(option, s, "holds markup: texts are plain text")
			return
		}
	}
	switch {
	case !utf8.ValidString(s):
		p.add(option, s, "is not UTF-8")
	case letters == 0:
		p.add(option, s, "is empty: visitors must be able to read it")
	case utf8.RuneCountInString(s) > limit:
		p.add(option, s, fmt.Sprintf("is longer than %d characters", limit))
	}
}

func validLanguage(s string) bool {
	if len(s) != 2 && len(s) != 3 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

// fill puts a value in place of a word in braces.
func (t texts) fill(key, slot, value string) string {
	return strings.Replace(t[key], slot, value, 1)
}

// isolate keeps what may be written in another direction from disturbing a right-to-left text (Unicode UAX 9, 2.4.2:
// first strong isolate, pop directional isolate; they work in titles and attributes too).
func isolate(lang, s string) string {
	if !rightToLeft[lang] {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// purposeNames lists the names of purposes.
func (t texts) purposeNames(set consent.Purposes) string {
	var names []string
	for _, p := range set.List() {
		names = append(names, t.purpose(p).Name)
	}
	return strings.Join(names, t.comma())
}

// comma separates the items of a list: Arabic script has a comma of its own.
func (t texts) comma() string {
	if strings.ContainsFunc(t["title"], func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
		return "، "
	}
	return ", "
}
