package guard

import (
	"encoding/xml"
	"testing"
)

// TestAppendXML: in XML the script is the same text, which its hash admits, and the page's values stand in attributes.
func TestAppendXML(t *testing.T) {
	g, err := Compile(Config{Prefix: "/.consent", Vendors: []Vendor{{ID: "x", Purpose: "marketing", Hosts: []string{"x.example"}}}, Judge: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Page{{XML: true}, {XML: true, Mark: "abc", Nonce: "a+b/c=", Granted: 5, Denied: 26, Vendors: "+x,-y", GPC: true, DNT: true, Site: "a.example"}} {
		var script struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
			Mark    string `xml:"data-mark,attr"`
			Granted string `xml:"data-granted,attr"`
		}
		text := g.Append(nil, p)
		if err := xml.Unmarshal(text, &script); err != nil {
			t.Fatalf("%v: %.300s", err, text)
		}
		if script.Text != string(g.first) || script.XMLName.Space != "http://www.w3.org/1999/xhtml" || script.Mark != p.Mark || script.Granted == "" {
			t.Errorf("%+v", script)
		}
	}
}
