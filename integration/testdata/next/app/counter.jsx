'use client';

import {useEffect, useState} from 'react';

export default function Counter() {
  const [n, more] = useState(0);
  useEffect(() => { document.documentElement.dataset.hydrated = 'yes'; }, []);
  return <button id="count" onClick={() => more(n + 1)}>{n}</button>;
}
