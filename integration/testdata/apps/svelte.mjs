import {hydrate} from 'svelte';
import App from './App.svelte';

export const html = async () => (await import('svelte/server')).render(App).body;
if (typeof document == 'object') {
  self.served = document.querySelector('h1');
  hydrate(App, {target: document.getElementById('root'), recover: false});
}
