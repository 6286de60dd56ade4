package ui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

// A fragment is markup compiled to pieces: constant bytes, each followed by a value of the response. Appending one costs
// little more than the copy.
type fragment []piece

type piece struct {
	text string
	slot slot
	arg  int // the index of a vendor, a purpose; for a condition: how many pieces to skip when it does not hold
}

type slot uint8

const (
	slotNone slot = iota
	slotEnd
	slotMark
	slotNonce
	slotReturn
	slotReturnQuery
	slotSignal
	slotFunctional
	slotAnalytics
	slotMarketing
	slotSocial
	slotProvider
	slotProviderID
	slotPurpose
	slotPolicy
	slotLink
	slotLinkText
	slotLinkName
	slotStatus
	slotProblem
	slotError
	slotOpen
	slotAllowed
	slotRefused
	slotTicket
	slotXMLNS
	condError // the first of the conditions
	condPolicy
	condSingle
	condLink
	condShare
	condRecorded
	condWithdraw
	condTicket
	condXML
	condSaved
)

var slotNames = map[string]slot{
	"mark": slotMark, "nonce": slotNonce, "return": slotReturn, "return-query": slotReturnQuery, "signal": slotSignal,
	"checked-functional": slotFunctional, "checked-analytics": slotAnalytics, "checked-marketing": slotMarketing, "checked-social": slotSocial,
	"provider": slotProvider, "provider-id": slotProviderID, "purpose": slotPurpose, "policy": slotPolicy, "link": slotLink,
	"link-text": slotLinkText, "link-name": slotLinkName, "?share": condShare,
	"?error": condError, "?policy": condPolicy, "?single": condSingle, "?link": condLink, "/": slotEnd,
	"status": slotStatus, "problem": slotProblem, "error": slotError, "open": slotOpen, "allowed": slotAllowed, "refused": slotRefused,
	"?recorded": condRecorded, "?withdraw": condWithdraw, "ticket": slotTicket, "?ticket": condTicket, "xmlns": slotXMLNS, "?xml": condXML, "?saved": condSaved,
}

// Slots are written [[name]] in the asset files. Before a template is parsed the brackets become control characters,
// which no text, URL or name of a configuration can hold, so that nothing but the file itself can make a slot.
var (
	slotMarks = strings.NewReplacer("[[", "\x01", "]]", "\x02")
	textMarks = strings.NewReplacer("{provider}", "\x01provider\x02", "{purpose}", "\x01purpose\x02", "{signal}", "\x01signal\x02")
)

// parseFragment compiles markup whose slots are written \x01name\x02; static holds those that are constant.
func parseFragment(markup string, static map[string]string) (fragment, error) {
	var f fragment
	var open []int
	text := ""
	for {
		before, rest, found := strings.Cut(markup, "\x01")
		text += before
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "\x02")
		markup = after
		if value, ok := static[name]; ok && closed {
			text += value
			continue
		}
		name, arg, _ := strings.Cut(name, ":")
		s, ok := slotNames[name]
		if !ok || !closed {
			return nil, fmt.Errorf("no slot %q", name)
		}
		f = append(f, piece{text: text, slot: s, arg: slotArgument(arg)})
		text = ""
		switch {
		case s >= condError:
			open = append(open, len(f)-1)
		case s == slotEnd && len(open) == 0:
			return nil, fmt.Errorf("slot %q without a condition", name)
		case s == slotEnd:
			start := open[len(open)-1]
			open = open[:len(open)-1]
			f[start].arg = len(f) - 1 - start
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("condition without an end")
	}
	return append(f, piece{text: text}), nil
}

// slotArgument reads what stands behind a slot's colon: a purpose or an index.
func slotArgument(s string) int {
	if p, err := consent.ParsePurpose(s); err == nil {
		return int(p)
	}
	n, _ := strconv.Atoi(s)
	return n
}

// values are what the slots of one response hold.
type values struct {
	page    *Page
	vendor  *Vendor
	purpose string
	returns string
	// Of a placeholder: its link, the words in it, the name of who it leads to, whether it shares.
	link, linkText, linkName string
	share                    bool
	// Of the preference page only.
	vendors  []Vendor
	status   string
	problem  string
	withdraw bool
}

func (f fragment) append(dst []byte, v *values) []byte {
	for i := 0; i < len(f); i++ {
		dst = append(dst, f[i].text...)
		if f[i].slot >= condError {
			if !v.holds(f[i].slot) {
				i += f[i].arg
			}
			continue
		}
		dst = v.append(dst, f[i].slot, f[i].arg)
	}
	return dst
}

func (v *values) holds(s slot) bool {
	switch s {
	case condError:
		return v.page.Error != ""
	case condPolicy:
		return v.vendor.PolicyURL != ""
	case condSingle:
		return v.vendor.single()
	case condRecorded:
		return v.page.Recorded
	case condWithdraw:
		return v.withdraw
	case condTicket:
		return v.page.Link != ""
	case condXML:
		return v.page.XML
	case condSaved:
		return v.page.Saved && v.page.Error == ""
	case condShare:
		return v.share
	}
	return v.link != ""
}

// anyVendor tells whether something holds for a vendor and what the visitor decided for it alone.
func (v *values) anyVendor(holds func(vendor *Vendor, on, set bool) bool) bool {
	if v.page.VendorOn == nil {
		return false
	}
	for i := range v.vendors {
		on, set := v.page.VendorOn(v.vendors[i].Number)
		if holds(&v.vendors[i], on, set) {
			return true
		}
	}
	return false
}

// decided tells whether the visitor decided so for the vendor of an index alone.
func (v *values) decided(index int, want bool) bool {
	if v.page.VendorOn == nil {
		return false
	}
	on, set := v.page.VendorOn(v.vendors[index].Number)
	return set && on == want
}

func appendIf(dst []byte, condition bool, s string) []byte {
	if condition {
		dst = append(dst, s...)
	}
	return dst
}

func (v *values) append(dst []byte, s slot, arg int) []byte {
	switch s {
	case slotMark:
		return appendEscaped(dst, v.page.Mark)
	case slotNonce:
		if v.page.Nonce == "" {
			return dst
		}
		dst = append(dst, ` nonce="`...)
		return append(appendEscaped(dst, v.page.Nonce), '"')
	case slotReturn:
		return appendEscaped(dst, v.returns)
	case slotReturnQuery:
		return appendQuery(dst, v.returns)
	case slotSignal:
		return appendEscaped(dst, signalName(v.page.Signal))
	case slotFunctional, slotAnalytics, slotMarketing, slotSocial:
		return appendIf(dst, v.page.Granted&(1<<(s-slotFunctional+1)) != 0, ` checked=""`)
	case slotProvider:
		return appendEscaped(dst, v.vendor.Name)
	case slotProviderID:
		return appendEscaped(dst, v.vendor.ID)
	case slotPurpose:
		return appendEscaped(dst, v.purpose)
	case slotPolicy:
		return appendEscaped(dst, v.vendor.PolicyURL)
	case slotLink:
		return appendEscaped(dst, v.link)
	case slotLinkText:
		return appendEscaped(dst, v.linkText)
	case slotLinkName:
		return appendEscaped(dst, v.linkName)
	case slotStatus:
		return appendEscaped(dst, v.status)
	case slotProblem:
		return appendEscaped(dst, v.problem)
	case slotError:
		return appendEscaped(dst, v.page.Error)
	case slotTicket:
		return appendEscaped(dst, v.page.Link)
	case slotXMLNS:
		return appendIf(dst, v.page.XML, ` xmlns="http://www.w3.org/1999/xhtml"`)
	case slotOpen:
		name := consent.Purpose(arg).String()
		return appendIf(dst, v.anyVendor(func(vendor *Vendor, _, set bool) bool { return set && vendor.Purpose == name }), " open")
	case slotAllowed:
		return appendIf(dst, v.decided(arg, true), " selected")
	case slotRefused:
		return appendIf(dst, v.decided(arg, false), " selected")
	}
	return dst
}

// appendEscaped appends s so that it is plain text in HTML content and in a quoted attribute value. Control characters,
// which no value here may hold, become spaces.
func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); i++ {
		escape := ""
		switch c := s[i]; {
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '"':
			escape = "&#34;"
		case c == '\'':
			escape = "&#39;"
		case c < ' ' || c == 0x7f:
			escape = " "
		default:
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, escape...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// appendQuery percent-encodes s as a value of a query (WHATWG URL, application/x-www-form-urlencoded percent-encode set),
// leaving the slash, so that paths stay readable.
func appendQuery(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("/-._", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
