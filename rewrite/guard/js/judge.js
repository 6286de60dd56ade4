// Judge: what this page view permits, and whom a URL, a cookie or a storage key belongs to.
// The natives are taken now, before any other script can have changed them.
const {URL: Url, Map: Table, Set: List, WeakMap: Memo, WeakSet: Members, Proxy: Stand, Reflect: reflect, Promise: Later, setTimeout: after, document: doc, navigator: nav, location: loc, fetch: load, XMLHttpRequest: Xhr, Response: Reply, BroadcastChannel: Channel} = self;
const {defineProperty: define, getOwnPropertyDescriptor: describe, assign: copy, entries: pairs} = Object;
const none = () => {};
const script = doc && doc.currentScript;
// In a worker the page view's state comes in a global that the prelude sets.
const page = script ? {...script.dataset} : self.$consent;
const mark = page.mark, site = page.site;
// What holds now; the late part adds to it what it answers for (apply, capture, owner).
const now = {granted: +page.granted, denied: +page.denied, vendors: {}};
for (const entry of (page.vendors || '').split(',')) if (entry) now.vendors[entry.slice(1)] = entry[0] == '+';

// A party is {id, bit, globals}. Hosts lead to it, and FNV-1a of URL patterns (30 bits, 5 characters each).
const names = ['necessary', 'functional', 'analytics', 'marketing', 'social'];
const parties = new Table(), domains = new Table(), patterns = new Table(), globs = [], paths = [];
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
// A vendor that passes by default can be gated by a list, for another purpose than its own.
const party = (id, bit) => ((one) => one && one.bit == bit ? one : {id, bit})(parties.get(id));
const enlist = (lines) => {
  for (const line of lines.split(';')) {
    const [head, hosts = '', glob, group = '', ...globals] = line.split(' '), id = head.slice(1), one = {id, bit: 1 << head[0], globals};
    if (head[0] == '/') {
      paths.push([new RegExp('^[^?]*(' + hosts + ')', 'i'), parties.get(id)]);
      continue;
    }
    parties.set(id, one);
    for (const host of hosts.split(',')) domains.set(host + (host.includes('.') ? '' : '.com'), one);
    if (glob) globs[one.bit < 2 ? 'unshift' : 'push']([new RegExp('^(' + glob + ')', 'i'), one]);
    for (let at = 0; at < group.length;) {
      let key = 0;
      for (let j = 0; j < 5; j++) key = key * 64 + digits.indexOf(group[at++]);
      patterns.set(key, one);
    }
  }
};
enlist(catalogue);

// The party of the longest known pattern that begins a URL's host (or a part of it from a dot on), path and query. A path
// that ends in a letter or digit must end there: "/tr" is not "/trends".
const word = /[a-z0-9]{2}/i;
const lookup = (text, host) => {
  let h = 0x811c9dc5 | 0, found, asked;
  for (let i = 0; i < text.length && i < host + 64; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 16777619);
    if (i >= host && (asked || !word.test(text.slice(i, i + 2)))) found = patterns.get(h >>> 2) || found;
    asked = asked || text[i] == '?';
  }
  return found;
};

const permitted = (who) => who.bit < 2 || !now.suspended && (now.vendors[who.id] ?? (now.granted & who.bit) > 0);
const inside = (host, domain) => domain && (host == domain || host.endsWith('.' + domain));
const parse = (url) => {
  try {
    const u = new Url(url, doc ? doc.baseURI : loc.href);
    return /^(http|ws)s?:|^(stuns?|turns?):/.test(u.protocol) && u;
  } catch (e) {}
};

// The party of a URL whether or not it is permitted; 0 if nothing is to be done; unknown if the gateway has to be asked.
const unknown = {};
const identify = (url) => {
  const u = parse(url);
  if (!u) return 0;
  const host = (u.hostname || u.pathname.split(/[:?]/)[0]).replace(/\.$/, '');
  const own = inside(host, site);
  // Lists also know trackers on other hosts of the site; only the gateway has them.
  if (own && !judging || host == loc.hostname || u.origin == self.origin || allowed.some((h) => inside(host, h))) return 0;
  const known = answers.get(u.origin + u.pathname);
  if (own) return known ?? unknown;
  const rest = host + u.pathname + u.search;
  let who;
  for (const [glob, one] of globs) if (!who && glob.test(rest)) who = one;
  for (let i = -1; !who && i < host.length;) {
    const tail = rest.slice(i < 0 ? 0 : i);
    who = lookup(tail, host.length - (i < 0 ? 0 : i));
    if ((i = rest.indexOf('.', i + 1)) < 0) break;
  }
  for (let h = host; !who && h; h = h.replace(/^[^.]*\.?/, '')) who = domains.get(h);
  // A vendor's software on another host, and hosts that nobody has whose first label says what they are for.
  if (!who || who.bit < 2) for (const [path, one] of paths) if (path.test(u.pathname + u.search)) return one;
  if (!who && !u.search.includes('optOut') && /^[^.]+\.(?!(com?|net|org|gov|edu|ac|or|ne|go)\.\w\w$).*\./.test(host)) who = domains.get(host.replace(/\d*\..*/, '.'));
  // Who passes by default may still be on a list.
  if (who && !(judging && who.bit == 1)) return who;
  if (known != null) return known;
  // The rest of the catalogue comes with the late part; who is unknown to it as well only the gateway can say.
  return now.complete && !judging ? strict && party('-', 8) : unknown;
};

// The gated party of a URL, 0 if it may be fetched, or unknown.
const judge = (url) => {
  const who = identify(url);
  return who && who != unknown && permitted(who) ? 0 : who;
};

// Asking the gateway about URLs unknown here. No answer gates.
const answers = new Table();
const endpoint = self.origin + prefix + '/';
const learn = (asked, verdicts) => asked.forEach(([url], i) => {
  const text = verdicts ? verdicts[i] : 'marketing -', u = parse(url);
  if (answers.size > 5000) answers.clear();
  const [purpose, id] = text.split(' ');
  answers.set(u.origin + u.pathname, text ? party(id, 1 << names.indexOf(purpose)) : 0);
});
const decode = (body) => {
  try { return JSON.parse(body).v; } catch (e) {}
};
const json = {'Content-Type': 'application/json'};
let batch, replied, line = Later.resolve(), arrive;
const arrived = new Later((done) => arrive = done);
const query = (url, kind) => {
  if (!batch) {
    const asked = batch = [];
    replied = new Later((done) => after(function settled() { now.wait > Date.now() ? after(settled, 99) : done(); }, 4)).then(() => {
      batch = 0;
      return load(endpoint + 'judge', {method: 'POST', body: JSON.stringify({u: asked}), headers: json});
    }).then((r) => r.text()).then(decode, none).then((v) => learn(asked, v));
  }
  batch.push([parse(url).href, kind]);
  return replied;
};
// Answers come in the order of the questions.
const ask = (url, kind, then) => {
  const answer = arrived.then(() => judge(url) == unknown && query(url, kind));
  line = line.then(() => answer).then(() => then(judge(url))).catch(none);
};
const loadNow = (url, body) => {
  const x = new Xhr();
  reflect.apply(open, x, [body ? 'POST' : 'GET', url, false]);
  if (body) x.setRequestHeader('Content-Type', 'application/json');
  reflect.apply(send, x, [body]);
  return x;
};
const askNow = (urls, kind) => {
  let body;
  const asked = urls.map((url) => [parse(url).href, kind]);
  try { body = loadNow(endpoint + 'judge', JSON.stringify({u: asked})).responseText; } catch (e) {}
  learn(asked, decode(body));
};
const addresses = (text) => text.match(/(https?:)?\/\/[^\s"'()<>\\]+/gi) || [];
// Asks at once about all that a text names.
const foresee = (text, kind) => {
  const urls = addresses(text).filter((url) => judge(url) == unknown);
  if (urls.length) askNow(urls, kind);
};
const {open, send} = Xhr ? Xhr.prototype : {};
const judgeNow = (url, kind) => {
  if (judge(url) == unknown) askNow([url], kind);
  return judge(url);
};
