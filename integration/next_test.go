package integration

import "testing"

// Next.js hydrates a page after the scripts that it was told to load first (strategy beforeInteractive) have come, or failed:
// one that is gated must not keep the page waiting, and comes with consent. The waiting is done as in its client/app-bootstrap.
func TestNextDoesNotWait(t *testing.T) {
	t.Parallel()
	a := asking(t, `<script>(self.__next_s = self.__next_s || []).push(["https://static.hotjar.com/c/hotjar-1.js", {}], [0, {children: "self.second = 1"}])</script>
<script>
const wait = self.__next_s.reduce((before, [src, props]) => before.then(() => new Promise((resolve, reject) => {
  const s = document.createElement('script');
  if (src) { s.src = src; s.onload = () => resolve(); s.onerror = reject; }
  else { s.innerHTML = props.children; setTimeout(resolve); }
  document.head.appendChild(s);
})), Promise.resolve());
wait.catch(() => {}).then(() => { self.hydrated = (self.hydrated || 0) + 1; });
</script>`)
	a.becomes(t, "before any choice", "self.hydrated == 1")
	a.silent(t, "before any choice")
	a.press(t, "accept")
	a.alive(t, "after acceptance", []string{"static.hotjar.com"})
	a.becomes(t, "after acceptance", "self.labRan && labRan.length == 1 && self.hydrated == 1")
}

// TestDelayersDoNotWait: WordPress plugins that delay scripts (WP Rocket, Perfmatters, LiteSpeed) replace them one by one,
// and wait for each to load or fail before the next, the page's own among them.
func TestDelayersDoNotWait(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rocketlazyloadscript", "pmdelayedscript", "litespeed/javascript", "0a1b2c-text/javascript"} {
		a := asking(t, `<script type="`+kind+`" src="https://static.hotjar.com/c/hotjar-1.js"></script><script type="`+kind+`">self.second = 1</script>
<script>
const replace = (old) => new Promise((done) => {
  const s = document.createElement("script");
  for (const a of old.attributes) if (a.name != "type") s.setAttribute(a.name, a.value);
  if (old.src) s.addEventListener("load", done), s.addEventListener("error", done);
  else s.text = old.text, done();
  old.replaceWith(s);
});
onload = async () => { for (const s of document.querySelectorAll('script[type="`+kind+`"]')) await replace(s) };
</script>`)
		a.becomes(t, kind+" before any choice", "self.second == 1")
		a.silent(t, kind+" before any choice")
		a.press(t, "accept")
		a.alive(t, kind+" after acceptance", []string{"static.hotjar.com"})
	}
}
