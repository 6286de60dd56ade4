import {createSSRApp, h, onMounted, ref} from 'vue';

const App = {
  setup() {
    const count = ref(0), page = ref('home'), film = ref('aqz-KE-bpKQ'), late = ref('');
    onMounted(() => { document.documentElement.dataset.hydrated = 'yes'; });
    const go = (to) => () => {
      history.pushState({}, '', '/' + to);
      page.value = to;
    };
    const button = (id, onClick, text) => h('button', {id, onClick}, text);
    const frame = (id, title, src) => h('iframe', {key: id, id, title, width: 480, height: 270, src});
    return () => h('main', [
      h('h1', page.value),
      button('count', () => count.value++, String(count.value)),
      button('to-map', go('map'), 'Map'),
      button('to-home', go('home'), 'Home'),
      button('next', () => { film.value = 'M7lc1UVf-VE'; }, 'Next film'),
      button('more', async () => { late.value = await (await fetch('/late.html')).text(); }, 'More'),
      page.value == 'home' ? frame('film', 'Film', 'https://www.youtube.com/embed/' + film.value) : frame('place', 'Map', 'https://www.google.com/maps/embed?pb=1'),
      h('img', {src: 'https://www.facebook.com/tr?id=1&ev=PageView', width: 1, height: 1, alt: ''}),
      h('div', {id: 'late', innerHTML: late.value}),
    ]);
  },
};
export const html = async () => (await import('vue/server-renderer')).renderToString(createSSRApp(App));
if (typeof document == 'object') {
  self.served = document.querySelector('h1');
  createSSRApp(App).mount('#root');
}
