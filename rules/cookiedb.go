package rules

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

// cookieEntry is one line of a cookie database.
type cookieEntry struct {
	name    string // the cookie's, or the beginning of it
	prefix  bool
	purpose consent.Purpose
	line    int
}

// CookieDatabase classifies cookies by name. It is immutable.
type CookieDatabase struct {
	name     string
	exact    map[string]cookieEntry
	prefixes []cookieEntry // longest first
}

// maxCookieRows bounds what ParseCookieDatabase keeps.
const maxCookieRows = 100_000

// ParseCookieDatabase reads a database in the format of the Open Cookie Database: CSV with the columns "Category", "Cookie
// / Data Key name" and "Wildcard match", and others. Rows of a category that it does not know are left out. Of several
// rows with one name, the most intrusive purpose is kept. name is what matches will name as their list.
func ParseCookieDatabase(name string, r io.Reader) (*CookieDatabase, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.LazyQuotes, in.ReuseRecord = -1, true, true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: no head line: %w", name, err)
	}
	col := make(map[string]int)
	for i, h := range head {
		col[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))] = i
	}
	for _, must := range []string{"category", "cookie / data key name"} {
		if _, ok := col[must]; !ok {
			return nil, fmt.Errorf("%s: no column %q: this is not in the format of the Open Cookie Database", name, must)
		}
	}
	db := &CookieDatabase{name: name, exact: make(map[string]cookieEntry)}
	prefixes := make(map[string]cookieEntry)
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		e, ok := newCookieEntry(row, col)
		if !ok {
			continue
		}
		e.line, _ = in.FieldPos(0)
		into := db.exact
		if e.prefix {
			into = prefixes
		}
		if old, seen := into[e.name]; !seen || intrusiveness(e.purpose) > intrusiveness(old.purpose) {
			into[e.name] = e
		}
		if len(db.exact)+len(prefixes) > maxCookieRows {
			return nil, fmt.Errorf("%s: more than %d cookies", name, maxCookieRows)
		}
	}
	for _, e := range prefixes {
		db.prefixes = append(db.prefixes, e)
	}
	slices.SortFunc(db.prefixes, func(a, b cookieEntry) int {
		return cmp.Or(cmp.Compare(len(b.name), len(a.name)), strings.Compare(a.name, b.name))
	})
	return db, nil
}

func newCookieEntry(row []string, col map[string]int) (cookieEntry, bool) {
	get := func(name string) string {
		if i, ok := col[name]; ok && i < len(row) {
			return strings.Clone(strings.TrimSpace(row[i]))
		}
		return ""
	}
	e := cookieEntry{name: get("cookie / data key name")}
	// Rows often leave out a column in the middle; the mark is the last one in any case.
	e.prefix = len(row) > 1 && strings.TrimSpace(row[len(row)-1]) == "1"
	if cut, ok := strings.CutSuffix(e.name, "*"); ok {
		e.name, e.prefix = cut, true
	}
	switch strings.ToLower(get("category")) {
	case "marketing", "advertising":
		e.purpose = consent.Marketing
	case "analytics", "statistics", "performance":
		e.purpose = consent.Analytics
	case "functional", "personalization", "preferences":
		e.purpose = consent.Functional
	case "security", "necessary":
		e.purpose = consent.Necessary
	}
	return e, e.purpose != 0 && len(e.name) > 0 && (!e.prefix || len(e.name) > 1)
}

// lookup returns the entry for a cookie's name: the exact one, or that of the longest prefix.
func (db *CookieDatabase) lookup(name string) (cookieEntry, bool) {
	if e, ok := db.exact[name]; ok {
		return e, true
	}
	for _, e := range db.prefixes {
		if strings.HasPrefix(name, e.name) {
			return e, true
		}
	}
	return cookieEntry{}, false
}

// Len returns the number of names.
func (db *CookieDatabase) Len() int { return len(db.exact) + len(db.prefixes) }

func (db *CookieDatabase) match(name []byte) (Match, bool) {
	if len(name) > maxName {
		return Match{}, false
	}
	e, ok := db.lookup(string(name))
	if !ok {
		return Match{}, false
	}
	// Databases list many cookies of content systems and shops as functional: those are the site's own.
	gate := e.purpose == consent.Analytics || e.purpose == consent.Marketing
	return Match{Purpose: e.purpose, Rule: e.name, List: db.name, Line: e.line}, gate
}
