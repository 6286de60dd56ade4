// Bun's HTMLRewriter (native lol-html), driven by main.go: it reads the pages named in the file argv[2] and answers each
// line "NAME MILLISECONDS" on standard input with the sum of the nanoseconds that each page took when it was read fastest.
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
const whole = (four) => (i) => rewriter(four).transform(buffers[i]);

const streamed = (four) => async (i) => {
  const p = pages[i];
  const body = new ReadableStream({
    type: 'direct',
    pull(c) {
      for (let i = 0; i < p.length; i += chunk) c.write(p.subarray(i, i + chunk));
      c.close();
    },
  });
  await rewriter(four).transform(new Response(body)).arrayBuffer();
};

const contenders = { 'whole-none': whole(false), 'whole-four': whole(true), 'streamed-none': streamed(false), 'streamed-four': streamed(true) };
const best = {};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ms] = line.split(' ');
  best[name] ??= pages.map(() => Infinity);
  const until = performance.now() + Number(ms);
  do {
    for (let i = 0; i < pages.length; i++) {
      const start = Bun.nanoseconds();
      const done = contenders[name](i);
      if (name.startsWith('streamed')) await done;
      best[name][i] = Math.min(best[name][i], Bun.nanoseconds() - start);
    }
  } while (performance.now() < until);
  console.log(best[name].reduce((a, b) => a + b));
}
