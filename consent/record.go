package consent

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// SchemaVersion is the version of Record's JSON form; it grows whenever a member is added or changes its meaning. 1.0 had
// neither pii_controllers nor pii_information.
const SchemaVersion = "1.1"

// ErrNewer is the error for what a newer version of this program wrote: it is whole, as far as anybody can tell, but what is
// kept as proof must be understood completely, and what an answer permits even more so.
var ErrNewer = errors.New("written by a newer version of this program")

// Event is what happened to a consent (ISO/IEC TS 27560:2023, event state).
type Event string

// The events a record can tell of.
const (
	EventGiven     Event = "given"     // the visitor agreed to at least one purpose or vendor
	EventRefused   Event = "refused"   // the visitor answered and agreed to nothing
	EventWithdrawn Event = "withdrawn" // the visitor took back what was given
)

// Method is how the visitor answered.
type Method string

// The methods. MethodAPI is the answer that another consent platform keeps in the browser (see package cmp, Bridge).
const (
	MethodBanner      Method = "banner"
	MethodPreferences Method = "preference-centre"
	MethodPlaceholder Method = "placeholder"
	MethodAPI         Method = "api"
)

// Notice identifies the exact text that a visitor saw when answering.
type Notice struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Language string `json:"language"` // BCP 47
	SHA256   Hash   `json:"sha256"`   // of the text as shown, all purposes and buttons included
}

// Party is somebody who decides on the processing (ISO/IEC TS 27560:2023, party identification).
type Party struct {
	Name string `json:"party_name"`
	URL  string `json:"party_url,omitempty"` // where it says who it is: absolute, or a path of the site
}

// PII is a category of data that is processed (ISO/IEC TS 27560:2023, pii_information).
type PII struct {
	Type string `json:"pii_type"`
}

// Hash is a SHA-256 value, written as hexadecimal.
type Hash [32]byte

// MarshalText returns 64 lower-case hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return errors.New("sha256: want 64 hexadecimal digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Record is the entry that proves one decision of one visitor: the fields of ISO/IEC TS 27560:2023 that a website can
// know. It holds no address, no user agent beyond the browser's name and major version, and no identifier that another
// site would recognise. A Record is a plain value; nothing in it is secret from the visitor it is about.
type Record struct {
	SchemaVersion string          // SchemaVersion when written
	RecordID      ID              // random, unique
	PrincipalID   ID              // the visitor's consent ID on this site, as in the Token
	Seq           uint32          // the Token's sequence number: later answers have higher ones
	Site          string          // the name that tokens are bound to
	Event         Event           //
	Time          time.Time       // when the visitor answered; stored in UTC to the millisecond
	Expiry        time.Time       // when grants lapse; zero if nothing was granted
	Granted       Purposes        // what was agreed to
	Denied        Purposes        // what was refused; a purpose in both sets is refused
	Vendors       map[string]bool // individual answers by catalogue id, true = agreed
	Notice        Notice          // what the visitor saw
	Method        Method          //
	Signals       SignalSet       // what the browser said at that moment
	Regime        Regime          // the rule that the visitor's region fell under
	LawfulBasis   string          // "consent" unless the operator says otherwise
	Controllers   []Party         // who answers for the processing
	Information   []PII           // what those who were agreed to get to know
	PolicyVersion string          // the site's privacy policy at that moment
	BrowserMajor  string          // such as "Firefox 140"; may be empty
}

// NewRecord returns the record of an answer with all that terms, signals and the answer's token tell. The caller adds
// Vendors by their catalogue ids, Notice, Method, Controllers, Information and BrowserMajor.
func NewRecord(site string, t *Terms, s *Signals, k *Token, event Event, now time.Time) Record {
	r := Record{
		SchemaVersion: SchemaVersion, RecordID: NewID(), PrincipalID: k.ID, Seq: k.Seq, Site: site, Event: event,
		Time: now.UTC().Truncate(time.Millisecond), Granted: k.Granted &^ k.Denied, Denied: k.Denied,
		Signals: s.Set(), Regime: t.regime(s), LawfulBasis: "consent", PolicyVersion: t.PolicyVersion,
	}
	if r.Granted != 0 || k.Vendors.grantsAny() {
		r.Expiry = k.At.Add(t.lifetime()).UTC()
	}
	return r
}

// recordJSON fixes names and order of the JSON form; Go's encoder keeps both, and sorts maps, so equal records have
// equal bytes.
type recordJSON struct {
	SchemaVersion string            `json:"schema_version"`
	RecordID      ID                `json:"record_id"`
	PrincipalID   ID                `json:"pii_principal_id"`
	Seq           uint32            `json:"sequence"`
	Site          string            `json:"site"`
	Event         Event             `json:"event_state"`
	Time          string            `json:"event_time"`
	Expiry        string            `json:"expiry,omitempty"`
	Purposes      map[string]string `json:"purposes"`
	Vendors       map[string]bool   `json:"vendors,omitempty"`
	Notice        Notice            `json:"privacy_notice"`
	Method        Method            `json:"method"`
	Signals       []string          `json:"signals"`
	Regime        string            `json:"regime"`
	LawfulBasis   string            `json:"lawful_basis"`
	Controllers   []Party           `json:"pii_controllers,omitempty"`
	Information   []PII             `json:"pii_information,omitempty"`
	PolicyVersion string            `json:"policy_version"`
	BrowserMajor  string            `json:"browser,omitempty"`
}

const recordTime = "2006-01-02T15:04:05.000Z07:00"

// Words of the purposes member.
const (
	wordGranted = "granted"
	wordDenied  = "denied"
)

// MarshalJSON returns the canonical form: equal records give equal bytes, whatever wrote them.
func (r Record) MarshalJSON() ([]byte, error) {
	j := recordJSON{
		SchemaVersion: r.SchemaVersion, RecordID: r.RecordID, PrincipalID: r.PrincipalID, Seq: r.Seq, Site: r.Site,
		Event: r.Event, Time: formatRecordTime(r.Time), Expiry: formatRecordTime(r.Expiry),
		Purposes: map[string]string{}, Vendors: r.Vendors, Notice: r.Notice, Method: r.Method,
		Signals: r.Signals.names(), Regime: r.Regime.String(), LawfulBasis: r.LawfulBasis,
		Controllers: r.Controllers, Information: r.Information, PolicyVersion: r.PolicyVersion, BrowserMajor: r.BrowserMajor,
	}
	for _, p := range AllPurposes.List() {
		switch {
		case r.Denied.Has(p):
			j.Purposes[p.String()] = wordDenied
		case r.Granted.Has(p):
			j.Purposes[p.String()] = wordGranted
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote, of this version and all before. Unknown members, purposes, signals and words are
// errors: what is kept as proof must be understood completely. The error for a newer version wraps [ErrNewer].
func (r *Record) UnmarshalJSON(data []byte) error {
	var version struct {
		Schema string `json:"schema_version"`
	}
	if json.Unmarshal(data, &version) == nil && newer(version.Schema, SchemaVersion) {
		return fmt.Errorf("consent record: schema %.20s, this program knows %s: %w", version.Schema, SchemaVersion, ErrNewer)
	}
	var j recordJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return fmt.Errorf("consent record: %w", err)
	}
	v := Record{
		SchemaVersion: j.SchemaVersion, RecordID: j.RecordID, PrincipalID: j.PrincipalID, Seq: j.Seq, Site: j.Site,
		Event: j.Event, Vendors: j.Vendors, Notice: j.Notice, Method: j.Method, LawfulBasis: j.LawfulBasis,
		Controllers: j.Controllers, Information: j.Information, PolicyVersion: j.PolicyVersion, BrowserMajor: j.BrowserMajor,
	}
	var errs [6]error
	v.Time, errs[0] = parseRecordTime(j.Time)
	v.Expiry, errs[1] = parseRecordTime(j.Expiry)
	v.Granted, v.Denied, errs[2] = parseDecisions(j.Purposes)
	v.Signals, errs[3] = parseSignalNames(j.Signals)
	v.Regime, errs[4] = ParseRegime(j.Regime)
	switch j.Event {
	case EventGiven, EventRefused, EventWithdrawn:
	default:
		errs[5] = fmt.Errorf("unknown event state %q", j.Event)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("consent record: %w", err)
	}
	*r = v
	return nil
}

// newer reports whether version a, as in "1.2", comes after b.
func newer(a, b string) bool {
	var va, vb [2]int
	_, errA := fmt.Sscanf(a, "%d.%d", &va[0], &va[1])
	_, errB := fmt.Sscanf(b, "%d.%d", &vb[0], &vb[1])
	return errA == nil && errB == nil && slices.Compare(va[:], vb[:]) > 0
}

// Receipt returns the visitor's own copy as indented JSON: the record, with a sentence that says what the copy is.
// ISO/IEC TS 27560 calls it a consent receipt.
func (r Record) Receipt() ([]byte, error) {
	rec, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(struct {
		About   string          `json:"about"`
		Receipt json.RawMessage `json:"consent_receipt"`
	}{"This is the complete entry that this site keeps about your answer. No address is stored with it.", rec}, "", "  ")
}

func parseDecisions(m map[string]string) (granted, denied Purposes, err error) {
	for name, word := range m {
		p, err := ParsePurpose(name)
		switch {
		case err != nil:
			return 0, 0, err
		case word == wordGranted:
			granted = granted.With(p)
		case word == wordDenied:
			denied = denied.With(p)
		default:
			return 0, 0, fmt.Errorf("purpose %s: unknown decision %q", name, word)
		}
	}
	return granted, denied, nil
}

func formatRecordTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(recordTime)
}

func parseRecordTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(recordTime, s)
	return t.UTC(), err
}
