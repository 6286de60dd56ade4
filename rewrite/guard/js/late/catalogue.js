// Catalogue: whose a host, a path, a cookie or a storage key is.
// A line a vendor: purpose and id, patterns with a *, hashes, globals, cookies, storage keys. A hash is FNV-1a of a host or
// pattern, 30 bits in 5 characters.
// The page's code has run by now, and may have replaced what strings and arrays can do: here, and where it is asked whose an
// address is, loops and what was taken before do the work.
const parties = new Table(), hashes = new Table(), openings = [], globs = [], paths = [], exact = new Table(), prefixes = new Table(), digits = {};
let digit = 0;
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') digits[c] = digit++;
for (const line of cut(catalogue, ';')) {
  const [head, glob, group = '', globals, ...named] = cut(line, ' '), id = head.slice(1);
  if (head[0] == '/') {
    paths[paths.length] = [new RegExp('^[^?]*(' + glob + ')', 'i'), parties.get(id)];
    continue;
  }
  const one = {id, bit: 1 << head[0], globals: globals ? cut(globals, ',') : []}, list = one.bit < 2 ? openings : globs;
  parties.set(id, one);
  if (glob) list[list.length] = [new RegExp('^(' + glob + ')', 'i'), one];
  for (let at = 0, key = 0; at < group.length; at++) {
    key = key * 64 + digits[group[at]];
    if (at % 5 == 4) hashes.set(key, one), key = 0;
  }
  let kind = 'c';
  for (const names of named) {
    for (const name of names ? cut(names, ',') : []) name.endsWith('*') ? prefixes.set(kind + name.slice(0, -1), one) : exact.set(kind + name, one);
    kind = 's';
  }
}

// A path that ends in a letter or digit must end there: "/tr" is not "/trends".
const word = /[a-z0-9]{2}/i;
const first = (list, text) => {
  for (const [expression, one] of list) if (expression.test(text)) return one;
};
const whose = (u, host, path) => {
  const tails = [host];
  for (let at; (at = host.indexOf('.', at) + 1);) tails[tails.length] = host.slice(at);
  let who = first(openings, host + path) || first(globs, host + path), best = who ? 9e9 : 0;
  // Of the known patterns that begin a text (a part of a URL from a label of its host on), and are longer than what precedes
  // an index, one with a path beats one without, then the longer wins.
  const lookup = (text, from) => {
    let h = 0x811c9dc5 | 0, asked;
    for (let i = 0; i < text.length && i < from + 64; i++) {
      h = Math.imul(h ^ text.charCodeAt(i), 16777619);
      const weight = i > from ? i + 999 : i, one = i >= from && weight > best && (asked || !word.test(text.slice(i, i + 2))) && hashes.get(h >>> 2);
      if (one) best = weight, who = one;
      asked = asked || text[i] == '?';
    }
  };
  // Patterns of a host's subdomains begin with a dot; a host stands for its subdomains as well.
  for (const tail of tails) {
    lookup((tail == host ? '' : '.') + tail + path, tail.length + (tail != host));
    lookup(tail, tail.length - 1);
  }
  // A vendor's software on another host, and hosts that nobody has whose first label says what they are for.
  if (!who || who.bit < 2) {
    const one = first(paths, path);
    if (one) return one;
  }
  if (!who && !u.search.includes('optOut') && /^[^.]+\.(?!(com?|net|org|gov|edu|ac|or|ne|go)\.\w\w$).*\./.test(host)) {
    const label = host.replace(/\d*\..*/, '.');
    lookup(label, label.length - 1);
  }
  return who;
};
// A server may read %74r as tr and // as /: what is spelled so is gated, but never let through.
now.recognise = (u, host, known) => {
  const plain = u.pathname.replace(/%[2-7][\da-f]/gi, unescape).replace(/\/+/g, '/');
  let who = whose(u, host, u.pathname + u.search);
  if ((!who || who.bit < 2) && plain != u.pathname) {
    const other = whose(u, host, plain + u.search);
    if (other && other.bit > 1) who = other;
  }
  // Who passes by default may still be on a list.
  return who && !(judging && who.bit == 1) ? who : known ?? (judging ? unknown : strict && party('marketing', '-'));
};
