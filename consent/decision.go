package consent

import "time"

// Decision is what one visitor permits on one request, and why. It is a plain value.
//
// Visitors are asked under opt-in only, while a purpose is undecided and no signal has answered for them. With a signal, a
// notice that it was honoured takes the place of the question; under the other regimes a permanent way to refuse does.
type Decision struct {
	Granted   Purposes            // agreed to; Necessary always
	Denied    Purposes            // refused; what is in neither set is undecided
	Permitted Purposes            // Granted, and what the regime permits while undecided
	Ask       Purposes            // undecided purposes that the visitor is to be asked about now; often none
	By        [numPurposes]Source // what decided, by purpose in order
	Vendors   VendorChoices       // individual answers that count
	Regime    Regime              // the regime in force for this request
	Signals   SignalSet           // refusing signals that the browser sent
	Honoured  SignalSet           // those of them that the terms do not disregard
	ID        ID                  // the visitor's consent ID; zero without an authentic token
	At        time.Time           // when the visitor last answered; zero without an authentic token
	Seq       uint32              // the sequence number of that answer

	barred Purposes  // purposes for which agreement to a single vendor does not count
	seen   SignalSet // signals that a token whose grants hold was aware of
}

// Permits reports whether a purpose of a vendor is permitted. A vendor without a number (0), or with one above MaxVendor,
// follows its purpose. Only Necessary is always permitted; an unknown purpose never is.
func (d *Decision) Permits(p Purpose, vendor uint16) bool {
	switch {
	case p == Necessary:
		return true
	case p == 0 || Purposes(p)&^OptionalPurposes != 0:
		return false
	case d.Vendors.Refused(vendor):
		return false
	case d.Vendors.Granted(vendor) && Purposes(p)&d.barred == 0:
		return true
	}
	return d.Permitted.Has(p)
}

// SignalDecided returns the signals because of which a purpose is denied: those that a notice should name.
func (d *Decision) SignalDecided() (set SignalSet) {
	for _, by := range d.By {
		if by == SourceDNT || by == SourceGPC {
			set |= d.Honoured
		}
	}
	return set
}

// TrackingStatus returns the tracking status value for the Tk field (W3C Tracking Preference Expression, section 6.2): N
// where nothing that tracks is permitted, C where it is by the visitor's prior consent, T where it is without, D where it
// is in spite of a signal that the operator disregards. P is never true here: what is undecided is either gated or
// permitted. C needs a status-id and a config member in the status object.
func (d *Decision) TrackingStatus() byte {
	status := byte('N')
	if d.Permitted&TrackingPurposes != 0 || d.Vendors.grantsAny() {
		status = 'C'
	}
	for p, by := range d.By {
		if by != SourceRegime || !TrackingPurposes.Has(1<<p) {
			continue
		}
		if d.Signals&^d.Honoured != 0 {
			return 'D'
		}
		status = 'T'
	}
	return status
}

// String returns the decision for the request field that the application may read: a dictionary of RFC 9651, with one
// member per purpose in order, such as
//
//	necessary=granted;by=necessary, functional=undecided, analytics=granted;by=token, marketing=denied;by=gpc, social=permitted;by=regime
func (d *Decision) String() string {
	var b [256]byte
	dst := b[:0]
	for i, name := range purposeNames {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		word, p := "undecided", Purpose(1<<i)
		switch {
		case d.Denied.Has(p):
			word = wordDenied
		case d.Granted.Has(p):
			word = wordGranted
		case d.Permitted.Has(p):
			word = "permitted"
		}
		dst = append(append(append(dst, name...), '='), word...)
		if by := d.By[i]; by != SourceNone {
			dst = append(append(dst, ";by="...), by.String()...)
		}
	}
	return string(dst)
}

// AppendSets appends what was decided, and of what kind, in 9 bytes: not by whom, when, or about single vendors.
func (d *Decision) AppendSets(dst []byte) []byte {
	return append(dst, byte(d.Granted), byte(d.Denied), byte(d.Permitted), byte(d.Ask), byte(d.Regime),
		byte(d.Signals), byte(d.Honoured), byte(d.barred), byte(d.seen))
}
