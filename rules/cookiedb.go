package rules

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

// CookieEntry is one line of a cookie database.
type CookieEntry struct {
	// Platform is who sets the cookie, Category the database's own word for why.
	Platform, Category string
	Purpose            consent.Purpose
	// Name is the cookie's name, or the beginning of it where Prefix is set.
	Name   string
	Prefix bool
	// Domain says where a third party sets it, "" for the site's own; Retention how long it is kept, in words.
	Domain, Retention string
	Line              int
}

// CookieDatabase classifies cookies by name. It is immutable.
type CookieDatabase struct {
	name     string
	exact    map[string]CookieEntry
	prefixes []CookieEntry // longest first
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
	db := &CookieDatabase{name: name, exact: make(map[string]CookieEntry)}
	prefixes := make(map[string]CookieEntry)
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		e, ok := cookieEntry(row, col)
		if !ok {
			continue
		}
		e.Line, _ = in.FieldPos(0)
		into := db.exact
		if e.Prefix {
			into = prefixes
		}
		if old, seen := into[e.Name]; !seen || intrusiveness(e.Purpose) > intrusiveness(old.Purpose) {
			into[e.Name] = e
		}
		if len(db.exact)+len(prefixes) > maxCookieRows {
			return nil, fmt.Errorf("%s: more than %d cookies", name, maxCookieRows)
		}
	}
	for _, e := range prefixes {
		db.prefixes = append(db.prefixes, e)
	}
	slices.SortFunc(db.prefixes, func(a, b CookieEntry) int {
		if len(a.Name) != len(b.Name) {
			return len(b.Name) - len(a.Name)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return db, nil
}

func cookieEntry(row []string, col map[string]int) (CookieEntry, bool) {
	get := func(name string) string {
		if i, ok := col[name]; ok && i < len(row) {
			return strings.Clone(strings.TrimSpace(row[i]))
		}
		return ""
	}
	e := CookieEntry{Platform: get("platform"), Category: get("category"), Name: get("cookie / data key name"),
		Domain: get("domain"), Retention: get("retention period")}
	// Rows often leave out a column in the middle; the mark is the last one in any case.
	e.Prefix = len(row) > 1 && strings.TrimSpace(row[len(row)-1]) == "1"
	if cut, ok := strings.CutSuffix(e.Name, "*"); ok {
		e.Name, e.Prefix = cut, true
	}
	switch strings.ToLower(e.Category) {
	case "marketing", "advertising":
		e.Purpose = consent.Marketing
	case "analytics", "statistics", "performance":
		e.Purpose = consent.Analytics
	case "functional", "personalization", "preferences":
		e.Purpose = consent.Functional
	case "security", "necessary":
		e.Purpose = consent.Necessary
	}
	return e, e.Purpose != 0 && len(e.Name) > 0 && (!e.Prefix || len(e.Name) > 1)
}

// Lookup returns the entry for a cookie's name: the exact one, or that of the longest prefix.
func (db *CookieDatabase) Lookup(name string) (CookieEntry, bool) {
	if e, ok := db.exact[name]; ok {
		return e, true
	}
	for _, e := range db.prefixes {
		if strings.HasPrefix(name, e.Name) {
			return e, true
		}
	}
	return CookieEntry{}, false
}

// Len returns the number of names.
func (db *CookieDatabase) Len() int { return len(db.exact) + len(db.prefixes) }

func (db *CookieDatabase) match(name []byte) (Match, bool) {
	if len(name) > maxName {
		return Match{}, false
	}
	e, ok := db.Lookup(string(name))
	if !ok {
		return Match{}, false
	}
	// Databases list many cookies of content systems and shops as functional: those are the site's own.
	gate := e.Purpose == consent.Analytics || e.Purpose == consent.Marketing
	return Match{Purpose: e.Purpose, Rule: e.Name, List: db.name, Line: e.Line}, gate
}
