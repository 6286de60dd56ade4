// Replay: calls that stand-ins took, calls back who waits for their answer, and gives the vendor what it was told once it
// is there; vendors' own consent commands.

// Nobody but a stand-in called a page's code here, which therefore does not lead the page to itself, to be called there again,
// for ever: neither in this turn nor by a timer set in it, unless its visitor is at it.
let turns = 0;
const turn = now.turn = () => after(() => turns--, turns++);
const address = (url) => cut(parse(url).href, '#')[0];
const circles = (url) => turns && !self.navigator.userActivation?.isActive && address(url) == address(loc);
self.navigation?.addEventListener('navigate', (e) => e.cancelable && !e.destination.sameDocument && circles(e.destination.url) && e.preventDefault());
hook(self, 'setTimeout,setInterval', (on, [f, ...args], go) => go([turns && typeof f == 'function' ? (...given) => (turn(), call(f, self, given)) : f, ...args]));
// A form does so a moment later, and puts what it has into the query.
const sends = (form) => circles(cut(getAttr(form, 'action') || '', '?')[0] + loc.search);
hook(self, 'HTMLFormElement.submit', (form, args, go) => sends(form) || go(args));
self.addEventListener('submit', (e) => sends(e.target) && e.preventDefault());

// What waits for a vendor may ask for more of it than a stand-in has.
const later = (f, ...args) => after(() => {
  turn();
  try { f(...args); } catch (e) {}
});
const waits = /^((hit|event_?)?callback|success|bidsBackHandler|onload|loaded|complete|command)$/i;
const listens = /^(on|once|onEvent|off|un\w*|bind|catch|fail|subscribe|setCallback|\w*listen\w*|\w*observer)$/i;
// A player that asks for advertisements hears that there are none, and shows the film (Google IMA SDK, AdErrorEvent).
const fallbacks = [];
// A stand-in was called: its functions are called back, but those that listen for what will not happen.
now.called = (last, args, self) => {
  const words = args.filter((a) => typeof a == 'string');
  if (args[0] == 'AD_ERROR') fallbacks.push(args[1]);
  if (last == 'requestAds') for (const f of fallbacks) later(f, self);
  const ears = (listens.test(last) || /(^|[:.])on([A-Z]|$)|[lL]istener/.test(words[0])) && !/ready|\bload/i.test(words);
  // ga.js leads to the address itself, with its cookies in it.
  if (last == '_link' || words[0] == '_link') loc.href = words[+!last];
  for (const a of args) {
    if (typeof a == 'function') ears || a.then || later(a, self); // two stand-ins would call each other for ever
    else if (a && typeof a == 'object') for (const k in a) if (waits.test(k) && typeof a[k] == 'function') later(a[k], self);
  }
};
// The page defines what it is called back by when its code is there.
now.stood = (name) => {
  const ready = () => name == 'FB' && later(() => self.fbAsyncInit());
  doc.readyState == 'loading' ? doc.addEventListener('DOMContentLoaded', ready) : ready();
};

// What a vendor's script would define only the gateway knows.
now.foreign = (who, url) => {
  who.globals = [];
  query(url, 'script').then(() => standIns({...who, ...answers.get(parse(url).origin + parse(url).pathname)}));
};

const runsIn = (args, replay) => args.map((a) => typeof a == 'function' ? replay : a);
// What the page had put into the place of a namespace, without what only the vendor has. Empty, it is a list if something was
// pushed there.
const namespace = (calls) => {
  const root = {};
  for (const [path, value, set] of calls) if (set) {
    let on = root;
    for (const k of path.slice(0, -1)) on = on[k] = on[k] || {};
    const last = path[path.length - 1];
    on[last] = value != none ? value : on[last] || (calls.some(([p]) => p == path + ',push') ? [] : {});
  }
  return root;
};
// Before revival the stand-ins of permitted vendors go; what is returned replays the calls of those whose vendor is there.
const stepAside = () => {
  const aside = [];
  for (const [name, {who, calls, list, get, taken, on, key}] of standing) if (permitted(who)) {
    standing.delete(name);
    if (describe(on, key)?.get != get) continue; // the page declares a function of that name
    delete on[key];
    if (list && (list.length || taken)) delete list.push, self[name] = list;
    else if (calls.some((c) => c[2]) && calls.every(([path, , set]) => set || path.length)) self[name] = namespace(calls);
    aside.push([name, calls]);
  }
  return () => aside.forEach(([name, calls]) => name in self && calls.splice(0).forEach(([path, args, set]) => {
    try {
      let on = self, f = self[name];
      for (const k of path) on = f, f = f[k];
      if (!set && typeof f == 'function') call(f, on, /^(cmd|que)$/.test(path[0]) ? args : runsIn(args, none));
    } catch (e) {}
  }));
};

// Vendors' own consent commands. All that is new is told after a choice, the noes at once at a withdrawal, and on each page
// of a visitor who agreed what vendors forget (*).
const told = new Table();
const tell = (only) => {
  for (const text of commands.split(';')) {
    const [key, name, methods, args, no, yes] = text.split(' '), id = key.replace('*', ''), who = parties.get(id), on = who && permitted(who);
    if (!who || !self[name] || standing.has(name) || only == 'no' && on || only == 'yes' && !(on && key != id)) continue;
    const said = ('[' + [args, on ? yes : no].filter((s) => s) + ']').replace('$ads', permitted({id: 'microsoft-uet', bit: 8}) ? 'granted' : 'denied'), [refuse, grant = refuse] = methods.split('|');
    if (told.get(id) == on + said) continue;
    told.set(id, on + said);
    try {
      let f = self[name], object = self;
      for (const k of (on ? grant : refuse).split('.')) if (k) object = f, f = f[k];
      call(f, object, JSON.parse(said));
    } catch (e) {}
  }
};
// A site that has Consent Mode of its own sets a default after ours: an update has the last word.
const lastWord = () => now.layered && [...self.dataLayer].filter((e) => e && e[0] == 'consent').length > 1 && consentMode();

// What hides a page until a product has chosen what it shows: styles and classes of the root known by their names. They go where
// anything at all is gated.
const veils = 'style:is([id*=flicker i],[id*=-prehid],#at-body-style,#amp-exp-css,#kameleoonLoadingStyleSheet,#_vis_opt_path_hides)';
const release = () => {
  const {classList} = doc.documentElement;
  if (now.granted > 30) return;
  for (const style of doc.querySelectorAll(veils)) style.disabled = true;
  for (const name of [...classList]) if (/async-hide|flicker/.test(name)) classList.remove(name);
};
