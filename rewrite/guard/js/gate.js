// Gate: takes the addresses off elements, markup and style before they are fetched, and keeps them for revival.
const proto = (w, name) => (w[name] || none).prototype || {};
const call = reflect.apply;
// An object's stand-in, always the same, and what a stand-in stands in for.
const stands = new Memo(), reals = new Memo(), real = (x) => reals.get(x) || x;
const standIn = (object, traps) => {
  let stand = stands.get(object);
  if (!stand && object) {
    stands.set(object, stand = new Stand(object, traps));
    reals.set(stand, object);
  }
  return stand || object;
};
const parked = new List(), originals = new Memo(), once = new Members(), failed = new Members(), boxes = new Memo();
// Natives as functions of the object that they are called on.
const native = (f) => (on, ...args) => call(f, on, args);
const [setAttr, getAttr, dropAttr, hasAttr, select] = ['setAttribute', 'getAttribute', 'removeAttribute', 'hasAttribute', 'querySelectorAll'].map((name) => native(proto(self, 'Element')[name]));
const accessor = (type, name) => describe(proto(self, type), name) || {};
const attributesOf = native(accessor('Element', 'attributes').get), setInner = native(accessor('Element', 'innerHTML').set), setText = native(accessor('Node', 'textContent').set), getText = native(accessor('Node', 'textContent').get);
const setSrcdoc = (el, markup) => setAttr(el, 'srcdoc', policy(markup));
const animating = /^(to|from|by|values)$/, painted = new List(['style', 'mask', 'cursor', 'filter', 'clip-path', 'fill', 'stroke', 'marker-start', 'marker-mid', 'marker-end']);
const fetching = new List(['src', 'href', 'srcset', 'imagesrcset', 'data', 'poster', 'background', 'ping', 'attributionsrc']);
// What is judged is what is used: an object that page code passes for a string is asked for it once, as the browser asks
// (Web IDL, 3.2.10; not by valueOf, as + does). Trusted Types stay.
const types = self.trustedTypes;
const isTrusted = (v) => types && (types.isHTML(v) || types.isScriptURL(v) || types.isScript(v));
const fixed = (v) => Object(v) === v && !isTrusted(v) ? `${v}` : v;
const kept = 'data-consent', dash = kept + '-';

// Whether an element fetches what its attribute names, or may once another one has changed. By href a and area never do, and
// what the page's own base says is known.
const fetches = (el, name) => animating.test(name) ? /^(set|animate)$/.test(el.localName) : fetching.has(name)
  && !(name == 'href' && (/^(a|area)$/.test(el.localName) || el.localName == 'base' && el.ownerDocument == doc))
  && (name != 'data' || el.localName == 'object');

// The beginning of a URL without what a browser passes over there (URL, 4.4): enough to tell its scheme.
const head = (url) => ('' + url).slice(0, 999).replace(/^[\0- ]+|[\t\n\r]/g, '');
const made = (url) => /^(blob|data):/i.test(head(url));

// A document in a data: URL is as good as the addresses in it.
const within = (value) => {
  try { value = decodeURIComponent(value); } catch (e) {}
  return addresses(value);
};
const urlsOf = (name, value) => /^(javascript:|data:(image\/svg|\w+\/x?h?t?ml))/i.test(head(value)) ? within(value) : /set$|ping|values/.test(name) ? value.split(/[\s,;]+/).filter((u) => /[/:]/.test(u)) : [value];
let sync = 0;
const gatedBy = (el, name, value) => {
  if (once.has(el)) return 0;
  let held = 0;
  if (el.localName == 'script' && made(value)) return codeIn(value);
  for (const url of urlsOf(name, value)) {
    const who = sync ? judgeNow(url, el.localName) : judge(url);
    if (who && who != unknown) return who;
    held = held || who && !trusting && url;
  }
  return held && [held];
};

// CSS: url(…) and strings that are addresses become about:invalid#consent,… (see rewrite.InertCSS).
const inert = (who, url) => 'about:invalid#consent,' + mark + ',' + purposeOf(who) + ',' + who.id + ',' + encodeURIComponent(url).replace(/['()]/g, escape);
// Escaped letters are read first, then comments, url(…) and strings, which the end of the text or a bare newline ends, too.
const letter = (all, hex, plain) => plain || ((c) => /[a-z]/i.test(c) ? c : all)(String.fromCharCode(parseInt(hex, 16)));
const css = (text) => {
  if (!/url|["'\\]/i.test(text)) return text;
  foresee(text = '' + text, 'style');
  const far = !ownBase();
  let changed;
  const safe = text.replace(/\\(?:([0-9a-f]{1,6})(?:\r\n|\s)?|([g-z])|[^])/gi, letter)
    .replace(/\/\*[^]*?(?:\*\/|$)|\\[^]|(url\(\s*)((?:\\[^]|[^"'\s)\\])(?:\\[^]|[^)\\])*?)(?=\s*(?:\)|$))|(["'])((?:\\[^]|(?!\3)[^\\\n\r\f])*)\3?/gi, (all, fn, bare, quote, quoted, at, whole) => {
      const url = (bare || quoted || '').replace(/\\([0-9a-f]{1,6}(?:\r\n|\s)?|[^])/gi, (_, c) => /^[0-9a-f]/i.test(c) ? String.fromCodePoint(Math.min(parseInt(c, 16), 0x10ffff)) : c < ' ' ? '' : c);
      const who = (far || /[:\\]|\/\s*\//.test(url)) && judgeNow(url, 'style');
      const to = who ? inert(who, url) : made(url) && /import[^;{}]*$/i.test(whole.slice(Math.max(at - 99, 0), at)) ? sheet(url) : url;
      return to == url ? all : (changed = 1, (fn || quote) + to + (fn ? '' : quote));
    });
  return changed ? safe : text;
};
// A style sheet made from a blob or in a data: URL.
const sheet = (url) => {
  try {
    const text = loadNow(url).responseText, safe = css(text);
    if (safe != text) return holding(safe, 'text/css', url);
  } catch (e) {}
  return url;
};
// A URL for a text instead of another one. A data: URL stays one: its origin is nobody's.
const holding = (text, type, url) => (type += ';charset=utf-8', head(url) > 'c' ? 'data:' + type + ',' + encodeURIComponent(text) : objectUrl(new Blob([text], {type})));
// What stands for a frame the late part asks the gateway for.
const standFor = (el, again) => el.width != 1 && el.height != 1 && arrived.then(() => now.stand?.(el, again));
// Next.js starts a page when these have come, or failed (client/app-bootstrap), and players a film. Other scripts are only late.
const awaited = (url) => /ima3/.test(url) || self.__next_s?.some?.((s) => s?.[0] == url);
const park = (el, name, value, who) => {
  const local = el.localName, script = local == 'script', text = '' + value;
  if (!marks(el)) for (const a of heldBy(el)) dropAttr(el, a.name);
  dropAttr(el, name); // first: in Firefox a frame's natives may be those of its parent's guard, which takes it for the page's act
  setAttr(el, kept, mark + ' ' + (purposeOf(who) || 'held') + ' ' + (who.id || '-'));
  if (name) setAttr(el, dash + name, text);
  if (text !== value) originals.set(el, value); // a Trusted Types object
  if (script && !hasAttr(el, dash + 'parked')) {
    const type = getAttr(el, 'type');
    if (type != null) setAttr(el, dash + 'type', type);
    setAttr(el, dash + 'parked', '');
    setAttr(el, 'type', 'text/plain');
  }
  if (parked.size < 5000) parked.add(el);
  if (!who.bit) return;
  if (script && text) who.globals ? standIns(who) : now.foreign(who, text);
  if ((local == 'img' || script && awaited(text)) && !failed.has(el)) failed.add(el), after(() => el.dispatchEvent(new Event('error')));
  if (local == 'iframe' && name == 'src') standFor(el, 1);
};
// The page gives an element another address: what was kept of the old one goes.
const unpark = (el, name) => {
  if (!hasAttr(el, dash + name)) return;
  for (const a of heldBy(el)) {
    if (a.name == dash + 'type') setAttr(el, 'type', a.value);
    dropAttr(el, a.name);
  }
  if (el.localName == 'iframe') dropAttr(el, 'srcdoc');
  parked.delete(el);
};
const marks = (el) => getAttr(el, kept)?.startsWith(mark), heldBy = (el) => [...attributesOf(el)].filter((a) => a.name.startsWith(kept));
const keptValue = (el, name) => marks(el) ? getAttr(el, dash + name) : null;

const partyOf = (el) => {
  const [m, purpose, id, ...globals] = (getAttr(el, kept) || '').split(' ');
  return m == mark && names.includes(purpose) && party(purpose, id, ...globals);
};
// Gives an element back what was taken off; the placeholder of a frame is kept for a withdrawal.
const restore = (el) => {
  const held = heldBy(el), src = (a) => /-src/.test(a.name);
  if (el.localName == 'iframe' && hasAttr(el, 'srcdoc')) {
    boxes.set(el, getAttr(el, 'srcdoc'));
    if (keptValue(el, 'srcdoc') == null) dropAttr(el, 'srcdoc');
  }
  if (el.localName == 'script' && keptValue(el, 'type') == null) dropAttr(el, 'type');
  // The name by which the gateway kept the frame out of the browser's history.
  if (/^consent-/.test(el.name)) dropAttr(el, 'name');
  for (const a of held) dropAttr(el, a.name);
  parked.delete(el);
  for (const {name, value} of held.sort((a, b) => src(a) - src(b))) {
    const attr = name.slice(dash.length).replace('xlink:', '');
    if (attr && attr != 'parked') setAttr(el, attr, originals.get(el) || (/^(src|on)/.test(attr) ? trusted(attr, value) : value));
  }
};
const trusted = (attr, value) => (policy(''), ours ? ours[{src: 'createScriptURL', srcdoc: 'createHTML'}[attr] || 'createScript'](value) : value);

// A document made from a blob or in a data: URL gets the guard in front; XML, where that cannot be, must name no gated
// party.
const guarded = (url) => {
  try {
    const x = loadNow(url), type = x.getResponseHeader('Content-Type'), text = x.responseText;
    if (/^text.html/i.test(type)) {
      const safe = frame(text);
      if (safe != text) return holding(safe, 'text/html', url);
    }
    if (/xml/i.test(type) && addresses(text).some((u) => judgeNow(u, 'image'))) return 'about:blank';
  } catch (e) {}
  return url;
};
// The gated party that code imports from, if the code says so.
const importOf = (code) => within((code.match(/\bimport\b[^;"'`]*.[^"'`\s]+/g) || []).join(' ')).map((url) => judgeNow(url, 'script')).find((who) => who);

const codeIn = (url) => {
  try { return importOf(loadNow(url).responseText) || 0; } catch (e) { return 0; }
};

// An attribute is about to get a value; go does it. Returns true if it was gated or held.
const assign = (el, name, value, go) => {
  name = name.toLowerCase().replace(/^xlink:/, '');
  if (painted.has(name)) return void go(css(value));
  if (name == 'srcdoc' && el.localName == 'iframe') return void go((isTrusted(value) ? policy : fixed)(frame('' + value)));
  if (name == 'type' && keptValue(el, 'parked') != null) return void setAttr(el, dash + 'type', value);
  if (!fetches(el, name)) return void go(value);
  if (animating.test(name)) value = css(value);
  if (/^(i?frame|embed|object|link)$/.test(el.localName) && made(value)) value = (el.localName == 'link' ? sheet : guarded)('' + value);
  const who = gatedBy(el, name, '' + value);
  if (!who) {
    unpark(el, name);
    return void go(value);
  }
  const held = who[0];
  park(el, name, value, held ? unknown : who);
  if (held) ask(held, el.localName, () => {
    if (keptValue(el, name) == value) gatedBy(el, name, '' + value) == 0 ? restore(el) : assign(el, name, value, none);
  });
  return true;
};

// Looks at what already stands on an element; returns whether something was gated.
const special = 'x,style,script:not([src]),set,animate,meta[http-equiv]';
const marked = '[' + [...fetching].join('],[') + '],[' + [...painted].join('*="("],[') + '*="("],[data-consent],[*|href],[srcdoc],template,' + special;
const inspect = (el) => {
  let changed = 0;
  const local = el.localName, by = getAttr(el, kept), from = by && by.split(' ')[0];
  if (fragments.has(from)) changed = 1, setAttr(el, kept, by.replace(from, mark));
  for (const a of [...attributesOf(el)]) {
    const name = a.localName;
    if (painted.has(name)) {
      const text = css(a.value);
      if (text != a.value) changed = 1, a.value = text;
    } else if (fetches(el, name)) changed = assign(el, name, a.value, (v) => v == a.value || el.isConnected && head(v) < 'd' || setAttr(el, a.name, v, changed = 1)) && (a.name == name || dropAttr(el, a.name), 1) || changed;
    else if (name == 'srcdoc' && keptValue(el, 'src') == null && frame(a.value) != a.value) changed = 1, setSrcdoc(el, frame(a.value));
  }
  if (local == 'style') changed = restyle(el) || changed;
  if (local == 'iframe' && el.isConnected && doc.readyState != 'loading' && keptValue(el, 'src') != null) standFor(el);
  if (local == 'meta' && /refresh/i.test(el.httpEquiv) && judge(/url\s*=\s*['"]?([^'"]*)/i.exec(el.content)?.[1])) changed = 1, dropAttr(el, 'http-equiv');
  if (local == 'script' && /^(speculationrules|importmap)$/i.test(el.type)) {
    try {
      let gated;
      const safe = JSON.stringify(JSON.parse(getText(el), (k, v) => /[\\/]/.test(v) && judgeNow(v, 'script') ? gated = 'data:,' : v));
      if (gated) changed = 1, setText(el, safe);
    } catch (e) {}
  }
  const imported = local == 'script' && !el.src && keptValue(el, 'parked') == null && importOf(el.textContent);
  if (imported) changed = 1, park(el, '', '', imported);
  if (el.content?.firstChild) changed = scan(el.content) || changed;
  if (el.shadowRoot) changed = scan(el.shadowRoot) || changed;
  return changed;
};
const restyle = (el) => {
  const text = getText(el), safe = css(text);
  if (safe != text) setText(el, safe);
  return safe != text;
};
// An element's own methods may be hidden by form controls of their names.
const all = (root, by) => root.firstElementChild ? root.localName ? select(root, by) : root.querySelectorAll(by) : [];
const scan = (root) => {
  let changed = root.localName ? inspect(root) : 0;
  for (const el of all(root, marked)) changed = inspect(el) || changed;
  return changed;
};

// Markup is parsed where nothing is fetched, gated there, and only then handed to the page.
const inertDoc = doc?.implementation.createHTMLDocument('');
// Where the document is XML markup is XML, too (HTML, 8.5.1).
const inertXML = doc?.implementation.createDocument(doc.documentElement.namespaceURI, '');
// Markup that names no other host, nor could after its escapes are resolved, needs no look.
const ownBase = () => !doc || doc.baseURI.startsWith(self.origin);
const plain = (markup) => !/\/\s*[/\\]|\\|&(#|sol|colon|bsol|tab|new)|(http|ws)s?:|:\s*(text|image.svg|appl)|srcdoc/i.test(markup) && ownBase();
const boxFor = (el, d = el.ownerDocument.contentType == 'text/html' ? inertDoc : inertXML) => el.nodeType == 1 ? d.importNode(el, false) : d.createElement('template');
// Markup with what is gated taken out, for where its nodes are made only later: so each address is judged at once. Templates
// that declare a shadow root stay templates here, where nothing hides from the scan.
const gatedMarkup = (markup) => {
  const t = inertDoc.createElement('template');
  setInner(t, policy(markup));
  foresee('' + markup, 'write');
  sync++;
  const changed = scan(t.content), out = t.innerHTML;
  sync--;
  return changed || /consent/.test(out) ? policy(out) : markup; // a frame's natives may be those of its parent's guard
};
// A document for srcdoc: gated, and guarded by this very script.
const frame = (markup) => {
  const [, type = '', rest] = /^(\s*<!doctype[^>]*>)?([^]*)$/i.exec(markup);
  return /^<script( (data-[\w-]+|nonce)(=("[^"]*"|\d+))?)*>$/.test(rest.split(source)[0]) ? markup : type + guardTag() + gatedMarkup(rest);
};
let ours;
const policy = (markup) => {
  if (!types) return markup;
  try {
    ours = ours || types.createPolicy('caddy-consent', {createHTML: (s) => s, createScriptURL: (s) => s, createScript: (s) => s});
  } catch (e) {}
  return ours ? ours.createHTML(markup) : markup;
};
