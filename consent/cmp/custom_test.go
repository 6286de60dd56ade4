package cmp_test

import (
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
)

var customs = []struct {
	name   string
	config cmp.Custom
	cookie string
	want   string
}{
	{"object", cmp.Custom{Path: "prefs"}, `own={"prefs":{"stats":true,"ads":"denied","x":1}}`, "analytics|marketing"},
	{"list", cmp.Custom{Path: "ok"}, "own=" + enc(`{"ok":["stats"]}`), "analytics|marketing"},
	{"value", cmp.Custom{Path: "all", Purposes: map[string]consent.Purposes{"value": analytics | marketing}}, `own={"all":"yes"}`, "analytics,marketing|none"},
	{"base64", cmp.Custom{Path: "ok", Base64: true}, "own=" + b64(`{"ok":["stats","ads"]}`), "analytics,marketing|none"},
	{"decided", cmp.Custom{Path: "ok", Decided: "done"}, `own={"ok":["stats","ads"],"done":true}`, "analytics,marketing|none"},
	{"decided by a number", cmp.Custom{Path: "ok", Decided: "at"}, `own={"ok":["stats","ads"],"at":1767225600}`, "analytics,marketing|none"},
	{"decided never", cmp.Custom{Path: "ok", Decided: "at"}, `own={"ok":["stats","ads"],"at":0}`, "none|none"},
	{"not decided", cmp.Custom{Path: "ok", Decided: "done"}, `own={"ok":["stats","ads"],"done":false}`, "none|none"},
	{"no such path", cmp.Custom{Path: "nope"}, `own={"ok":["stats"]}`, "none|none"},
	{"pattern of pairs", cmp.Custom{Pattern: `(\w+)=(\w+)`}, `own=stats=1|ads=0`, "analytics|marketing"},
	{"pattern of names", cmp.Custom{Pattern: `\[(\w+)\]`}, `own=[stats]`, "analytics|marketing"},
	{"pattern without a match", cmp.Custom{Pattern: `\[(\w+)\]`}, `own=nothing`, "none|none"},
	{"prefix", cmp.Custom{Cookie: "own-*", Path: "ok"}, `own-77={"ok":["stats","ads"]}`, "analytics,marketing|none"},
}

func custom(t testing.TB, i int) *cmp.Reader {
	c := customs[i].config
	if c.Cookie == "" {
		c.Cookie = "own"
	}
	if c.Purposes == nil {
		c.Purposes = map[string]consent.Purposes{"stats": analytics, "ads": marketing}
	}
	r, err := cmp.NewCustom(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCustom(t *testing.T) {
	for i, c := range customs {
		t.Run(c.name, func(t *testing.T) {
			if got := answers(custom(t, i).Read(consent.Cookies{c.cookie}, now)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestNewCustomNamesAllThatIsWrong(t *testing.T) {
	_, err := cmp.NewCustom(cmp.Custom{})
	for _, want := range []string{"no cookie", "no map", "path or a pattern"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	for _, pattern := range []string{"(", "abc", "(a)(b)(c)"} {
		if _, err := cmp.NewCustom(cmp.Custom{Cookie: "x", Pattern: pattern, Purposes: map[string]consent.Purposes{"a": analytics}}); err == nil {
			t.Errorf("accepted %q", pattern)
		}
	}
}
