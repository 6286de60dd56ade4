// UI: drives the banner, the preference form and the placeholders; keeps tabs, frames and workers in step.
const channel = Channel && new Channel('consent');
const apply = (answer, told) => {
  const before = [...parties.values()].filter(permitted);
  suspended = 0;
  choose(answer);
  const lost = before.filter((who) => !permitted(who)), gained = [...parties.values()].some((who) => permitted(who) && !before.includes(who));
  if (channel && !told) channel.postMessage(answer);
  if (!doc) return;
  if (lost.length) {
    tell(true);
    retract();
  }
  sweep(refused);
  if (layered) consentMode();
  if (gained) revive().then(() => tell());
  else for (const [, s] of standing) s.calls.length = 0;
  show('saved');
  doc.dispatchEvent(new CustomEvent('consent', {detail: answer}));
};
const same = (a) => a.granted == granted && a.denied == denied && JSON.stringify(a.vendors || {}) == JSON.stringify(choices);
const json = (path, init) => load(endpoint + path, {headers: {Accept: 'application/json'}, credentials: 'same-origin', ...init}).then((r) => r.ok ? r.json() : Later.reject(r));
const refresh = () => json('state').then((answer) => same(answer) ? suspended = 0 : apply(answer), none);

const submitted = (e) => {
  const form = e.target, button = e.submitter, data = new FormData(form);
  if (form.method != 'post' || !/\/choose$/.test(form.action)) return;
  e.preventDefault();
  if (button && button.name) data.append(button.name, button.value);
  // Refusal needs no answer.
  if (/refuse|withdraw/.test(data.get('choice'))) apply({granted: granted & 1, denied: everything & ~1});
  json('choose', {method: 'POST', body: new URLSearchParams(data)}).then(apply).catch(() => show('error') || call(submit, form, []));
};
const {submit} = proto(self, 'HTMLFormElement');
const follow = (root, frame) => {
  root.addEventListener('submit', submitted);
  root.addEventListener('click', (e) => {
    if (!frame || !e.isTrusted || !e.target.closest('[data-consent-load]')) return;
    once.add(frame);
    revive([frame]);
  });
};
let banner;
// After a choice the dialog closes and says so; the permanent way back stays.
const show = (what) => {
  if (!banner) return;
  const root = banner.shadowRoot, status = root.querySelector('[data-consent-status]'), box = root.querySelector('details');
  banner.setAttribute('data-consent-state', 'decided');
  if (box && what == 'saved') box.open = false;
  if (status) status.textContent = status.dataset[what];
  for (const input of root.querySelectorAll('[name=purpose]')) input.checked = granted >> names.indexOf(input.value) & 1;
  return true;
};
const seen = (el) => {
  if (el.localName == 'consent-banner' && el.getAttribute('data-consent-ui') == mark && !banner && el.shadowRoot) {
    banner = el;
    doc.documentElement.append(el);
    follow(el.shadowRoot);
  }
};

const start = () => {
  if (!doc) {
    network(self);
  } else {
    script.remove();
    patch(self);
    lateListeners();
    if (denied > 1) sweep(refused);
    // The backstop: what got into the document by a way unknown here.
    new MutationObserver((records) => {
      for (const r of records) {
        if (r.type == 'attributes') inspect(r.target);
        else if (r.target.localName == 'style') restyle(r.target);
        for (const n of r.addedNodes) if (n.nodeType == 1) {
          scan(n);
          seen(n);
          const who = partyOf(n);
          if (who && n.localName == 'script') standIns(who);
        }
      }
    }).observe(doc, {subtree: true, childList: true, attributes: true, attributeFilter: ['src', 'href', 'xlink:href', 'srcset', 'data', 'poster', 'style', 'srcdoc', 'ping']});
    doc.addEventListener('load', (e) => {
      const el = e.target, who = el.localName == 'iframe' && partyOf(el);
      try { if (who) follow(el.contentDocument, el); } catch (x) {}
    }, true);
    if (granted & 12) consentMode();
    self.addEventListener('pageshow', (e) => {
      if (e.persisted) suspended = 1, refresh();
    });
    doc.addEventListener('visibilitychange', () => doc.visibilityState == 'visible' && refresh());
  }
  if (channel) channel.onmessage = (e) => same(e.data) || apply(e.data, true);
};
