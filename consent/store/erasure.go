package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Span is a run of entries, both ends included.
type Span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// Spans returns the runs that make up the indexes, which it sorts.
func Spans(indexes []uint64) (spans []Span) {
	slices.Sort(indexes)
	for _, i := range indexes {
		if n := len(spans); n > 0 && i <= spans[n-1].To+1 {
			spans[n-1].To = i
			continue
		}
		spans = append(spans, Span{i, i})
	}
	return spans
}

// Reason says why content was destroyed.
type Reason string

// The reasons for an erasure.
const (
	OnRequest   Reason = "request"   // GDPR Art. 17
	OnRetention Reason = "retention" // GDPR Art. 5(1)(e)
)

// Erasure is the content of an entry of [KindErasure]. It holds nothing about the person.
type Erasure struct {
	Time   time.Time `json:"time"`
	Reason Reason    `json:"reason"`
	Spans  []Span    `json:"erased"`
}

func parseErasure(body []byte) (*Erasure, error) {
	e := new(Erasure)
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("erasure: %w", err)
	}
	return e, nil
}

// SealErasure returns salt, body and commitment of the entry that erases the spans.
func SealErasure(now time.Time, why Reason, spans []Span) (salt Salt, body []byte, c consent.Hash, err error) {
	body, err = json.Marshal(Erasure{Time: now.UTC().Truncate(time.Millisecond), Reason: why, Spans: spans})
	salt = NewSalt()
	return salt, body, Commit(salt, body), err
}
