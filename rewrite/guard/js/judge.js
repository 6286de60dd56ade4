// Judge: what this page view permits, and whom a URL, a cookie or a storage key belongs to.
// The natives are taken now, before any other script can have changed them.
const {URL: Url, Map: Table, Set: List, WeakMap: Memo, WeakSet: Members, Proxy: Stand, Reflect: reflect, Promise: Later, setTimeout: after, document: doc, navigator: nav, location: loc, fetch: load, XMLHttpRequest: Xhr, Response: Reply, BroadcastChannel: Channel} = self;
const {defineProperty: define, getOwnPropertyDescriptor: describe, assign: copy, entries: pairs} = Object;
const none = () => {};
const {split} = '', cut = (text, by) => reflect.apply(split, text, [by]);
const script = doc?.currentScript;
// In a worker the page view's state comes in a global that the prelude sets.
const page = script ? {...script.dataset} : self.$consent;
const mark = page.mark, site = page.site;
// What holds now; the late part adds to it what it answers for (apply, capture, owner).
const now = {granted: +page.granted, denied: +page.denied, vendors: {}};
for (const entry of (page.vendors || '').split(',')) if (entry) now.vendors[entry.slice(1)] = entry[0] == '+';

// A party is {id, bit, globals}. Whose a host or path is the late part knows, and the gateway, which alone knows the globals.
const names = ['necessary', 'functional', 'analytics', 'marketing', 'social'];
const party = (purpose, id, ...globals) => ({id, bit: 1 << (names.indexOf(purpose) + 1 || 4) - 1, globals});
const purposeOf = (who) => names[Math.log2(who.bit)];

const permitted = (who) => who.bit < 2 || !now.suspended && (now.vendors[who.id] ?? (now.granted & who.bit) > 0);
const inside = (host, domain) => domain && (host == domain || host.endsWith('.' + domain));
const parse = (url) => {
  try {
    const u = new Url(url, doc?.baseURI || loc);
    return /^(http|ws|stun|turn)s?:/.test(u.protocol) && u;
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
  return (own || !now.recognise ? known : now.recognise(u, host, known)) ?? unknown;
};

// The gated party of a URL, 0 if it may be fetched, or unknown.
const judge = (url) => {
  const who = identify(url);
  return who && permitted(who) ? 0 : who; // what is unknown nobody has permitted
};

// Asking the gateway about URLs unknown here. No answer gates.
const answers = new Table();
const endpoint = self.origin + prefix + '/';
const learn = (asked, verdicts) => {
  let i = 0;
  if (answers.size > 5000) answers.clear(); // not among those that somebody waits for
  for (const [url] of asked) {
    const text = verdicts ? verdicts[i++] : 'marketing -', u = parse(url);
    answers.set(u.origin + u.pathname, text && party(...cut(text, ' ')));
  }
};
const decode = (body) => {
  try { return JSON.parse(body).v; } catch (e) {}
};
let batch, replied, line = Later.resolve(), arrive;
const arrived = new Later((done) => arrive = done);
// Calls done once the gateway knows the answer that another tab was told of.
const settled = (done) => now.wait > Date.now() ? after(settled, 99, done) : done();
const query = (url, kind) => {
  if (!batch || batch.length > 99) {
    const asked = batch = [];
    replied = new Later((done) => after(settled, 1, done)).then(() => {
      if (batch == asked) batch = 0;
      return load(endpoint + 'judge', {method: 'POST', body: JSON.stringify({u: asked})});
    }).then((r) => r.text()).then(decode, none).then((v) => learn(asked, v));
  }
  batch.push([parse(url).href, kind]);
  return replied;
};
// Answers come in the order of the questions.
const ask = (url, kind, then) => {
  const answer = (judging ? Later.resolve() : arrived).then(() => judge(url) == unknown && query(url, kind));
  line = line.then(() => answer).then(() => then(judge(url))).catch(none);
};
const loadNow = (url, body) => {
  const x = new Xhr();
  reflect.apply(open, x, [body ? 'POST' : 'GET', url, false]);
  reflect.apply(send, x, [body]);
  return x;
};
// What the parser made the gateway has judged; a request that blocks would then keep Firefox from parsing on, for ever.
let trusting = 0;
const askNow = (urls, kind) => {
  if (trusting) return;
  const asked = [];
  let body;
  for (const url of urls) asked[asked.length] = [parse(url).href, kind];
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
  const who = judge(url);
  return who != unknown && who;
};
