/** The notebook widget (kg/notebook.py): an anywidget module, one file without chunks, since it is loaded from a blob. */
import { defineKgGraph, type KgGraph, type OwnData } from './graph/element';

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

/** Draws the model's graph and tells it what is chosen; returns what takes that back. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  defineKgGraph(new URL('graphql', location.href)); // its address is never asked: the data comes with the cell
  const graph = document.createElement('kg-graph') as KgGraph;
  const data = (): void => void (graph.data = model.get('data') as OwnData);
  const look = (): void => {
    graph.theme = String(model.get('theme') ?? 'auto');
    graph.style.setProperty('--kg-graph-height', String(model.get('height') ?? '480px'));
  };
  graph.addEventListener('kg-select', (event) => {
    model.set('selected', (event as CustomEvent<unknown>).detail ?? null);
    model.save_changes();
  });
  const heard = { 'change:data': data, 'change:theme': look, 'change:height': look };
  look();
  data();
  for (const [name, react] of Object.entries(heard)) model.on(name, react);
  el.append(graph);
  return () => {
    for (const [name, react] of Object.entries(heard)) model.off(name, react);
    graph.remove();
  };
}

export default { render };
