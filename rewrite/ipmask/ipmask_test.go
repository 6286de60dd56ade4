package ipmask_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

func TestMask(t *testing.T) {
	for _, c := range []struct {
		in     string
		v4, v6 int
		want   string
	}{
		{"203.0.113.9", 24, 48, "203.0.113.0"},
		{"203.0.113.9", 16, 40, "203.0.0.0"},
		{"203.0.113.9", 0, 0, "0.0.0.0"},
		{"203.0.113.9", 32, 128, "203.0.113.9"},
		{"203.0.113.129", 25, 48, "203.0.113.128"},
		{"2001:db8:1:2:3:4:5:6", 24, 48, "2001:db8:1::"},
		{"2001:db8:1ff:2::", 24, 40, "2001:db8:100::"},
		{"fe80::1%eth0", 24, 48, "fe80::"},
		{"::1", 24, 48, "::"},
		{"::ffff:203.0.113.9", 24, 48, "203.0.113.0"},
		{"::ffff:203.0.113.9%eth0", 24, 128, "203.0.113.0"},
		{"2002:cb00:7109::1", 24, 48, "203.0.113.0"},                  // 6to4
		{"2001::1:2:34ff:8ef6", 24, 128, "203.0.113.0"},               // wrong on purpose, see below
		{"64:ff9b::203.0.113.9", 24, 128, "203.0.113.0"},              // NAT64
		{"64:ff9b:1:2:3:4:5:6", 24, 128, "64:ff9b:1::"},               // NAT64 of local use
		{"::203.0.113.9", 24, 128, "203.0.113.0"},                     // IPv4-compatible
		{"2001:0:5ef5:79fb:0:59f6:34ff:8ef6", 24, 128, "203.0.113.0"}, // Teredo, client 203.0.113.9... see below
	} {
		if c.in == "2001::1:2:34ff:8ef6" || strings.HasPrefix(c.in, "2001:0:") {
			// The client's address is the last 32 bits, inverted: cb007109 becomes 34ff8ef6.
			a := netip.MustParseAddr(c.in).As16()
			if got := netip.AddrFrom4([4]byte{^a[12], ^a[13], ^a[14], ^a[15]}).String(); got != "203.0.113.9" {
				t.Fatalf("the case %s hides %s", c.in, got)
			}
		}
		m, err := ipmask.New(c.v4, c.v6)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Mask(netip.MustParseAddr(c.in)).String(); got != c.want {
			t.Errorf("%s/%d,%d: %s, want %s", c.in, c.v4, c.v6, got, c.want)
		}
	}
	if ipmask.Default.Mask(netip.Addr{}).IsValid() {
		t.Error("an invalid address became valid")
	}
	if got := (ipmask.Masker{}).Mask(netip.MustParseAddr("203.0.113.9")).String(); got != "0.0.0.0" {
		t.Errorf("the zero Masker keeps %s", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, bits := range [][2]int{{-1, 48}, {33, 48}, {24, -1}, {24, 129}} {
		if _, err := ipmask.New(bits[0], bits[1]); err == nil || !strings.Contains(err.Error(), "0 to 32") {
			t.Errorf("New%v: %v", bits, err)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		in, want string
		joins    bool // what is left behind the address joins it
	}{
		{"", "", false},
		{"nothing to see: 1.5 seconds at 12:30:45.123, 50% \\ x", "nothing to see: 1.5 seconds at 12:30:45.123, 50% \\ x", false},
		{"203.0.113.9", "203.0.113.0", false},
		{"from 203.0.113.9.", "from 203.0.113.0.", false},
		{`{"ip":"203.0.113.9","n":1.25}`, `{"ip":"203.0.113.0","n":1.25}`, false},
		{"203.0.113.9:54321: reset", "203.0.113.0: reset", false},
		{"read tcp 192.0.2.1:80->203.0.113.9:54321: i/o timeout", "read tcp 192.0.2.0->203.0.113.0: i/o timeout", false},
		{"203.0.113.9,198.51.100.7", "203.0.113.0,198.51.100.0", false},
		{"203.000.113.009", "203.0.113.0", false},
		{"abc203.0.113.9", "abc203.0.113.0", false},
		{"1203.0.113.9", "1203.0.113.0", false},
		{"999.0.113.9", "999.0.113.0", false},
		{"203.0.113.9xyz", "203.0.113.0xyz", false},
		{"203.0.113.91234", "203.0.113.0", false},
		{"203.0.113.9.8", "203.0.113.0.0", false},
		{`\n203.0.113.9`, `\n203.0.113.0`, false},
		{`\u0026203.0.113.9`, `\u0026203.0.113.0`, false},
		{"203%2E0%2e113%2E9", "203.0.113.0", false},
		{`203\u002e0\u002E113\u002e9`, "203.0.113.0", false},
		{"Chrome/126.0.0.0 Safari/537.36", "Chrome/126.0.0.0 Safari/537.36", false},
		{"Edg/126.0.2592.87", "Edg/126.0.2592.87", false},
		{"go1.26.8 v2.11.9", "go1.26.8 v2.11.9", false},
		{"1.2.3.400", "1.2.3.0", false},
		{"1.2.300.4", "1.2.300.4", false},
		{"x7f000001 ends at 1.", "x7f000001 ends at 1.", false},
		{".5 of a second", ".5 of a second", false},
		{"0xcb007109 0xCB007109 0xcb0071090 0xcb00710", "0xcb007100 0xcb007100 0xcb0071090 0xcb00710", false},

		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::", false},
		{"2001:DB8::1", "2001:db8::", false},
		{"::1", "::", false},
		{"::", "::", false},
		{"[2001:db8::1]:54321 closed", "[2001:db8::] closed", false},
		{"https://[2001:db8::1]/x", "https://[2001:db8::]/x", false},
		{`for="[2001:db8::1]:4711";proto=https`, `for="[2001:db8::]";proto=https`, false},
		{"fe80::1%eth0", "fe80::", false},
		{"fe80::1%25eth0 x", "fe80:: x", false},
		{"[fe80::1%ee0]:80", "[fe80::]", false},
		{"?ip=2001%3Adb8%3A%3A1%26x", "?ip=2001:db8::%26x", false},
		{"?ip=2001%253Adb8%253A%253A1&x", "?ip=2001:db8::&x", false},
		{"2001:db8::1%20x", "2001:db8::%20x", false},
		{`2001\u003adb8\u003a\u003a1`, "2001:db8::", false},
		{"::ffff:203.0.113.9", "203.0.113.0", false},
		{"::ffff:203.0.113.9:54321", "203.0.113.0", false},
		{"[::ffff:203.0.113.9]:54321", "[203.0.113.0]", false},
		{"::FFFF:cb00:7109", "203.0.113.0", false},
		{"64:ff9b::203.0.113.9", "203.0.113.0", false},
		{"2001:db8:1:2:3:4:203.0.113.9", "2001:db8:1::", false},
		{"client:2001:db8:1:2:3:4:5:6: gone", "client:2001:db8:1::: gone", false},
		{"2001:db8::1: gone", "2001:db8::: gone", false},
		{"2001:db8::1, 2001:db8::2.", "2001:db8::, 2001:db8::.", false},
		{"x2001:db8::1y", "x2001:db8::y", false},
		{"2001:db8:1:2:3:4:5:6789a", "2001:db8:1::a", true},
		{"1::2::3", "1::::", true},
		{"port 80:203.0.113.9", "port 80:203.0.113.0", false},
		{"std::cbegin Foo::Bar a::b", "std::cbegin Foo::Bar a::", false},
		{"main.go:123:45", "main.go:123:45", false},
		{"de:ad:be:ef:00:11", "de:ad:be:ef:00:11", false},
		{"AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89", "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89", false},
		{"1:2:3:4:5:6:7", "1:2:3:4:5:6:7", false},
		{"a:2001:db8:1:2:3:4:5:6", "a:2001:db8::", false},
	} {
		if got := string(ipmask.Default.Append(nil, []byte(c.in))); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
		if again := string(ipmask.Default.Append([]byte("x "), []byte(c.want))); again != "x "+c.want && !c.joins {
			t.Errorf("a second pass changed %q to %q", c.want, again)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 4096)
	line := logLine()
	if n := testing.AllocsPerRun(100, func() { ipmask.Default.Append(dst, line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestHeaders(t *testing.T) {
	shared := []string{"203.0.113.9, 10.1.2.3", "unknown"}
	h := http.Header{
		"X-Forwarded-For": shared, "Forwarded": {`for=203.0.113.9;by="[2001:db8::1]:80";host=x.example`}, "X-Real-Ip": {"203.0.113.9"},
		"Cf-Connecting-Ipv6": {"2001:db8:1:2::9"}, "True-Client-Ip": {"::ffff:203.0.113.9"}, "Via": {"1.1 203.0.113.9 (x)"},
		"X-Other": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"},
	}
	ipmask.Headers(h, ipmask.Default)
	want := http.Header{
		"X-Forwarded-For": {"203.0.113.0, 10.1.2.0", "unknown"}, "Forwarded": {`for=203.0.113.0;by="[2001:db8::]";host=x.example`}, "X-Real-Ip": {"203.0.113.0"},
		"Cf-Connecting-Ipv6": {"2001:db8:1::"}, "True-Client-Ip": {"203.0.113.0"}, "Via": {"1.1 203.0.113.0 (x)"},
		"X-Other": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got  %q\nwant %q", h, want)
	}
	if shared[0] != "203.0.113.9, 10.1.2.3" {
		t.Error("a shared slice was written to")
	}
}

// spellings are the ways in which an address is written into logs.
func spellings(a netip.Addr) []string {
	list := []string{a.String(), a.StringExpanded(), strings.ToUpper(a.String()), url.QueryEscape(a.String()), url.QueryEscape(url.QueryEscape(a.String()))}
	if a.Is4() {
		b := a.As4()
		list = append(list, "::ffff:"+a.String(), fmt.Sprintf("::ffff:%x:%x", uint(b[0])<<8|uint(b[1]), uint(b[2])<<8|uint(b[3])),
			fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]), a.String()+":54321", fmt.Sprintf("0x%02x%02x%02x%02x", b[0], b[1], b[2], b[3]))
	} else {
		list = append(list, "["+a.String()+"]:54321", a.WithZone("eth0").String(), "["+a.String()+"%25en0]")
	}
	return list
}

// longer reports whether what follows makes a hexadecimal number longer than an address.
func longer(spelled, after string) bool {
	return strings.HasPrefix(spelled, "0x") && after != "" && strings.ContainsAny(after[:1], "0123456789abcdefABCDEF")
}

// survivors returns what of the address still stands in text, in any spelling.
func survivors(text string, spelled []string) string {
	lower := strings.ToLower(text)
	for _, s := range spelled {
		if strings.Contains(lower, strings.ToLower(strings.Trim(strings.TrimSuffix(s, ":54321"), "[]"))) {
			return s
		}
	}
	return ""
}

// The addresses have no zero in what is cut, so that their masked form differs in every spelling.
var known = []netip.Addr{
	netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("198.51.100.254"), netip.MustParseAddr("2001:db8:1:2:3:4:5:6"),
	netip.MustParseAddr("2001:db8:abcd::9:1"), netip.MustParseAddr("fe80::abcd:1"), netip.MustParseAddr("fd12:3456:789a:1::1"),
}

// glue is what may stand before and behind: nothing, letters, digits, punctuation of logs, escapes, numbers and half addresses.
var glue = []string{
	"", " ", "abc", "xyz", "7", "42", `"`, `\"`, `\n`, `\t`, `\u0026`, ",", ";", "=", "(", ")", "<", "/", "->", "for=", "%20", "%", "_", "-", ".", ": ", "{\"a\":", "tcp ", "é", "\x00", "1.2.", "::", "[",
}

func TestNoAddressSurvives(t *testing.T) {
	for _, a := range known {
		all := spellings(a)
		for _, s := range all {
			for _, before := range glue {
				for _, after := range glue {
					if longer(s, after) {
						continue
					}
					text := before + s + after
					if left := survivors(string(ipmask.Default.Append(nil, []byte(text))), all); left != "" {
						t.Fatalf("%q left %q: %q", text, left, ipmask.Default.Append(nil, []byte(text)))
					}
				}
			}
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, g := range glue {
		f.Add(g, g, uint8(0), uint8(0))
	}
	f.Fuzz(func(t *testing.T, before, after string, which, how uint8) {
		a := known[int(which)%len(known)]
		all := spellings(a)
		if survivors(before+" "+after, all) != "" || strings.ContainsAny(before+after, ":%\\.") && strings.ContainsAny(before+after, "0123456789abcdefABCDEF") {
			// Half an address of its own may join the known one to a third.
			before, after = before+" ", " "+after
		}
		if longer(all[int(how)%len(all)], after) {
			return
		}
		text := before + all[int(how)%len(all)] + after
		out := ipmask.Default.Append(nil, []byte(text))
		if left := survivors(string(out), all); left != "" && survivors(before, all) == "" && survivors(after, all) == "" {
			t.Fatalf("%q became %q: left %q", text, out, left)
		}
		if len(out) > len(text)+8*strings.Count(text, ":")+8 {
			t.Fatalf("%q grew to %q", text, out)
		}
	})
}

func TestRandomAddresses(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		var b [16]byte
		for i := range b {
			if rng.IntN(3) > 0 {
				b[i] = byte(rng.Uint32())
			}
		}
		a := netip.AddrFrom16(b)
		if rng.IntN(2) == 0 {
			a = netip.AddrFrom4([4]byte(b[:4]))
		}
		got := string(ipmask.Default.Append(nil, []byte(`{"ip":"`+a.String()+`"}`)))
		if want := `{"ip":"` + ipmask.Default.Mask(a).String() + `"}`; got != want {
			t.Fatalf("%s became %s, want %s", a, got, want)
		}
	}
}

func TestAppendIsLinear(t *testing.T) {
	for _, unit := range []string{"00:", "a:", "1.", "::", "1.1.1.", ":", "aaaa:", "0x", "%3A", "%253A1", `\u003a`, "1.1.1.1", "1.1.1.1111", "fe80::1%", "1::", "a", "1"} {
		text := bytes.Repeat([]byte(unit), (256<<10)/len(unit))
		begin := time.Now()
		ipmask.Default.Append(nil, text)
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("256 KiB of %q took %v", unit, d)
		}
	}
}

// logLine is an access log entry as Caddy writes it.
func logLine() []byte {
	return []byte(`{"level":"info","ts":1777975200.1234567,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"203.0.113.9","remote_port":"54321","client_ip":"203.0.113.9","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/products/42?color=red","headers":{"Accept":["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],"User-Agent":["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"],"Accept-Language":["de-DE,de;q=0.9"],"X-Forwarded-For":["203.0.113.9"],"Sec-Fetch-Dest":["document"],"Accept-Encoding":["gzip, deflate, br, zstd"]},"tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"shop.example"}},"bytes_read":0,"user_id":"","duration":0.012345678,"size":5120,"status":200,"resp_headers":{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"],"Etag":["\"d5s2f9k3\""]}}` + "\n")
}

// BenchmarkAppend compares masking a line with zap's own encoding of an equal entry: the ratio is what anonymising costs.
func BenchmarkAppend(b *testing.B) {
	line := logLine()
	b.Run("mask", func(b *testing.B) {
		dst := make([]byte, 0, 4096)
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		for b.Loop() {
			dst = ipmask.Default.Append(dst[:0], line)
		}
	})
	b.Run("encode", func(b *testing.B) {
		var entry map[string]any
		if err := json.Unmarshal(line, &entry); err != nil {
			b.Fatal(err)
		}
		enc := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg", LevelKey: "level", TimeKey: "ts", EncodeTime: zapcore.EpochTimeEncoder, EncodeLevel: zapcore.LowercaseLevelEncoder})
		fields := []zapcore.Field{{Key: "request", Type: zapcore.ObjectMarshalerType, Interface: object(entry["request"].(map[string]any))}, {Key: "resp_headers", Type: zapcore.ObjectMarshalerType, Interface: object(entry["resp_headers"].(map[string]any))}}
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		for b.Loop() {
			buf, err := enc.EncodeEntry(zapcore.Entry{Message: "handled request"}, fields)
			if err != nil {
				b.Fatal(err)
			}
			buf.Free()
		}
	})
}

// object encodes decoded JSON through zap's typed methods, as Caddy's own marshalers do.
type object map[string]any

func (o object) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for k, v := range o {
		switch v := v.(type) {
		case string:
			enc.AddString(k, v)
		case float64:
			enc.AddFloat64(k, v)
		case bool:
			enc.AddBool(k, v)
		case []any:
			enc.AddArray(k, array(v))
		case map[string]any:
			enc.AddObject(k, object(v))
		}
	}
	return nil
}

type array []any

func (a array) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, v := range a {
		enc.AppendString(v.(string))
	}
	return nil
}

func ExampleMasker_Append() {
	line := []byte(`{"msg":"read tcp 10.0.0.2:443->203.0.113.9:50123","peer":"2001:db8:1:2::9","agent":"Chrome/126.0.0.0"}`)
	fmt.Printf("%s\n", ipmask.Default.Append(nil, line))
	// Output: {"msg":"read tcp 10.0.0.0->203.0.113.0","peer":"2001:db8:1::","agent":"Chrome/126.0.0.0"}
}

func ExampleMasker_Mask() {
	fmt.Println(ipmask.Default.Mask(netip.MustParseAddr("2002:cb00:7109::1")))
	// Output: 203.0.113.0
}

func ExampleNew() {
	strict, _ := ipmask.New(16, 40)
	fmt.Println(strict.Mask(netip.MustParseAddr("203.0.113.9")))
	// Output: 203.0.0.0
}

func ExampleHeaders() {
	h := http.Header{"X-Forwarded-For": {"203.0.113.9"}}
	ipmask.Headers(h, ipmask.Default)
	fmt.Println(h.Get("X-Forwarded-For"))
	// Output: 203.0.113.0
}
