// UI: drives the banner, the preference form and the placeholders; keeps tabs, frames and workers in step.
// Other tabs hear of it; without BroadcastChannel, once they are seen.
const announce = (answer) => follower?.postMessage(answer);
// Whether one state permits what another does not; where that depends on a vendor's purpose, it may.
const exceeds = (a, b) => a.granted & ~b.granted || Object.keys({...a.vendors, ...b.vendors}).some((id) => a.vendors[id] !== b.vendors[id] && a.vendors[id] !== false && !b.vendors[id]);
let era = 0; // counts questions and answers: only what was asked last, and before nothing else was said, counts
const apply = now.apply = (answer, told, wait) => {
  const before = {...now};
  era++;
  copy(now, {suspended: 0, vendors: {}}, answer);
  const gained = exceeds(now, before.suspended ? {granted: 1, vendors: {}} : before);
  if (!told) announce({...answer, wait});
  if (exceeds(before, now)) {
    lessened = 1;
    forgetPages();
    tell('no');
    retract();
    if (doc.readyState == 'loading') anew();
  }
  sweep(refused);
  if (now.layered) consentMode();
  if (gained) {
    if (!told) agreed = Date.now(), doc.addEventListener('securitypolicyviolation', outgrown);
    for (const [guest, who] of guests) if (permitted(who)) guest.remove();
    revive().then(() => tell());
  }
  else for (const [, s] of standing) s.calls.length = 0, s.list && (s.list.length = 0);
  show('saved');
  doc.dispatchEvent(new CustomEvent('consent', {detail: answer}));
};
// The policy that the document came with allows less than the visitor does by now, and cannot be taken back: only a new
// document can, while the visitor has hardly done anything in this one. The site's own policy, which has no such sources, is
// none of this; one that a filter list adds ends in words of ours.
let agreed;
const outgrown = (e) => {
  const who = identify(e.blockedURI);
  if (e.disposition == 'enforce' && Date.now() - agreed < 1e4 && (/report-to consent$/.test(e.originalPolicy) || /mediastream: filesystem:/.test(e.originalPolicy) && who && who != unknown && permitted(who))) loc.reload();
};
// After a withdrawal the document gets the policy that a new one would have.
let lessened, restricted;
const restrict = (a) => {
  if (!lessened || !a.policy || restricted == a.policy) return;
  const meta = doc.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = restricted = a.policy;
  (doc.head || doc.documentElement).append(meta);
};
// Frames that scripts made get the placeholder that the gateway would have put into the page.
let bare;
const stood = new Memo();
const putPlaceholders = (frames, urls = frames.map((f) => keptValue(f, 'src'))) => get('placeholder', {method: 'POST', body: JSON.stringify({u: urls.map((u) => parse(u).href), r: loc.pathname + loc.search})}).then(({p}) => frames.forEach((f, i) => {
  const box = getAttr(f, 'srcdoc');
  if (p[i] && urls[i] != null && keptValue(f, 'src') == urls[i] && (box == null || box.includes(dash + 'load'))) setSrcdoc(f, p[i]);
})).catch(none);
now.stand = (el, again) => {
  const src = keptValue(el, 'src');
  if (src == null || !el.isConnected || stood.get(el) == src || !again && getAttr(el, 'srcdoc') != null) return;
  stood.set(el, src);
  bare ? bare.push(el) : (bare = [el], after(() => {
    const all = bare;
    bare = 0;
    while (all.length) putPlaceholders(all.splice(0, 64));
  }));
};
// Pages that the site's service worker stored hold what was permitted then.
const forgetPages = async () => {
  try {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const kept = await cache.match(request, {ignoreVary: true});
        if (/html/i.test(kept?.headers.get('Content-Type'))) cache.delete(request, {ignoreVary: true});
      }
    }
  } catch (e) {}
};
const same = (a) => a.granted == now.granted && a.denied == now.denied && JSON.stringify(a.vendors || {}) == JSON.stringify(now.vendors);
const get = (path, init) => load(endpoint + path, {headers: {Accept: 'application/json'}, ...init}).then((r) => r.ok ? r.json() : Later.reject(r));
const refresh = now.refresh = (at = ++era) => now.wait > Date.now() || get('state').then((answer) => {
  if (at != era) return;
  same(answer) ? now.suspended = 0 : apply(answer);
  restrict(answer);
}, none);

const submitted = (e) => {
  const form = e.target, button = e.submitter, data = new FormData(form);
  if (form.method != 'post' || !/\/choose$/.test(form.action)) return;
  e.preventDefault();
  if (button?.name) data.append(button.name, button.value);
  const answer = get('choose', {method: 'POST', keepalive: true, body: new URLSearchParams(data)});
  // Refusal needs no answer; until there is one, no tab asks the gateway, which would still tell the old state. What opened
  // the banner again meanwhile is not undone.
  const no = /refuse|withdraw/.test(data.get('choice'));
  if (no) {
    now.wait = Date.now() + 1e4;
    apply({granted: now.granted & 1, denied: 30}, 0, now.wait);
  }
  answer.then((a) => {
    now.wait = 0;
    same(a) ? (announce(a), no || show('saved')) : apply(a);
    restrict(a);
  }).catch(() => show('error') || call(submit, form, []));
};
const {submit} = proto(self, 'HTMLFormElement');
const follow = (root, frame) => {
  // Optimisers that delay scripts (WP Rocket) swallow the click that follows a press until all are there: a choice is none of theirs.
  for (const press of ['mousedown', 'touchstart']) root.addEventListener(press, (e) => e.stopPropagation(), {passive: true});
  root.addEventListener('submit', submitted);
  root.addEventListener('click', (e) => {
    if (!frame || !e.isTrusted || !e.target.closest('[data-consent-load]')) return;
    once.add(frame);
    revive([frame]);
  });
};
// After a choice the dialog closes and says so; the permanent way back stays.
const show = (what) => {
  const {banner} = now;
  if (!banner) return;
  const root = banner.shadowRoot, status = root.querySelector('[data-consent-status]'), box = root.querySelector('details');
  if (what == 'saved') {
    banner.setAttribute('data-consent-state', 'decided');
    const focused = box?.contains(root.activeElement);
    if (box) box.open = false;
    if (focused) box.querySelector('summary').focus();
  }
  if (status) status.textContent = status.dataset[navigator.cookieEnabled ? what : 'error'];
  for (const input of root.querySelectorAll('[name=purpose]')) input.checked = now.granted >> names.indexOf(input.value) & 1;
  return true;
};
const panel = (open) => {
  const box = now.banner?.shadowRoot.querySelector('details');
  if (!box || box.open == open) return;
  box.open = open;
  box.querySelector('summary').focus();
};
// In the place of a gated SDK's button stands the placeholder of the frame that it would be: a share link. A shadow tree holds
// it, in a slot, so that the page's nodes stay as they are and what the SDK puts there later is seen instead. XFBML's elements
// can have none: one in a node that goes before the SDK comes.
const guests = new Table();
const buttons = () => {
  for (const el of doc.querySelectorAll('.fb-like,.fb-share-button,fb\\:like,fb\\:share-button')) {
    const frame = doc.createElement('iframe'), url = 'https://www.facebook.com/plugins/like.php?href=' + encodeURIComponent(el.dataset.href || getAttr(el, 'href') || loc.href), who = gatedBy(frame, 'src', url);
    if (el.firstChild || el.shadowRoot || !(who.bit > 1)) continue;
    frame.width = 120;
    frame.height = 30;
    frame.frameBorder = 0;
    let host = el;
    if (/:/.test(el.localName)) el.append(host = doc.createElement('span')), guests.set(host, who);
    try { host.attachShadow({mode: 'open'}).append(doc.createElement('slot')); } catch (e) { continue; }
    host.shadowRoot.firstChild.append(frame);
    frame.src = url;
    parked.delete(frame); // it stays what it is
  }
};
let followed;
const drive = () => {
  buttons();
  release();
  lastWord();
  tell('yes');
  now.follow = () => {
    const {banner} = now, root = banner.shadowRoot, status = root.querySelector('[data-consent-status]');
    if (banner.popover) banner.showPopover(); // on top of everything
    if (followed == root) return;
    follow(followed = root);
    // Of the pages of a frameset, which all have the banner, the largest shows it. Gated frames only seem to have a src.
    const own = self.frameElement, area = (f) => f.contentDocument && f.clientWidth * f.clientHeight;
    if (own?.localName == 'frame' && [...own.ownerDocument.querySelectorAll('frame:not([' + kept + '])')].sort((a, b) => area(b) - area(a))[0] != own) root.querySelector('.c').style.display = 'none';
    // What was said about the last choice is no answer to the next.
    root.addEventListener('toggle', (e) => e.target.open && status && (status.textContent = ''), true);
  };
  now.banner ? now.follow() : moveBanner();
};
// A page is settled once it had the time to take its document over, or its visitor begins to go through it by keyboard; the banner
// is not moved while it, or a dialog that leaves nothing else to use, is in use.
const settle = () => now.banner && !doc.querySelector(':modal,consent-banner:focus-within') && moveBanner(now.settled = 1);
const ripen = () => after(doc.readyState == 'complete' ? settle : ripen, 2e3);
ripen();
// Escape folds the banner, which decides nothing, unless something of the page has the focus.
doc.addEventListener('keydown', ({key, target}) => key == 'Tab' ? settle() : key == 'Escape' && (target == now.banner || target == doc.body) && panel(false));
// A form that leads to a gated party keeps what was typed into it: the visitor is asked instead.
doc.addEventListener('submit', (e) => {
  if (e.defaultPrevented || keptValue(e.target, 'action') != null || e.submitter && keptValue(e.submitter, 'formaction') != null) e.preventDefault(), panel(true);
}, true);
lateListeners();
reading(self);
finding();
self.addEventListener('load', () => tell('yes'));
release();
// What vendors wrote before their names were known, and what a refusing visitor still has.
sweep((who, name) => refused(who) || !permitted(who) && early.includes(name));
doc.readyState == 'loading' ? doc.addEventListener('DOMContentLoaded', drive) : drive();
const framed = (el) => {
  try { partyOf(el) ? follow(el.contentDocument, el) : reading(el.contentWindow); } catch (e) {}
};
doc.addEventListener('load', ({target}) => target.localName == 'iframe' && framed(target), true);
doc.querySelectorAll('iframe').forEach(framed);
// A stored page may be of another state, and one that came while its visitor was elsewhere may have missed what was said there.
if (doc.hidden || navigator.serviceWorker?.controller) refresh();
self.addEventListener('pageshow', (e) => {
  if (e.persisted) now.suspended = 1, refresh();
});
doc.addEventListener('visibilitychange', () => doc.hidden || refresh());
