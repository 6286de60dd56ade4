// Names: what vendors stored, by the catalogue or seen to be theirs.
// Names that vendors' scripts were seen to write, with the cookies' attributes. They are kept, the names only and while
// their vendors are permitted, so that a withdrawal on another page finds them.
const written = new Table(), notes = 'consent-names';
const note = () => {
  try {
    const lines = [...written].filter(([, {who}]) => permitted(who)).map(([key, {who, where}]) => [key, who.id, where, purposeOf(who)]);
    lines.length ? localStorage.setItem(notes, JSON.stringify(lines)) : localStorage.removeItem(notes);
  } catch (e) {}
};
// The longest name with a * that fits, unless a name without one does.
const nameOwner = (name) => {
  let h = step(start, 61), found;
  for (let i = 0; i < name.length && i < 99; i++) {
    h = step(h, name.charCodeAt(i));
    found = hashes.get(step(h, 42) >>> 2) || found;
  }
  return hashes.get(h >>> 2) || found || written.get(name)?.who;
};
now.wrote = (key, by, text) => {
  const who = identify(by);
  if (who == unknown) return ask(by, 'script', () => now.wrote(key, by, text));
  if (!(who.bit > 1) || written.size >= 100 || key.length > 100 || nameOwner(key) || key == 's' + notes) return;
  const where = ('' + (text || '')).split(';').slice(1).filter((a) => /^\s*(path|domain|secure|samesite|partitioned)/i.test(a)).map((a) => ';' + a.trim()).join('');
  written.set(key, {who, where: where.length < 300 ? where : ''});
  note();
};
try {
  for (const [key, id, where, purpose] of JSON.parse(localStorage.getItem(notes) || '[]').slice(0, 100)) {
    const who = parties.get(id) || names.includes(purpose) && party(purpose, id);
    if (who) written.set('' + key, {who, where: /^(;[\w=./-]*)*$/.test(where) ? where : ''});
  }
} catch (e) {}
wrote.forEach((one) => now.wrote(...one));
now.owner = (kind, name) => {
  const who = nameOwner(kind + name);
  return who && !permitted(who) && who;
};
const refused = (who) => who.bit > 1 && !(now.vendors[who.id] ?? !(now.denied & who.bit));

// Removes what gated vendors had stored; the server does the same for HttpOnly cookies.
const sweep = (gone) => {
  const theirs = (kind, name) => {
    const who = nameOwner(kind + name);
    return who && gone(who, kind + name);
  };
  const expire = (name, where) => {
    for (const apart of ['', ';secure;samesite=none;partitioned']) call(cookieOf.set, doc, [name + '=;max-age=0' + where + apart]);
  };
  try {
    for (const [key, {who, where}] of written) if (key[0] == 'c' && gone(who, key)) expire(key.slice(1), where);
    const steps = loc.pathname.split('/').slice(0, 10), paths = new List(['/']);
    steps.forEach((_, i) => i && paths.add(steps.slice(0, i + 1).join('/')).add(steps.slice(0, i).join('/') + '/'));
    for (const text of call(cookieOf.get, doc, []).split('; ')) if (theirs('c', nameOf(text))) {
      for (let host = loc.hostname; ; host = host.replace(/^[^.]*\./, '')) {
        for (const path of paths) for (const domain of ['', ';domain=' + host]) expire(nameOf(text), ';path=' + path + domain);
        if (host == site || !host.includes('.')) break;
      }
    }
    for (const area of [self.localStorage, self.sessionStorage]) for (const k of Object.keys(area)) if (theirs('s', k)) area.removeItem(k);
    indexedDB.databases().then((all) => all.forEach((b) => theirs('s', b.name) && indexedDB.deleteDatabase(b.name)));
  } catch (e) {}
  note();
};
