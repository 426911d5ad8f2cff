import type {} from 'monaco-editor'; // declares MonacoEnvironment

/** Tells monaco where its workers are: beside this file, on the page's own origin. */
const FILES: Record<string, string> = { json: 'json.worker.js', graphql: 'graphql.worker.js' };

window.MonacoEnvironment = {
  getWorker: (_id: string, label: string): Worker =>
    new Worker(new URL(FILES[label] ?? 'editor.worker.js', import.meta.url), { type: 'module' }),
};
