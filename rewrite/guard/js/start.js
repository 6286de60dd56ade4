// Start: puts everything in place, and fetches the late part, which no first paint waits for.
const follower = Channel && new Channel('consent');
// The banner comes to stand before the body, where who goes by keyboard or ear finds it first, and is in nobody's way. React 18,
// when it takes over a whole document, bears no node that it does not know but at the end of head and body: until a page is
// settled the banner is in the one while the parser is in the other, then in the other. It comes back where a page takes it
// away, but fights with none.
let banner, moves = 9;
const moveBanner = () => {
  const home = now.settled ? doc.documentElement : doc.readyState == 'loading' ? doc.head : doc.body;
  if (!moves || !home || !banner?.shadowRoot || now.banner && banner.parentNode == home) return;
  moves--;
  now.settled ? doc.body?.before(banner) : home.append(banner);
  now.banner = banner;
  now.follow?.();
};
const observe = (records) => {
  trusting = 1;
  for (const r of records) {
    if (r.type == 'attributes') inspect(r.target);
    else if (r.target.localName == 'style') restyle(r.target);
    for (const n of r.addedNodes) if (n.nodeType == 1) {
      scan(n);
      const who = n.localName == 'script' && partyOf(n);
      if (who) standIns(who);
      if (getAttr(n, dash + 'ui') == mark) banner ||= n;
    }
  }
  trusting = 0;
  moveBanner();
};
const current = accessor('Document', 'currentScript').get;
const fetchLate = () => {
  const el = doc.createElement('script');
  el.install = (f) => call(current, doc, []) == el && f([/*shared*/]);
  el.nonce = nonce;
  el.fetchPriority = 'high'; // scripts of scripts wait for all others otherwise
  if (page.integrity) el.integrity = page.integrity, el.crossOrigin = ''; // (Integrity Policy: a digest counts with CORS only)
  el.onload = el.onerror = arrive;
  try { el.src = endpoint + late; } catch (e) { el.src = trusted('src', endpoint + late); }
  (doc.head || doc.documentElement).append(el); // XML has neither of itself
  el.remove(); // it runs nevertheless, and React 18 bears no node that it does not know where the parser goes on
};
// What is still to come of a document was written for the visitor's last answer, and the parser fetches what it names before
// any script sees it (HTML, 13.2.8): the document comes anew, once the gateway knows the answer.
const anew = () => {
  self.stop();
  settled(() => loc.reload());
};
// Another tab, frame or worker chose. What it takes away holds at once; what it grants only the gateway can say. Before the
// late part is there a document takes nothing back but by coming anew.
const heed = ({data: {granted, denied, vendors: theirs = {}, wait}}) => {
  const narrowed = {granted: now.granted & granted, denied: now.denied | denied, vendors: {}};
  for (const id in {...now.vendors, ...theirs}) {
    const said = [now.vendors[id], theirs[id]], no = said.includes(false);
    if (no || !said.includes(undefined)) narrowed.vendors[id] = !no;
  }
  now.wait = wait;
  answers.clear();
  now.apply ? (now.apply(narrowed, 1), now.refresh()) : (copy(now, narrowed), doc && anew());
};
if (follower) follower.onmessage = heed;
if (doc) {
  script.remove();
  patch(self);
  // The backstop: what got into the document by a way unknown here.
  new MutationObserver(observe).observe(doc, {subtree: true, childList: true, attributeFilter: [...fetching, 'xlink:href', 'style', 'srcdoc']});
  doc.addEventListener('readystatechange', moveBanner);
  if (/g/.test(google(4, 'analytics') + google(8, 'ads'))) consentMode();
  fetchLate();
} else {
  arrive();
  network(self);
}
