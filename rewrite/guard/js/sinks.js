// Sinks: every way for page code to make the browser fetch something by elements, markup or style.
// Calls f with an object and the name of a property for each that paths name: 'Type,Type.name,name' of prototypes, 'name,name'
// of w itself.
const each = (w, paths, f) => {
  for (const path of cut(paths, ' ')) {
    const [types, names] = cut(path, '.');
    for (const type of names ? cut(types, ',') : [0]) for (const name of cut(names || types, ',')) f(type ? proto(w, type) : w, name);
  }
};
// Functions and constructors are replaced by proxies of themselves, so that name, length and toString stay. Handlers get what
// was called on, its arguments, and the native one as go.
const hook = (w, paths, handler) => each(w, paths, (object, name) => {
  while (object && !describe(object, name)) object = Object.getPrototypeOf(object);
  const d = object && describe(object, name), f = d?.value;
  if (!f || !d.configurable) return;
  d.value = new Stand(f, {
    apply: (f, self, args) => handler(self, args, (args, on = self) => call(f, on, args), name),
    construct: (f, args, target) => handler(f, args, (args) => reflect.construct(f, args, target)),
  });
  define(object, name, d);
  if (f.prototype?.constructor == f) f.prototype.constructor = d.value;
});
// Setters and getters are replaced by ones that get the native one as go.
const property = (w, paths, set, get) => each(w, paths, (object, name) => {
  const d = describe(object, name);
  if (!d?.configurable || !d.set && !get) return;
  define(object, name, copy(d, {
    set: d.set && new Stand(d.set, {apply: (f, self, [value]) => set(self, /^on/.test(name) ? value : fixed(value), (v) => call(f, self, [v]))}),
    get: get && d.get ? new Stand(d.get, {apply: (f, self) => get(self, () => call(f, self, []))}) : d.get,
  }));
});

// Whether the text of a node is style, or leads to it: <?xml-stylesheet?>, which works in HTML, too.
const styling = (n) => n.nodeType == 7 || n.localName == 'style' || n.parentNode?.localName == 'style';

// Properties that reflect a fetching attribute, and the attributes themselves.
const guardAttributes = (w) => {
  for (const name of Object.getOwnPropertyNames(w)) if (/^(HTML|SVG)\w*Element$/.test(name)) {
    for (const key of /LA|SVG/.test(name) ? ['ping'] : [...fetching, 'imageSrcset', 'attributionSrc', 'srcdoc', 'type']) {
      if (key != 'type' || /Sc/.test(name)) property(w, name + '.' + key, (el, value, go) => assign(el, key, value, go), (el, go) => {
        const value = keptValue(el, key == 'type' && keptValue(el, 'type') == null ? 'parked' : key.toLowerCase());
        return value == null ? go() : /set$|ping|type|srcdoc|background/i.test(key) ? value : (parse(value) || {href: value}).href;
      });
    }
  }
  hook(w, 'Element.setAttribute,setAttributeNS', (el, args, go, method) => {
    const at = +/NS/.test(method);
    args = args.map(fixed);
    return assign(el, '' + args[at], args[at + 1], (v) => (args[at + 1] = v, go(args)));
  });
  hook(w, 'Element.getAttribute', (el, args, go) => keptValue(el, '' + args[0]) ?? go(args));
  hook(w, 'Element.removeAttribute', (el, args, go) => (keptValue(el, '' + args[0]) != null && unpark(el, args[0]), go(args)));
  // An attribute's node comes in empty, and is then given its value.
  hook(w, 'Element.setAttributeNode,setAttributeNodeNS NamedNodeMap.setNamedItem,setNamedItemNS', (on, [a], go) => {
    const value = a?.ownerElement ? 0 : a?.value;
    if (value) a.value = '';
    const old = go([a]);
    if (value) a.value = value;
    return old;
  });
  property(w, 'Attr.value Node.nodeValue,textContent CharacterData.data HTMLElement.innerText,outerText', (n, value, go) =>
    n.nodeType == 2 && n.ownerElement ? assign(n.ownerElement, n.name, value, go) : go(styling(n) ? css(value) : value));
  property(w, 'SVGAnimatedString.baseVal', (s, value, go) => go(judgeNow(value, 'image') ? '' : value));
  hook(w, 'CharacterData.appendData,insertData,replaceData,deleteData', (n, args, go) => {
    if (!styling(n)) return go(args);
    const text = inertDoc.createTextNode(n.data);
    go(args, text);
    n.data = text.data;
  });
};

// Markup.
const guardMarkup = (w) => {
  const gatedFirst = (self, [markup, ...more], go) => go([gatedMarkup(fixed(markup)), ...more]);
  // What markup would become in an element, if something in it is gated.
  const gatedNodes = (el, markup) => {
    const box = el && !plain(markup) && boxFor(el), root = box && (setInner(box, markup), box.content || box);
    return root && scan(root) && root.childNodes;
  };
  property(w, 'Element,ShadowRoot.innerHTML', (el, value, go) => {
    if (el.localName == 'style') return go(css(value));
    const nodes = gatedNodes(el, value);
    nodes ? (el.content || el).replaceChildren(...nodes) : go(value);
  });
  hook(w, 'Element,ShadowRoot.setHTMLUnsafe,setHTML', gatedFirst);
  property(w, 'Element.outerHTML', (el, value, go) => {
    const nodes = gatedNodes(el.parentElement, value);
    nodes ? el.replaceWith(...nodes) : go(value);
  });
  hook(w, 'Element.insertAdjacentHTML', (el, args, go) => {
    args = args.map(fixed);
    const nodes = gatedNodes(/ebegin|rend/i.test(args[0]) ? el.parentElement : el, args[1]);
    nodes ? el.insertAdjacentElement(args[0], inertDoc.createElement('i')).replaceWith(...nodes) : go(args);
  });
  hook(w, 'Element.insertAdjacentText', (el, [at, text], go) => go([at, styling(el) ? css(fixed(text)) : text]));
  hook(w, 'Document.execCommand', (self, args, go) => {
    args = args.map(fixed);
    if (/image$/i.test(args[0]) && judgeNow(args[2], 'image')) return false;
    if (/html$/i.test(args[0])) args[2] = gatedMarkup(args[2]);
    return go(args);
  });
  hook(w, 'Range.createContextualFragment', (self, args, go) => {
    const at = self.startContainer, r = inertDoc.createRange();
    args = args.map(fixed);
    if (plain(args[0])) return go(args);
    r.selectNodeContents(boxFor(at.nodeType == 1 ? at : doc.body || doc.documentElement));
    const fragment = go(args, r);
    return scan(fragment) ? doc.adoptNode(fragment) : go(args);
  });
  hook(w, 'XSLTProcessor.transformToFragment', (self, [source, target], go) => {
    const fragment = go([source, inertDoc]);
    scan(fragment);
    return target.adoptNode(fragment);
  });
  hook(w, 'DOMParser.parseFromString', (self, args, go) => {
    const result = go(args);
    scan(result.documentElement);
    return result;
  });
  hook(w.Document, 'parseHTMLUnsafe', gatedFirst);
  const {write} = proto(w, 'Document');
  hook(w, 'Document.write,writeln', (self, args, go, name) => {
    args = args.map(fixed);
    const text = args.join('') + (name == 'writeln' ? unescape('%0a') : '');
    if (self == doc && now.capture?.(text)) return;
    const out = written(self, text);
    return out == text ? go(args) : call(write, self, [policy(out)]);
  });
};

// Nodes that come from elsewhere, and style text, on their way into the document.
const guardNodes = (w) => {
  const enter = (self, args, go) => {
    if (self.localName == 'style') {
      const before = getText(self), text = before + args.map((n) => n?.nodeType ? n.data : n || '').join(''), safe = css(text);
      if (safe != text) {
        setText(self, safe);
        for (const n of args) if (n?.data) n.data = '';
        args = args.map((n) => typeof n == 'string' ? '' : n);
      }
    }
    for (const n of args) if (n?.nodeType == 7) n.data = css(n.data);
    else if (n?.nodeType) {
      if (n.ownerDocument != (self.ownerDocument || self) || all(n, special)[0] || special.includes(',' + n.localName)) scan(n);
    }
    const result = go(args);
    for (const n of args) if (n?.localName == 'iframe') frameOf(n);
    return result;
  };
  hook(w, 'Element,CharacterData,Document,DocumentFragment.append,prepend,before,after,replaceWith,replaceChildren,insertAdjacentElement,moveBefore '
    + 'Node.appendChild,insertBefore,replaceChild Range.insertNode Document.adoptNode,importNode', enter);
};

// Frames of the same origin have their own natives.
const guardFrames = (w) => {
  property(w, 'HTMLIFrameElement,HTMLFrameElement,HTMLObjectElement.contentWindow,contentDocument', none, (el, go) => {
    const inner = go();
    try { patch(inner.defaultView || inner); } catch (e) {}
    return inner;
  });
  w.document.addEventListener('load', (e) => e.target.localName == 'iframe' && frameOf(e.target), true);
};

// Style inside of strings, lists, typed values and plain objects, such as key frames. Other objects are asked once what they
// say, for they might say something else when the browser asks; but timelines and the like stay.
const typedText = accessor('CSSStyleValue', 'toString').value;
const inertly = (v) => {
  if (Object(v) !== v || ArrayBuffer.isView(v)) return typeof v == 'string' ? css(v) : v;
  try {
    return css(call(typedText, v, []));
  } catch (e) {}
  if (v[Symbol.iterator]) return [...v].map(inertly);
  const text = v.toString ? `${v}` : '[object', own = pairs(v);
  return !/^\[object/.test(text) ? css(text) : own.length ? Object.fromEntries(own.map(([k, x]) => [k, inertly(x)])) : v;
};
const styled = (on, args, go) => go(args.map(inertly));

// Chromium keeps style properties out of the prototype's reach: page code gets a stand-in for a style object.
const styleTraps = {
  get: (s, k) => s[k],
  set: (s, k, v) => (s[k] = inertly(v), true),
  defineProperty: (s, k, d) => reflect.defineProperty(s, k, 'value' in d ? {...d, value: inertly(d.value)} : d),
};

// Style objects, and media made by their constructor.
const guardStyle = (w) => {
  const declaration = proto(w, 'CSSStyleDeclaration');
  for (const name of Object.getOwnPropertyNames(declaration)) if (typeof describe(declaration, name).value == 'function' && name != 'constructor') {
    hook(declaration, name, (self, args, go) => go(args, real(self)));
  }
  for (const name of Object.getOwnPropertyNames(w)) if (/^CSS.*(Rule|Declarations)$|^(HTML|SVG|MathML)Element$/.test(name)) {
    property(w, name + '.style', (on, value, go) => go(css(value)), (on, go) => standIn(go(), styleTraps));
  }
  property(declaration, 'cssText', (s, value, go) => go(css(value)));
  hook(w, 'CSSStyleDeclaration.setProperty CSSStyleSheet.insertRule,addRule,replace,replaceSync CSSGroupingRule.insertRule CSSStyleRule.insertRule CSSKeyframesRule.appendRule '
    + 'StylePropertyMap.set,append Element.animate KeyframeEffect.setKeyframes CSSUnparsedValue', styled);
  hook(w.CSS, 'registerProperty', styled);
  hook(w, 'KeyframeEffect', (type, [target, ...args], go) => go([target, ...args.map(inertly)]));
  hook(w, 'Audio', (type, args, go) => {
    const el = go([]);
    if (args.length) el.src = args[0];
    return el;
  });
};

// Navigations that no visitor started. A page leads its visitor to a service that is used, such as a sign-in with a social
// network, but not past an advertiser's counter. A frame's first document, still empty, tells nobody where it goes.
const guardNavigation = (w) => {
  const unasked = () => !nav.userActivation?.isActive;
  w.navigation?.addEventListener('navigate', (e) => {
    const {url} = e.destination, who = !e.userInitiated && unasked() && judgeNow(url, 'document');
    if (who && (w != w.top || who.bit & 12)) e.preventDefault();
    const safe = made(url) && guarded(url);
    if (safe && safe != url) e.preventDefault(), w.location = safe;
  });
  hook(w, 'HTMLElement.click EventTarget.dispatchEvent', (el, args, go) => el?.href && (w != w.top || /^[^_]/.test(el.target)) && unasked() && judgeNow(el.href.baseVal ?? el.href, 'document') ? undefined : go(args));
  hook(w, 'HTMLFormElement.submit,requestSubmit', (form, args, go) => judgeNow(getAttr(form, 'action'), 'form') ? undefined : go(args));
  hook(w, 'open Document.open', (self, args, go) => {
    if (self?.nodeType && args.length < 3) return go(args);
    args = args.map(fixed);
    if (judgeNow(args[0], 'document')) return null;
    if (made(args[0])) args[0] = guarded(args[0]);
    const opened = go(args);
    patch(opened);
    return opened;
  });
  hook(w, 'DocumentPictureInPicture.requestWindow', (self, args, go) => go(args).then((w) => (patch(w), w)));
  w.addEventListener('submit', (e) => {
    if (unasked() && judgeNow(e.submitter?.hasAttribute('formaction') ? e.submitter.formAction : getAttr(e.target, 'action'), 'form')) e.preventDefault();
  }, true);
};

// Puts all of this into a window; each has its own natives.
const patched = new Members();
const patch = (w) => {
  try {
    if (patched.has(w.Element)) return;
    patched.add(w.Element);
  } catch (e) {
    return; // of another origin, or none
  }
  network(w);
  for (const guard of [guardAttributes, guardMarkup, guardNodes, guardFrames, guardStyle, guardNavigation]) guard(w);
};
const contentOf = native(accessor('HTMLIFrameElement', 'contentWindow').get);
const frameOf = (el) => patch(contentOf(el));

// document.write: markup may be split anywhere, so an unfinished tag waits for the rest.
const tag = /(=\s*("[^"]*"|'[^']*'|(?!["'\s]))|[^>=])*>/y;
const tagEnd = (s, at) => {
  tag.lastIndex = at;
  return tag.test(s) && tag.lastIndex;
};
const gatedTag = (tag) => {
  const out = gatedMarkup(tag);
  return out == tag ? tag : ('' + out).replace(/<\/[^\s"<>]+>$/, '');
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
      raw = /^<(script|style|textarea|title|xmp|iframe|noembed|noframes|noscript)(?=[\s/>])/i.exec(s.slice(at, end))?.[1].toLowerCase();
    } else {
      const close = s.startsWith('!--', at + 1) ? '-->' : '>';
      if ((end = s.indexOf(close, at + 1) + close.length) < close.length) return hold(at);
      out += s.slice(at, end);
    }
    i = end;
  }
  return hold(s.length);
};
