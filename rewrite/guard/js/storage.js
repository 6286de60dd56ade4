// Storage: names of gated vendors read as absent and are not written.
const cookieOf = describe(proto(self, 'Document'), 'cookie');
const nameOf = (text) => text.split('=')[0].trim();
const storage = (w) => {
  property(proto(w, 'Document'), 'cookie', (d, value, go) => owner('c', nameOf('' + value)) || go(value), (d, go) => go().split('; ').filter((c) => !owner('c', nameOf(c))).join('; '));
  const jar = proto(w, 'CookieStore'), named = (args) => owner('c', '' + ((args[0] || {}).name || args[0]));
  hook(jar, 'set', (f, self, args) => named(args) ? Later.resolve() : call(f, self, args));
  hook(jar, 'get', (f, self, args) => named(args) ? Later.resolve(null) : call(f, self, args));
  hook(jar, 'getAll', (f, self, args) => call(f, self, args).then((all) => all.filter((c) => !owner('c', c.name))));
  const area = proto(w, 'Storage');
  hook(area, 'getItem', (f, self, args) => owner('s', args[0]) ? null : call(f, self, args));
  hook(area, 'setItem', (f, self, args) => owner('s', args[0]) ? undefined : call(f, self, args));
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
        set: (s, k, v) => (owner('s', '' + k) || (s[k] = v), true),
      }));
      return views.get(real);
    }})}));
  }
  hook(proto(w, 'IDBFactory'), 'open', (f, self, args) => owner('s', '' + args[0]) ? quiet() : call(f, self, args));
};

// Removes what gated vendors had stored; the server does the same for HttpOnly cookies.
const sweep = (gone) => {
  const theirs = (kind, name) => {
    const who = lookup(kind + name + '\0');
    return who && gone(who);
  };
  try {
    for (const text of call(cookieOf.get, doc, []).split('; ')) if (theirs('c', nameOf(text))) {
      for (let host = loc.hostname; ; host = host.replace(/^[^.]*\./, '')) {
        for (const path of ['/', loc.pathname]) for (const domain of ['', ';domain=' + host]) call(cookieOf.set, doc, [nameOf(text) + '=;max-age=0;path=' + path + domain]);
        if (host == site || !host.includes('.')) break;
      }
    }
    for (const area of [self.localStorage, self.sessionStorage]) for (const k of Object.keys(area)) if (theirs('s', k)) area.removeItem(k);
    indexedDB.databases().then((all) => all.forEach((b) => theirs('s', b.name) && indexedDB.deleteDatabase(b.name)));
  } catch (e) {}
};
