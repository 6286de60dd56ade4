// The shop's own script: it knows nothing of consent and calls what it expects to be there.
document.addEventListener('DOMContentLoaded', function () {
  document.documentElement.setAttribute('data-shop', 'ready');
  if (typeof ga === 'function') { ga('send', 'event', 'shop', 'ready'); }
  if (typeof gtag === 'function') { gtag('event', 'shop_ready'); }
  var links = document.querySelectorAll('nav a');
  for (var i = 0; i < links.length; i++) {
    links[i].addEventListener('click', function () { if (window.fbq) { fbq('trackCustom', 'Nav', { to: this.href }); } });
  }
});
