package guard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/js"
)

//go:embed js/*.js js/late/*.js
var sources embed.FS

// The parts of the script that goes first in the page, and of the one that it fetches, in the order in which each is
// joined into one function; shared are the names of the first that the second uses. TestGuardSize in package caddymodule, which
// has the whole catalogue, bounds their sizes.
var (
	firstModules = []string{"judge", "gate", "sinks", "network", "storage", "stubs", "start"}
	lateModules  = []string{"late/catalogue", "late/names", "late/replay", "late/revive", "late/ui"}
	shared       = "Later,List,Members,Memo,Table,after,anew,answers,ask,boxes,call,consentMode,cookieOf,copy,css,cut,dash,describe,doc,early,endpoint,follower,fragments,gatedBy,getAttr,hasAttr,hook,identify,inside,kept,keptValue,load,loc,mark,moveBanner,nameOf,names,none,now,once,park,party,parked,parse,partyOf,permitted,policy,property,proto,purposeOf,query,restore,scan,setAttr,setSrcdoc,site,sockets,standIns,standing,unknown,wrote"
)

// Vendor is one party that the script knows.
type Vendor struct {
	// ID is the catalogue's name for it: lower-case letters, digits and hyphens.
	ID string
	// Purpose is the name of its purpose: necessary, functional, analytics, marketing or social.
	Purpose string
	// Hosts are its hosts; each stands for its subdomains as well.
	Hosts []string
	// Patterns are "host/pathprefix", with * for any run of characters; a pattern beats a host. Patterns for every host
	// ("*/path") are left to the gateway, which sees the site's own requests.
	Patterns []string
	// Passes are patterns that are let through whatever host or shorter pattern claims them.
	Passes []string
	// Paths are patterns of paths ("/matomo.js") on any third party's host. Labels are first labels of hosts that nobody
	// else claims: "stats" stands for stats.example.com and stats2.example.com.
	Paths, Labels []string
	// Cookies are names of first-party cookies, Storage those of localStorage, sessionStorage and IndexedDB; * at the
	// end stands for any rest.
	Cookies, Storage []string
	// Seldom is true of a vendor that few pages meet: the script asks the gateway whose its hosts are, so that it has not to
	// carry them.
	Seldom bool
}

// Config says what a Guard knows.
type Config struct {
	// Prefix is the path of the gateway's endpoints, without a final slash: "/.consent".
	Prefix string
	// Vendors is the catalogue, the most frequent first. An earlier vendor wins where two claim the same host or name.
	Vendors []Vendor
	// Judge asks the gateway about URLs of other hosts, also of the site's own subdomains, that no vendor claims; until it
	// answers nothing is fetched.
	Judge bool
	// Strict gates every third party that is neither a permitted vendor's nor in Allow.
	Strict bool
	// Allow are hosts, with their subdomains, that are never gated.
	Allow []string
}

// Page is what the script is told about one response.
type Page struct {
	// Mark is the response's random value, [A-Za-z0-9_-].
	Mark string
	// Nonce is the site's own script nonce, "" if it has none.
	Nonce string
	// Granted and Denied are the decision's purposes as bits (1 necessary … 16 social).
	Granted, Denied uint8
	// Vendors are the visitor's decisions about single vendors: "+id" or "-id", joined by commas.
	Vendors string
	// GPC and DNT say which signals the request carried.
	GPC, DNT bool
	// Site is the registrable domain: hosts within it are first party.
	Site string
	// Integrity is the Guard's Integrity in a page whose Integrity-Policy takes no script without a digest, else "".
	Integrity string
	// XML is true for a page that browsers parse as XML.
	XML bool
}

// Guard is a compiled script.
type Guard struct {
	first, late []byte
	rest, xml   []byte // what follows the start tag in a page of HTML, of XML
	path, hash  string
	digest      string // of late
	closed      []byte // first, before what is allowed was put in
}

// Compile makes the script. The error joins all findings; each names the vendor and the value that is wrong.
func Compile(c Config) (*Guard, error) {
	g, err := compile(c)
	if err != nil {
		return nil, err
	}
	return g.Open(c.Allow...)
}

// opening stands in the first part for what is allowed, until Open puts that there.
const opening = "allowed.invalid" // RFC 6761: nobody has that name

// Open returns the script with other hosts in the place of Config.Allow. It takes no part of the time that Compile does, and
// shares the second part.
func (g *Guard) Open(hosts ...string) (*Guard, error) {
	if err := checkHosts(hosts); err != nil {
		return nil, err
	}
	first := bytes.Replace(g.closed, []byte(literal(opening)), []byte(literals(hosts)), 1)
	digest := sha256.Sum256(first)
	return &Guard{
		first:  first,
		rest:   append(append(append([]byte(nil), '>'), first...), "</script>"...),
		xml:    []byte("><![CDATA[" + strings.ReplaceAll(string(first), "]]>", "]]]]><![CDATA[>") + "]]></script>"),
		hash:   "'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'",
		closed: g.closed, late: g.late, path: g.path, digest: g.digest,
	}, nil
}

// compile makes what does not depend on Config.Allow.
func compile(c Config) (*Guard, error) {
	k, err := newCatalogue(c)
	if err != nil {
		return nil, err
	}
	if c.Judge { // whatever is not known here is asked
		k.seldom = nil
	}
	places, size := filter(k.seldom)
	data := fmt.Sprintf("const judging=%t,strict=%t,catalogue=%s,filter=%s,size=%d,commands=%s;",
		c.Judge, c.Strict, literal(k.constant()), literal(places), size, literal(strings.Join(commands, ";")))
	late, err := join("'use strict';document.currentScript.install((["+shared+"])=>{"+data, lateModules, "})")
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(late)
	file := "guard-" + hex.EncodeToString(digest[:8]) + ".js"
	data = fmt.Sprintf("const prefix=%s,judging=%t,late=%s,allowed=[%s];", literal(c.Prefix), c.Judge, literal(file), literal(opening))
	first, err := join("(()=>{'use strict';"+data, firstModules, "})()")
	if err != nil {
		return nil, err
	}
	if bytes.Count(first, []byte(literal(opening))) != 1 {
		return nil, errors.New("guard: there is no place for what is allowed")
	}
	return &Guard{closed: first, late: late, path: c.Prefix + "/" + file, digest: "sha256-" + base64.StdEncoding.EncodeToString(digest[:])}, nil
}

// join puts modules into one function and minifies it.
func join(head string, names []string, tail string) ([]byte, error) {
	var b, code bytes.Buffer
	b.WriteString(head)
	for _, name := range names {
		src, err := sources.ReadFile("js/" + name + ".js")
		if err != nil {
			return nil, err
		}
		b.Write(bytes.ReplaceAll(src, []byte("/*shared*/"), []byte(shared)))
	}
	b.WriteString(tail)
	if err := (&js.Minifier{}).Minify(minify.New(), &code, &b, nil); err != nil {
		return nil, fmt.Errorf("guard: minify: %w", err)
	}
	if bytes.Contains(bytes.ToLower(code.Bytes()), []byte("</script")) || bytes.Contains(code.Bytes(), []byte("<!--")) {
		return nil, errors.New("guard: the script would end its own element")
	}
	return ascii(code.Bytes()), nil
}

// ascii writes other characters as escapes: a page in another encoding would take them for others, and the script's hash
// would be wrong there.
func ascii(code []byte) []byte {
	var out []byte
	for _, r := range string(code) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, "\\u%04x", unit)
		}
	}
	return out
}

// Late returns the path of the script's second part and its content: what acts only after a choice (revival,
// withdrawal, the banner). The first part fetches it, asynchronously, from that path. The path changes with the content,
// which may therefore be cached for good; its media type is text/javascript.
func (g *Guard) Late() (path string, content []byte) { return g.path, g.late }

// Integrity returns the integrity metadata (Subresource Integrity, 3.1) of the second part.
func (g *Guard) Integrity() string { return g.digest }

// Hash returns the CSP source expression ('sha256-…', quotes included) that admits the script.
func (g *Guard) Hash() string { return g.hash }

// Append appends the script element for one response.
func (g *Guard) Append(dst []byte, p Page) []byte {
	return append(appendStart(dst, &p), g.after(&p)...)
}

// after returns what follows the start tag but for its last character.
func (g *Guard) after(p *Page) []byte {
	if p.XML {
		return g.xml
	}
	return g.rest
}

// Write writes what Append appends in two pieces: what differs from response to response, then Constant.
func (g *Guard) Write(w io.Writer, p *Page) error {
	var scratch [512]byte
	if _, err := w.Write(appendStart(scratch[:0], p)); err != nil {
		return err
	}
	_, err := w.Write(g.after(p))
	return err
}

// Constant returns the part of the script element that is the same in every page of HTML.
func (g *Guard) Constant() []byte { return g.rest }

// appendStart appends the start tag but for its last character.
func appendStart(dst []byte, p *Page) []byte {
	dst = append(dst, "<script data-consent-guard=\"\""...)
	if p.XML {
		dst = append(dst, ` xmlns="http://www.w3.org/1999/xhtml"`...)
	}
	dst = appendAttribute(dst, "nonce", p.Nonce)
	dst = appendAttribute(dst, "data-mark", p.Mark)
	dst = append(dst, ` data-granted="`...)
	dst = appendBits(dst, p.Granted)
	dst = append(dst, `" data-denied="`...)
	dst = append(appendBits(dst, p.Denied), '"')
	dst = appendAttribute(dst, "data-vendors", p.Vendors)
	dst = appendAttribute(dst, "data-site", p.Site)
	dst = appendAttribute(dst, "data-integrity", p.Integrity)
	return appendAttribute(dst, "data-signals", p.signals())
}

// AppendWorker appends what goes before the text of a worker's script, so that the same gates stand in it: classic
// dedicated and shared workers and service workers, whose requests no page sees.
func (g *Guard) AppendWorker(dst []byte, p Page) []byte {
	state, err := json.Marshal(map[string]any{
		"mark": p.Mark, "granted": p.Granted, "denied": p.Denied, "vendors": p.Vendors, "site": p.Site, "signals": p.signals(),
	})
	if err != nil {
		return dst
	}
	dst = append(dst, "self.$consent="...)
	dst = append(append(dst, state...), ';')
	dst = append(dst, g.first...)
	return append(append(dst, forgetOlderPages...), '\n')
}

// forgetOlderPages follows in a worker: pages that a service worker stored before the gateway came have no guard, and go
// when its update is installed. The gateway sees that update after such a page was shown (Service Workers, "Soft Update").
// Where there were any the worker from before is without guard, too: the update takes its place at once (skipWaiting).
const forgetOlderPages = ";self.registration&&addEventListener('install',e=>e.waitUntil((async()=>{let old=0;for(const n of await caches.keys()){" +
	"const c=await caches.open(n);for(const q of await c.keys()){const r=await c.match(q,{ignoreVary:true});" +
	"if(r&&/html/i.test(r.headers.get('Content-Type'))&&!/data-consent-guard/.test(await r.text()))old=await c.delete(q,{ignoreVary:true})}}if(old)await skipWaiting()})().catch(()=>{})));"

func (p *Page) signals() string {
	switch {
	case p.GPC && p.DNT:
		return "gd"
	case p.GPC:
		return "g"
	case p.DNT:
		return "d"
	}
	return ""
}

func appendBits(dst []byte, bits uint8) []byte {
	if bits >= 10 {
		dst = append(dst, '0'+bits/10%10)
	}
	return append(dst, '0'+bits%10)
}

// appendAttribute appends a quoted attribute, nothing for an empty value. The characters that could end the value or
// start a character reference are dropped: no valid value has them.
func appendAttribute(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ' ')
	dst = append(append(dst, name...), '=', '"')
	for i := 0; i < len(value); i++ {
		if c := value[i]; c > ' ' && c != '"' && c != '&' && c != '<' && c != '>' && c < 0x7f {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// literal returns s as a JavaScript string.
func literal(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	_ = e.Encode(s) // with HTML escaping: no < or > comes out; a strings.Builder does not fail
	return strings.TrimSpace(b.String())
}

// literals returns a list of JavaScript strings.
func literals(list []string) string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = literal(s)
	}
	return strings.Join(all, ",")
}
