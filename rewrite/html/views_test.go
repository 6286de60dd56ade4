package html

import (
	"strings"

	xhtml "golang.org/x/net/html"
)

// contacts returns a contact with the tracker that some view of the document shows, "" if all are clean. The views: the
// plain tokenizer of x/net/html with and without JavaScript (noscript), the trees of x/net/html's parser in both modes, and
// the trees' raw-text elements taken as markup.
func contacts(doc string) string {
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
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if s := treeContacts(c); s != "" {
			return s
		}
	}
	return ""
}

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
