// One small shop page, for frameworks whose element functions take (type, attributes, children): a counter, a client
// route with another embed, an embed that changes, and a fragment that comes late.
export const view = (h, useState, useEffect) => function App() {
  const [count, setCount] = useState(0), [page, setPage] = useState('home'), [film, setFilm] = useState('aqz-KE-bpKQ'), [late, setLate] = useState('');
  useEffect(() => { document.documentElement.dataset.hydrated = 'yes'; }, []);
  const go = (to) => () => {
    history.pushState({}, '', '/' + to);
    setPage(to);
  };
  const button = (id, onClick, text) => h('button', {id, onClick}, text);
  return h('main', null,
    h('h1', null, page),
    button('count', () => setCount(count + 1), String(count)),
    button('to-map', go('map'), 'Map'),
    button('to-home', go('home'), 'Home'),
    button('next', () => setFilm('M7lc1UVf-VE'), 'Next film'),
    button('more', async () => setLate(await (await fetch('/late.html')).text()), 'More'),
    page == 'home'
      ? h('iframe', {key: 'film', id: 'film', title: 'Film', width: 480, height: 270, src: 'https://www.youtube.com/embed/' + film})
      : h('iframe', {key: 'place', id: 'place', title: 'Map', width: 480, height: 270, src: 'https://www.google.com/maps/embed?pb=1'}),
    h('img', {src: 'https://www.facebook.com/tr?id=1&ev=PageView', width: 1, height: 1, alt: ''}),
    h('div', {id: 'late', dangerouslySetInnerHTML: {__html: late}}));
};
