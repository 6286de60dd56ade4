package html

import (
	"strings"
	"testing"
)

// Whatever entities a document declares, in a circle, under names of HTML's or with markup in them, none brings a contact in.
func TestXMLEntities(t *testing.T) {
	many := strings.Repeat(`<!ENTITY x "y">`, 2*maxEntities)
	for name, c := range map[string]struct {
		subset, body string
		gone         string // what must not be left
	}{
		"plain":        {`<!ENTITY u "http://tracker.test/">`, `<image href="&u;"/>`, ` href="&u;"`},
		"name of HTML": {`<!ENTITY copy "http://tracker.test/">`, `<image href="&copy;"/>`, ` href="&copy;"`},
		"circle":       {`<!ENTITY a "&b;"><!ENTITY b "&a;">`, `<image href="&a;"/>`, `ENTITY`},
		"many":         {many + `<!ENTITY u "http://tracker.test/">`, `<image href="&u;"/>`, `ENTITY`},
		"large":        {`<!ENTITY s "` + strings.Repeat(" ", 4000) + `"><!ENTITY u "http://tracker.test/">`, `<image href="&s;&s;&s;&u;"/>`, ` href=`},
		"markup":       {`<!ENTITY u "&#60;image href='http://tracker.test/'/>">`, `&u;`, `ENTITY`},
		"parameter":    {"<!ENTITY\n%\tp '<!ENTITY u \"http://tracker.test/\">'>%p;", `<image href="&u;"/>`, `ENTITY`},
		"prefix":       {``, `<image a:href="/ok" b:href="http://tracker.test/"/>`, ` b:href="http://tracker`},
	} {
		o := options(t)
		o.XML = true
		doc := `<!DOCTYPE svg [` + c.subset + `]><svg>` + c.body + `<g>more of the picture</g></svg>`
		out := rewriteAll(t, o, doc)
		if strings.Contains(out, c.gone) {
			t.Errorf("%s: %.300s", name, out)
		}
		checkSplits(t, o, doc, out, 5)
	}
	o := options(t)
	o.XML = true
	harmless := `<!DOCTYPE svg [<!ENTITY ns "http://www.w3.org/2000/svg"><!ENTITY copy "(c)">]><svg xmlns="&ns;"><text>&copy;</text></svg>`
	if out := rewriteAll(t, o, harmless); out != harmless {
		t.Errorf("changed: %s", out)
	}
}
