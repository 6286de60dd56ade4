package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// State is what the records of a consent id come to: the answer that counts now.
type State struct {
	Seq      uint32            // of the Token; a token with a lower one was superseded
	Event    consent.Event     // of the newest record
	Granted  consent.Purposes  // never overlaps Denied
	Denied   consent.Purposes  //
	Vendors  map[string]bool   // individual answers by catalogue id; nil if there are none
	Signals  consent.SignalSet // what the browser said at the time
	Method   consent.Method    // how the visitor answered
	Time     time.Time         // of the newest record, UTC, milliseconds
	Expiry   time.Time         // when grants lapse; zero if nothing was granted
	RecordID consent.ID        // of the newest record
	Index    uint64            // of its entry; 0 while it waits in a spool
}

// StateOf returns the state that a record alone comes to.
func StateOf(r *consent.Record) State {
	s := State{
		Seq: r.Seq, Event: r.Event, Granted: r.Granted &^ r.Denied, Denied: r.Denied, Signals: r.Signals,
		Method: r.Method, Time: toMilli(r.Time), Expiry: toMilli(r.Expiry), RecordID: r.RecordID,
	}
	if len(r.Vendors) > 0 {
		s.Vendors = maps.Clone(r.Vendors)
	}
	return s
}

func toMilli(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// Grants reports whether the state permits anything that needs consent.
func (s *State) Grants() bool {
	if s.Granted&consent.OptionalPurposes != 0 {
		return true
	}
	for _, granted := range s.Vendors {
		if granted {
			return true
		}
	}
	return false
}

// Merge returns the state that a and b come to. The higher sequence number wins. Two answers with the
// same one were given at the same time, in two tabs or on two nodes: only what both permit is permitted.
func Merge(a, b State) State {
	if a.Seq != b.Seq {
		if a.Seq > b.Seq {
			return a
		}
		return b
	}
	if b.later(a) {
		a, b = b, a
	}
	m := a // the later one, or the stricter one of the same moment
	m.Denied |= b.Denied
	m.Granted = a.Granted & b.Granted &^ m.Denied
	m.Vendors = mergeVendors(a.Vendors, b.Vendors)
	if !b.Expiry.IsZero() && (m.Expiry.IsZero() || b.Expiry.Before(m.Expiry)) {
		m.Expiry = b.Expiry
	}
	if m.Event == consent.EventGiven && b.Event != consent.EventGiven {
		m.Event = b.Event
	}
	return m
}

// later orders states of one sequence number, so that Merge does not depend on its arguments' order.
func (s *State) later(o State) bool {
	if !s.Time.Equal(o.Time) {
		return s.Time.After(o.Time)
	}
	if s.Index != o.Index {
		return s.Index > o.Index
	}
	return slices.Compare(s.RecordID[:], o.RecordID[:]) > 0
}

func mergeVendors(a, b map[string]bool) map[string]bool {
	var m map[string]bool
	put := func(id string, granted bool) {
		if m == nil {
			m = make(map[string]bool, len(a))
		}
		m[id] = granted
	}
	for id, granted := range a {
		if other, both := b[id]; both || !granted {
			put(id, granted && other)
		}
	}
	for id, granted := range b {
		if !granted {
			put(id, false)
		}
	}
	return m
}

const stateVersion = 1

var (
	events  = [...]consent.Event{"", consent.EventGiven, consent.EventRefused, consent.EventWithdrawn}
	methods = [...]consent.Method{"", consent.MethodBanner, consent.MethodPreferences, consent.MethodPlaceholder, consent.MethodAPI}
)

// stateFixed is the size of a binary state without vendors.
const stateFixed = 1 + 4 + 5 + 8 + 8 + 16 + 8 + 2

// AppendBinary implements [encoding.BinaryAppender].
func (s State) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, stateVersion)
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = append(b, code(events[:], s.Event), byte(s.Granted), byte(s.Denied), byte(s.Signals), code(methods[:], s.Method))
	b = binary.BigEndian.AppendUint64(b, milli(s.Time))
	b = binary.BigEndian.AppendUint64(b, milli(s.Expiry))
	b = append(b, s.RecordID[:]...)
	b = binary.BigEndian.AppendUint64(b, s.Index)
	if len(s.Vendors) > MaxVendors {
		return nil, errors.New("too many vendor answers")
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Vendors)))
	if len(s.Vendors) == 0 {
		return b, nil
	}
	for _, id := range slices.Sorted(maps.Keys(s.Vendors)) {
		if len(id) > MaxVendor {
			return nil, errors.New("vendor id is too long")
		}
		n := byte(len(id)) << 1
		if s.Vendors[id] {
			n |= 1
		}
		b = append(append(b, n), id...)
	}
	return b, nil
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (s State) MarshalBinary() ([]byte, error) { return s.AppendBinary(make([]byte, 0, stateFixed)) }

var errState = fmt.Errorf("%w: a stored state cannot be read", ErrTampered)

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. What AppendBinary did not write is an error, which wraps
// [ErrTampered], or consent.ErrNewer where a newer version's did.
func (s *State) UnmarshalBinary(b []byte) error {
	if len(b) > 0 && b[0] > stateVersion {
		return fmt.Errorf("stored state %d, this program knows %d: %w", b[0], stateVersion, consent.ErrNewer)
	}
	if len(b) < stateFixed || b[0] != stateVersion || int(b[5]) >= len(events) || int(b[9]) >= len(methods) {
		return errState
	}
	v := State{
		Seq: binary.BigEndian.Uint32(b[1:]), Event: events[b[5]], Granted: consent.Purposes(b[6]),
		Denied: consent.Purposes(b[7]), Signals: consent.SignalSet(b[8]), Method: methods[b[9]],
		Time: fromMilli(binary.BigEndian.Uint64(b[10:])), Expiry: fromMilli(binary.BigEndian.Uint64(b[18:])),
		RecordID: consent.ID(b[26:42]), Index: binary.BigEndian.Uint64(b[42:]),
	}
	n := int(binary.BigEndian.Uint16(b[50:]))
	if v.Granted&v.Denied != 0 || n > MaxVendors {
		return errState
	}
	b = b[stateFixed:]
	if n > 0 {
		v.Vendors = make(map[string]bool, n)
	}
	for last := ""; n > 0; n-- {
		if len(b) == 0 || len(b) <= int(b[0]>>1) {
			return errState
		}
		id, granted := string(b[1:1+b[0]>>1]), b[0]&1 != 0
		if id <= last {
			return errState
		}
		v.Vendors[id], last, b = granted, id, b[1+len(id):]
	}
	if len(b) != 0 {
		return errState
	}
	*s = v
	return nil
}

func code[T comparable](names []T, name T) byte { return byte(max(0, slices.Index(names, name))) }

// milli keeps the zero time apart from the year 1970.
func milli(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli()) + 1
}

func fromMilli(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n - 1)).UTC()
}
