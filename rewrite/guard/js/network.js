// Network: what fetches without an element. A gated call looks like one that was answered with nothing.
const nothing = 'data:application/json,{}';
const sockets = new Table(), workers = new Table();
const quiet = (extra) => copy(new EventTarget(), {readyState: 0, bufferedAmount: 0, send: none, close: none, start: none}, extra);
// Runs go now, later, or instead the other, as the URL's verdict says.
const when = (url, kind, go, other) => {
  const who = judge(url);
  if (who == unknown) return new Later((done, fail) => ask(url, kind, (v) => Later.resolve((v ? other : go)()).then(done, fail)));
  return who ? other() : go();
};
const {get: requested} = describe(proto(self, 'Request'), 'url') || {};
// What the gateway gated in markup that is fetched has that response's mark. Another origin could name one that it chose.
const fragments = new List(), noted = (m) => m && fragments.size < 1000 && fragments.add(m);
const network = (w) => {
  const requestOf = (input) => {
    try { return call(requested, input, []); } catch (e) {}
  };
  const firstFixed = ([input, ...more]) => [requestOf(input) ? input : fixed(input), ...more];
  const address = (input) => requestOf(input) || '' + input;
  const answer = () => Later.resolve(new Reply('{}', {headers: {'Content-Type': 'application/json'}}));
  hooks(w, 'fetch fetchLater', (f, self, args, name) => {
    const go = () => name == 'fetch' ? call(f, self, args).then((r) => (noted(r.type == 'basic' && r.headers.get('consent-mark')), r)) : call(f, self, args);
    args = firstFixed(args);
    return !args.length ? go() : name == 'fetch' ? when(address(args[0]), 'fetch', go, answer) : judgeNow(address(args[0]), 'fetch') ? {activated: false} : go();
  });
  hooks(w, 'setTimeout setInterval', (f, self, args) => typeof args[0] == 'string' && importOf(args[0]) ? 0 : call(f, self, args));
  // These fetch as well: a cache what it is told to keep, a worklet its module.
  const loads = (f, self, args, urls) => urls.reduce((next, url) => () => when(address(url), 'fetch', next, () => Later.resolve()), () => call(f, self, args))();
  hooks(proto(w, 'Cache'), 'add addAll', (f, self, args) => loads(f, self, args = firstFixed(args), [].concat(args[0] || [])));
  hooks(proto(w, 'BackgroundFetchManager'), 'fetch', (f, self, args) => loads(f, self, args, [].concat(args[1] || [])));
  hooks(proto(w, 'Worklet'), 'addModule', (f, self, args) => loads(f, self, args, args.slice(0, 1)));
  const held = new Memo(), xhr = proto(w, 'XMLHttpRequest');
  hook(xhr, 'open', (f, x, args) => {
    args = args.map(fixed);
    const now = args.length > 2 && !args[2], who = now ? judgeNow(args[1], 'xmlhttprequest') : judge(args[1]);
    held.delete(x);
    if (who == unknown) held.set(x, args);
    else if (who) args = ['GET', nothing, !now];
    return call(f, x, args);
  });
  hook(xhr, 'send', (f, x, args) => {
    x.addEventListener('readystatechange', () => x.readyState > 1 && x.responseURL.startsWith(self.origin + '/') && noted(x.getResponseHeader('consent-mark')));
    const opened = held.get(x);
    if (!opened) return call(f, x, args);
    when(opened[1], 'xmlhttprequest', () => held.get(x) == opened && call(f, x, args), () => {
      call(open, x, ['GET', nothing, true]);
      call(f, x, []);
    });
  });
  hook(proto(w, 'Navigator'), 'sendBeacon', (f, n, args) => {
    args = firstFixed(args);
    const sent = when(args[0], 'ping', () => call(f, n, args), () => true);
    return sent === false ? false : true;
  });
  hook(w, 'importScripts', (f, self, args) => call(f, self, args.map(fixed).filter((url) => !judgeNow(url, 'script'))));
  for (const name of ['WebSocket', 'WebSocketStream', 'EventSource', 'WebTransport']) hook(w, name, none, (f, args, t) => {
    args = firstFixed(args);
    const who = identify(args[0]) == unknown ? judgeNow(args[0], 'websocket') || 0 : identify(args[0]);
    if (who && !permitted(who)) return quiet({url: '' + args[0], ready: new Later(none), opened: new Later(none), closed: new Later(none)});
    const socket = reflect.construct(f, args, t);
    if (who) sockets.set(socket, who);
    return socket;
  });
  const withoutServers = ([options, ...more]) => {
    const servers = options && options.iceServers;
    if (servers) options = copy({}, options, {iceServers: servers.filter((s) => ![].concat(s.urls || s.url || []).some((u) => judgeNow(u, 'webrtc')))});
    return [options, ...more];
  };
  hook(w, 'RTCPeerConnection', none, (f, args, t) => reflect.construct(f, withoutServers(args), t));
  hook(proto(w, 'RTCPeerConnection'), 'setConfiguration', (f, self, args) => call(f, self, withoutServers(args)));
  // A payment method that is a URL is fetched to see whether it can be paid with.
  hook(w, 'PaymentRequest', none, (f, [methods, ...more], t) => reflect.construct(f, [[...methods].map((m) => copy({}, m)).filter((m) => !judgeNow(m.supportedMethods = '' + m.supportedMethods, 'fetch')), ...more], t));
  const idle = () => quiet({postMessage: none, terminate: none, port: quiet({postMessage: none})});
  // A worker made from a blob gets the guard in front; one from the site's own files gets it from the gateway.
  for (const name of ['Worker', 'SharedWorker']) hook(w, name, none, (f, args, t) => {
    args = firstFixed(args);
    const url = '' + args[0], blob = made(url);
    if (judge(url)) return idle();
    if (blob && source) try {
      const text = loadNow(url).responseText;
      if (importOf(text)) return idle();
      const own = workers.get(url) || objectUrl(new Blob([prelude(), text], {type: 'text/javascript'}));
      workers.set(url, own);
      args = [ours ? ours.createScriptURL(own) : own, ...args.slice(1)];
    } catch (e) {}
    return reflect.construct(f, args, t);
  });
  // What headers say, properties say.
  for (const name of ['Navigator', 'WorkerNavigator']) for (const [flag, key, value] of [['g', 'globalPrivacyControl', true], ['d', 'doNotTrack', '1']]) {
    if ((page.signals || '').includes(flag) && w[name]) define(proto(w, name), key, {get: () => value, configurable: true, enumerable: true});
  }
  storage(w);
};
const objectUrl = self.URL.createObjectURL;
const source = script ? script.textContent : page.source;
const prelude = () => 'self.$consent=' + JSON.stringify({...state(), source}) + ';' + source + ';';
const state = () => ({...page, granted: now.granted, denied: now.denied, vendors: pairs(now.vendors).map(([id, on]) => (on ? '+' : '-') + id).join()});
const guardTag = () => {
  const tag = inertDoc.createElement('script');
  for (const [k, v] of pairs(state())) call(setAttr, tag, ['data-' + k, v]);
  call(setAttr, tag, ['data-consent-guard', '']);
  if (nonce) call(setAttr, tag, ['nonce', nonce]);
  return tag.outerHTML.replace('><', () => '>' + source + '<');
};
const nonce = script && script.nonce;
