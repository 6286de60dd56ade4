// Bun's HTMLRewriter (native lol-html), driven by main.go: it reads the pages named in the file argv[2] and answers each
// line "NAME MILLISECONDS" on standard input with the nanoseconds that its fastest pass over all pages took.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const chunk = 32 << 10;
const pages = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((name) => readFileSync(name));
const buffers = pages.map((p) => p.buffer.slice(p.byteOffset, p.byteOffset + p.length));

function rewriter(four) {
  const r = new HTMLRewriter();
  if (four) for (const selector of ['script', 'img', 'iframe', 'link']) r.on(selector, { element() {} });
  return r;
}

// A whole page at once is the fastest that Bun offers; a stream of chunks is what a gateway would have to do.
const whole = (four) => async () => {
  for (const b of buffers) rewriter(four).transform(b);
};

const streamed = (four) => async () => {
  for (const p of pages) {
    const body = new ReadableStream({
      type: 'direct',
      pull(c) {
        for (let i = 0; i < p.length; i += chunk) c.write(p.subarray(i, i + chunk));
        c.close();
      },
    });
    await rewriter(four).transform(new Response(body)).arrayBuffer();
  }
};

const passes = { 'whole-none': whole(false), 'whole-four': whole(true), 'streamed-none': streamed(false), 'streamed-four': streamed(true) };

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ms] = line.split(' ');
  let best = Infinity;
  const until = performance.now() + Number(ms);
  do {
    const start = Bun.nanoseconds();
    await passes[name]();
    best = Math.min(best, Bun.nanoseconds() - start);
  } while (performance.now() < until);
  console.log(best);
}
