package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/terminal"
)

// TestHostileDraft: paths that an outsider asked for, hosts and cookies that one only spoke of add no line to the draft, nor declare more than themselves, and
// nothing that is printed moves the cursor of a terminal.
func TestHostileDraft(t *testing.T) {
	paths := []string{"/\nhandle {\n\trespond evil\n}\n", "/x\timport\t/etc/passwd", "/\u202e{\u2028\x1b[2J", "/a\xff", "/*", "/orders/*", "/a`b", "/collect"}
	r := inventory.Report{Sites: []inventory.SiteReport{{Site: "shop.example", Since: time.Now()}}}
	for _, p := range paths {
		r.Sites[0].Hosts = append(r.Sites[0].Hosts, inventory.HostReport{Host: "cdn.example", Types: []string{"script"}, Pages: []string{p}})
		r.Sites[0].Seen = append(r.Sites[0].Seen, inventory.SeenReport{Kind: "first-party", Vendor: "plausible", Purpose: "analytics", Rule: "shape\x1b[1A", Pages: []string{p}})
	}
	r.Sites[0].Hosts = append(r.Sites[0].Hosts, inventory.HostReport{Host: "invented.example", Types: []string{"script"}, Pages: []string{"/"}, Claimed: true})
	r.Sites[0].Seen = append(r.Sites[0].Seen, inventory.SeenReport{Kind: "cookie", Vendor: "hotjar", Purpose: "analytics", Rule: "_hjid", Claimed: true})
	draft := draft(&r.Sites[0])
	blocks, err := caddyfile.Parse("Caddyfile", []byte(draft))
	if err != nil || len(blocks) != 1 || len(blocks[0].Segments) != 1 {
		t.Fatalf("%v, %+v: %s", err, blocks, draft)
	}
	var declared []string
	for d := caddyfile.NewDispenser(blocks[0].Segments[0]); d.Next(); {
		for d.NextBlock(0) {
			declared = append(declared, strings.Join(append([]string{d.Val()}, d.RemainingArgs()...), " "))
		}
	}
	slices.Sort(declared)
	if want := []string{"allow cdn.example", "first_party /collect plausible", "require analytics plausible"}; !slices.Equal(slices.Compact(declared), want) {
		t.Errorf("%q, want %q: %s", declared, want, draft)
	}
	var out bytes.Buffer
	if err := Text(terminal.NewWriter(&out), r); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.ContainsAny(text, "\x1b\u202e\u2028") || !strings.Contains(text, `shape\u001b[1A`) {
		t.Errorf("%q", text)
	}
}
