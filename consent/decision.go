package consent

import (
	"encoding/binary"
	"errors"
	"time"
)

const numPurposes = len(purposeNames)

// Decision is what one visitor permits on one request, and why. It is a plain value.
type Decision struct {
	Granted   Purposes            // agreed to; Necessary always
	Denied    Purposes            // refused; what is in neither set is undecided
	Permitted Purposes            // Granted, and what the regime permits while undecided
	Ask       Purposes            // undecided purposes that the visitor should be asked about now
	By        [numPurposes]Source // what decided, by purpose in order
	Vendors   VendorChoices       // individual answers that count
	Regime    Regime              // the regime in force for this request
	Signals   SignalSet           // refusing signals that the browser sent
	Honoured  SignalSet           // those of them that the terms do not disregard
	ID        ID                  // the visitor's consent ID; zero without an authentic token
	At        time.Time           // when the visitor last answered; zero without an authentic token
	Seq       uint32              // the sequence number of that answer
	// SignalAtGrant is true where the visitor agreed to tracking although, and after, the browser had refused.
	SignalAtGrant bool

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

// Asked reports whether the visitor should be asked: under opt-in, while a purpose is undecided and no signal has answered
// for the visitor. With a signal, a notice that it was honoured takes the place of the question; under the other regimes
// a permanent way to refuse does.
func (d *Decision) Asked() bool { return d.Ask != 0 }

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
	return string(d.AppendText(b[:0]))
}

// AppendText appends String.
func (d *Decision) AppendText(dst []byte) []byte {
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
	return dst
}

// Layout of a decision in binary: format, the sets, sources, then the rest; all of fixed size.
const (
	decisionFormat = 1
	decisionLen    = 1 + 9 + numPurposes + 64 + len(ID{}) + 8 + 4 + 1
)

// AppendBinary appends the decision for a cache within this process or between nodes of the same release. It never fails.
func (d *Decision) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, decisionFormat, byte(d.Granted), byte(d.Denied), byte(d.Permitted), byte(d.Ask), byte(d.Regime),
		byte(d.Signals), byte(d.Honoured), byte(d.barred), byte(d.seen))
	for _, by := range d.By {
		dst = append(dst, byte(by))
	}
	for i := range d.Vendors.granted {
		dst = binary.BigEndian.AppendUint64(dst, d.Vendors.granted[i])
		dst = binary.BigEndian.AppendUint64(dst, d.Vendors.refused[i])
	}
	dst = append(dst, d.ID[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(d.At.Unix()))
	dst = binary.BigEndian.AppendUint32(dst, d.Seq)
	if d.SignalAtGrant {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

var errDecision = errors.New("consent decision: not the binary form of this release")

// UnmarshalBinary reads what AppendBinary wrote. It does not allocate. The bytes are trusted: a cache that others can
// write to must authenticate them.
func (d *Decision) UnmarshalBinary(b []byte) error {
	if len(b) != decisionLen || b[0] != decisionFormat {
		return errDecision
	}
	*d = Decision{
		Granted: Purposes(b[1]), Denied: Purposes(b[2]), Permitted: Purposes(b[3]), Ask: Purposes(b[4]),
		Regime: Regime(b[5]), Signals: SignalSet(b[6]), Honoured: SignalSet(b[7]),
		barred: Purposes(b[8]), seen: SignalSet(b[9]),
	}
	b = b[10:]
	for i := range d.By {
		d.By[i] = Source(b[i])
	}
	b = b[len(d.By):]
	for i := range d.Vendors.granted {
		d.Vendors.granted[i] = binary.BigEndian.Uint64(b)
		d.Vendors.refused[i] = binary.BigEndian.Uint64(b[8:])
		b = b[16:]
	}
	d.ID = ID(b[:len(d.ID)])
	b = b[len(d.ID):]
	d.At = time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC()
	d.Seq = binary.BigEndian.Uint32(b[8:])
	d.SignalAtGrant = b[12] == 1
	return nil
}
