package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds a report: a chain that is broken in many places needs no full list.
const maxProblems = 32

// Report is what a verification found.
type Report struct {
	Entries  uint64   `json:"entries"`            // links in the chain
	Erased   uint64   `json:"erased"`             // entries whose content was destroyed, as the chain itself says
	Heads    int      `json:"heads"`              // heads that agree with the chain
	Signed   uint64   `json:"signed"`             // highest index under a valid signature
	Head     Head     `json:"head"`               // the newest head: keep it elsewhere
	Problems []string `json:"problems,omitempty"` // what is wrong, the first 32 of them
	Found    int      `json:"found"`              // how many problems there were
}

// Err returns nil if there was no problem, else an error that wraps [ErrTampered].
func (r *Report) Err() error {
	if r.Found == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d problems: %s", ErrTampered, r.Found, strings.Join(r.Problems, "; "))
}

// Verifier walks a chain from its first entry to its last. It is what implementations of [Store] build
// their Verify on; it is not safe for concurrent use.
type Verifier struct {
	signer  *Signer
	report  Report
	last    Link
	heads   map[uint64][]Head
	missing []uint64
	erased  []Span
}

// NewVerifier returns a verifier that expects each of the heads, in any order, to be in the chain.
// Heads of the store itself and anchors kept elsewhere count alike.
func NewVerifier(signer *Signer, heads ...Head) *Verifier {
	v := &Verifier{signer: signer, heads: make(map[uint64][]Head, len(heads))}
	for _, h := range heads {
		v.heads[h.Index] = append(v.heads[h.Index], h)
	}
	return v
}

func (v *Verifier) problem(format string, a ...any) {
	v.report.Found++
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, fmt.Sprintf(format, a...))
	}
}

// Add takes the next link and its content, a nil body meaning that there is none.
func (v *Verifier) Add(l Link, salt Salt, body []byte) {
	if l.Index != v.last.Index+1 {
		v.problem("entry %d follows entry %d", l.Index, v.last.Index)
		v.last = Link{Index: l.Index - 1, Hash: v.last.Hash}
	}
	if want := v.last.Next(l.Kind, l.Commitment); want.Hash != l.Hash {
		v.problem("entry %d: hash does not follow from the entry before", l.Index)
	}
	v.last = l
	v.report.Entries++
	switch {
	case body == nil:
		v.missing = append(v.missing, l.Index)
	case Commit(salt, body) != l.Commitment:
		v.problem("entry %d: content does not match its commitment", l.Index)
	case l.Kind == KindErasure:
		v.addErasure(l, body)
	}
	for _, h := range v.heads[l.Index] {
		v.checkHead(h, l)
	}
	delete(v.heads, l.Index)
}

func (v *Verifier) addErasure(l Link, body []byte) {
	e, err := parseErasure(body)
	if err != nil {
		v.problem("entry %d: erasure cannot be read: %v", l.Index, err)
		return
	}
	for _, s := range e.Spans {
		if s.From == 0 || s.From > s.To || s.To >= l.Index {
			v.problem("entry %d: erases entries %d to %d, which are not before it", l.Index, s.From, s.To)
			continue
		}
		v.erased = append(v.erased, s)
	}
}

func (v *Verifier) checkHead(h Head, l Link) {
	if h.Hash != l.Hash {
		v.problem("head %d: the chain has another hash there: it was rewritten", h.Index)
		return
	}
	v.report.Heads++
	if v.signer == nil || h.Key == "" {
		return
	}
	if err := v.signer.Check(h); err != nil {
		v.problem("%v", err)
		return
	}
	v.report.Signed = max(v.report.Signed, h.Index)
}

// Finish takes the store's newest head, the zero Head for an empty store, and returns the report and
// its error.
func (v *Verifier) Finish(head Head) (Report, error) {
	for i := range v.heads {
		v.problem("head %d is not in the chain, which ends at %d: entries were cut off", i, v.last.Index)
	}
	v.report.Head = head
	switch {
	case head.Index == 0 && v.last.Index == 0:
	case head.Index != v.last.Index:
		v.problem("the newest head is %d, the chain ends at %d", head.Index, v.last.Index)
	default:
		v.checkHead(head, v.last)
		if v.signer != nil && v.report.Signed < head.Index {
			v.problem("the newest head %d is not signed", head.Index)
		}
	}
	v.matchErasures()
	return v.report, v.report.Err()
}

// matchErasures demands that each content that is missing was erased by an entry that says so.
func (v *Verifier) matchErasures() {
	slices.SortFunc(v.erased, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var reach uint64 // everything up to here, from the spans begun so far, is erased
	next := 0
	for _, i := range v.missing {
		for next < len(v.erased) && v.erased[next].From <= i {
			reach = max(reach, v.erased[next].To)
			next++
		}
		if i > reach {
			v.problem("entry %d: content is missing and no erasure says so", i)
			continue
		}
		v.report.Erased++
	}
}
