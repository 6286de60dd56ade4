package html

import (
	"regexp"
	"strings"

	xhtml "golang.org/x/net/html"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// contacts returns a contact with the tracker that some view of the document shows, "" if all are clean. The views: the
// plain tokenizer of x/net/html with and without JavaScript (noscript), the trees of x/net/html's parser in both modes, and
// the trees' raw-text elements taken as markup.
func contacts(doc string) string {
	c := peerContacts(doc)
	if c == "" {
		return ""
	}
	if plain := withoutEscapes(doc); plain != doc && peerContacts(plain) == "" {
		return "" // seen by mistake
	}
	return c
}

func peerContacts(doc string) string {
	for _, noscript := range []bool{true, false} {
		if c := plainContacts(doc, noscript); c != "" {
			return "plain view: " + c
		}
		root, err := xhtml.ParseWithOptions(strings.NewReader(doc), xhtml.ParseOptionEnableScripting(noscript))
		if err != nil {
			continue // too deep for this parser
		}
		if c := treeContacts(root); c != "" {
			return "tree view: " + c
		}
	}
	return ""
}

// withoutEscapes replaces each '<' that x/net/html takes for the end of a script's escaped state though the standard does
// not: one before other than a letter or '/' (WHATWG HTML, 13.2.5.23 "script data escaped less-than sign state").
func withoutEscapes(doc string) string {
	var out strings.Builder
	for {
		n := afterScriptTag(doc)
		out.WriteString(doc[:n])
		if doc = doc[n:]; doc == "" {
			return out.String()
		}
		text := scriptText(doc)
		out.WriteString(text)
		doc = doc[len(text):]
	}
}

// afterScriptTag returns the index behind the first start tag of a script.
func afterScriptTag(doc string) (n int) {
	z := xhtml.NewTokenizer(strings.NewReader(doc))
	for {
		k := z.Next()
		n += len(z.Raw())
		if k == xhtml.ErrorToken {
			return len(doc)
		}
		if name, _ := z.TagName(); (k == xhtml.StartTagToken || k == xhtml.SelfClosingTagToken) && string(name) == "script" {
			return n
		}
	}
}

// scriptTag begins a tag of a script's.
var scriptTag = regexp.MustCompile(`(?i)^</?script[\t\n\f\r />]`)

// scriptText returns the text of a script, with the changes of withoutEscapes. (WHATWG HTML, 13.2.5.4 and 13.2.5.15 on)
func scriptText(s string) string {
	text := []byte(s)
	escaped, double := false, false
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		tag := scriptTag.FindString(rest)
		switch {
		case strings.HasPrefix(tag, "</") && !double:
			return string(text[:i])
		case strings.HasPrefix(tag, "</"), tag != "" && escaped:
			double = tag[1] != '/'
		case !escaped && strings.HasPrefix(rest, "<!--"):
			escaped = true
			i++ // the dashes may begin "-->"
		case escaped && strings.HasPrefix(rest, "-->"):
			escaped, double = false, false
		case escaped && !double && rest[0] == '<' && len(rest) > 1 && rest[1] != '/' && !ascii.IsLetter(rest[1]):
			text[i] = 'x'
		}
	}
	return string(text)
}

func plainContacts(doc string, scripting bool) string {
	z := xhtml.NewTokenizer(strings.NewReader(doc))
	for {
		switch z.Next() {
		case xhtml.ErrorToken:
			return ""
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			tok := z.Token()
			if c := attrContacts(tok.Data, tok.Attr); c != "" {
				return c
			}
			if tok.Data == "noscript" && !scripting {
				z.NextIsNotRawText()
			}
		}
	}
}

func treeContacts(n *xhtml.Node) string {
	if n.Type == xhtml.ElementNode {
		if c := attrContacts(n.Data, n.Attr); c != "" {
			return c
		}
		if c := styleContacts(n); c != "" {
			return c
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if s := treeContacts(c); s != "" {
			return s
		}
	}
	return ""
}

// styleContacts looks for an import of the tracker at the beginning of a style sheet's text. In SVG no type stops it.
func styleContacts(n *xhtml.Node) string {
	if n.Data != "style" || n.Namespace == "math" || n.Namespace == "" && len(n.Attr) > 0 {
		return ""
	}
	own, all := "", "" // its child text content, and what browsers look ahead in
	for c := range n.Descendants() {
		if c.Type != xhtml.TextNode {
			continue
		}
		if all += c.Data; c.Parent == n {
			own += c.Data
		}
	}
	for _, text := range [...]string{own, all} {
		if text = notImport.ReplaceAllString(text, ""); strings.HasPrefix(text, `@import "http://tracker.test`) {
			return "<style> " + text
		}
	}
	return ""
}

// notImport is what may stand before an import. (CSS Syntax 3, 5.4.1)
var notImport = regexp.MustCompile(`^(\s|(?s:/\*.*?\*/)|<!--|-->)+`)

// oracleUses says which elements fetch with an attribute.
var oracleUses = map[string]string{
	"src":    " img script iframe frame embed input video audio source track image portal fencedframe ",
	"srcset": " img source ", "poster": " video ", "data": " object ", "ping": " a area ", "action": " form ", "formaction": " button input ",
	"href": " link image use feimage script ", "xlink:href": " image use feimage script ",
}

// attrContacts looks for the tracker in attributes that fetch, by a way of its own: substring and name.
func attrContacts(element string, attrs []xhtml.Attribute) string {
	if strings.ContainsRune(element, '\uFFFD') {
		return "" // no element that fetches
	}
	seen := map[string]bool{}
	for _, a := range attrs {
		key := a.Key
		if a.Namespace != "" {
			key = a.Namespace + ":" + key
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		v := strings.ToLower(a.Val)
		if !strings.Contains(v, "tracker.test") || strings.Contains(v, "about:invalid#consent,") {
			continue
		}
		switch key {
		case "background", "style", "srcdoc", "onerror", "onload":
		case "src", "srcset", "poster", "data", "ping", "action", "formaction", "href", "xlink:href":
			if !strings.Contains(oracleUses[key], " "+strings.ToLower(element)+" ") {
				continue
			}
		default:
			continue
		}
		if key == "srcdoc" && contacts(a.Val) == "" {
			continue
		}
		return "<" + element + " " + key + "=" + a.Val + ">"
	}
	return ""
}
