package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"

	"github.com/caddy-consent/caddy-consent/consent"
)

//go:embed assets
var assets embed.FS

// UI renders for one configuration. It is immutable and safe for concurrent use.
type UI struct {
	config   Config
	language string // what is shown where none fits
	views    map[string]*view
	units    units
	styles   styles
	pages    *template.Template

	styleHash string
}

// view is everything compiled for one language.
type view struct {
	lang, dir   string
	texts       texts
	banner      [3]fragment // by state
	placeholder fragment
	preferences func() (fragment, error) // compiled at its first use: with its vendors it is large
	notice      []byte
	noticeID    string
	noticeSum   [sha256.Size]byte
}

// The states of the banner.
const (
	stateAsk    = iota // the visitor has not answered: the panel is open
	stateRest          // answered: only the way back is visible
	stateSignal        // a signal of the browser answered: it is shown, together with the way back
)

var stateNames = [...]string{"ask", "rest", "signal"}

// Page is what one response shows. The zero value asks a visitor who has granted nothing, in the default language.
type Page struct {
	// Lang is a language that Negotiate returned.
	Lang string
	// Mark is the response's random mark, Nonce the nonce of the site's own Content-Security-Policy, if it has one.
	Mark, Nonce string
	// Granted are the purposes the visitor agreed to; only these are ticked.
	Granted consent.Purposes
	// VendorOn tells whether the visitor decided for the vendor of this number alone, and how; nil means never.
	VendorOn func(number uint16) (on, set bool)
	// Signal is the signal that was honoured, "GPC" or "DNT" or "" for none.
	Signal string
	// Return is the path and query of the page to go back to; anything that is not a path of this origin becomes "/".
	Return string
	// Link is the signed link that opened the preference page, "" for none: its forms post it as "link".
	Link string
	// Answered is true when there is nothing to ask any more.
	Answered bool
	// Saved is true where the visitor has answered just now: the page says that the answer was saved.
	Saved bool
	// Error tells why the answer just given could not be saved, in English. The preference page says in the visitor's language
	// that it could not be saved, and only in English also why.
	Error string
	// DeadLink is true where Error is about a link of a mail that cannot be used.
	DeadLink bool
	// Recorded is true when there is a record the visitor can fetch at {prefix}/record.
	Recorded bool
	// XML is true where the banner stands in a page that browsers parse as XML.
	XML bool
}

// New compiles a configuration. The error joins one *ConfigError for each thing wrong with it.
func New(c Config) (*UI, error) {
	var p problems
	c.normalize(&p)
	offered := loadTexts(&c, &p)
	light, dark := compileTheme(c.Theme, &p)
	if err := p.join(); err != nil {
		return nil, err
	}
	u := &UI{config: c, language: c.defaultLanguage(), views: make(map[string]*view, len(offered))}
	u.config.Vendors = slices.Clone(c.Vendors)
	var err error
	if u.units, err = builtinUnits(); err != nil {
		return nil, err
	}
	if u.styles, err = compileStyles(light, dark); err != nil {
		return nil, err
	}
	u.styleHash = hashSource(u.styles.banner) + " " + hashSource(u.styles.document) + " " + hashSource(u.styles.placeholder)
	if u.pages, err = parseTemplates(); err != nil {
		return nil, err
	}
	for _, lang := range slices.Sorted(maps.Keys(offered)) {
		if u.views[lang], err = u.compile(lang, offered[lang]); err != nil {
			return nil, fmt.Errorf("language %s: %w", lang, err)
		}
	}
	return u, nil
}

// Languages returns the languages offered, sorted.
func (u *UI) Languages() []string { return slices.Sorted(maps.Keys(u.views)) }

// AppendBanner appends the element that belongs right after the page's body start tag. It lies above the page without
// moving it: the question while the visitor has not answered, afterwards a small way back, or the note that a signal was
// honoured.
func (u *UI) AppendBanner(dst []byte, p *Page) []byte {
	state := stateAsk
	switch {
	case p.Signal != "":
		state = stateSignal
	case p.Answered:
		state = stateRest
	}
	v := values{page: p, returns: returnPath(p.Return)}
	return u.view(p.Lang).banner[state].append(dst, &v)
}

// NoticeHash identifies the exact text that a visitor is asked with in a language: an identifier for the record, and
// the SHA-256 of NoticeText.
func (u *UI) NoticeHash(lang string) (id string, sum [sha256.Size]byte) {
	v := u.view(lang)
	return v.noticeID, v.noticeSum
}

// NoticeText returns the text that a visitor is asked with in a language, one line for each piece of text in the order
// of the page, so that a record's hash can be shown to stand for it.
func (u *UI) NoticeText(lang string) []byte { return bytes.Clone(u.view(lang).notice) }

// StyleHash returns the sources that the style-src of a page needs for banner and placeholders: three hash sources,
// separated by spaces (CSP 3, 2.3.1).
func (u *UI) StyleHash() string { return u.styleHash }

// ScriptHash returns the source that the script-src of a page in XML needs for the banner: parsers of XML make no shadow
// root of a template, a script does (CSP 3, 2.3.1).
func ScriptHash() string { return hashSource(rootScript) }

// rootScript stands in the banner in XML, whose text it is as it is: it holds neither '<' nor '&'.
const rootScript = `{const s=document.currentScript,b=s.parentNode,t=b.querySelector("template");s.remove();b.attachShadow({mode:"open"}).append(t.content);t.remove()}`

func (u *UI) view(lang string) *view {
	if v := u.views[lang]; v != nil {
		return v
	}
	return u.views[u.language]
}

// returnPath returns s if it is a path of this origin, else "/".
func returnPath(s string) string {
	if len(s) > 2048 || !isPath(s) {
		return "/"
	}
	return s
}

// signalName spells a signal out; the names are the same in every language.
func signalName(s string) string {
	switch s {
	case "GPC":
		return "Global Privacy Control (GPC)"
	case "DNT":
		return "Do Not Track (DNT)"
	}
	return s
}

// styles are the minified style sheets: in the banner's shadow tree, in the page beside it, in a placeholder, on the
// preference page.
type styles struct{ banner, document, placeholder, preferences string }

func compileStyles(light, dark string) (styles, error) {
	m := minify.New()
	m.AddFunc("text/css", css.Minify)
	var firstErr error
	compile := func(name, root string) string {
		source, err := assets.ReadFile("assets/" + name + ".css")
		theme := ""
		if root != "" {
			theme = root + "{" + light + "}@media(prefers-color-scheme:dark){" + root + "{" + dark + "}}"
		}
		var out string
		if err == nil {
			out, err = m.String("text/css", theme+string(source))
		}
		if err != nil && firstErr == nil {
			firstErr = fmt.Errorf("style sheet %s: %w", name, err)
		}
		return out
	}
	return styles{
		banner: compile("banner", ".c"), document: compile("document", ""),
		placeholder: compile("placeholder", ":root"), preferences: compile("preferences", ":root"),
	}, firstErr
}

func hashSource(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var lineIndent = regexp.MustCompile(`\n\s*`)

// parseTemplates reads the asset files. Line breaks are layout of the source only: they are removed.
func parseTemplates() (*template.Template, error) {
	all := template.New("")
	for _, name := range []string{"banner", "placeholder", "preferences"} {
		source, err := assets.ReadFile("assets/" + name + ".html")
		if err != nil {
			return nil, err
		}
		if _, err = all.New(name).Parse(slotMarks.Replace(lineIndent.ReplaceAllString(string(source), ""))); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// purposeView is a purpose as the templates show it.
type purposeView struct {
	ID, Name, Text string
}

func (t texts) purpose(p consent.Purpose) purposeView {
	id := p.String()
	return purposeView{id, t["purpose_"+id], t["purpose_"+id+"_text"]}
}

// templateView is what the templates are filled with.
type templateView struct {
	State, Lang, Dir, Prefix, Logo, PolicyURL, ImprintURL string
	SiteName                                              string
	Groups                                                []groupView
	Open                                                  bool
	T                                                     map[string]string
	Necessary                                             purposeView
	Purposes                                              []purposeView
}

func (u *UI) compile(lang string, t texts) (*view, error) {
	v := &view{lang: lang, dir: "ltr", texts: t}
	if rightToLeft[lang] {
		v.dir = "rtl"
	}
	c := &u.config
	data := templateView{Lang: lang, Dir: v.dir, Prefix: c.Prefix, Logo: c.Logo, PolicyURL: c.PolicyURL, ImprintURL: c.ImprintURL,
		T: make(map[string]string, len(t)), Necessary: t.purpose(consent.Necessary)}
	for key := range t {
		text := t[key]
		for _, slot := range [...]string{"{provider}", "{signal}"} {
			text = strings.ReplaceAll(text, slot, isolate(lang, slot))
		}
		data.T[key] = textMarks.Replace(text)
	}
	data.T["intro"] = t.fill("intro", "{purposes}", t.purposeNames(c.Purposes))
	for _, p := range c.Purposes.List() {
		data.Purposes = append(data.Purposes, t.purpose(p))
	}
	var err error
	for state := range v.banner {
		data.State, data.Open = stateNames[state], state == stateAsk
		if v.banner[state], err = u.render("banner", data); err != nil {
			return nil, err
		}
	}
	if v.placeholder, err = u.render("placeholder", data); err != nil {
		return nil, err
	}
	v.preferences = sync.OnceValues(func() (fragment, error) {
		data.SiteName, data.Groups = c.SiteName, u.groups(v.lang, t)
		return u.render("preferences", data)
	})
	v.notice = noticeText(data)
	v.noticeSum = sha256.Sum256(v.notice)
	v.noticeID = lang + "-" + hex.EncodeToString(v.noticeSum[:6])
	return v, nil
}

func (u *UI) render(name string, data templateView) (fragment, error) {
	var b strings.Builder
	if err := u.pages.ExecuteTemplate(&b, name, data); err != nil {
		return nil, err
	}
	style := map[string]string{"banner": u.styles.banner, "placeholder": u.styles.placeholder, "preferences": u.styles.preferences}[name]
	return parseFragment(b.String(), map[string]string{"style": style, "document-style": u.styles.document, "root-script": rootScript})
}

// noticeText lists what the open banner says, in order.
func noticeText(d templateView) []byte {
	lines := []string{d.T["title"], d.T["intro"], d.T["effect"], d.T["rights"], d.T["choose"], d.Necessary.Name, d.Necessary.Text}
	for _, p := range d.Purposes {
		lines = append(lines, p.Name, p.Text)
	}
	lines = append(lines, d.T["save"], d.T["refuse"], d.T["accept"], d.T["details"])
	if d.PolicyURL != "" {
		lines = append(lines, d.T["policy"])
	}
	if d.ImprintURL != "" {
		lines = append(lines, d.T["imprint"])
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}
