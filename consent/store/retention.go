package store

import (
	"fmt"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Retention says how long each class is kept. Zero keeps a class for ever.
type Retention struct {
	// Consent: records, counted from when they stopped to count: superseded, lapsed, or, for a refusal,
	// given.
	Consent time.Duration
	// Invalid: what was answered in the preference centre, counted from when nothing of it was valid
	// any more.
	Invalid time.Duration
	// Idle: what was answered in the preference centre and still holds, counted from the visitor's last
	// activity.
	Idle time.Duration
	// Months: lines of the disclosure ledger, in calendar months besides the current one.
	Months int
	// AnyClock lets a sweep run although the clock seems wrong: a person looked at it.
	AnyClock bool
}

const day = 24 * time.Hour

// DefaultRetention keeps records three years (the usual limitation period), entries of the preference
// centre three months after they became invalid or a year after the last activity, and the disclosure
// ledger twelve months.
func DefaultRetention() Retention {
	return Retention{Consent: 3 * 365 * day, Invalid: 90 * day, Idle: 365 * day, Months: 12}
}

// Past returns which of the states of one consent id are past their retention. The states are in order of
// sequence number, then index.
func (r *Retention) Past(now time.Time, states []State) []bool {
	past := make([]bool, len(states))
	if len(states) == 0 {
		return past
	}
	latest := states[len(states)-1]
	active := latest.Time // the last activity: order is by sequence, and clocks differ
	for i := len(states) - 1; i >= 0; i-- {
		if s := states[i]; s.Seq == latest.Seq {
			latest = Merge(latest, s)
		}
		if states[i].Time.After(active) {
			active = states[i].Time
		}
	}
	valid := latest.Event == consent.EventGiven && (latest.Expiry.IsZero() || latest.Expiry.After(now))
	for i, s := range states {
		switch {
		case s.Method != consent.MethodPreferences:
			past[i] = over(now, ended(states, i), r.Consent)
		case valid:
			past[i] = over(now, active, r.Idle)
		default:
			past[i] = over(now, ended(states, len(states)-1), r.Invalid)
		}
	}
	return past
}

// ended returns when the i-th state stopped to count: when it lapsed or when the next one came.
func ended(states []State, i int) time.Time {
	end := states[i].Time
	if states[i].Event == consent.EventGiven && !states[i].Expiry.IsZero() {
		end = states[i].Expiry
	}
	if i+1 < len(states) && states[i+1].Time.Before(end) {
		end = states[i+1].Time
	}
	if end.Before(states[i].Time) {
		return states[i].Time
	}
	return end
}

func over(now, since time.Time, keep time.Duration) bool {
	return keep > 0 && now.Sub(since) > keep
}

// FirstMonth returns the oldest month, as in [Disclosure], that is kept at that time; "" keeps all.
func (r *Retention) FirstMonth(now time.Time) string {
	if r.Months <= 0 {
		return ""
	}
	y, m, _ := now.UTC().Date()
	return time.Date(y, m-time.Month(r.Months), 1, 0, 0, 0, 0, time.UTC).Format(monthLayout)
}

// CheckClock returns [ErrClock] if a sweep at now should not happen, given when the last one was: a clock
// that is ten years ahead would destroy every proof.
func (r *Retention) CheckClock(now, last time.Time) error {
	switch {
	case r.AnyClock || last.IsZero():
		return nil
	case now.Before(last.Add(-day)):
		return fmt.Errorf("%w: it is %s, but the last sweep was at %s: nothing was destroyed; set the clock", ErrClock, stamp(now), stamp(last))
	case now.After(last.Add(366 * day)):
		return fmt.Errorf("%w: it is %s, more than a year after the last sweep at %s: nothing was destroyed; set the clock, or sweep by hand if it is right", ErrClock, stamp(now), stamp(last))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
