import {createElement as h, useEffect, useState} from 'react';
import {hydrateRoot} from 'react-dom/client';
import {view} from './view.mjs';

const App = view(h, useState, useEffect);
export const html = async () => (await import('react-dom/server')).renderToString(h(App));
if (typeof document == 'object') {
  self.served = document.querySelector('h1');
  hydrateRoot(document.getElementById('root'), h(App), {onRecoverableError: (e) => { throw e; }});
}
