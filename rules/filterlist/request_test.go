package filterlist

import "testing"

func TestNewRequest(t *testing.T) {
	for _, tt := range []struct {
		url, page  string
		want, host string // "" if the URL is refused
		third      bool
	}{
		{"HTTPS://WWW.Example.COM/Path?Q#frag", "https://example.com/", "https://www.example.com/Path?Q", "www.example.com", false},
		{"https://example.com", "https://example.com/", "https://example.com/", "example.com", false},
		{"https://example.com?q", "https://example.org/", "https://example.com/?q", "example.com", true},
		{"https://user:p@ss@example.com:8443/x", "https://example.com/", "https://user:p@ss@example.com:8443/x", "example.com", false},
		{"https://[2001:DB8::1]:8080/", "https://[2001:db8::1]/", "https://[2001:db8::1]:8080/", "[2001:db8::1]", false},
		{"https://bücher.example/ a", "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/%20a", "xn--bcher-kva.example", false},
		{"wss://a.github.io/", "https://b.github.io/", "wss://a.github.io/", "a.github.io", true},
		{"https://a.co.uk/", "https://b.co.uk/", "https://a.co.uk/", "a.co.uk", true},
		{"https://192.0.2.1/", "https://192.0.2.2/", "https://192.0.2.1/", "192.0.2.1", true},
		{"https://example.com./", "https://example.com/", "https://example.com./", "example.com.", false},
		{"https://a.com/", "", "https://a.com/", "a.com", true},
		{"https://a.com/", "about:blank", "https://a.com/", "a.com", true},
		{"/relative", "https://a.com/", "", "", false},
		{"data:text/html,x", "https://a.com/", "", "", false},
		{"https:///path", "https://a.com/", "", "", false},
		{"", "", "", "", false},
	} {
		r, err := NewRequest(tt.url, tt.page, Image)
		if (err == nil) != (tt.want != "") {
			t.Errorf("%s: %v", tt.url, err)
		} else if err == nil && (string(r.URL) != tt.want || string(r.Host()) != tt.host || r.ThirdParty != tt.third || r.Type != Image) {
			t.Errorf("%s on %s: %s, host %s, third-party %v", tt.url, tt.page, r.URL, r.Host(), r.ThirdParty)
		}
	}
}

func TestTypes(t *testing.T) {
	for name, want := range typeByName {
		if got, err := ParseType(name); err != nil || got != want {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	for i, name := range typeNames {
		if typeByName[name] != 1<<i || Type(1<<i).String() != name {
			t.Errorf("%s is not type %d", name, i)
		}
	}
	if _, err := ParseType("picture"); err == nil {
		t.Error("an unknown type is accepted")
	}
	if got := (Script | Image).String(); got != "script,image" {
		t.Error(got)
	}
	if AllTypes>>16 != 0 {
		t.Error("rules keep types in 16 bits")
	}
}
