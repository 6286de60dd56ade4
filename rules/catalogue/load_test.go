package catalogue_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

func builtin(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBuiltin(t *testing.T) {
	c := builtin(t)
	if len(c.Vendors) < 164 {
		t.Errorf("%d vendors, want at least 164", len(c.Vendors))
	}
	owner := map[string]string{}
	for _, v := range c.Vendors {
		if c.Vendor(v.ID) != v || c.ByNumber(v.Number) != v {
			t.Errorf("%s is not found by its id or number", v.ID)
		}
		if len(v.Examples.URLs) == 0 || len(v.Benign.URLs)+len(v.Benign.Scripts) == 0 {
			t.Errorf("%s has no example or no look-alike", v.ID)
		}
		if len(v.Cookies) > 0 && (len(v.Examples.Cookies) == 0 || len(v.Benign.Cookies) == 0) {
			t.Errorf("%s has cookies, but no example of one", v.ID)
		}
		for _, h := range v.Hosts {
			if other, taken := owner[h]; taken {
				t.Errorf("host %s stands in %s and %s", h, other, v.ID)
			}
			owner[h] = v.ID
			if i := slices.IndexFunc(v.Hosts, func(g string) bool { return strings.HasSuffix(h, "."+g) }); i >= 0 {
				t.Errorf("%s names %s beside %s, which includes it", v.ID, h, v.Hosts[i])
			}
		}
	}
	if c.Vendor("nobody") != nil || c.ByNumber(65535) != nil {
		t.Error("an unknown vendor is found")
	}
}

// TestNumbersStay: consent that visitors gave names vendors by number.
func TestNumbersStay(t *testing.T) {
	c := builtin(t)
	for id, n := range map[string]uint16{"google-analytics": 1, "google-tag-manager": 2, "google-ads": 3, "adroll": 4, "snapengage": 5, "segment": 6,
		"amplitude": 7, "customerio": 8, "meta-pixel": 9, "facebook-social": 10, "twitter-widgets": 11, "google-plus": 12, "pinterest-tag": 13,
		"pinterest-widgets": 14, "zendesk": 15, "stripe": 16, "openstreetmap": 164} {
		if v := c.Vendor(id); v == nil || v.Number != n {
			t.Errorf("%s: %+v, want number %d", id, v, n)
		}
	}
}

func TestSchemaKnowsEveryField(t *testing.T) {
	data, err := os.ReadFile("vendor.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for _, v := range builtin(t).Vendors {
		data, err := os.ReadFile("vendors/" + v.ID + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		for f := range fields {
			if _, ok := schema.Properties[f]; !ok {
				t.Errorf("%s: field %s is not in the schema", v.ID, f)
			}
		}
	}
}

const good = `{"number": 1, "name": "N", "org": "O", "purpose": "social", "category": "c", "hosts": ["a.example"]}`

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct{ change, to, want string }{
		"none":            {"", "", ""},
		"syntax":          {`"org"`, "\n\n\"org", "v.json:3: "},
		"type":            {`["a.example"]`, "7", "v.json:1: cannot unmarshal"},
		"unknown field":   {`"org"`, "\n\"origin\": 1, \"org\"", `v.json:2: unknown field "origin": see vendor.schema.json`},
		"purpose":         {"social", "fun", `unknown purpose "fun": use one of necessary`},
		"number":          {`"number": 1`, `"number": 0`, "number is missing"},
		"name":            {`"N"`, `""`, "name is missing"},
		"nothing":         {`["a.example"]`, "[]", "nothing to recognise the vendor by"},
		"host with path":  {"a.example", "a.example/x", `"a.example/x": a host is lower-case`},
		"pattern":         {`"hosts": ["a.example"]`, `"patterns": ["a.example"]`, "write a.example/ for a whole host"},
		"scheme":          {`"hosts": ["a.example"]`, `"patterns": ["https://a.example/"]`, "a pattern has no scheme"},
		"upper case":      {`"hosts": ["a.example"]`, `"patterns": ["A.example/"]`, "lower-case"},
		"suffix wildcard": {`"hosts": ["a.example"]`, `"patterns": ["*.com/"]`, "must end in a literal domain"},
		"any host":        {`"hosts": ["a.example"]`, `"patterns": [".*/"]`, "must end in a literal domain"},
		"any country":     {`"hosts": ["a.example"]`, `"patterns": ["www.a*.*/"]`, "must end in a literal domain"},
		"fragment":        {`"hosts": ["a.example"]`, `"patterns": ["a.example/#x"]`, "no fragment"},
		"query":           {`"hosts": ["a.example"]`, `"patterns": ["a.example/?x"]`, "after ? comes"},
		"path":            {`"hosts": ["a.example"]`, `"paths": ["/a"]`, "at least four characters"},
		"cookie":          {`"category"`, `"cookies": {"a b": ""}, "category"`, "not the name of a cookie"},
		"any cookie":      {`"category"`, `"cookies": {"*": ""}, "category"`, "not the name of a cookie"},
		"storage":         {`"category"`, `"storage": ["*"], "category"`, "wildcard alone"},
		"stub":            {`"category"`, `"stubs": [{"global": "", "kind": "x"}], "category"`, "use one of function, array"},
		"policy":          {`"category"`, `"policy": "http://x.example", "category"`, "not an https address"},
		"link":            {`"category"`, `"links": [{"from": "a.example/*", "to": "javascript:1"}], "category"`, "not an https address"},
		"default":         {`"category"`, `"default": "maybe", "category"`, `use "pass" or "gate"`},
	} {
		file := strings.Replace(good, c.change, c.to, 1)
		_, errs := catalogue.Parse([]byte(file), "v.json")
		if c.want == "" {
			if len(errs) > 0 {
				t.Errorf("%s: %v", name, errs)
			}
			continue
		}
		if len(errs) == 0 || !strings.Contains(fmt.Sprint(errs), c.want) || !strings.HasPrefix(errs[0].Error(), "v.json:") {
			t.Errorf("%s: %v, want %s", name, errs, c.want)
		}
	}
	if _, errs := catalogue.Parse([]byte(good), "Bad Name.json"); len(errs) != 1 {
		t.Errorf("file name: %v", errs)
	}
}

func TestLoadOverrides(t *testing.T) {
	own := fstest.MapFS{"mine.json": {Data: []byte(strings.Replace(good, "1", "2", 1))}, "v.json": {Data: []byte(strings.Replace(good, "social", "functional", 1))}}
	c, err := catalogue.Load(fstest.MapFS{"v.json": {Data: []byte(good)}}, own)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Vendors) != 2 || c.Vendor("v").Purpose != consent.Functional {
		t.Errorf("%+v", c.Vendors)
	}
	_, err = catalogue.Load(fstest.MapFS{"a.json": {Data: []byte(good)}, "b.json": {Data: []byte(good)}, "c.json": {Data: []byte("{")}})
	for _, part := range []string{"number 1 belongs to a: take the next free one, 2", "c.json:1:"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

func TestRetention(t *testing.T) {
	v := catalogue.Vendor{Cookies: []catalogue.Cookie{{Name: "a", Retention: "session"}, {Name: "b", Retention: "30d"}}, ThirdPartyCookies: []catalogue.Cookie{{Name: "c", Retention: "13mo"}}}
	if got := v.Retention(); got != "P13M" {
		t.Errorf("%q", got)
	}
	if got := (&catalogue.Vendor{}).Retention(); got != "" {
		t.Errorf("%q", got)
	}
	for text, want := range map[string]string{"1y": "P1Y", "session/30m": "PT30M", "13mo EEA/24mo else": "P24M", "1-10y": "P10Y", "1y+": "P1Y",
		"session": "", "removed at once": "", "2038": "", "*": "", "": "", "6h-": "PT6H", "90d-13mo": "P13M"} {
		v := catalogue.Vendor{Cookies: []catalogue.Cookie{{Name: "a", Retention: text}}}
		if got := v.Retention(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(good), "v.json")
	f.Add([]byte(`{"hosts": [1], "cookies": {"": ""}}`), "/.json")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		v, errs := catalogue.Parse(data, name)
		if (v == nil) != (len(errs) > 0) {
			t.Errorf("%v and %v", v, errs)
		}
	})
}

func ExampleParse() {
	_, errs := catalogue.Parse([]byte(`{
  "number": 541, "name": "Example Metrics", "org": "Example Ltd", "category": "web-analytics",
  "purpose": "statistics",
  "hosts": ["metrics.example/js"]
}`), "example-metrics.json")
	for _, err := range errs {
		fmt.Println(err)
	}
	// Output:
	// example-metrics.json:3: unknown purpose "statistics": use one of necessary, functional, analytics, marketing, social
	// example-metrics.json:4: "metrics.example/js": a host is lower-case and has no path or wildcard: put "metrics.example/js" into patterns
}

func ExampleBuiltin() {
	c, err := catalogue.Builtin()
	if err != nil {
		fmt.Println(err)
		return
	}
	v := c.Vendor("google-analytics")
	fmt.Println(v.Name, v.Org, v.Purpose, v.Retention())
	// Output: Google Analytics Google analytics P2Y
}
