// Replay: calls that stand-ins remembered, and vendors' own consent commands.
const runsIn = (args, replay) => args.map((a) => typeof a == 'function' ? replay : a);

// Before revival the stand-ins of permitted vendors go, after it their calls are replayed; on refusal they are forgotten.
const stepAside = () => {
  const aside = [];
  for (const [name, s] of standing) if (permitted(s.who)) {
    delete self[name];
    standing.delete(name);
    if (s.list && s.list.length) delete s.list.push, self[name] = s.list;
    aside.push([name, s.calls]);
  }
  return () => aside.forEach(([name, calls]) => calls.splice(0).forEach(([path, args]) => {
    try {
      let on = self, f = self[name];
      for (const k of path) on = f, f = f[k];
      if (typeof f == 'function') call(f, on, /^(cmd|que)$/.test(path[0]) ? args : runsIn(args, none));
    } catch (e) {}
  }));
};

// Vendors' own consent commands (global, arguments before the state, no, yes).
const tell = (all) => {
  for (const text of commands.split(';')) {
    const [id, name, method, args, no, yes] = text.split(' '), who = parties.get(id), on = who && permitted(who), f = self[name], [no1, yes1 = no1] = method.split('|'), m = on ? yes1 : no1;
    if (!who || !f || standing.has(name) || all && on) continue;
    try {
      const values = JSON.parse('[' + [args, on ? yes : no].filter((s) => s).join() + ']');
      m ? f[m](...values) : f(...values);
    } catch (e) {}
  }
};

// What hides a page until a test has been chosen is released when that test is gated.
const release = () => {
  const gated = (id) => parties.has(id) && !permitted(parties.get(id));
  if (gated('chartbeat')) doc.querySelectorAll('#chartbeat-flicker-control-style').forEach((style) => style.remove());
  if (gated('google-optimize')) doc.documentElement.classList.remove('async-hide');
  if (gated('vwo')) try { self._vwo_code.finish(); } catch (e) {}
};
