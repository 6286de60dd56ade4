// Sinks: every way for page code to make the browser fetch something by elements, markup or style.
// Functions are replaced by proxies of themselves, so that name, length and toString stay.
const hook = (object, name, handler, construct) => {
  while (object && !describe(object, name)) object = Object.getPrototypeOf(object);
  const d = object && describe(object, name);
  if (d && d.value && d.configurable) define(object, name, copy(d, {value: new Stand(d.value, {
    apply: (f, self, args) => handler(f, self, args),
    construct: construct ? (f, args, target) => construct(f, args, target) : (f, args, target) => reflect.construct(f, args, target),
  })}));
};
const hooks = (object, list, handler) => list.split(' ').forEach((name) => hook(object, name, (f, self, args) => handler(f, self, args, name)));
// Replaces a setter (and getter) by ones that get the native one as go.
const property = (object, name, set, get) => {
  const d = object && describe(object, name);
  if (!d || !d.configurable || !d.set) return;
  define(object, name, copy(d, {
    set: new Stand(d.set, {apply: (f, self, [value]) => set(self, value, (v) => call(f, self, [v]))}),
    get: get && d.get ? new Stand(d.get, {apply: (f, self) => get(self, () => call(f, self, []))}) : d.get,
  }));
};

// Properties that reflect a fetching attribute, and the attributes themselves.
const guardAttributes = (w, element, node) => {
  for (const name of Object.getOwnPropertyNames(w)) if (/^HTML(Script|Image|I?Frame|Embed|Media|Video|Source|Track|Input|Link|Object|Body|Anchor|Area)Element$/.test(name)) {
    for (const key of ['src', 'href', 'srcset', 'imageSrcset', 'data', 'poster', 'background', 'ping', 'attributionSrc', 'srcdoc', ...(name == 'HTMLScriptElement' ? ['type'] : [])]) {
      if (!/^HTMLA/.test(name) || key == 'ping') property(proto(w, name), key, (el, value, go) => assign(el, key, value, go), (el, go) => {
        const value = keptValue(el, key == 'type' && keptValue(el, 'type') == null ? 'parked' : key.toLowerCase());
        return value == null ? go() : /set$|ping|type|srcdoc|background/i.test(key) ? value : (parse(value) || {href: value}).href;
      });
    }
  }
  hook(element, 'setAttribute', (f, el, args) => assign(el, '' + args[0], args[1], (v) => call(f, el, [args[0], v])));
  hook(element, 'setAttributeNS', (f, el, args) => assign(el, '' + args[1], args[2], (v) => call(f, el, [args[0], args[1], v])));
  hook(element, 'getAttribute', (f, el, args) => {
    const value = keptValue(el, '' + args[0]);
    return value == null ? call(f, el, args) : value;
  });
  hook(element, 'removeAttribute', (f, el, args) => (keptValue(el, '' + args[0]) != null && unpark(el, args[0]), call(f, el, args)));
  const attach = (f, self, args) => {
    const a = args[0], el = self.ownerElement || self;
    let result;
    if (a && a.name && el.localName) assign(el, a.name, a.value, (v) => (a.value = v, result = call(f, self, args)));
    return result;
  };
  hooks(element, 'setAttributeNode setAttributeNodeNS', attach);
  hooks(proto(w, 'NamedNodeMap'), 'setNamedItem setNamedItemNS', (f, map, args) => (args[0] && fetching.test(args[0].localName) && judgeNow(args[0].value) ? null : call(f, map, args)));
  for (const [object, key] of [[proto(w, 'Attr'), 'value'], [node, 'nodeValue'], [node, 'textContent']]) {
    property(object, key, (n, value, go) => n.nodeType == 2 && n.ownerElement ? assign(n.ownerElement, n.name, value, go) : go(n.localName == 'style' || n.parentNode && n.parentNode.localName == 'style' ? css(value == null ? '' : '' + value) : value));
  }
  property(proto(w, 'HTMLElement'), 'innerText', (el, value, go) => go(el.localName == 'style' ? css('' + value) : value));
  property(proto(w, 'CharacterData'), 'data', (n, value, go) => go(n.parentNode && n.parentNode.localName == 'style' ? css('' + value) : value));
};

// Markup.
const guardMarkup = (w, element, document) => {
  const range = proto(w, 'Range');
  const setMarkup = (el, value, go, parse) => {
    if (el.localName == 'style') return go(css('' + value));
    if (plain('' + value)) return go(value);
    const box = boxFor(el);
    parse(box);
    const changed = scan(box.content || box);
    deep = 0;
    if (!changed) return go(value);
    (el.content || el).replaceChildren(...(box.content || box).childNodes);
  };
  for (const object of [element, proto(w, 'ShadowRoot')]) {
    property(object, 'innerHTML', (el, value, go) => setMarkup(el, value, go, (box) => call(setInner, box, [value])));
    hooks(object, 'setHTMLUnsafe setHTML', (f, el, args, name) => setMarkup(el, args[0], () => call(f, el, args), (box) => (call(f, box, args), deep = 1)));
  }
  property(element, 'outerHTML', (el, value, go) => {
    const box = plain('' + value) || !el.parentElement ? 0 : boxFor(el.parentElement);
    if (!box || (call(setInner, box, [value]), !scan(box))) return go(value);
    el.replaceWith(...box.childNodes);
  });
  hook(element, 'insertAdjacentHTML', (f, el, args) => {
    const where = ('' + args[0]).toLowerCase(), within = /begin$|end$/.test(where) && !/^(beforebegin|afterend)$/.test(where), context = within ? el : el.parentElement;
    const box = plain('' + args[1]) || !context ? 0 : boxFor(context);
    if (!box || (call(setInner, box, [args[1]]), !scan(box.content || box))) return call(f, el, args);
    el[{beforebegin: 'before', afterbegin: 'prepend', beforeend: 'append', afterend: 'after'}[where]](...(box.content || box).childNodes);
  });
  hook(range, 'createContextualFragment', (f, self, args) => {
    const at = self.startContainer, r = inertDoc.createRange();
    if (plain('' + args[0])) return call(f, self, args);
    r.selectNodeContents(boxFor(at.nodeType == 1 ? at : doc.body || doc.documentElement));
    const fragment = call(f, r, args);
    return scan(fragment) ? doc.adoptNode(fragment) : call(f, self, args);
  });
  const scanned = (f, self, args) => {
    const result = call(f, self, args);
    deep = 1;
    try { scan(result.documentElement); } catch (e) {}
    deep = 0;
    return result;
  };
  hook(proto(w, 'DOMParser'), 'parseFromString', scanned);
  hook(w.Document, 'parseHTMLUnsafe', scanned);
  hooks(document, 'write writeln', (f, self, args, name) => {
    const text = args.join('') + (name == 'writeln' ? '\n' : '');
    if (self == doc && now.capture && now.capture(text)) return;
    const out = written(self, text);
    return out == text ? call(f, self, args) : call(document.write == f ? f : writeNative, self, [policy(out)]);
  });
  const writeNative = w == self ? nativeWrite : document.write;
};

// Nodes that come from elsewhere, and style text, on their way into the document.
const guardNodes = (w, node, document) => {
  const enter = (f, self, args) => {
    if (self.localName == 'style') args = args.every((n) => typeof n == 'string') ? [css(args.join(''))] : args.map((n) => typeof n == 'string' ? css(n) : n);
    for (const n of args) if (n && n.nodeType) {
      if (n.ownerDocument != (self.ownerDocument || self)) n.nodeType != 3 && scan(n);
      else if (n.firstElementChild ? n.querySelector(special) : n.matches && n.matches(special)) scan(n);
      if (n.nodeType == 3 && self.localName == 'style') n.data = css(n.data);
    }
    return settle(f, self, args);
  };
  const settle = (f, self, args) => {
    const result = call(f, self, args);
    for (const n of args) if (n && n.localName == 'iframe') frameOf(n);
    return result;
  };
  hooks(node, 'appendChild insertBefore replaceChild', enter);
  for (const name of ['Element', 'CharacterData', 'Document', 'DocumentFragment']) {
    hooks(proto(w, name), 'append prepend before after replaceWith replaceChildren insertAdjacentElement moveBefore', enter);
  }
  hook(proto(w, 'Range'), 'insertNode', enter);
  hooks(document, 'adoptNode importNode', enter);
};

// Frames of the same origin have their own natives.
const guardFrames = (w) => {
  for (const name of ['HTMLIFrameElement', 'HTMLFrameElement', 'HTMLObjectElement']) for (const key of ['contentWindow', 'contentDocument']) {
    const d = describe(proto(w, name), key);
    if (d) reflect.defineProperty(proto(w, name), key, copy(d, {get: new Stand(d.get, {apply: (f, el) => {
      const inner = call(f, el, []);
      try { patch(inner.defaultView || inner); } catch (e) {}
      return inner;
    }})}));
  }
  w.document.addEventListener('load', (e) => e.target.localName == 'iframe' && frameOf(e.target), true);
};

// Style inside of strings, lists and plain objects, such as key frames.
const inertly = (v) => typeof v == 'string' ? css(v) : Array.isArray(v) ? v.map(inertly) : '' + v == '[object Object]' ? Object.fromEntries(pairs(v).map(([k, x]) => [k, inertly(x)])) : v;

// Style objects, and media made by their constructor.
const guardStyle = (w) => {
  property(proto(w, 'CSSStyleDeclaration'), 'cssText', (s, value, go) => go(css('' + value)));
  const styled = (f, self, args) => call(f, self, args.map(inertly)), made = (f, args, t) => reflect.construct(f, args.map(inertly), t);
  for (const [name, list] of pairs({
    CSSStyleDeclaration: 'setProperty', CSSStyleSheet: 'insertRule addRule replace replaceSync', CSSGroupingRule: 'insertRule',
    StylePropertyMap: 'set append', Element: 'animate', KeyframeEffect: 'setKeyframes',
  })) hooks(proto(w, name), list, styled);
  hook(w, 'FontFace', none, made);
  hook(w, 'KeyframeEffect', none, made);
  hook(w, 'Audio', none, (f, args, t) => {
    const el = reflect.construct(f, [], t);
    el.preload = 'auto';
    if (args.length) el.src = args[0];
    return el;
  });
};

// Navigations that no visitor started. A link that a script clicks counts where it leads a frame somewhere: whoever leaves
// the page is asked nothing.
const guardNavigation = (w) => {
  const unasked = () => !(nav.userActivation || {}).isActive;
  hook(proto(w, 'HTMLElement'), 'click', (f, el, args) => el.href && /^[^_]/.test(el.target) && unasked() && judgeNow(el.href, 'document') ? undefined : call(f, el, args));
  hooks(proto(w, 'HTMLFormElement'), 'submit requestSubmit', (f, form, args) => judgeNow(call(getAttr, form, ['action']) || '#', 'form') ? undefined : call(f, form, args));
  hook(w, 'open', (f, self, args) => args[0] && judgeNow(args[0], 'document') ? null : call(f, self, args));
  w.addEventListener('submit', (e) => {
    if (unasked() && judgeNow(e.submitter && e.submitter.hasAttribute('formaction') ? e.submitter.formAction : call(getAttr, e.target, ['action']) || '#', 'form')) e.preventDefault();
  }, true);
};

// Puts all of this into a window; each has its own natives.
const patched = new Members();
const patch = (w) => {
  let first;
  try { first = w && w.Element && !patched.has(w.Element); } catch (e) {}
  if (!first) return;
  patched.add(w.Element);
  network(w);
  const element = proto(w, 'Element'), node = proto(w, 'Node'), document = proto(w, 'Document');
  guardAttributes(w, element, node);
  guardMarkup(w, element, document);
  guardNodes(w, node, document);
  guardFrames(w);
  guardStyle(w);
  guardNavigation(w);
};
const contentOf = (describe(proto(self, 'HTMLIFrameElement'), 'contentWindow') || {}).get;
const frameOf = (el) => {
  patch(call(contentOf, el, []));
};

// document.write: markup may be split anywhere, so an unfinished tag waits for the rest.
const {write: nativeWrite} = proto(self, 'Document');
const tagEnd = (s, i) => {
  for (let quote = '', equals = 0; ++i < s.length;) {
    const c = s[i];
    if (quote) c == quote && (quote = '');
    else if (equals && /["']/.test(c)) quote = c, equals = 0;
    else if (c == '>') return i + 1;
    else if (c == '=') equals = 1;
    else if (c > ' ') equals = 0;
  }
};
const gatedTag = (tag) => {
  if (!/[=]/.test(tag)) return tag;
  const box = inertDoc.createElement('template');
  call(setInner, box, [policy(tag)]);
  sync++;
  const changed = scan(box.content);
  sync--;
  const name = /^<[^\s/>]+/.exec(tag)[0].slice(1);
  return changed ? box.innerHTML.replace(new RegExp('</' + name + '>$', 'i'), '') : tag;
};
const unfinished = new Memo();
const written = (document, text) => {
  foresee(text, 'write');
  const state = unfinished.get(document) || ['', ''], s = state[0] + text;
  let out = '', i = 0, raw = state[1];
  const hold = (from) => {
    unfinished.set(document, [s.slice(from), raw]);
    return out;
  };
  while (i < s.length) {
    if (raw) {
      const end = s.slice(i).search(new RegExp('</' + raw + '[\\s/>]', 'i'));
      const cut = end < 0 ? Math.max(s.lastIndexOf('<'), i - 1) : i + end;
      const stop = end < 0 && (cut < i || s.length - cut > raw.length + 2) ? s.length : cut;
      out += raw == 'style' ? css(s.slice(i, stop)) : s.slice(i, stop);
      if (end < 0) return hold(stop);
      i = stop;
      raw = '';
    }
    const at = s.indexOf('<', i);
    if (at < 0) {
      out += s.slice(i);
      break;
    }
    out += s.slice(i, at);
    if (at + 1 == s.length) return hold(at);
    let end;
    if (/[a-z]/i.test(s[at + 1])) {
      if (!(end = tagEnd(s, at))) return hold(at);
      out += gatedTag(s.slice(at, end));
      raw = (/^<(script|style|textarea|title|xmp|iframe|noembed|noframes|noscript)(?=[\s/>])/i.exec(s.slice(at, end)) || ['', ''])[1].toLowerCase();
    } else {
      const close = s.startsWith('!--', at + 1) ? '-->' : '>';
      if ((end = s.indexOf(close, at + 1) + close.length) < close.length) return hold(at);
      out += s.slice(at, end);
    }
    i = end;
  }
  return hold(s.length);
};
