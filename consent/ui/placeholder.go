package ui

// Embed is the gated frame that a placeholder stands for.
type Embed struct {
	// Lang is a language that Negotiate returned.
	Lang string
	// URL is the absolute URL the frame would load, Title the frame's title attribute, if it has one.
	URL, Title string
	// Link is the page to see the content on, "" for the one that the package knows of well-known players, or the URL itself.
	Link string
	// Return is the path of the page the frame is in, to go back to after a choice made without script.
	Return string
}

// AppendPlaceholder appends an HTML document for a gated frame's srcdoc: who would provide the content and why, a form
// that allows this vendor for good, a button for a script to load it once, and a plain link to the content that works
// without either. The caller escapes it as an attribute value.
//
// The form posts choice=save, scope=vendor and vendor=+ID: only that vendor's decision is to change.
func (u *UI) AppendPlaceholder(dst []byte, vendor *Vendor, e *Embed) []byte {
	view := u.view(e.Lang)
	link := contentURL(e.URL)
	if link == e.URL && isWeb(e.Link) {
		link = e.Link
	}
	v := values{vendor: vendor, purpose: view.texts["purpose_"+vendor.Purpose], title: e.Title, link: link, returns: returnPath(e.Return)}
	return view.placeholder.append(dst, &v)
}
