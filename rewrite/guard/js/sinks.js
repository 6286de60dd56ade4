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
    set: new Stand(d.set, {apply: (f, self, [value]) => set(self, /^on/.test(name) ? value : fixed(value), (v) => call(f, self, [v]))}),
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
  hook(element, 'setAttribute', (f, el, [name, value, ...none]) => (name = fixed(name), assign(el, '' + name, fixed(value), (v) => call(f, el, [name, v, ...none]))));
  hook(element, 'setAttributeNS', (f, el, [space, name, value]) => (name = fixed(name), assign(el, '' + name, fixed(value), (v) => call(f, el, [space, name, v]))));
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
  hooks(proto(w, 'NamedNodeMap'), 'setNamedItem setNamedItemNS', (f, map, args) => {
    const a = args[0];
    if (a && fetching.test(a.localName) && judgeNow(a.value)) return null;
    if (a && !a.ownerElement && made(a.value)) a.value = guarded(a.value);
    return call(f, map, args);
  });
  for (const [object, key] of [[proto(w, 'Attr'), 'value'], [node, 'nodeValue'], [node, 'textContent']]) {
    property(object, key, (n, value, go) => n.nodeType == 2 && n.ownerElement ? assign(n.ownerElement, n.name, value, go) : go(n.localName == 'style' || n.parentNode && n.parentNode.localName == 'style' ? css(value == null ? '' : '' + value) : value));
  }
  property(proto(w, 'SVGAnimatedString'), 'baseVal', (s, value, go) => go(/^\s*([a-z]+:)?[\\/]{2}/i.test(value) && judgeNow(value, 'image') ? '' : value));
  property(proto(w, 'HTMLElement'), 'innerText', (el, value, go) => go(el.localName == 'style' ? css('' + value) : value));
  hooks(proto(w, 'CharacterData'), 'appendData insertData replaceData', (f, n, args) => {
    if (!n.parentNode || n.parentNode.localName != 'style') return call(f, n, args);
    const text = inertDoc.createTextNode(n.data);
    call(f, text, args);
    n.data = text.data;
  });
  property(proto(w, 'CharacterData'), 'data', (n, value, go) => go(n.parentNode && n.parentNode.localName == 'style' ? css('' + value) : value));
};

// Markup.
const guardMarkup = (w, element, document) => {
  const range = proto(w, 'Range');
  const gatedFirst = (f, self, [markup, ...more]) => call(f, self, [gatedMarkup(fixed(markup)), ...more]);
  // What markup would become in an element, if something in it is gated.
  const gatedNodes = (el, markup) => {
    const box = el && !plain('' + markup) && boxFor(el), root = box && (call(setInner, box, [markup]), box.content || box);
    return root && scan(root) && root.childNodes;
  };
  for (const object of [element, proto(w, 'ShadowRoot')]) {
    property(object, 'innerHTML', (el, value, go) => {
      if (el.localName == 'style') return go(css('' + value));
      const nodes = gatedNodes(el, value);
      nodes ? (el.content || el).replaceChildren(...nodes) : go(value);
    });
    hooks(object, 'setHTMLUnsafe setHTML', gatedFirst);
  }
  property(element, 'outerHTML', (el, value, go) => {
    const nodes = gatedNodes(el.parentElement, value);
    nodes ? el.replaceWith(...nodes) : go(value);
  });
  hook(element, 'insertAdjacentHTML', (f, el, args) => {
    args = args.map(fixed);
    const method = {beforebegin: 'before', afterbegin: 'prepend', beforeend: 'append', afterend: 'after'}[('' + args[0]).toLowerCase()];
    const nodes = gatedNodes(/end/.test(method) ? el : el.parentElement, args[1]);
    nodes && method ? el[method](...nodes) : call(f, el, args);
  });
  hook(document, 'execCommand', (f, self, args) => {
    args = args.map(fixed);
    if (/image$/i.test(args[0]) && judgeNow(args[2], 'image')) return false;
    if (/html$/i.test(args[0])) args[2] = gatedMarkup(args[2]);
    return call(f, self, args);
  });
  hook(range, 'createContextualFragment', (f, self, args) => {
    const at = self.startContainer, r = inertDoc.createRange();
    args = args.map(fixed);
    if (plain('' + args[0])) return call(f, self, args);
    r.selectNodeContents(boxFor(at.nodeType == 1 ? at : doc.body || doc.documentElement));
    const fragment = call(f, r, args);
    return scan(fragment) ? doc.adoptNode(fragment) : call(f, self, args);
  });
  hook(proto(w, 'DOMParser'), 'parseFromString', (f, self, args) => {
    const result = call(f, self, args);
    scan(result.documentElement);
    return result;
  });
  hook(w.Document, 'parseHTMLUnsafe', gatedFirst);
  const {write} = document;
  hooks(document, 'write writeln', (f, self, args, name) => {
    args = args.map(fixed);
    const text = args.join('') + (name == 'writeln' ? unescape('%0a') : '');
    if (self == doc && now.capture && now.capture(text)) return;
    const out = written(self, text);
    return out == text ? call(f, self, args) : call(write, self, [policy(out)]);
  });
};

// Nodes that come from elsewhere, and style text, on their way into the document.
const guardNodes = (w, node, document) => {
  const enter = (f, self, args) => {
    if (self.localName == 'style') {
      const before = call(textOf.get, self, []), text = before + args.map((n) => n && n.nodeType ? n.data : n || '').join(''), safe = css(text);
      if (safe != text) {
        call(textOf.set, self, [safe]);
        for (const n of args) if (n && n.nodeType == 3) n.data = '';
        args = args.map((n) => typeof n == 'string' ? '' : n);
      }
    }
    for (const n of args) if (n && n.nodeType) {
      if (n.ownerDocument != (self.ownerDocument || self)) n.nodeType != 3 && scan(n);
      else if (n.firstElementChild ? n.querySelector(special) : n.matches && n.matches(special)) scan(n);
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

// Chromium keeps style properties out of the prototype's reach: page code gets a stand-in for a style object, always the same.
const styles = new Memo(), reals = new Memo();
const inertValue = (v) => v && typeof v != 'number' ? css('' + v) : v;
const styleOf = (style) => {
  let stand = styles.get(style);
  if (!stand && style) {
    styles.set(style, stand = new Stand(style, {
      get: (s, k) => s[k],
      set: (s, k, v) => (s[k] = inertValue(v), true),
      defineProperty: (s, k, d) => reflect.defineProperty(s, k, 'value' in d ? copy({}, d, {value: inertValue(d.value)}) : d),
    }));
    reals.set(stand, style);
  }
  return stand;
};

// Style objects, and media made by their constructor.
const guardStyle = (w) => {
  const declaration = proto(w, 'CSSStyleDeclaration');
  for (const name of Object.getOwnPropertyNames(declaration)) if (typeof describe(declaration, name).value == 'function' && name != 'constructor') {
    hook(declaration, name, (f, self, args) => call(f, reals.get(self) || self, args));
  }
  for (const name of Object.getOwnPropertyNames(w)) if (/^CSS.*(Rule|Declarations)$|^(HTML|SVG|MathML)Element$/.test(name)) {
    property(proto(w, name), 'style', (on, value, go) => go(css('' + value)), (on, go) => styleOf(go()));
  }
  property(proto(w, 'CSSStyleDeclaration'), 'cssText', (s, value, go) => go(css('' + value)));
  const styled = (f, self, args) => call(f, self, args.map(inertly)), built = (f, args, t) => reflect.construct(f, args.map(inertly), t);
  for (const [name, list] of pairs({
    CSSStyleDeclaration: 'setProperty', CSSStyleSheet: 'insertRule addRule replace replaceSync', CSSGroupingRule: 'insertRule',
    CSSStyleRule: 'insertRule', CSSKeyframesRule: 'appendRule',
    StylePropertyMap: 'set append', Element: 'animate', KeyframeEffect: 'setKeyframes',
  })) hooks(proto(w, name), list, styled);
  hooks(w.CSS, 'registerProperty', styled);
  for (const name of ['FontFace', 'KeyframeEffect', 'CSSUnparsedValue']) hook(w, name, none, built);
  hook(w, 'Audio', none, (f, args, t) => {
    const el = reflect.construct(f, [], t);
    el.preload = 'auto';
    if (args.length) el.src = args[0];
    return el;
  });
};

// Navigations that no visitor started. A page leads its visitor to a service that is used, such as a sign-in with a social
// network, but not past an advertiser's counter. A frame's first document, still empty, tells nobody where it goes.
const guardNavigation = (w) => {
  const unasked = () => !(nav.userActivation || {}).isActive;
  if (w.navigation) w.navigation.addEventListener('navigate', (e) => {
    const {url, sameDocument} = e.destination, who = e.cancelable && !sameDocument && !e.userInitiated && unasked() && judgeNow(url, 'document');
    if (who && (w != w.top || who.bit & 12)) e.preventDefault();
  });
  hook(proto(w, 'HTMLElement'), 'click', (f, el, args) => el.href && /^[^_]/.test(el.target) && unasked() && judgeNow(el.href, 'document') ? undefined : call(f, el, args));
  hooks(proto(w, 'HTMLFormElement'), 'submit requestSubmit', (f, form, args) => judgeNow(call(getAttr, form, ['action']) || '#', 'form') ? undefined : call(f, form, args));
  hook(w, 'open', (f, self, args) => {
    args = args.map(fixed);
    if (args[0] && judgeNow(args[0], 'document')) return null;
    if (args[0] && made(args[0])) args[0] = guarded('' + args[0]);
    const opened = call(f, self, args);
    patch(opened);
    return opened;
  });
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
  const out = gatedMarkup(tag);
  return out == tag ? tag : ('' + out).replace(new RegExp('</' + /^<[^\s/>]+/.exec(tag)[0].slice(1) + '>$', 'i'), '');
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
