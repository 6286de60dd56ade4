package ui

// Embed is the gated frame that a placeholder stands for.
type Embed struct {
	// Lang is a language that Negotiate returned.
	Lang string
	// URL is the absolute URL the frame would load.
	URL string
	// Link is the page to see the content on, "" for the one that the package knows of well-known players, or the URL itself.
	Link string
	// Page is the absolute URL of the page the frame is in: what a share button without an address of its own shares. It may be "".
	Page string
	// Return is the path of the page the frame is in, to go back to after a choice made without script.
	Return string
}

// AppendPlaceholder appends an HTML document for a gated frame's srcdoc: who would provide the content and why, a form
// that allows this vendor for good, a button for a script to load it once, and a plain link to the content that works
// without either; for a share button that is the vendor's share page. In a box too small for words there is one of them,
// with its words in its title. The caller escapes the document as an attribute value.
//
// The form posts choice=save, scope=vendor and vendor=+ID: only that vendor's decision is to change.
func (u *UI) AppendPlaceholder(dst []byte, vendor *Vendor, e *Embed) []byte {
	view := u.view(e.Lang)
	v := values{vendor: vendor, purpose: view.texts["purpose_"+vendor.Purpose], returns: returnPath(e.Return)}
	view.link(&v, e)
	return view.placeholder.append(dst, &v)
}

// link sets the plain link of a placeholder and its words.
func (v *view) link(to *values, e *Embed) {
	words := "share"
	if to.link, to.linkName = shareURL(e); to.link == "" {
		words, to.linkName, to.link = "link", to.vendor.Name, contentURL(e.URL)
		if to.link == e.URL && isWeb(e.Link) {
			to.link = e.Link
		}
	}
	to.share = words == "share"
	to.linkText = v.texts.fill(words, "{provider}", isolate(v.lang, to.linkName))
}
