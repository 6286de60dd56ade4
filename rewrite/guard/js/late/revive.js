// Revive: brings back what is permitted now, in the order of the document; gates again what no longer is.
const revived = new Members();
let reviving = 0;
const buffers = new Memo(), late = [];
// document.write of a revived script is kept and put where the script stands.
now.capture = (text) => {
  const s = doc.currentScript;
  if (doc.readyState == 'loading' || !s || !revived.has(s)) return false;
  buffers.set(s, (buffers.get(s) || '') + text);
  return true;
};
// Scripts of other types are for page code, such as Partytown: nobody is to wait for them.
const runs = (el) => /^$|module|ascript/i.test(el.type);
// Its scripts run one after the other, and what stands behind it waits for them, as it does for a parser.
const spill = async (s) => {
  const markup = buffers.get(s);
  if (!markup) return;
  buffers.delete(s);
  const r = doc.createRange();
  r.setStartAfter(s);
  const fragment = r.createContextualFragment(policy(markup));
  const scripts = [...fragment.querySelectorAll('script')].filter((el) => !hasAttr(el, kept) && runs(el));
  for (const el of scripts) setAttr(el, kept, mark), setAttr(el, dash + 'type', el.type), setAttr(el, 'type', 'text/plain');
  r.insertNode(fragment);
  for (const el of scripts) {
    const run = runScript(el);
    hasAttr(el, 'async') || hasAttr(el, 'defer') || await run;
  }
};

// Changes an element while it is out of the document: then a script runs, and a frame adds no step to the browser's history,
// by which Back would lead to what it showed before.
const afresh = (el, parent = el.localName == 'iframe' && el.parentNode, change = restore) => {
  const next = el.nextSibling;
  if (parent) parent.removeChild(el);
  try { change(el); } catch (e) {}
  if (parent) parent.insertBefore(el, next);
};

const runScript = (el) => new Later((done) => {
  const src = keptValue(el, 'src') ?? getAttr(el, 'src'), dynamic = keptValue(el, 'parked') != null, finish = () => spill(el).then(done, done);
  revived.add(el);
  if (!dynamic && el.async && !hasAttr(el, 'async')) el.async = false;
  if (src != null) {
    el.addEventListener('load', finish);
    el.addEventListener('error', finish);
    after(done, 10000);
  }
  afresh(el, (!dynamic || src == null) && el.parentNode);
  if (src == null || el.noModule || !el.isConnected || !runs(el)) finish();
});

// Revives elements: all that are permitted, or those given.
const revive = async (only) => {
  const replay = only ? none : stepAside(), loose = [], ready = (el) => {
    const who = partyOf(el);
    return only || who && permitted(who);
  };
  const list = (only || [...new List([...doc.querySelectorAll('[' + kept + ']'), ...parked])]).filter(ready), deferred = [];
  if (!only) sheets(uncss);
  if (!only && !now.layered) consentMode(), lastWord();
  reviving++;
  for (const el of list) if (el.localName != 'script') afresh(el);
  for (const el of list) if (el.localName == 'script') {
    const src = keptValue(el, 'src') != null, module = /module/i.test(keptValue(el, 'type'));
    if (hasAttr(el, 'async') || keptValue(el, 'parked') != null && el.async) loose.push(runScript(el));
    else if (module || src && el.defer) deferred.push(el);
    else await runScript(el);
  }
  for (const el of deferred) await runScript(el);
  for (const f of late.splice(0)) f();
  reviving--;
  replay();
  loose.forEach((script) => script.then(replay));
};

// Listeners for events that are over, added by a revived script, are called after revival.
const lateListeners = () => {
  hook(self, 'EventTarget.addEventListener', (target, args, go) => {
    const s = doc.currentScript, [type, listener] = args, on = target || self;
    if (s && revived.has(s) && doc.readyState == 'complete' && (type == 'load' && on == self || /^(DOMContentLoaded|readystatechange)$/.test(type))) {
      const fire = () => {
        try { typeof listener == 'function' ? call(listener, on, [new Event(type)]) : listener.handleEvent(new Event(type)); } catch (e) { after(() => { throw e; }); }
      };
      reviving ? late.push(fire) : after(fire);
      return;
    }
    return go(args);
  });
  for (const [object, key, type] of [[self, 'onload', 'load'], [proto(self, 'Document'), 'onreadystatechange', 'readystatechange']]) property(object, key, (on, value, go) => {
    const s = doc.currentScript;
    go(value);
    if (s && revived.has(s) && doc.readyState == 'complete' && typeof value == 'function') late.push(() => value.call(on || self, new Event(type)));
  }, (on, go) => go());
};

// The other way, for what is permitted by now, or for who only reads.
const uncss = (text, reads) => text.replace(/about:invalid#consent,([\w-]+),(\w+),([\w-]+),([^"')\s&]*)/g, (all, m, purpose, id, url) => {
  if (m != mark && !fragments.has(m) || !reads && !permitted(party(purpose, id))) return all;
  try { return decodeURIComponent(url).replace(/["'()\\\s]/g, escape); } catch (e) { return all; }
});
// What page code reads as markup is what it wrote or was sent, not what was made of it: editors save what they read. In
// serialised tags every value is quoted (HTML, 13.3). A template is not: in one gatedMarkup gates, in frames by these natives.
const printed = (markup) => markup.includes(mark) ? uncss(markup, 1).replace(/<[\w:-]+(?: [^ =]+="[^"]*")+/g, (tag) => tag.includes(kept + '="' + mark)
  ? tag.replace(/ (?:data-consent(?:-parked)?="|name="consent-|srcdoc="|type="text\/plain)[^"]*"|( )data-consent-/g, '$1') : tag) : markup;
const reading = (w) => ['inner', 'outer'].forEach((key) => property(w, `Element.${key}HTML`, (on, value, go) => go(value), (on, go) => on.content ? go() : printed(go())));

// Selectors find what is gated, too: who finds no script of an address makes it once more (React 19), and a film keeps its shape.
const finding = () => hook(self, 'Document,DocumentFragment,Element.querySelector,querySelectorAll Element.matches,closest', (on, [by], go) => go([`${by}`.replace(/\[(src\b("[^"]*"|'[^']*'|[^\]"'])*])/g, `:is($&,[${dash}$1)`)]));

// Rules of the page's own style sheets, changed one by one.
const sheets = (change) => {
  for (const sheet of [...doc.styleSheets, ...doc.adoptedStyleSheets]) try {
    [...sheet.cssRules].forEach((rule, i) => {
      const text = rule.cssText, now = /about:invalid#consent|\/\//.test(text) ? change(text) : text;
      if (now == text) return;
      sheet.deleteRule(i);
      sheet.insertRule(now, i);
    });
  } catch (e) {}
  for (const el of doc.querySelectorAll('[style*="//"],[style*="about:invalid#consent"]')) {
    const text = getAttr(el, 'style'), now = change(text);
    if (now != text) setAttr(el, 'style', now);
  }
};

// What only its shape tells to be a pixel, as the gateway sees it in markup (html.isBeacon).
const tiny = ({width, height}) => /^\s*[01]([ .p]|$)/i.test(width) && /^\s*[01]([ .p]|$)/i.test(height);
const pixel = (el) => {
  const {style} = el, width = getAttr(el, 'width'), height = getAttr(el, 'height');
  return tiny(style) || tiny({width, height}) || (el.hidden || style.display == 'none' || style.visibility == 'hidden' || style.opacity === '0') && !(parseInt(width) > 1 && parseInt(height) > 1);
};
const stranger = (url) => {
  const u = parse(url), who = identify(url);
  return u && !inside(u.hostname, site) && who !== 0 && !who.bit;
};

// After a withdrawal: frames, images and objects of gated vendors lose their addresses, those that still wait for their turn
// too; sockets close.
const retract = () => {
  const nobody = party('marketing', '-');
  if (!permitted(nobody)) for (const el of doc.images) for (const name of ['src', 'srcset']) {
    const value = getAttr(el, name);
    if (value && pixel(el) && stranger(value)) park(el, name, value, nobody);
  }
  for (const el of doc.querySelectorAll('iframe')) {
    const src = getAttr(el, 'src'), who = src && gatedBy(el, 'src', src);
    if (who && !who[0]) afresh(el, el.parentNode, () => {
      scan(el);
      if (boxes.has(el)) setSrcdoc(el, boxes.get(el));
    });
  }
  scan(doc.documentElement);
  for (const [socket, who] of sockets) if (!permitted(who)) sockets.delete(socket), socket.close();
  sheets(css);
};
