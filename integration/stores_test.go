package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/regiontest"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres/pgtest"
	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// checkWithoutStore: a refusal takes effect, at once and for the cookie of before; a grant is refused in clear words; the
// preference centre stays open.
func (i *instance) checkWithoutStore(yes string) {
	i.t.Helper()
	base := "http://" + i.addr
	res, body := post(i.t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
	if res.StatusCode != http.StatusServiceUnavailable || len(res.Header["Set-Cookie"]) > 0 || !strings.Contains(body, "could not be recorded, so nothing was changed") {
		i.t.Errorf("a grant gets %d %q %s", res.StatusCode, res.Header["Set-Cookie"], body)
	}
	res, page := post(i.t, base+"/.consent/choose", "choice=accept")
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "could not be recorded, so nothing was changed") || !strings.Contains(page, `role="alert"`) {
		i.t.Errorf("without a script a grant gets %d %s", res.StatusCode, page)
	}
	res, body = post(i.t, base+"/.consent/choose", "choice=refuse", "Accept", "application/json", "Cookie", yes)
	no := token(i.t, res)
	if res.StatusCode != http.StatusOK || granted(i.t, base, no) != nothing {
		i.t.Errorf("a refusal gets %d %s, and then %s", res.StatusCode, body, granted(i.t, base, no))
	}
	if res, page := follow(i.t, base+"/.consent/", "Cookie", no); res.StatusCode != http.StatusOK || !strings.Contains(page, `value="refuse"`) {
		i.t.Errorf("the preference centre: %d", res.StatusCode)
	}
}

// TestPostgresThroughTheGateway answers, stops the database and starts it again, and runs every records command against it
// while the gateway runs, through it and beside it.
func TestPostgresThroughTheGateway(t *testing.T) {
	server, err := pgtest.Start()
	pgtest.Need(t, err)
	t.Cleanup(func() { _ = server.Close() })
	i := newInstance(t, trackingPage)
	i.options, i.directive = "store postgres \""+server.DSN()+"\"", "consent {\n site shop.example\n}"
	i.start()
	base, at := "http://"+i.addr, "--address="+i.admin
	res, _ := post(t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
	yes := token(t, res)
	if granted(t, base, yes) == nothing {
		t.Fatal("an acceptance grants nothing")
	}
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	i.checkWithoutStore(yes)
	if out, err := consentCommand(t, "records", "list", at); err == nil {
		t.Errorf("with the database down list says %s", out)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refusal to be recorded", func() bool {
		out, err := consentCommand(t, "records", "list", at)
		return err == nil && strings.Contains(out, "withdrawn")
	})
	if got := granted(t, base, yes); got != nothing {
		t.Errorf("after the database is back the cookie of before the withdrawal grants %s", got)
	}
	eventually(t, "grants to be taken again", func() bool {
		res, _ := post(t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
		return res.StatusCode == http.StatusOK
	})
	config := filepath.Join(i.dir, "Caddyfile")
	if err := os.WriteFile(config, []byte(i.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{at, "--config=" + config} {
		i.checkCommands(where)
	}
}

// checkCommands runs every records command on two or more records, and erases the newest.
func (i *instance) checkCommands(where string) {
	t := i.t
	t.Helper()
	list := strings.Split(strings.TrimSpace(mustCommand(t, "records", "list", where)), "\n")
	id := consentID.FindString(list[len(list)-1])
	if len(list) < 3 || !strings.Contains(mustCommand(t, "records", "show", id, where), `"pii_principal_id": "`+id+`"`) {
		t.Errorf("%s: list and show of %s: %s", where, id, list)
	}
	for n, line := range strings.Split(strings.TrimSpace(mustCommand(t, "records", "export", where)), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s: line %d of the export: %s", where, n+1, line)
		}
	}
	if out := mustCommand(t, "records", "verify", where); !strings.Contains(out, "signed to the end") {
		t.Errorf("%s: verify: %s", where, out)
	}
	if out := mustCommand(t, "records", "erase", id, where); !strings.Contains(out, "erased of "+id) {
		t.Errorf("%s: erase: %s", where, out)
	}
	if out, err := consentCommand(t, "records", "show", id, where); err == nil || !strings.Contains(err.Error(), "no record") {
		t.Errorf("%s: an erased record shows %s %v", where, out, err)
	}
	if out := mustCommand(t, "records", "verify", where); !strings.Contains(out, "of them erased") || !strings.Contains(out, "signed to the end") {
		t.Errorf("%s: verify after an erasure: %s", where, out)
	}
	mustCommand(t, "records", "sweep", where)
	mustCommand(t, "records", "disclosures", where)
}

// TestFullDiskBehindTheGateway: while the store's disk is full, and then the spool's too, refusals take effect and grants
// are refused; when there is room again, grants are taken without a restart, and what was acknowledged is there.
func TestFullDiskBehindTheGateway(t *testing.T) {
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount a small tmpfs: %v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", disk).Run() })
	i := newInstance(t, trackingPage)
	i.options = "store bolt " + disk + "/consent.db"
	i.start()
	t.Cleanup(func() { _ = os.Remove(disk + "/ballast") })
	base := "http://" + i.addr
	res, _ := post(t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
	yes := token(t, res)
	f, err := os.Create(disk + "/ballast")
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	_ = f.Close()
	answers, last := 0, 0
	for last != http.StatusServiceUnavailable {
		res, _ := post(t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
		if last = res.StatusCode; last == http.StatusOK {
			answers++
		}
		if answers > 200 {
			t.Fatal("the disk is full, and 200 grants were taken")
		}
	}
	i.checkWithoutStore(yes)
	if err := os.Remove(disk + "/ballast"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "grants to be taken again", func() bool {
		res, _ := post(t, base+"/.consent/choose", "choice=accept", "Accept", "application/json")
		return res.StatusCode == http.StatusOK
	})
	eventually(t, "the refusal to be recorded", func() bool {
		return strings.Contains(mustCommand(t, "records", "list", "--last=0", "--address="+i.admin), "withdrawn")
	})
	list := mustCommand(t, "records", "list", "--last=0", "--address="+i.admin)
	if n := strings.Count(list, "given"); n < answers+2 {
		t.Errorf("%d grants were acknowledged, %d are on record", answers+2, n)
	}
	if out := mustCommand(t, "records", "verify", "--address="+i.admin); !strings.Contains(out, "signed to the end") {
		t.Errorf("verify: %s", out)
	}
}

// TestRegionDatabaseIsReplaced: visitors fall under the law that a new file of addresses says, without a reload; one that
// cannot be read changes nothing.
func TestRegionDatabaseIsReplaced(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	path := filepath.Join(t.TempDir(), "regions.mmdb")
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(regiontest.Database("US"))
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent {\nregion maxmind "+path+"\n}", "")
	if got := granted(t, base, ""); got == nothing {
		t.Fatal("in Texas nothing is permitted before an answer")
	}
	write(regiontest.Database("DE")[:150])
	write(regiontest.Database("DE"))
	eventually(t, "the visitor to be in Germany", func() bool { return granted(t, base, "") == nothing })
}

// TestJudgeBounds: the guard's questions have a limit of length and number, come from the site's own pages, and get one
// answer each.
func TestJudgeBounds(t *testing.T) {
	base := newPlainGateway(t, "")
	ask := func(body string, fields ...string) (int, string) {
		t.Helper()
		res, answer := post(t, base+"/.consent/judge", body, fields...)
		return res.StatusCode, answer
	}
	list := func(n int, url string) string {
		return `{"u":[` + strings.TrimSuffix(strings.Repeat(fmt.Sprintf("[%q,\"script\"],", url), n), ",") + `]}`
	}
	status, body := ask(list(256, "https://www.google-analytics.com/analytics.js"))
	var answers struct{ V []string }
	if err := json.Unmarshal([]byte(body), &answers); err != nil || status != http.StatusOK || len(answers.V) != 256 || !strings.HasPrefix(answers.V[255], "analytics google-analytics gtag") {
		t.Errorf("256 questions: %d, %d answers, %v", status, len(answers.V), err)
	}
	for what, c := range map[string]struct {
		body   string
		fields []string
		want   int
	}{
		"257 questions": {list(257, "https://a.example/"), nil, http.StatusBadRequest},
		"too long":      {list(2, "https://a.example/"+strings.Repeat("a", 256<<10)), nil, http.StatusBadRequest},
		"deep":          {`{"u":` + strings.Repeat("[", 100_000), nil, http.StatusBadRequest},
		"no JSON":       {"u=1", nil, http.StatusBadRequest},
		"empty":         {"", nil, http.StatusBadRequest},
		"of another":    {list(1, "https://a.example/"), []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"null origin":   {list(1, "https://a.example/"), []string{"Origin", "null"}, http.StatusForbidden},
		"no URL":        {list(1, "https://[::"), nil, http.StatusOK},
		"NUL":           {`{"u":[["https://a\u0000.example/","script\u0000"]]}`, nil, http.StatusOK},
		"a referrer":    {list(1, "https://a.example/"), []string{"Referer", "http://%zz"}, http.StatusOK},
		"nothing":       {`{"u":[]}`, nil, http.StatusOK},
	} {
		if status, body := ask(c.body, c.fields...); status != c.want || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d, want %d: %.200s", what, status, c.want, body)
		}
	}
	if res, _ := follow(t, base+"/.consent/judge"); res.StatusCode != http.StatusForbidden {
		t.Errorf("GET: %d", res.StatusCode)
	}
}

// TestAnswersOfOneNetwork: behind a proxy that the server trusts each network has a budget of its own; beyond it grants
// are refused in clear words, and refusals take effect all the same.
func TestAnswersOfOneNetwork(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	addr := fmt.Sprintf("127.0.0.1:%d", lab.FreePort(t))
	lab.Caddy(t, `{
	{global}
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	consent {
		store bolt {store}
	}
	log {
		level PANIC
	}
}
http://`+strings.TrimPrefix(addr, "127.0.0.1")+` {
	consent
	reverse_proxy `+strings.TrimPrefix(up.URL, "http://")+`
}
`)
	choose := "http://" + addr + "/.consent/choose"
	status, body := http.StatusOK, ""
	answer := func(choice, from string) (*http.Response, string) {
		return post(t, choose, "choice="+choice, "Accept", "application/json", "X-Forwarded-For", from)
	}
	yes := ""
	for n := 0; status == http.StatusOK; n++ {
		var res *http.Response
		res, body = answer("accept", fmt.Sprintf("192.0.2.%d", n%256))
		if status = res.StatusCode; status == http.StatusOK {
			yes = token(t, res)
		}
		if n > 650 { // a new minute may begin once
			t.Fatal("650 grants of one network were taken in a minute")
		}
	}
	if status != http.StatusTooManyRequests || !strings.Contains(body, "Too many answers came from your network") {
		t.Errorf("beyond the budget: %d %s", status, body)
	}
	if res, body := answer("accept", "198.51.100.7"); res.StatusCode != http.StatusOK {
		t.Errorf("another network behind the same proxy: %d %s", res.StatusCode, body)
	}
	res, err := http.NewRequestWithContext(t.Context(), http.MethodPost, choose, strings.NewReader("choice=refuse"))
	if err != nil {
		t.Fatal(err)
	}
	res.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}, "X-Forwarded-For": {"192.0.2.9"}, "Cookie": {yes}}
	got, err := http.DefaultClient.Do(res)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, got.Body)
	_ = got.Body.Close()
	if no := token(t, got); got.StatusCode != http.StatusOK || granted(t, "http://"+addr, no) != nothing {
		t.Errorf("a refusal beyond the budget: %d, then %s", got.StatusCode, granted(t, "http://"+addr, no))
	}
}
