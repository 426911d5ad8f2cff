// Bundles the browser pages: node build.mjs [OUTDIR] [STAMP]. Called by build.py; reads nothing but this folder.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const [outdir = 'dist', stamp = ''] = process.argv.slice(2);

// graphiql.js, graphiql.css and the three workers keep fixed names; what they share carries a hash.
const entryPoints = {
  graphiql: 'src/graphiql.tsx',
  'kg-graph': 'src/kg-graph.ts',
  explorer: 'src/explorer.ts',
  'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
  'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
};

/** Every bundled package, with its licence texts as its authors wrote them. */
function thirdParty(inputs) {
  const packages = new Set(
    Object.keys(inputs)
      .map((path) => path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1])
      .filter(Boolean),
  );
  const rule = '='.repeat(100);
  return [...packages]
    .map((folder) => ({ folder, meta: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .sort((a, b) => (a.meta.name < b.meta.name ? -1 : 1))
    .map(({ folder, meta }) => {
      const texts = readdirSync(folder)
        .filter((name) => /^(licen[cs]e|copying|notice|thirdpartynotices)/i.test(name))
        .sort()
        .map((name) => readFileSync(join(folder, name), 'utf8').trim());
      return [rule, `${meta.name} ${meta.version} (${meta.license})`, rule, '', ...texts, ''].join('\n');
    })
    .join('\n');
}

/** Name and size of every file below a folder, in a fixed order. */
function listing(folder) {
  const files = readdirSync(folder, { recursive: true })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => name.split(sep).join('/'))
    .sort();
  return Object.fromEntries(
    files.map((name) => {
      const data = readFileSync(join(folder, name));
      return [name, { bytes: data.length, gzip: gzipSync(data).length }];
    }),
  );
}

rmSync(outdir, { recursive: true, force: true });
const common = {
  outdir,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  metafile: true,
  legalComments: 'none', // their texts are in THIRD-PARTY.txt
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'file' },
  chunkNames: 'chunks/[name]-[hash]',
  assetNames: 'fonts/[name]-[hash]',
  logLevel: 'warning',
};
const result = await build({ ...common, entryPoints, splitting: true });
await build({ ...common, entryPoints: { notebook: 'src/notebook.ts' } }); // of the same packages, but one file: see there
// esbuild also writes the styles of every dynamic import; they are all in graphiql.css already and nothing loads them.
for (const name of Object.keys(result.metafile.outputs)) if (/\/chunks\/[^/]*\.css$/.test(name)) rmSync(name);
writeFileSync(join(outdir, 'THIRD-PARTY.txt'), thirdParty(result.metafile.inputs));
const files = listing(outdir);
writeFileSync(join(outdir, 'manifest.json'), JSON.stringify({ stamp, files }, null, 1) + '\n');
if (process.env.KG_WEB_META) writeFileSync(process.env.KG_WEB_META, JSON.stringify(result.metafile));
const total = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
console.log(`${Object.keys(files).length} files, ${(total / 2 ** 20).toFixed(1)} MiB in ${relative('.', outdir) || basename(outdir)}`);
