// Storage: names of gated vendors read as absent and are not written. The names come with the late part; what was
// written before is remembered, and removed then.
const early = [], cookieOf = describe(proto(self, 'Document'), 'cookie');
const owner = (kind, name, write) => {
  if (now.owner) return now.owner(kind, name);
  if (write) early.push(kind + name);
};
const nameOf = (text) => text.split('=')[0].trim();
const storage = (w) => {
  property(proto(w, 'Document'), 'cookie', (d, value, go) => owner('c', nameOf('' + value), 1) || go(value), (d, go) => go().split('; ').filter((c) => !owner('c', nameOf(c))).join('; '));
  const jar = proto(w, 'CookieStore'), named = (args, write) => owner('c', '' + ((args[0] || {}).name || args[0]), write);
  hook(jar, 'set', (f, self, args) => named(args, 1) ? Later.resolve() : call(f, self, args));
  hook(jar, 'get', (f, self, args) => named(args) ? Later.resolve(null) : call(f, self, args));
  hook(jar, 'getAll', (f, self, args) => call(f, self, args).then((all) => all.filter((c) => !owner('c', c.name))));
  const area = proto(w, 'Storage');
  hook(area, 'getItem', (f, self, args) => owner('s', args[0]) ? null : call(f, self, args));
  hook(area, 'setItem', (f, self, args) => owner('s', args[0], 1) ? undefined : call(f, self, args));
  const views = new Memo(), bound = {};
  for (const key of ['localStorage', 'sessionStorage']) {
    const d = describe(w, key);
    if (d && d.get) define(w, key, copy(d, {get: new Stand(d.get, {apply: (f, self) => {
      const real = call(f, self || w, []);
      if (!views.has(real)) views.set(real, new Stand(real, {
        get: (s, k) => {
          if (typeof k == 'string' && owner('s', k)) return;
          const v = s[k];
          return typeof v == 'function' ? v.bind(s) : v;
        },
        set: (s, k, v) => (owner('s', '' + k, 1) || (s[k] = v), true),
      }));
      return views.get(real);
    }})}));
  }
  hook(proto(w, 'IDBFactory'), 'open', (f, self, args) => owner('s', '' + args[0], 1) ? quiet() : call(f, self, args));
};

