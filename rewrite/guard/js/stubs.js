// Stubs: what page code calls while the script that would define it is parked. A stand-in is callable, constructible,
// has every property, calls back those who wait, and remembers the calls of its root for one replay.
const standing = new Table();
// What waits for a vendor may ask for more of it than a stand-in has.
const later = (f, ...args) => after(() => {
  try { f(...args); } catch (e) {}
});
const waits = /^(hitCallback|event_?callback|callback|success|bidsBackHandler|onload|loaded|complete)$/i;
const listens = /^(on|once|off|un\w*|bind|catch|fail|subscribe|\w*listener|\w*observer)$/i;
const asList = /^(forEach|map|filter|some|every|find|reduce|slice|includes|indexOf|join|sort|keys|entries|values)$/;
const stub = (remember, path = []) => {
  const children = {}, target = function () {}, last = path[path.length - 1] || '';
  const self = new Stand(target, {
    get: (t, k) => {
      if (k in children) return children[k];
      if (k == Symbol.toPrimitive) return () => '';
      if (k == Symbol.iterator) return function* () {};
      if (typeof k == 'symbol') return;
      if (k == 'then') return (f) => Later.resolve().then(f);
      if (asList.test(k)) return [][k].bind([]);
      if (k == 'length') return 0;
      if (/^(call|apply|bind)$/.test(k)) return target[k].bind(self);
      return children[k] = stub(remember, [...path, k]);
    },
    set: (t, k, v) => (children[k] = v, true),
    has: () => true,
    apply: (t, _, args) => {
      remember(path, args);
      if (/^(is|has)([A-Z_]|$)/.test(last)) return false;
      args.forEach((a, i) => {
        if (typeof a == 'function' && (!listens.test(last) || /^(ready|load)/.test(args[0]))) later(a, self);
        else if (a && typeof a == 'object') for (const k in a) if (waits.test(k) && typeof a[k] == 'function') later(a[k], self);
      });
      return self;
    },
    construct: () => self,
  });
  return self;
};
// Arrays keep what is pushed: the vendor's script reads it when it comes. Functions and callbacks run meanwhile.
const pushes = (list) => {
  define(list, 'push', {configurable: true, writable: true, value: (...args) => {
    const size = Array.prototype.push.apply(list, list.length < 1000 ? args.filter((a) => typeof a != 'function') : []);
    stub(none)(...args.flatMap((a) => a && typeof a == 'object' && a.length ? [...a] : a));
    return size;
  }});
  return list;
};

// Page code may take the queue for the API that will take its place.
const rich = (list) => new Stand(list, {get: (t, k) => k in t || typeof k == 'symbol' || /^(then|toJSON|\d+)$/.test(k) ? t[k] : stub(none, [k])});
const standIns = (who) => (who.globals || []).forEach((entry) => {
  const name = entry.replace('[]', '');
  if (standing.has(name) || name in self || !script) return;
  const calls = [], list = name != entry && pushes([]), value = list ? rich(list) : stub((path, args) => calls.length < 500 && calls.push([path, args]));
  const give = (v) => define(self, name, {value: v, writable: true, enumerable: true, configurable: true});
  standing.set(name, {who, calls, list});
  define(self, name, {configurable: true, enumerable: true, get: () => value, set: (v) => {
    give(v);
    standing.delete(name);
  }});
  if (name == 'FB') after(() => typeof self.fbAsyncInit == 'function' && self.fbAsyncInit());
});
// Google Consent Mode v2, basic: nothing loads while denied; the state goes first into the layer, updates follow choices.
const consentMode = () => {
  const state = (bit) => now.granted & bit ? 'granted' : 'denied', layer = self.dataLayer;
  if (!Array.isArray(layer)) return define(self, 'dataLayer', {configurable: true, enumerable: true, get: none, set: (value) => {
    define(self, 'dataLayer', {value, writable: true, enumerable: true, configurable: true});
    consentMode();
  }});
  const entry = (function () { return arguments; })('consent', now.layered ? 'update' : 'default', {ad_storage: state(8), ad_user_data: state(8), ad_personalization: state(8), analytics_storage: state(4), functionality_storage: state(2), personalization_storage: state(2), security_storage: 'granted'});
  now.layered ? layer.push(entry) : layer.unshift(entry);
  now.layered = 1;
};
