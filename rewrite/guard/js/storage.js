// Storage: names of gated vendors read as absent and are not written. The names come with the late part; what was
// written before is remembered, and removed then.
const early = [], wrote = [], met = new List(), cookieOf = accessor('Document', 'cookie');
// Whose script runs: the address of the nearest caller that is not this script, which is one line of its document. Once a page
// has opened a frame's document V8 hides those of that frame from all but its own errors.
const callers = (w) => (new w.Error().stack || '').match(/https?:\/\/[^\s()]+/g) || [];
const own = (callers(self)[0] || '').replace(/\d+$/, '');
const caller = (w) => {
  try { return callers(w).find((at) => !at.startsWith(own)); } catch (e) {}
};
const author = () => [caller(self) || doc.currentScript?.src, ...[...all(doc, 'iframe')].map((f) => caller(contentOf(f))), '#'].find((at) => at).replace(/(:\d+)+$/, '');
// A name that nobody knows and that was not there before is its author's, and is not written while the author is gated. Each is looked at once, so that the site's own
// writes cost nothing.
const owner = (kind, name, write, old, text) => {
  const who = now.owner?.(kind, name), key = kind + name;
  if (who || !write || met.size > 500 || met.has(key)) return who;
  met.add(key);
  if (!now.owner) early.push(key);
  if (doc && old() == null) {
    const by = author(), one = identify(by);
    if (one) now.wrote ? now.wrote(key, by, text) : wrote.push([key, by, text]);
    return one.bit > 1 && !permitted(one) && one;
  }
};
const nameOf = (text) => text.split('=')[0].trim();
const {getItem} = proto(self, 'Storage'), itemIn = (s, k) => () => call(getItem, s, [k]);
const storeTraps = {
  get: (s, k) => typeof k == 'string' && owner('s', k) ? undefined : s[k],
  set: (s, k, v) => (typeof k == 'string' && owner('s', k, 1, itemIn(s, k)) || (s[k] = v), true),
};
const storage = (w) => {
  const cookieIn = (d, name) => () => call(cookieOf.get, d, []).split('; ').find((c) => nameOf(c) == name);
  property(w, 'Document.cookie', (d, value, go) => ((name) => owner('c', name, 1, cookieIn(d, name), value) || go(value))(nameOf('' + value)), (d, go) => go().split('; ').filter((c) => !owner('c', nameOf(c))).join('; '));
  const named = (args, write) => ((name) => owner('c', name, write, doc && cookieIn(doc, name)))('' + (args[0]?.name || args[0]));
  hook(w, 'CookieStore.set,get', (self, args, go, method) => named(args, method == 'set') ? Later.resolve(null) : go(args));
  hook(w, 'CookieStore.getAll', (self, args, go) => go(args).then((all) => all.filter((c) => !owner('c', c.name))));
  hook(w, 'Storage.getItem,setItem,removeItem,key,clear', (self, args, go, name) => {
    const store = real(self), write = name == 'setItem';
    return (write || name == 'getItem') && owner('s', args[0], write, itemIn(store, args[0])) ? write ? undefined : null : go(args, store);
  });
  for (const key of ['localStorage', 'sessionStorage']) {
    const d = describe(w, key);
    if (d?.get) define(w, key, copy(d, {get: new Stand(d.get, {apply: (f, self) => standIn(call(f, self || w, []), storeTraps)})}));
  }
  // Events name a store, and are made with one.
  property(w, 'StorageEvent.storageArea', none, (e, go) => standIn(go(), storeTraps));
  hook(w, 'StorageEvent', (type, args, go) => go(args.map((a) => a?.storageArea ? {...a, storageArea: real(a.storageArea)} : a)));
  // A database in use is not deleted before it is closed.
  hook(w, 'IDBFactory.open', (self, args, go) => {
    const name = '' + args[0], request = owner('s', name, 1, none) ? quiet() : go(args);
    request.addEventListener('success', () => request.result.addEventListener('versionchange', () => owner('s', name) && request.result.close()));
    return request;
  });
};
