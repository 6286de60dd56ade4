// React that owns the whole document, as Next does.
import {createElement as h, useEffect, useState} from 'react';
import {hydrateRoot} from 'react-dom/client';
import {view} from './view.mjs';

const App = view(h, useState, useEffect);
const Page = () => h('html', {lang: 'en', suppressHydrationWarning: true},
  h('head', null, h('meta', {charSet: 'utf-8'}), h('title', null, 'Shop'), h('script', {src: 'client.js', type: 'module', async: true})),
  h('body', null, h('div', {id: 'root'}, h(App))));
export const whole = true;
export const html = async () => '<!doctype html>' + (await import('react-dom/server')).renderToString(h(Page));
if (typeof document == 'object') {
  self.served = document.querySelector('h1');
  hydrateRoot(document, h(Page), {onRecoverableError: (e) => { throw e; }});
}
