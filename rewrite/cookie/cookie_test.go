package cookie_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/cookie"
)

type pair struct{ name, value string }

func pairs(header ...string) (list []pair) {
	cookie.Each(header, func(name, value []byte) bool {
		list = append(list, pair{string(name), string(value)})
		return true
	})
	return list
}

func TestEach(t *testing.T) {
	long := strings.Repeat("x", cookie.MaxPair)
	for _, c := range []struct {
		header []string
		want   []pair
	}{
		{nil, nil},
		{[]string{"", " ", ";", ";; ;"}, nil},
		{[]string{"a=1"}, []pair{{"a", "1"}}},
		{[]string{"a=1; b=2;c=3 ;\td=4"}, []pair{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}},
		{[]string{"a=1", "b\t=\t2\t"}, []pair{{"a", "1"}, {"b", "2"}}},
		{[]string{"a=1; a=2"}, []pair{{"a", "1"}, {"a", "2"}}},
		{[]string{"a=b=c"}, []pair{{"a", "b=c"}}},
		{[]string{"alone; =v; n="}, []pair{{"", "alone"}, {"", "v"}, {"n", ""}}},
		// net/http drops each of these.
		{[]string{`axeptio_cookies={"$$token":"x","ga":true}`}, []pair{{"axeptio_cookies", `{"$$token":"x","ga":true}`}}},
		{[]string{`real_cookie_banner-v:3_blog:1=x; cb:test=1; a[b]=c`}, []pair{{"real_cookie_banner-v:3_blog:1", "x"}, {"cb:test", "1"}, {"a[b]", "c"}}},
		{[]string{`a=back\slash; b=ü; c="q"`}, []pair{{"a", `back\slash`}, {"b", "ü"}, {"c", `"q"`}}},
		{[]string{"cmapi_cookie_privacy=permit 1,2,3"}, []pair{{"cmapi_cookie_privacy", "permit 1,2,3"}}},
		{[]string{"big=" + long + "; b=2"}, []pair{{"big", ""}, {"b", "2"}}},
	} {
		if got := pairs(c.header...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Each(%.80q) = %v, want %v", c.header, got, c.want)
		}
	}
}

func TestEachKeepsThousandsOfCookies(t *testing.T) {
	if n := len(pairs(strings.Repeat("a=1; ", 20000))); n != 20000 {
		t.Errorf("saw %d of 20000 cookies", n)
	}
}

func TestEachStops(t *testing.T) {
	n := 0
	cookie.Each([]string{"a=1; b=2", "c=3"}, func(_, _ []byte) bool { n++; return false })
	if n != 1 {
		t.Errorf("called %d times after a false", n)
	}
}

func notTracking(name []byte) bool { return !bytes.HasPrefix(name, []byte("_")) }

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		in, out []string
		removed int
	}{
		{nil, nil, 0},
		{[]string{"a=1; b=2"}, []string{"a=1; b=2"}, 0},
		{[]string{"_ga=1"}, nil, 1},
		{[]string{"_ga=1; a=1"}, []string{"a=1"}, 1},
		{[]string{"a=1; _ga=1"}, []string{"a=1"}, 1},
		{[]string{"a=1; _ga=1; b=2"}, []string{"a=1; b=2"}, 1},
		{[]string{"a=1;_ga=1;b=2;c= 3 4"}, []string{"a=1; b=2; c= 3 4"}, 1},
		{[]string{"  a=1 ;; _ga=1 ; ;b = 2 ; _x; _gid=3"}, []string{"  a=1; b = 2"}, 3},
		{[]string{" _ga =1; _alone"}, nil, 2},
		{[]string{"_ga=1", "a=1", "_b=1; c=2", "_d"}, []string{"a=1", "c=2"}, 3},
		{[]string{"a=1", "b=2", "_c=3"}, []string{"a=1", "b=2"}, 1},
		{[]string{`a={"x":"_ga=1"}; _ga=1`}, []string{`a={"x":"_ga=1"}`}, 1},
	} {
		in := append([]string(nil), c.in...)
		out, removed := cookie.Filter(in, notTracking)
		if !reflect.DeepEqual(out, c.out) || removed != c.removed {
			t.Errorf("Filter(%q) = %q, %d; want %q, %d", c.in, out, removed, c.out, c.removed)
		}
		if !reflect.DeepEqual(in, c.in) {
			t.Errorf("Filter(%q) changed its argument to %q", c.in, in)
		}
	}
}

func TestFilterDoesNotAllocateWithoutMatch(t *testing.T) {
	header := []string{"session=abc; theme=dark; csrf=xyz", "other=1"}
	if n := testing.AllocsPerRun(100, func() { cookie.Filter(header, notTracking) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// checkFilter holds Filter against Each: what is left is what was there, in order, without the rejected ones.
func checkFilter(t *testing.T, header []string) {
	t.Helper()
	var want []pair
	gone := 0
	for _, p := range pairs(header...) {
		name := p.name
		if name == "" {
			// "=v" and "v" look alike here; both readings of a name are tried below.
			name = p.value
		}
		if p.name != "" && !notTracking([]byte(name)) {
			gone++
			continue
		}
		if p.name == "" && strings.HasPrefix(p.value, "_") {
			return
		}
		want = append(want, p)
	}
	out, removed := cookie.Filter(header, notTracking)
	if removed != gone {
		t.Fatalf("Filter(%q) removed %d, want %d", header, removed, gone)
	}
	if got := pairs(out...); !reflect.DeepEqual(got, want) {
		t.Fatalf("Filter(%q) left %v, want %v", header, got, want)
	}
	if _, again := cookie.Filter(out, notTracking); again != 0 {
		t.Fatalf("a second Filter of %q removed %d", out, again)
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"", "a=1; _ga=2; b", "_", "=;=;_=", ";_a;", " \t_a\t=\t1\t;", "a=1;_b;c=2;_d;e", "a=\"_x;y\"; _z=1"} {
		f.Add(s, "x=1")
	}
	f.Fuzz(func(t *testing.T, a, b string) { checkFilter(t, []string{a, b}) })
}

func BenchmarkFilter(b *testing.B) {
	header := []string{"PHPSESSID=q8h3k2l1m0n9; _ga=GA1.2.1234567890.1600000000; _fbp=fb.1.1600000000.1; theme=dark; cart=abcdefghijklmnopqrstuvwxyz; consent=v1.abcdef"}
	clean := []string{"PHPSESSID=q8h3k2l1m0n9; theme=dark; cart=abcdefghijklmnopqrstuvwxyz; consent=v1.abcdef"}
	for name, h := range map[string][]string{"clean": clean, "tracking": header} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cookie.Filter(h, notTracking)
			}
		})
	}
}

func ExampleFilter() {
	header := []string{"session=7; _ga=GA1.1.2; theme=dark"}
	out, removed := cookie.Filter(header, func(name []byte) bool { return string(name) != "_ga" })
	fmt.Println(out, removed)
	// Output: [session=7; theme=dark] 1
}

func ExampleEach() {
	cookie.Each([]string{`cb:test=1; prefs={"a":"b"}`}, func(name, value []byte) bool {
		fmt.Printf("%s is %s\n", name, value)
		return true
	})
	// Output:
	// cb:test is 1
	// prefs is {"a":"b"}
}
