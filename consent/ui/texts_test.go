package ui_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// languages are the official languages of the European Union, and Arabic and Hebrew.
var languages = strings.Fields("bg hr cs da nl en et fi fr de el hu ga it lv lt mt pl pt ro sk sl es sv ar he")

func languageTexts(t testing.TB, lang string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("lang", lang+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatalf("%s: %v", lang, err)
	}
	return texts
}

func TestLanguagesAreComplete(t *testing.T) {
	slices.Sort(languages)
	if got := mustNew(t, ui.Config{}).Languages(); !slices.Equal(got, languages) {
		t.Errorf("offered %v, want %v", got, languages)
	}
	english := languageTexts(t, "en")
	for _, lang := range languages {
		texts := languageTexts(t, lang)
		// Given as an operator's own, texts go through every check that New has.
		if _, err := ui.New(ui.Config{Languages: []string{lang}, Texts: map[string]map[string]string{lang: texts}}); err != nil {
			t.Error(err)
		}
		for key, value := range english {
			if texts[key] == "" {
				t.Errorf("%s: no %s", lang, key)
			}
			if lang != "en" && texts[key] == value && len(value) > 24 {
				t.Errorf("%s: %s is still English", lang, key)
			}
			if strings.Contains(value, "{") && strings.Count(value, "{") != strings.Count(texts[key], "{") {
				t.Errorf("%s: %s lacks a word in braces", lang, key)
			}
		}
		for key := range texts {
			if _, ok := english[key]; !ok {
				t.Errorf("%s: %s is not in en", lang, key)
			}
		}
	}
}

// consentWords begin the word that Regulation (EU) 2016/679 has for consent in each of its languages (Art. 4(11)), and the usual
// one in Arabic and Hebrew.
var consentWords = map[string]string{
	"bg": "съглас", "hr": "privol", "cs": "souhlas", "da": "samtykke", "nl": "toestemming", "en": "consent", "et": "nõusolek", "fi": "suostumu",
	"fr": "consentement", "de": "einwilligung", "el": "συγκατ", "hu": "hozzájárulás", "ga": "oili", "it": "consens", "lv": "piekrišan", "lt": "sutikim",
	"mt": "kunsens", "pl": "zgod", "pt": "consentimento", "ro": "consimțăm", "sk": "súhlas", "sl": "privolit", "es": "consentimiento", "sv": "samtyck",
	"ar": "موافق", "he": "הסכמ",
}

// TestWordsOfTheLaw: what visitors are asked for, do without and take back has one name in each language, the law's; each of
// the two sentences stands for itself.
func TestWordsOfTheLaw(t *testing.T) {
	for _, lang := range languages {
		texts := languageTexts(t, lang)
		for _, key := range []string{"intro", "effect", "withdraw"} {
			if word := consentWords[lang]; word == "" || !strings.Contains(strings.ToLower(texts[key]), word) {
				t.Errorf("%s: %s does not say %q: %s", lang, key, word, texts[key])
			}
		}
	}
}

// TestTypography: French has a space before double punctuation at which no line breaks; no text has typewriter's quotes, three
// points for an ellipsis or a space too many.
func TestTypography(t *testing.T) {
	wrong := regexp.MustCompile(`["']|\.\.\.|  |^ | $`)
	loose := regexp.MustCompile("[^\u00a0\u202f][:;?!]")
	for _, lang := range languages {
		for key, value := range languageTexts(t, lang) {
			if wrong.MatchString(value) || lang == "fr" && loose.MatchString(value) {
				t.Errorf("%s: %s: %q", lang, key, value)
			}
		}
	}
}

func TestNegotiate(t *testing.T) {
	all := mustNew(t, ui.Config{})
	german := mustNew(t, ui.Config{Languages: []string{"de", "fr"}})
	for _, tt := range []struct {
		u            *ui.UI
		accept, want string
	}{
		{all, "", "en"},
		{all, "de-DE,de;q=0.9,en;q=0.8", "de"},
		{all, "de, en", "de"},
		{all, "tlh, fr;q=0.3", "fr"},
		{all, "*", "en"},
		{all, "en;q=0, de;q=0.1", "de"},
		{german, "de;q=0", "de"},
		{all, "iw", "he"},
		{all, "mo", "ro"},
		{all, "PT-br", "pt"},
		{all, "pt_BR", "pt"},
		{all, "de;q=1.000, fr;q=1.001", "de"},
		{all, "de;q=0.5, fr;q=oops, it;q=0.4", "de"},
		{all, "de ; q=0.5 , fr ; Q=0.7", "fr"},
		{all, ";;,,;q=,*;q=1;q=0", "en"},
		{all, strings.Repeat("xx,", 5000) + "de", "en"},
		{german, "en", "de"},
		{german, "en, fr;q=0.1", "fr"},
		{german, "", "de"},
	} {
		if got := tt.u.Negotiate(tt.accept); got != tt.want {
			t.Errorf("Negotiate(%.40q) = %q, want %q", tt.accept, got, tt.want)
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"", "de-DE,de;q=0.9,en;q=0.8", "*;q=0.1,iw", ";q=,", "\x00,é;q=1.", strings.Repeat(",", 99)} {
		f.Add(s)
	}
	u := mustNew(f, ui.Config{})
	f.Fuzz(func(t *testing.T, accept string) {
		lang := u.Negotiate(accept)
		if !slices.Contains(languages, lang) {
			t.Errorf("Negotiate(%q) = %q", accept, lang)
		}
		if again := u.Negotiate(accept + ",zz;q=0.001"); len(accept) < 900 && again != lang {
			t.Errorf("a language nobody offers changes %q to %q", lang, again)
		}
	})
}
