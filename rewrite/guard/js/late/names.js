// Names: the rest of the catalogue, and whose a cookie or storage key is.
const exact = new Table(), prefixes = new Table();
enlist(others);
for (const line of nameList.split(';')) {
  const [id, ...list] = line.split(' ');
  for (const name of list) name.endsWith('*') ? prefixes.set(name.slice(0, -1), parties.get(id)) : exact.set(name, parties.get(id));
}
now.complete = 1;
const nameOwner = (name) => {
  let who = exact.get(name);
  for (let i = name.length; !who && i > 2; i--) who = prefixes.get(name.slice(0, i));
  return who;
};
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
