// Network: what fetches without an element. A gated call looks like one that was answered with nothing.
const nothing = 'data:application/json,{}';
const never = new Later(none), sockets = new Table(), workers = new Table();
const quiet = (extra) => copy(new EventTarget(), {readyState: 0, bufferedAmount: 0, send: none, postMessage: none, close: none, start: none}, extra);
// Runs go now, later, or instead the other, as the URL's verdict says.
const when = (url, kind, go, other) => {
  const who = judge(url);
  if (who == unknown) return new Later((done) => ask(url, kind, (v) => done((v ? other : go)())));
  return who ? other() : go();
};
const requested = native(accessor('Request', 'url').get);
// What the gateway gated in markup that is fetched has that response's mark. Another origin could name one that it chose.
const fragments = new List(), noted = (m) => m && fragments.size < 1000 && fragments.add(m);
const network = (w) => {
  const requestOf = (input) => {
    try { return requested(input); } catch (e) {}
  };
  const firstFixed = (args) => args.map((a, i) => i || requestOf(a) ? a : fixed(a));
  const address = (input) => requestOf(input) || '' + input;
  const answer = () => Later.resolve(new Reply('{}', {headers: {'Content-Type': 'application/json'}}));
  hook(w, 'fetch', (self, args, go) => {
    args = firstFixed(args);
    return when(address(args[0]), 'fetch', () => go(args).then((r) => (noted(r.type == 'basic' && r.headers.get('consent-mark')), r)), answer);
  });
  // Others fetch what their arguments name, however deep: a cache what it is told to keep, a worklet its module, a notification
  // its icon, a sign-in its provider (FedCM), a passkey the domain that it belongs to, a style sheet what is relative to its base.
  const named = (args) => {
    const all = [];
    try { JSON.stringify(args, (key, v) => (all.push(/^(rpI|i)d$/.test(key) ? '//' + v : address(v)), v)); } catch (e) {}
    return all;
  };
  const loads = (self, args, go) => named(args).reduce((next, url) => () => when(url, 'fetch', next, () => Later.resolve()), () => go(args))();
  hook(w, 'Cache.add,addAll BackgroundFetchManager.fetch Worklet.addModule CredentialsContainer.get,create ServiceWorkerRegistration.showNotification', loads);
  hook(w.IdentityCredential, 'disconnect', loads);
  const led = (args) => named(args).some((url) => judgeNow(url, 'fetch'));
  hook(w, 'fetchLater', (self, args, go) => led(args) ? {} : go(args));
  property(w, 'MediaMetadata.artwork', (m, v, go) => led(v) || go(v));
  hook(w, 'Notification,MediaMetadata,CSSStyleSheet', (type, args, go) => go(led(args) ? args.map((a) => typeof a == 'string' ? a : {}) : args));
  const held = new Memo();
  hook(w, 'XMLHttpRequest.open', (x, args, go) => {
    args = args.map(fixed);
    const now = args.length > 2 && !args[2], who = now ? judgeNow(args[1], 'fetch') : judge(args[1]);
    held.delete(x);
    if (who == unknown) held.set(x, args);
    else if (who) args = ['GET', nothing, !now];
    return go(args);
  });
  hook(w, 'XMLHttpRequest.send', (x, args, go) => {
    x.addEventListener('readystatechange', () => x.readyState > 1 && x.responseURL.startsWith(self.origin + '/') && noted(x.getResponseHeader('consent-mark')));
    const opened = held.get(x);
    if (!opened) return go(args);
    when(opened[1], 'fetch', () => held.get(x) == opened && go(args), () => {
      call(open, x, ['GET', nothing]);
      go([]);
    });
  });
  hook(w, 'Navigator.sendBeacon', (n, args, go) => {
    args = firstFixed(args);
    return when(args[0], 'ping', () => go(args), () => true) !== false;
  });
  hook(w, 'importScripts', (self, args, go) => go(args.map(fixed).filter((url) => !judgeNow(url, 'script'))));
  hook(w, 'WebSocket,WebSocketStream,EventSource,WebTransport', (type, args, go) => {
    args = firstFixed(args);
    if (judgeNow(args[0], 'websocket')) return quiet({url: '' + args[0], ready: never, opened: never, closed: never});
    const socket = go(args), who = identify(args[0]);
    if (who) sockets.set(socket, who);
    return socket;
  });
  hook(w, 'FontFace', styled); // in workers, too
  hook(w, 'RTCPeerConnection,webkitRTCPeerConnection RTCPeerConnection.setConfiguration', (on, [options, ...more], go) => {
    let over;
    const gated = (url) => judgeNow(url, 'webrtc') || (over = identify(url) || over, 0);
    if (options?.iceServers) options = {...options, iceServers: options.iceServers.filter((s) => ![].concat(s.urls || s.url || []).some(gated))};
    const made = go([options, ...more]);
    if (over) sockets.set(made || on, over);
    return made;
  });
  // A payment method that is a URL is fetched to see whether it can be paid with.
  hook(w, 'PaymentRequest', (type, [methods, ...more], go) => go([[...methods].filter((m) => !led(m)), ...more]));
  const idle = () => quiet({terminate: none, port: quiet()});
  // A worker made from a blob gets the guard in front; one from the site's own files gets it from the gateway.
  hook(w, 'Worker,SharedWorker', (type, args, go) => {
    args = firstFixed(args);
    const url = '' + args[0];
    if (made(url) && source) try {
      const text = loadNow(url).responseText;
      if (importOf(text)) return idle();
      const own = workers.get(url) || holding(prelude() + text, 'text/javascript', url);
      workers.set(url, own);
      args[0] = isTrusted(args[0]) ? trusted('src', own) : own;
    } catch (e) {}
    return go(args);
  });
  // What headers say, properties say.
  for (const [flag, key, value] of [['g', 'globalPrivacyControl', true], ['d', 'doNotTrack', '1']]) {
    if (page.signals?.includes(flag)) each(w, 'Navigator,WorkerNavigator.' + key, (object) => define(object, key, {...plainly, get: () => value}));
  }
  storage(w);
};
const objectUrl = self.URL.createObjectURL;
const source = script ? script.textContent : page.source;
const prelude = () => 'self.$consent=' + JSON.stringify({...state(), source}) + ';' + source + ';';
const state = () => ({...page, granted: now.granted, denied: now.denied, vendors: pairs(now.vendors).map(([id, on]) => (on ? '+' : '-') + id).join()});
const guardTag = () => {
  const tag = inertDoc.createElement('script');
  for (const [k, v] of pairs(state())) setAttr(tag, 'data-' + k, v);
  setAttr(tag, 'data-consent-guard', '');
  if (nonce) setAttr(tag, 'nonce', nonce);
  return tag.outerHTML.replace('><', () => '>' + source + '<');
};
const nonce = script?.nonce;
