import {h, hydrate} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {view} from './view.mjs';

const App = view(h, useState, useEffect);
export const html = async () => (await import('preact-render-to-string')).renderToString(h(App));
if (typeof document == 'object') {
  self.served = document.querySelector('h1');
  hydrate(h(App), document.getElementById('root'));
}
