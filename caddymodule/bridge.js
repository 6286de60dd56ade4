// Carries the answer that another consent platform keeps in the browser to the gateway, which cannot read it there.
(() => {
  'use strict';
  const {sources, prefix, names} = BRIDGE;
  const at = (o, path) => path ? path.split('.').reduce((v, k) => v == null ? v : v[k], o) : o;
  const read = (s) => {
    if (s.call) {
      const path = s.call.split('.'), name = path.pop(), owner = at(self, path.join('.'));
      return owner && typeof owner[name] == 'function' ? owner[name]() : null;
    }
    if (s.decided && localStorage.getItem(s.decided) != 'true') return null;
    return at(JSON.parse(localStorage.getItem(s.storage)), s.path);
  };
  // What is granted, as bits: of several members for one purpose all must say yes. -1 while there is no answer.
  const answer = () => {
    for (const s of sources) try {
      const members = read(s);
      let yes = 0, no = 0;
      for (const [name, bits] of Object.entries(s.purposes))
        if (members && members[name] !== undefined) String(members[name]) == s.granted ? yes |= bits : no |= bits;
      if (yes | no) return yes & ~no;
    } catch (x) {}
    return -1;
  };
  const call = (path, init) => fetch(prefix + path, {headers: {Accept: 'application/json'}, credentials: 'same-origin', ...init})
    .then((r) => r.ok ? r.json() : Promise.reject(r));
  const key = 'consent-bridge';
  let done = -1, busy = false;
  // Each answer is sent once a tab, and only where the gateway has another: what it never grants must not be asked for ever.
  const send = async (bits) => {
    const state = await call('/state');
    if ((state.granted & 30) == bits || sessionStorage.getItem(key) == bits) return;
    const body = new URLSearchParams({choice: 'save', from: 'platform'});
    names.forEach((name, i) => bits >> i & 1 && i && body.append('purpose', name));
    const told = await call('/choose', {method: 'POST', body});
    sessionStorage.setItem(key, bits);
    const channel = new BroadcastChannel('consent');
    channel.postMessage(told);
    setTimeout(() => channel.close(), 1000);
  };
  const look = () => {
    const bits = answer();
    if (busy || bits < 0 || bits == done) return;
    busy = true;
    send(bits).then(() => done = bits, () => {}).finally(() => busy = false);
  };
  look();
  setInterval(look, 500);
  addEventListener('storage', look);
})();
