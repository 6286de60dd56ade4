// Stubs: what page code calls while the script that would define it is parked. A stand-in is callable, constructible,
// has every property, calls back those who wait, and remembers what was done with its root for one replay.
const standing = new Table();
const asList = /^(forEach|map|filter|some|every|find|reduce|slice|includes|indexOf|join)$/;
const stub = (remember, path = [], target = function () {}) => {
  const children = {length: 0}, made = {}, last = path[path.length - 1] || '';
  const self = new Stand(target, {
    get: (t, k) => {
      if (k in children) return children[k];
      if (k == Symbol.toPrimitive) return () => last.replace(/.*[a-z].*/, ''); // a constant says its name
      if (k == Symbol.iterator) return function* () {};
      if (typeof k == 'symbol' || k == 'authResponse') return; // nobody has logged in
      if (k == 'then') return last != k && ((f) => arrived.then(() => (now.turn?.(), stub(none, [k]))).then(f));
      if (asList.test(k)) return [][k].bind([]);
      if (/^(call|apply|bind)$/.test(k) && t[k]) return t[k].bind(self);
      return children[k] = made[k] = stub(remember, [...path, k]);
    },
    // "x.que = x.que || []" would have put something empty there: nobody can tell yet what.
    set: (t, k, v) => ((v !== children[k] || v && v === made[k]) && remember([...path, k], v === children[k] ? none : v, 1), children[k] = v, true),
    has: () => true,
    apply: (t, _, args) => {
      remember(path, args);
      if (/^(is|has)([A-Z_]|$)/.test(last)) return false;
      arrived.then(() => now.called?.(last, args, self));
      return self;
    },
    construct: () => self,
  });
  return self;
};
// Arrays keep what is pushed: the vendor's script reads it when it comes. Functions and callbacks run meanwhile.
const pushes = (list) => {
  list.push = (...args) => {
    const size = [].push.apply(list, list.length < 1000 ? args.filter((a) => typeof a != 'function') : []);
    stub(none)(...args.flatMap((a) => a?.length && typeof a == 'object' ? [...a] : a));
    return size;
  };
  return list;
};
// A getter stands in for a global until the page gives it another value than its own.
const plainly = {configurable: true, enumerable: true};
const standAt = (name, get, own, then, on = self) => define(on, name, {...plainly, get, set: (value) => {
  if (own(value)) return;
  define(on, name, {...plainly, writable: true, value});
  then();
}});

// Page code may take the queue for the API that will take its place.
const rich = (list) => new Stand(list, {get: (t, k) => k in t || typeof k == 'symbol' || /^(then|toJSON|\d+)$/.test(k) ? t[k] : stub(none, [k])});
const standIns = (who) => who.globals.forEach((entry) => {
  const name = entry.replace(/(\[]|{})$/, ''), path = cut(name, '.'), key = path.pop(), on = path[0] ? self[path[0]] ||= {} : self;
  if (key in on || permitted(who)) return;
  const calls = [], list = /]$/.test(entry) && pushes([]), value = list ? rich(list) : stub((...call) => calls.length < 500 && calls.push(call), [], /}$/.test(entry) ? {} : undefined);
  const get = () => value, one = {who, calls, list, get, on, key};
  standing.set(name, one);
  // "x = window.x || []" changes nothing.
  standAt(key, get, (v) => one.taken = v === value, () => standing.delete(name), on);
  arrived.then(() => now.stood?.(name));
});
// Google Consent Mode v2, basic: nothing loads while denied; the state goes first into the layer, updates follow choices.
const google = (bit, id) => permitted({id: 'google-' + id, bit}) ? 'granted' : 'denied';
const consentMode = () => {
  const ads = google(8, 'ads'), layer = self.dataLayer;
  if (!Array.isArray(layer)) return 'dataLayer' in self || standAt('dataLayer', none, none, consentMode);
  layer[now.layered ? 'push' : 'unshift']((function () { return arguments; })('consent', now.layered ? 'update' : 'default', {ad_storage: ads, ad_user_data: ads, ad_personalization: ads, analytics_storage: google(4, 'analytics'), functionality_storage: google(2), personalization_storage: google(2), security_storage: 'granted'}));
  now.layered = 1;
};
