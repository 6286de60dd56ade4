package store_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestChainFormat holds the hashes that stores in the field were written with: a change of the format
// would make every old chain look forged.
func TestChainFormat(t *testing.T) {
	c := store.Commit(store.Salt{1, 2, 3}, []byte("record"))
	l := store.Link{}.Next(store.KindRecord, c).Next(store.KindErasure, c)
	s := storetest.Signer(t, 7)
	h := s.Sign(l, storetest.Epoch)
	for name, v := range map[string][2]string{
		"commitment": {fmt.Sprintf("%x", c), "a505c5349f93e0ac3781d84292702172812fb6e2be94b1563d853c282a5961f6"},
		"link":       {fmt.Sprintf("%x", l.Hash), "05c12d12bdec25e304ed08cf1e30488a13ad0f338cc74b583f7020ca8511ed9e"},
		"signature":  {fmt.Sprintf("%x", h.Signature[:16]), "de48498513f595cf641efd3b223e411d"},
		"key":        {string(h.Key), "4e40120b721f4d3b"},
	} {
		if v[0] != v[1] {
			t.Errorf("%s %s, want %s", name, v[0], v[1])
		}
	}
}

func TestLinkDependsOnEverything(t *testing.T) {
	base := store.Link{Index: 4, Hash: consent.Hash{9}}
	seen := map[consent.Hash]string{}
	for name, l := range map[string]store.Link{
		"base":       base.Next(store.KindRecord, consent.Hash{1}),
		"index":      store.Link{Index: 5, Hash: consent.Hash{9}}.Next(store.KindRecord, consent.Hash{1}),
		"hash":       store.Link{Index: 4, Hash: consent.Hash{8}}.Next(store.KindRecord, consent.Hash{1}),
		"kind":       base.Next(store.KindErasure, consent.Hash{1}),
		"commitment": base.Next(store.KindRecord, consent.Hash{2}),
	} {
		if other, ok := seen[l.Hash]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[l.Hash] = name
	}
	if store.Commit(store.Salt{1}, []byte("a")) == store.Commit(store.Salt{2}, []byte("a")) {
		t.Error("the salt does not matter")
	}
	if a, b := store.NewSalt(), store.NewSalt(); a == b {
		t.Error("two salts are equal")
	}
}

func TestSigner(t *testing.T) {
	link := store.Link{}.Next(store.KindRecord, consent.Hash{1})
	old := storetest.Signer(t, 1)
	rotated, err := store.NewSigner(storetest.Key(2), storetest.Key(1).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	h := old.Sign(link, time.Now())
	if err := errors.Join(old.Check(h), rotated.Check(h), rotated.Check(rotated.Sign(link, time.Now()))); err != nil {
		t.Error(err)
	}
	if err := old.Check(rotated.Sign(link, time.Now())); !errors.Is(err, store.ErrUnknownKey) {
		t.Errorf("unknown key: %v", err)
	}
	var none *store.Signer
	if err := old.Check(none.Sign(link, time.Now())); !errors.Is(err, store.ErrUnknownKey) {
		t.Errorf("unsigned: %v", err)
	}
	if err := none.Check(h); !errors.Is(err, store.ErrUnknownKey) {
		t.Errorf("without a signer: %v", err)
	}
	for name, change := range map[string]func(*store.Head){
		"index":     func(h *store.Head) { h.Index++ },
		"hash":      func(h *store.Head) { h.Hash[0] ^= 1 },
		"time":      func(h *store.Head) { h.Time = h.Time.Add(time.Millisecond) },
		"signature": func(h *store.Head) { h.Signature = bytes.Clone(h.Signature); h.Signature[5] ^= 1 },
		"cut":       func(h *store.Head) { h.Signature = h.Signature[:10] },
	} {
		f := h
		change(&f)
		if err := old.Check(f); !errors.Is(err, store.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err := json.Marshal(h)
	var back store.Head
	if err := errors.Join(err, json.Unmarshal(b, &back), old.Check(back)); err != nil {
		t.Errorf("after JSON: %v", err)
	}
	renewed := storetest.Signer(t, 1)
	renewed.Renew(rotated)
	if n := renewed.Sign(link, time.Now()); n.Key == h.Key || renewed.Check(n) != nil || renewed.Check(h) != nil {
		t.Errorf("after a rotation signed with %s, as before with %s", n.Key, h.Key)
	}
	if _, err := store.NewSigner(nil); err == nil || !strings.Contains(err.Error(), "64 bytes") {
		t.Errorf("no key: %v", err)
	}
	if _, err := store.NewSigner(storetest.Key(1), ed25519.PublicKey{1}); err == nil || !strings.Contains(err.Error(), "older key 1") {
		t.Errorf("a bad older key: %v", err)
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		in   []uint64
		want string
	}{
		{nil, "[]"},
		{[]uint64{5}, "[{5 5}]"},
		{[]uint64{3, 1, 2, 7, 9, 8}, "[{1 3} {7 9}]"},
		{[]uint64{2, 2, 3}, "[{2 3}]"},
	} {
		if got := fmt.Sprint(store.Spans(c.in)); got != c.want {
			t.Errorf("%v: %s, want %s", c.in, got, c.want)
		}
	}
}

// chain is a small store that a forger can get at.
type chain struct {
	entries []store.Entry
	heads   []store.Head
	head    store.Head
}

func newChain(t *testing.T, signer *store.Signer) *chain {
	c := &chain{}
	var last store.Link
	add := func(kind store.Kind, salt store.Salt, body []byte) {
		last = last.Next(kind, store.Commit(salt, body))
		c.entries = append(c.entries, store.Entry{Link: last, Salt: salt, Body: body})
		c.head = signer.Sign(last, storetest.Epoch)
	}
	for i := range uint32(6) {
		s, err := store.Seal(storetest.Record(site, consent.NewID(), i, storetest.All))
		if err != nil {
			t.Fatal(err)
		}
		add(store.KindRecord, s.Salt, s.Body)
		if i == 3 {
			c.heads = append(c.heads, c.head)
		}
	}
	salt, body, _, err := store.SealErasure(storetest.Epoch, store.OnRequest, store.Spans([]uint64{2, 5}))
	if err != nil {
		t.Fatal(err)
	}
	add(store.KindErasure, salt, body)
	for _, i := range []int{1, 4} {
		c.entries[i].Salt, c.entries[i].Body = store.Salt{}, nil
	}
	return c
}

func (c *chain) verify(signer *store.Signer, anchors ...store.Head) (store.Report, error) {
	v := store.NewVerifier(signer, append(anchors, c.heads...)...)
	for _, e := range c.entries {
		v.Add(e.Link, e.Salt, e.Body)
	}
	return v.Finish(c.head)
}

// relink makes the chain consistent again from an entry on, as a forger without the key would.
func (c *chain) relink(from int) {
	var last store.Link
	if from > 0 {
		last = c.entries[from-1].Link
	}
	for i := from; i < len(c.entries); i++ {
		e := &c.entries[i]
		if e.Body != nil {
			e.Commitment = store.Commit(e.Salt, e.Body)
		}
		last = last.Next(e.Kind, e.Commitment)
		e.Link = last
	}
	c.head = (*store.Signer)(nil).Sign(last, storetest.Epoch)
}

func TestVerifierFindsForgeries(t *testing.T) {
	signer := storetest.Signer(t, 1)
	intact := newChain(t, signer)
	rep, err := intact.verify(signer, intact.head)
	want := store.Report{Entries: 7, Erased: 2, Heads: 3, Signed: 7, Head: intact.head}
	if err != nil || !reflect.DeepEqual(rep, want) {
		t.Fatalf("an intact chain: %+v, %v", rep, err)
	}
	if _, err := intact.verify(nil); err != nil {
		t.Fatalf("without a key: %v", err)
	}
	if rep, err := (&chain{}).verify(signer); err != nil || rep.Entries != 0 {
		t.Fatalf("an empty chain: %+v, %v", rep, err)
	}
	for name, c := range map[string]struct {
		forge  func(*chain)
		want   string
		keyed  bool // only a signature shows it
		anchor bool // only a head kept elsewhere shows it
	}{
		"content changed":        {forge: func(c *chain) { c.entries[2].Body = []byte(`{}`) }, want: "entry 3: content does not match"},
		"salt changed":           {forge: func(c *chain) { c.entries[2].Salt[3] ^= 1 }, want: "entry 3: content"},
		"commitment changed":     {forge: func(c *chain) { c.entries[1].Commitment[0] ^= 1 }, want: "entry 2: hash"},
		"hash changed":           {forge: func(c *chain) { c.entries[1].Hash[0] ^= 1 }, want: "entry 2: hash"},
		"kind changed":           {forge: func(c *chain) { c.entries[2].Kind = store.KindErasure }, want: "entry 3: hash"},
		"content removed":        {forge: func(c *chain) { c.entries[2].Body = nil }, want: "entry 3: content is missing and no erasure"},
		"erasure removed":        {forge: func(c *chain) { c.entries[6].Body = nil }, want: "entry 7: content is missing"},
		"entries exchanged":      {forge: func(c *chain) { c.entries[2], c.entries[3] = c.entries[3], c.entries[2] }, want: "entry 4 follows entry 2"},
		"entry removed":          {forge: func(c *chain) { c.entries = append(c.entries[:3], c.entries[4:]...) }, want: "entry 5 follows entry 3"},
		"entry doubled":          {forge: func(c *chain) { c.entries = append(c.entries[:4], c.entries[3:]...) }, want: "follows entry 4"},
		"end cut off":            {forge: func(c *chain) { c.entries = c.entries[:5] }, want: "newest head is 7, the chain ends at 5"},
		"all cut off":            {forge: func(c *chain) { c.entries = nil }, want: "head 4 is not in the chain"},
		"all cut off, heads too": {forge: func(c *chain) { c.entries, c.heads = nil, nil }, want: "newest head is 7, the chain ends at 0"},
		"head removed":           {forge: func(c *chain) { c.head = store.Head{} }, want: "newest head is 0"},
		"head of another end":    {forge: func(c *chain) { c.head.Hash[0] ^= 1 }, want: "head 7"},
		"beginning rewritten":    {forge: func(c *chain) { c.entries[0].Body = []byte("{}"); c.relink(0) }, want: "head 4: the chain has another hash"},
		"cut to a checkpoint":    {forge: func(c *chain) { c.entries = c.entries[:3]; c.relink(3); c.head = c.heads[0] }, want: "head 4 is not in the chain"},
		"end rewritten":          {forge: func(c *chain) { c.entries[5].Body = []byte("{}"); c.relink(5) }, want: "newest head 7 is not signed", keyed: true},
		"checkpoints gone too":   {forge: func(c *chain) { c.entries[0].Body = []byte("{}"); c.relink(0); c.heads = nil }, want: "not signed", keyed: true},
		"signature of another":   {forge: func(c *chain) { c.head.Signature = c.heads[0].Signature }, want: "signature does not match", keyed: true},
		"rolled back": {forge: func(c *chain) {
			c.entries = c.entries[:4]
			c.head = c.heads[0]
			c.entries[1] = newChain(t, signer).entries[1]
			*c = rolledBack(t, signer)
		}, want: "head 7 is not in the chain", anchor: true},
	} {
		t.Run(name, func(t *testing.T) {
			forged := newChain(t, signer)
			kept := forged.head
			c.forge(forged)
			var anchors []store.Head
			if c.anchor {
				if _, err := forged.verify(signer); err != nil {
					t.Errorf("found without the anchor: %v", err)
				}
				anchors = append(anchors, kept)
			}
			_, err := forged.verify(signer, anchors...)
			if !errors.Is(err, store.ErrTampered) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := forged.verify(nil, anchors...); (err == nil) != c.keyed {
				t.Errorf("without the key: %v", err)
			}
		})
	}
}

// rolledBack returns a chain as a backup restores it: older, and right in itself.
func rolledBack(t *testing.T, signer *store.Signer) chain {
	c := newChain(t, signer)
	s, err := store.Seal(storetest.Record(site, consent.NewID(), 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	l := store.Link{}.Next(store.KindRecord, s.Commitment)
	c.entries = []store.Entry{{Link: l, Salt: s.Salt, Body: s.Body}}
	c.heads, c.head = nil, signer.Sign(l, storetest.Epoch)
	return *c
}

func TestVerifierErasures(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"itself":     {`{"erased":[{"from":1,"to":2}]}`, "not before it"},
		"backwards":  {`{"erased":[{"from":1,"to":0}]}`, "not before it"},
		"zero":       {`{"erased":[{"from":0,"to":1}]}`, "not before it"},
		"no JSON":    {`{`, "cannot be read"},
		"overflow":   {`{"erased":[{"from":1,"to":18446744073709551616}]}`, "cannot be read"},
		"everything": {`{"erased":[{"from":1,"to":1},{"from":1,"to":1}]}`, ""},
	} {
		v := store.NewVerifier(nil)
		first := store.Link{}.Next(store.KindRecord, consent.Hash{1})
		v.Add(first, store.Salt{}, nil)
		second := first.Next(store.KindErasure, store.Commit(store.Salt{}, []byte(c.body)))
		v.Add(second, store.Salt{}, []byte(c.body))
		rep, err := v.Finish((*store.Signer)(nil).Sign(second, storetest.Epoch))
		if c.want == "" {
			if err != nil || rep.Erased != 1 {
				t.Errorf("%s: %+v, %v", name, rep, err)
			}
			continue
		}
		if !errors.Is(err, store.ErrTampered) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReportIsBounded(t *testing.T) {
	v := store.NewVerifier(nil)
	for i := range uint64(1000) {
		v.Add(store.Link{Index: i + 1}, store.Salt{}, nil)
	}
	rep, err := v.Finish(store.Head{Index: 1000})
	if len(rep.Problems) != 32 || rep.Found < 1000 || err == nil {
		t.Errorf("%d problems listed, %d found, %v", len(rep.Problems), rep.Found, err)
	}
}

func TestEntryOpen(t *testing.T) {
	c := newChain(t, storetest.Signer(t, 1))
	for i := range c.entries {
		e := c.entries[i]
		if err := e.Open(); err != nil || (e.Record == nil && e.Erasure == nil) != (e.Body == nil) {
			t.Errorf("entry %d: %+v, %v", i+1, e, err)
		}
	}
	e := c.entries[0]
	e.Body = append(bytes.Clone(e.Body), ' ')
	if err := e.Open(); !errors.Is(err, store.ErrTampered) {
		t.Error(err)
	}
	for _, kind := range []store.Kind{store.KindRecord, store.KindErasure, 0, 9} {
		e := store.Entry{Link: store.Link{Kind: kind, Commitment: store.Commit(store.Salt{}, []byte("x"))}, Body: []byte("x")}
		if err := e.Open(); !errors.Is(err, store.ErrTampered) {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
}

func ExampleSigner() {
	signer, _ := store.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	link := store.Link{}.Next(store.KindRecord, store.Commit(store.Salt{}, []byte("record")))
	head := signer.Sign(link, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(head.Index, signer.Check(head))
	head.Index = 2
	fmt.Println(errors.Is(signer.Check(head), store.ErrTampered))
	// Output:
	// 1 <nil>
	// true
}
