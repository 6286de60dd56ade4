// Measures the JavaScript peers as main.go measures the Go ones and prints one JSON object a line.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const corpus = process.argv[2];
const rounds = 5;
const lists = ['easyprivacy.txt', 'easylist.txt'].map((n) => readFileSync(join(corpus, 'lists', n), 'utf8'));
const requests = readFileSync(join(corpus, 'suites', 'page-requests', 'requests.tsv'), 'utf8')
  .split('\n').slice(1).map((l) => l.split('\t')).filter((f) => f.length === 4)
  .map(([, url, page, type]) => ({ url, page: `https://${page}/`, type }));

function measure(name, load, match) {
  const best = new Float64Array(requests.length).fill(Infinity);
  let mean = Infinity;
  let blocked = 0;
  for (let round = 0; round < rounds; round++) {
    blocked = 0;
    const start = process.hrtime.bigint();
    for (let i = 0; i < requests.length; i++) {
      if (match(i)) blocked++;
    }
    mean = Math.min(mean, Number(process.hrtime.bigint() - start) / requests.length);
    for (let i = 0; i < requests.length; i++) {
      const t = process.hrtime.bigint();
      match(i);
      best[i] = Math.min(best[i], Number(process.hrtime.bigint() - t));
    }
  }
  best.sort();
  console.log(JSON.stringify({ name, mean, p99: best[Math.floor(requests.length * 0.99)], load, blocked }));
}

async function peer(module, run) {
  try {
    await run(await import(module));
  } catch (err) {
    console.error(`${module}: ${err.message}`);
  }
}

const since = (start) => Number(process.hrtime.bigint() - start);

await peer('@ghostery/adblocker', ({ FiltersEngine, Request }) => {
  const start = process.hrtime.bigint();
  const engine = FiltersEngine.parse(lists.join('\n'), { loadCosmeticFilters: false });
  const load = since(start);
  const prepared = requests.map((r) => Request.fromRawDetails({ url: r.url, sourceUrl: r.page, type: r.type }));
  measure('@ghostery/adblocker', load, (i) => engine.match(prepared[i]).match);
});

await peer('@gorhill/ubo-core', async ({ StaticNetFilteringEngine }) => {
  const engine = await StaticNetFilteringEngine.create();
  const start = process.hrtime.bigint();
  await engine.useLists(lists.map((raw, i) => ({ name: String(i), raw })));
  const load = since(start);
  measure('@gorhill/ubo-core (parses the URL)', load, (i) => {
    const r = requests[i];
    return engine.matchRequest({ originURL: r.page, url: r.url, type: r.type }) === 1;
  });
});

await peer('adblock-rs', ({ default: rs }) => {
  const start = process.hrtime.bigint();
  const set = new rs.FilterSet();
  for (const l of lists) set.addFilters(l.split('\n'));
  const engine = new rs.Engine(set, true);
  const load = since(start);
  measure('adblock-rs (through Node)', load, (i) => engine.check(requests[i].url, requests[i].page, requests[i].type));
});
