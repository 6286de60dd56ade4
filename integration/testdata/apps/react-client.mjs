// React without a server: all comes from script.
import {createElement as h, useEffect, useState} from 'react';
import {createRoot} from 'react-dom/client';
import {view} from './view.mjs';

export const html = () => '';
if (typeof document == 'object') createRoot(document.getElementById('root')).render(h(view(h, useState, useEffect)));
