package catalogue

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

//go:embed vendors/*.json
var builtin embed.FS

// Catalogue is a set of vendors, sorted by ID. It is not to be changed once loaded.
type Catalogue struct {
	// Vendors is sorted by ID; numbers and IDs are unique.
	Vendors []*Vendor
}

// Builtin returns the catalogue that comes with the program.
func Builtin() (*Catalogue, error) { return Load(BuiltinFS()) }

// BuiltinFS returns the files of that catalogue, for Load together with others.
func BuiltinFS() fs.FS {
	sub, err := fs.Sub(builtin, "vendors")
	if err != nil {
		panic(err) // the name is constant and valid: Sub cannot fail
	}
	return sub
}

// Load reads every *.json file at the root of each file system. A vendor in a later one replaces the one of the same ID
// before it, and is Declared. The error joins everything that is wrong, each with file, line and what to write instead.
func Load(systems ...fs.FS) (*Catalogue, error) {
	byID := make(map[string]*Vendor)
	var errs []error
	for i, fsys := range systems {
		names, err := fs.Glob(fsys, "*.json")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			v, problems := Parse(data, name)
			errs = append(errs, problems...)
			if v != nil {
				v.Declared = i > 0
				byID[v.ID] = v
			}
		}
	}
	return assemble(byID, errs)
}

// assemble sorts the vendors and refuses two with the same number.
func assemble(byID map[string]*Vendor, errs []error) (*Catalogue, error) {
	c := &Catalogue{Vendors: make([]*Vendor, 0, len(byID))}
	for _, v := range byID {
		c.Vendors = append(c.Vendors, v)
	}
	slices.SortFunc(c.Vendors, func(a, b *Vendor) int { return strings.Compare(a.ID, b.ID) })
	owner := make(map[uint16]string)
	for _, v := range c.Vendors {
		if other, taken := owner[v.Number]; taken {
			errs = append(errs, fmt.Errorf("%s.json: number %d belongs to %s: take the next free one, %d",
				v.ID, v.Number, other, c.nextNumber()))
		}
		owner[v.Number] = v.ID
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

func (c *Catalogue) nextNumber() int {
	highest := 0
	for _, v := range c.Vendors {
		highest = max(highest, int(v.Number))
	}
	return highest + 1
}

// Vendor returns the vendor of that ID, nil if there is none.
func (c *Catalogue) Vendor(id string) *Vendor {
	i, ok := slices.BinarySearchFunc(c.Vendors, id, func(v *Vendor, id string) int { return strings.Compare(v.ID, id) })
	if !ok {
		return nil
	}
	return c.Vendors[i]
}

// ByNumber returns the vendor of that number, nil if there is none.
func (c *Catalogue) ByNumber(n uint16) *Vendor {
	for _, v := range c.Vendors {
		if v.Number == n {
			return v
		}
	}
	return nil
}

// file is a vendor as its JSON file spells it.
type file struct {
	Schema            string            `json:"$schema"`
	Number            uint16            `json:"number"`
	Name              string            `json:"name"`
	Org               string            `json:"org"`
	Purpose           string            `json:"purpose"`
	Category          string            `json:"category"`
	Default           string            `json:"default"`
	Hosts             []string          `json:"hosts"`
	Patterns          []string          `json:"patterns"`
	Packages          []string          `json:"packages"`
	Embeds            []string          `json:"embeds"`
	Passes            []string          `json:"pass"`
	Payment           []string          `json:"payment"`
	Paths             []string          `json:"paths"`
	Labels            []string          `json:"labels"`
	Inline            []string          `json:"inline"`
	Globals           []string          `json:"globals"`
	Cookies           map[string]string `json:"cookies"`
	ThirdPartyCookies map[string]string `json:"thirdPartyCookies"`
	Storage           []string          `json:"storage"`
	Stubs             []Stub            `json:"stubs"`
	Links             []Link            `json:"links"`
	Policy            string            `json:"policy"`
	OptOut            string            `json:"optOut"`
	Examples          Examples          `json:"examples"`
	Benign            Examples          `json:"benign"`
}

// Parse reads one vendor's file; name is the file's name and gives the ID. If the file cannot be used it returns nil and
// everything that is wrong: each error names file, line, value and the way out. It does not try the examples: rules.Check
// does, as it can match.
func Parse(data []byte, name string) (*Vendor, []error) {
	c := checker{name: name, data: data}
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		c.syntax(err, d.InputOffset())
		return nil, c.errs
	}
	id := strings.TrimSuffix(path.Base(strings.ReplaceAll(name, "\\", "/")), ".json")
	purpose, err := consent.ParsePurpose(f.Purpose)
	if err != nil {
		c.fail(`"purpose"`, "%v", err)
	}
	v := &Vendor{
		ID: id, Number: f.Number, Name: f.Name, Org: f.Org, Purpose: purpose, Category: f.Category,
		Pass: f.Default == "pass", Hosts: f.Hosts, Patterns: f.Patterns, Embeds: f.Embeds, Passes: f.Passes, Payment: f.Payment,
		Paths: f.Paths, Labels: f.Labels, Inline: f.Inline, Globals: f.Globals, Cookies: cookies(f.Cookies),
		ThirdPartyCookies: cookies(f.ThirdPartyCookies), Storage: f.Storage, Stubs: f.Stubs,
		Links: f.Links, Policy: f.Policy, OptOut: f.OptOut,
		Examples: f.Examples, Benign: f.Benign,
	}
	for _, p := range f.Packages {
		if !packageName(p) {
			c.value(p, "not the name of an npm package, nor a scope that ends in a slash")
		}
	}
	v.Patterns = append(v.Patterns, packagePatterns(f.Packages)...)
	if f.Default != "" && f.Default != "pass" && f.Default != "gate" {
		c.fail(`"default"`, `default %q: use "pass" or "gate"`, f.Default)
	}
	c.vendor(v)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return v, nil
}

func cookies(m map[string]string) []Cookie {
	list := make([]Cookie, 0, len(m))
	for name, retention := range m {
		list = append(list, Cookie{name, retention})
	}
	slices.SortFunc(list, func(a, b Cookie) int { return strings.Compare(a.Name, b.Name) })
	return list
}
