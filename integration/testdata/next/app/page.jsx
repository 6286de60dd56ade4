import {Suspense} from 'react';
import {connection} from 'next/server';
import Counter from './counter';

// Comes in the stream after the rest of the page.
async function Film() {
  await connection();
  await new Promise((done) => setTimeout(done, 300));
  return <iframe id="film" title="Film" width="480" height="270" src="https://www.youtube.com/embed/jNQXAC9IVRw" />;
}

export default function Home() {
  return (
    <main>
      <Counter />
      <Suspense fallback={<p id="wait">One moment</p>}><Film /></Suspense>
    </main>
  );
}
