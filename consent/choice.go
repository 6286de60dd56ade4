package consent

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Answer is what a visitor pressed.
type Answer uint8

// The answers.
const (
	Accept   Answer = iota + 1 // agree to all that is asked
	Refuse                     // agree to nothing
	Save                       // agree to what is ticked
	Withdraw                   // take back everything
)

var answerNames = map[string]Answer{"accept": Accept, "refuse": Refuse, "save": Save, "withdraw": Withdraw}

// Choice is a visitor's answer as a form states it.
type Choice struct {
	Answer Answer
	// Purposes, with Save, are those that were ticked; those not ticked are refused.
	Purposes Purposes
	// VendorsOnly, with Save, says that the form was about single vendors: the answers about purposes stay as they are.
	VendorsOnly bool
	// Vendors are the form's answers about single vendors. VendorsListed says that the form offered them all, so that a
	// vendor without an answer follows its purpose again.
	Vendors       VendorChoices
	VendorsListed bool
}

// maxChoiceFields bounds the answers in one form.
const maxChoiceFields = 2*maxDense + numPurposes

// ParseChoice reads a form's fields: choice; purpose, once for each that is ticked; vendor, once for each vendor as +id, -id
// or empty; scope=vendor, where the form is about single vendors only. number resolves a vendor's catalogue id. A save of
// nothing refuses everything. The errors are fit to be shown to the sender.
func ParseChoice(form url.Values, number func(id string) (uint16, bool)) (Choice, error) {
	var c Choice
	if len(form["choice"]) != 1 {
		return c, errors.New("choice: want exactly one of accept, refuse, save, withdraw")
	}
	c.Answer = answerNames[form["choice"][0]]
	if c.Answer == 0 {
		return c, fmt.Errorf("choice: unknown value %.20q: use accept, refuse, save or withdraw", form["choice"][0])
	}
	answers := 0
	for _, v := range form["vendor"] {
		if v != "" { // a form lists every vendor, most of them without an answer of their own
			answers++
		}
	}
	if len(form["purpose"])+answers > maxChoiceFields {
		return c, fmt.Errorf("more than %d fields", maxChoiceFields)
	}
	for _, name := range form["purpose"] {
		p, err := ParsePurpose(name)
		if err != nil {
			return Choice{}, fmt.Errorf("purpose: unknown name %.20q", name)
		}
		c.Purposes = c.Purposes.With(p)
	}
	for _, v := range form["vendor"] {
		if v == "" {
			continue
		}
		if err := c.addVendor(v, number); err != nil {
			return Choice{}, err
		}
	}
	if !c.Vendors.Fits() {
		return Choice{}, errors.New("vendor: so many providers cannot be chosen one by one: choose by purpose, and only a few on their own")
	}
	c.VendorsOnly = form.Get("scope") == "vendor"
	c.VendorsListed = len(form["vendor"]) > 0
	if c.VendorsOnly && c.Vendors.IsZero() {
		return Choice{}, errors.New("scope=vendor: name at least one vendor")
	}
	return c, nil
}

// addVendor notes +id or -id. Of two answers about one vendor the refusal wins.
func (c *Choice) addVendor(v string, number func(id string) (uint16, bool)) error {
	if len(v) < 2 || v[0] != '+' && v[0] != '-' {
		return fmt.Errorf("vendor: %.40q: write +id to agree, -id to refuse", v)
	}
	n, ok := number(v[1:])
	if !ok {
		return fmt.Errorf("vendor: unknown id %.40q", v[1:])
	}
	if !c.Vendors.Set(n, v[0] == '+' && !c.Vendors.Refused(n)) {
		return fmt.Errorf("vendor: %.40q can only be chosen with its purpose", v[1:])
	}
	return nil
}

// Choose returns the token that follows from a visitor's answer to the request of these signals, and the event to record.
// The signals must have been held against the store (Signals.Reconcile), so that the new token's sequence number is the
// highest.
// The token keeps the visitor's ID, or draws one. What an earlier token granted is carried over only as far as Decide
// still holds it, and is not made younger by that:
//
//   - Accept grants what Decide asks about, and keeps what is granted; if it asks nothing, all that the terms ask for.
//   - Refuse and Withdraw deny all optional purposes and drop the answers about single vendors.
//   - Save of purposes grants those ticked and denies the others. Vendors that it lists are as it says; where it lists none,
//     those refused stay refused and those agreed to need to be agreed to again.
//   - Save of vendors changes those vendors only.
//
// Of more individual answers than a token has room for it keeps the refusals, and if not even those fit it refuses all.
func Choose(t *Terms, s *Signals, c Choice, now time.Time) (Token, Event) {
	d := Decide(t, s, now)
	held, vendors := d.carried()
	next := Token{ID: d.ID, Seq: d.Seq + 1, Version: t.Material, At: now.UTC().Truncate(time.Second), Signals: s.Set()}
	if next.ID.IsZero() {
		next.ID = NewID()
	}
	grantable := t.Asked & OptionalPurposes
	if t.ChildDirected {
		grantable &^= Purposes(Marketing)
	}
	switch {
	case c.Answer == Accept && d.Ask != 0 && d.Ask != t.Asked:
		next.Granted = (d.Ask | held) & grantable
		next.Denied = s.tokenRefusals() &^ next.Granted
		next.Vendors = vendors
		next.keepAge(&d, held, vendors)
	case c.Answer == Accept:
		next.Granted = grantable
	case c.Answer == Save && !c.VendorsOnly:
		next.Granted = c.Purposes & grantable
		next.Denied = (t.Asked | s.tokenRefusals()) & OptionalPurposes &^ next.Granted
		if next.Vendors = c.Vendors; !c.VendorsListed {
			next.Vendors = d.Vendors.withoutGrants()
		}
	case c.Answer == Save:
		next.Granted, next.Denied = held&grantable, s.tokenRefusals()
		next.Vendors = vendors.with(c.Vendors)
		next.keepAge(&d, held, vendors)
	default:
		next.Denied = OptionalPurposes
	}
	next = *next.fitting()
	return next, event(d.ownGrants() != 0 || d.Vendors.grantsAny() || s.mayGrant(), &next)
}

// mayGrant reports whether the token granted something that only a store or platform, which does not answer, could confirm or
// deny: refusing now takes it back.
func (s *Signals) mayGrant() bool {
	unsure := s.TokenState == TokenSuperseded || s.TokenState == TokenValid && s.Stored.Unknown
	return unsure && (s.Token.Granted&OptionalPurposes != 0 || s.Token.Vendors.grantsAny())
}

// keepAge leaves the token as old as what it carries over.
func (t *Token) keepAge(d *Decision, held Purposes, vendors VendorChoices) {
	if (held != 0 || vendors.grantsAny()) && d.At.Before(t.At) {
		t.At = d.At
	}
}

func event(before bool, next *Token) Event {
	switch {
	case next.Granted != 0 || next.Vendors.grantsAny():
		return EventGiven
	case before:
		return EventWithdrawn
	}
	return EventRefused
}

// carried returns what the visitor's own answer grants now and may be signed again, together with the signals of this
// request. A signal that the answer did not know of takes away what it could override: signing must not lift a signal.
func (d *Decision) carried() (held Purposes, vendors VendorChoices) {
	held = d.ownGrants()
	if d.Signals&^d.seen != 0 {
		return held &^ TrackingPurposes, d.Vendors.withoutGrants()
	}
	return held, d.Vendors
}

func (s *Signals) tokenRefusals() Purposes {
	if s.TokenState == TokenValid || s.TokenState == TokenSuperseded {
		return s.Token.Denied & OptionalPurposes
	}
	return 0
}

// ownGrants returns the purposes that are granted by the visitor's answer to this site.
func (d *Decision) ownGrants() (own Purposes) {
	for p, by := range d.By {
		if by == SourceToken {
			own |= 1 << p
		}
	}
	return own & d.Granted
}

// Remember returns a token that keeps what DNT or Sec-GPC refuses on this request, so that the refusal outlives the
// field; false if the signals refuse nothing that the present token does not refuse already. The token draws no ID: to be
// remembered as refusing, nobody needs to be told apart. There is nothing to record, since nothing was asked.
func Remember(t *Terms, s *Signals, now time.Time) (Token, bool) {
	d := Decide(t, s, now)
	var refused Purposes
	for p, by := range d.By {
		if by == SourceDNT || by == SourceGPC {
			refused |= 1 << p
		}
	}
	if refused == 0 {
		return Token{}, false
	}
	held, vendors := d.carried()
	next := Token{ID: d.ID, Seq: d.Seq + 1, Version: t.Material, At: now.UTC().Truncate(time.Second), Signals: s.Set()}
	next.Granted, next.Denied, next.Vendors = held&^refused, refused|s.tokenRefusals(), vendors
	next.keepAge(&d, held, vendors)
	return *next.fitting(), true
}

// maxCookieAge is the longest that browsers keep a cookie (RFC 6265bis, section 5.5).
const maxCookieAge = 400 * 24 * time.Hour

// CookieAge returns how long the browser should keep a token: the lifetime of grants under opt-in, after which the visitor
// is asked again; as long as browsers allow for a refusal under the other regimes, where nobody asks and the refusal must
// not lapse.
func (t *Terms) CookieAge(k *Token) time.Duration {
	if t.Regime != OptIn && (k.Denied != 0 || k.Vendors.refusesAny()) {
		return maxCookieAge
	}
	return t.lifetime()
}
