// usage: node build.mjs OUT; builds each app into OUT/NAME: index.html as its server renders it, and client.js.
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {createRequire} from 'node:module';

const out = process.argv[2], require = createRequire(path.join(process.cwd(), 'package.json'));
const esbuild = require('esbuild'), {compile} = require('svelte/compiler');
const renderers = ['react-dom/server', 'react-dom-18/server', 'vue/server-renderer', 'svelte/server', 'preact-render-to-string'];
const svelte = (generate) => ({name: 'svelte', setup: (build) => build.onLoad({filter: /\.svelte$/}, ({path: file}) => (
  {contents: compile(fs.readFileSync(file, 'utf8'), {generate, filename: file}).js.code, resolveDir: path.dirname(file)}))});
const common = {bundle: true, format: 'esm', logLevel: 'error', nodePaths: [path.resolve('node_modules')], define: {'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true'}};

await Promise.all(['react', 'react-document', 'react-18-document', 'react-client', 'preact', 'vue', 'svelte'].map(async (name) => {
  // React 18 cannot do without one of the nodes that it hydrates, or with one more; Remix and shops made with it have it.
  const alias = name.includes('-18') ? {react: 'react-18', 'react-dom': 'react-dom-18'} : {};
  const entry = path.join(import.meta.dirname, name.replace('-18', '') + '.mjs'), to = path.join(out, name), server = path.join(out, name + '.server.mjs');
  await Promise.all([
    esbuild.build({...common, alias, entryPoints: [entry], outfile: path.join(to, 'client.js'), platform: 'browser', plugins: [svelte('client')], external: renderers}),
    esbuild.build({...common, alias, entryPoints: [entry], outfile: server, platform: 'node', plugins: [svelte('server')], banner: {js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"}}),
  ]);
  const app = await import(pathToFileURL(server)), body = await app.html();
  fs.writeFileSync(path.join(to, 'index.html'), app.whole ? body
    : `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title></head><body><div id="root">${body}</div><script type="module" src="/client.js"></script></body></html>`);
  fs.writeFileSync(path.join(to, 'late.html'), '<p id="came">More</p><iframe title="More film" width="480" height="270" src="https://player.vimeo.com/video/1"></iframe><img src="https://www.facebook.com/tr?id=2&ev=Late" width="1" height="1">');
}));
