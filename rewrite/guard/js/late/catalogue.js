// Catalogue: whose a host, a path, a cookie or a storage key is.
// Columns, a word a vendor: purpose and id, patterns with a *, paths, hashes. A hash is FNV-1a of a host, a pattern or
// a name, 30 bits in 5 characters. "?" has what only the gateway can tell whose it is, and so has the filter,
// in which one in 64 others seems to be as well.
// The page's code has run by now, and may have replaced what strings and arrays can do: here, and where it is asked whose an
// address is, loops and what was taken before do the work.
const parties = new Table(), hashes = new Table(), openings = [], globs = [], paths = [], digits = {};
let digit = 0;
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') digits[c] = digit++;
// The expressions of patterns are abbreviated (short in catalogue.go).
const expression = (before, text) => new RegExp('^' + before + '(' + text.replace(/[.<>`]/g, (c) => ({'.': '\\.', '<': '[^/]*', '>': '[^?]*'})[c] || '(?![a-z0-9])') + ')', 'i');
const [heads, patterns, anywhere, keys] = cut(catalogue, ';').map((column) => cut(column, ' '));
for (let i = 0; i < heads.length; i++) {
  const id = heads[i].slice(1), one = id ? {id, bit: 1 << heads[i][0]} : heads[i] == '0' ? {bit: 1} : unknown, list = one.bit < 2 ? openings : globs;
  parties.set(id, one);
  if (patterns[i]) list[list.length] = [expression('', patterns[i]), one];
  if (anywhere[i]) paths[paths.length] = [expression('[^?]*', anywhere[i]), one];
  for (let at = 0, key = 0; at < keys[i].length; at++) {
    key = key * 64 + digits[keys[i][at]];
    if (at % 5 == 4) hashes.set(key, one), key = 0;
  }
}
const start = 0x811c9dc5 | 0, step = (h, code) => Math.imul(h ^ code, 16777619);
// Gives f the hash of each beginning of a text from an index on, and where that ends. A path that ends in a letter or digit must
// end there: "/tr" is not "/trends".
const word = /[a-z0-9]{2}/i;
const walk = (text, from, f) => {
  let h = start, asked;
  for (let i = 0; i < text.length && i < from + 64; i++) {
    h = step(h, text.charCodeAt(i));
    if (i >= from && (asked || !word.test(text.slice(i, i + 2)))) f(h >>> 2, i);
    asked = asked || text[i] == '?';
  }
};
const places = new List();
let place = 0;
for (const c of filter) c == '.' ? place += 64 : places.add(place += digits[c]);
const seldom = (text, from) => {
  let found;
  walk(text, from, (h) => found = found || places.has(h % size));
  return found;
};

const first = (list, text) => {
  for (const [expression, one] of list) if (expression.test(text)) return one;
};
const whose = (u, host, path) => {
  const tails = [host];
  for (let at; (at = host.indexOf('.', at) + 1);) tails[tails.length] = host.slice(at);
  let who = first(openings, host + path) || first(globs, host + path), best = who ? 9e9 : 0;
  // Of the known patterns that begin a text (a part of a URL from a label of its host on), and are longer than what precedes
  // an index, one with a path beats one without, then the longer wins.
  const lookup = (text, from) => walk(text, from, (h, i) => {
    const weight = i > from ? i + 999 : i, one = weight > best && hashes.get(h);
    if (one) best = weight, who = one;
  });
  // Patterns of a host's subdomains begin with a dot; a host stands for its subdomains as well.
  const patterned = (tail, look) => look((tail == host ? '' : '.') + tail + path, tail.length + (tail != host));
  for (const tail of tails) {
    patterned(tail, lookup);
    lookup(tail, tail.length - 1);
  }
  // What the filter has is asked. Of a top-level domain it knows nothing.
  if (!(who?.bit > 1)) for (const tail of tails) {
    if (tail.includes('.') && (seldom(tail, tail.length - 1) || seldom('/' + tail, tail.length) && patterned(tail, seldom))) who = unknown;
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
  if (!(who?.bit > 1) && plain != u.pathname) {
    const other = whose(u, host, plain + u.search);
    if (other && other.bit != 1) who = other;
  }
  // Who passes by default may still be on a list.
  return who && who != unknown && !(judging && who.bit == 1) ? who : known ?? (judging || who ? unknown : strict && party('marketing', '-'));
};
