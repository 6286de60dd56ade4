package consent

import (
	"math/bits"
	"time"
)

// Terms are the operator's side of a decision. The zero value is the strictest: nothing can be granted.
type Terms struct {
	// Asked are the purposes that visitors are asked about, the only ones that an answer or another platform can grant.
	Asked Purposes
	// PolicyVersion names the present privacy policy in records.
	PolicyVersion string
	// Material is the Version of the last policy whose change was material: grants given under any other are suspended
	// until the visitor answers again. A new PolicyVersion with the same Material prompts nobody.
	Material Version
	// Regime is the law for visitors who have not answered; ByRegion takes Signals.Region's, unknown is OptIn.
	Regime Regime
	// ChildDirected keeps marketing denied whatever anybody says.
	ChildDirected bool
	// DisregardDNT and DisregardGPC ignore the signal. TrackingStatus then says so.
	DisregardDNT, DisregardGPC bool
	// Lifetime is how long a grant holds; zero means DefaultLifetime.
	Lifetime time.Duration
}

// DefaultLifetime is how long an answer holds: half a year (CNIL deliberation 2020-092).
const DefaultLifetime = 180 * 24 * time.Hour

// TrackingPurposes are those that the signals DNT and GPC refuse.
const TrackingPurposes = Purposes(Analytics | Marketing | Social)

// clockSkew is how far in the future a token's time may lie: the clocks of an operator's nodes differ a little.
const clockSkew = 5 * time.Minute

// Source says what decided about a purpose.
type Source uint8

// The sources.
const (
	SourceNone      Source = iota // undecided
	SourceNecessary               // necessary needs no consent
	SourceTerms                   // the operator's terms: a child-directed site
	SourceToken                   // the visitor's own answer
	SourceDNT                     // DNT: 1
	SourceGPC                     // Sec-GPC: 1
	SourcePlatform                // another platform's stored answer
	SourceRegime                  // nobody: the regime permits it until somebody refuses
)

var sourceNames = [...]string{"none", "necessary", "terms", "token", "dnt", "gpc", "platform", "regime"}

// String returns the source's name.
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return ""
}

// rule is one row of the table of precedence.
type rule struct {
	source          Source
	granted, denied Purposes
}

// Decide resolves signals under terms at a moment. It is pure and total, and does not allocate.
//
// The table of precedence: for each purpose, the first row that speaks of it decides.
//
//	1  necessary   is granted
//	2  terms       deny marketing on a child-directed site
//	3  token       denies what the visitor refused; refusals hold whatever the token's age and version
//	4  dnt         denies, unless a valid token grants the purpose and was given while DNT was seen
//	5  gpc         denies, unless a valid token grants the purpose and was given while GPC was seen
//	6  platform    denies what the visitor refused there
//	7  token       grants, if asked for, not lapsed, not of the future, and of the last material policy version
//	8  platform    grants, if asked for
//	9  regime      permits under opt-out and notice; under opt-in the purpose stays undecided, and gated
//
// So an opt-out that was stored outlives the header that caused it (3), a signal beats an older grant (4, 5 before 7), a
// later grant that was aware of the signal beats the signal, and of two answers the refusal wins (3, 6 before 7, 8). An
// invalid consent cookie speaks in no row, and makes row 9 opt-in: it may have held a refusal. So may a platform that could
// not be asked (Stored.Unknown): then rows 7 to 9 grant nothing, and nobody is asked, until it can be.
func Decide(t *Terms, s *Signals, now time.Time) Decision {
	d := Decision{Regime: t.regime(s), Signals: s.Set()}
	d.Honoured = d.Signals &^ t.disregarded()
	refused, granted := d.readToken(t, s, now)

	dnt, dntBars := d.refusal(SignalDNT, granted)
	gpc, gpcBars := d.refusal(SignalGPC, granted)
	var terms Purposes
	if t.ChildDirected {
		terms = Purposes(Marketing)
	}
	d.barred = (terms | dntBars | gpcBars | s.Stored.Denied) & OptionalPurposes
	d.resolve([...]rule{
		{source: SourceNecessary, granted: Purposes(Necessary)},
		{source: SourceTerms, denied: terms},
		{source: SourceToken, denied: refused},
		{source: SourceDNT, denied: dnt},
		{source: SourceGPC, denied: gpc},
		{source: SourcePlatform, denied: s.Stored.Denied},
		{source: SourceToken, granted: granted},
		{source: SourcePlatform, granted: s.platformGrants() & t.Asked},
	})
	if undecided := t.Asked & OptionalPurposes &^ (d.Granted | d.Denied); d.Regime == OptIn && d.Honoured == 0 && !s.Stored.Unknown {
		d.Ask = undecided
	}
	return d
}

// regime returns the regime in force; what is unknown is the strictest.
func (t *Terms) regime(s *Signals) Regime {
	r := t.Regime
	if r == ByRegion {
		r = s.Region.Regime
	}
	if r > NoticeOnly || s.TokenState == TokenInvalid || s.TokenState == TokenSuperseded || s.Stored.Unknown {
		return OptIn
	}
	return r
}

func (t *Terms) disregarded() (set SignalSet) {
	if t.DisregardDNT {
		set |= SignalDNT
	}
	if t.DisregardGPC {
		set |= SignalGPC
	}
	return set
}

// grantsHold reports whether what a token grants still counts.
func (t *Terms) grantsHold(s *Signals, now time.Time) bool {
	age := now.Sub(s.Token.At)
	return s.TokenState == TokenValid && !s.Stored.Unknown && s.Token.Version == t.Material && age >= -clockSkew && age < t.lifetime()
}

// platformGrants returns what other platforms grant: nothing, where one of them could not be asked.
func (s *Signals) platformGrants() Purposes {
	if s.Stored.Unknown {
		return 0
	}
	return s.Stored.Granted
}

func (t *Terms) lifetime() time.Duration {
	if t.Lifetime <= 0 {
		return DefaultLifetime
	}
	return t.Lifetime
}

// readToken notes what the decision takes over from the token and returns what the token refuses and grants.
func (d *Decision) readToken(t *Terms, s *Signals, now time.Time) (refused, granted Purposes) {
	if s.TokenState != TokenValid && s.TokenState != TokenSuperseded {
		return 0, 0
	}
	k := &s.Token
	d.ID, d.At, d.Seq = k.ID, k.At, k.Seq
	refused = k.Denied & OptionalPurposes
	if !t.grantsHold(s, now) {
		d.Vendors = k.Vendors.withoutGrants()
		return refused, 0
	}
	d.Vendors, d.seen = k.Vendors, k.Signals
	return refused, k.Granted & t.Asked & OptionalPurposes &^ refused
}

// refusal returns the purposes that a signal denies, and those of them for which it also overrides agreement to single
// vendors: none, if the token was given while the signal was seen.
func (d *Decision) refusal(signal SignalSet, granted Purposes) (denied, bars Purposes) {
	switch {
	case !d.Honoured.Has(signal):
		return 0, 0
	case d.seen.Has(signal):
		return TrackingPurposes &^ granted, 0
	}
	return TrackingPurposes, TrackingPurposes
}

// resolve applies the table: the first row that speaks of a purpose decides.
func (d *Decision) resolve(rules [8]rule) {
	open := AllPurposes
	for _, r := range rules {
		d.Denied |= r.denied & open
		d.Granted |= r.granted & open
		for by := (r.denied | r.granted) & open; by != 0; by &= by - 1 {
			d.By[bits.TrailingZeros8(uint8(by))] = r.source
		}
		open &^= r.denied | r.granted
	}
	d.Permitted = d.Granted
	if d.Regime != OptIn {
		d.Permitted |= open
		for ; open != 0; open &= open - 1 {
			d.By[bits.TrailingZeros8(uint8(open))] = SourceRegime
		}
	}
}
