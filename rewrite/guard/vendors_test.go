package guard

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// referenceVendors reads the vendor facts that lie beside the repository, in the shape that Compile takes.
func referenceVendors(t testing.TB) []Vendor {
	vendors, _ := referenceFacts(t)
	return vendors
}

// referenceFacts is referenceVendors with the names that each vendor's script would define on window.
func referenceFacts(t testing.TB) ([]Vendor, map[string][]string) {
	data, err := os.ReadFile("../../../shared/reference/vendors.json")
	if err != nil {
		t.Skip("no vendor facts beside the repository: ", err)
	}
	var facts struct {
		Multi   []string `json:"multi_purpose_hosts"`
		Vendors []struct {
			ID, Category string
			Hosts        []string
			Patterns     []struct{ Pattern string }
			Globals      []string
			Cookies      []struct{ Name, Party string }
			Storage      []json.RawMessage
			Stub         struct{ Needed, How string }
		}
	}
	if err := json.Unmarshal(data, &facts); err != nil {
		t.Fatal(err)
	}
	var list []Vendor
	globals := make(map[string][]string)
	for _, f := range facts.Vendors {
		v := Vendor{ID: f.ID, Purpose: f.Category}
		for _, h := range f.Hosts {
			if !slices.Contains(facts.Multi, h) {
				v.Hosts = append(v.Hosts, h)
			}
		}
		for _, p := range f.Patterns {
			v.Patterns = append(v.Patterns, p.Pattern)
		}
		for _, c := range f.Cookies {
			if c.Party == "first" {
				v.Cookies = append(v.Cookies, c.Name)
			}
		}
		if f.Stub.Needed != "no" {
			globals[v.ID] = f.Globals
		}
		list = append(list, v)
	}
	return list, globals
}
