/** The parts around the canvas: legend, filters, table. Each draws itself anew from what it is given. */
import { h, percent, s } from '../dom';
import { type Filter, type GraphEdge, type GraphNode, type Meta, phraseOf } from './model';
import { nodeColor, shapePath } from './shapes';

const ROWS = 200;

/** Kinds in the graph, each a button that shows or hides it, and what the lines mean. */
export function legendItems(meta: Meta, present: ReadonlyMap<string, number>, shown: (kind: string) => boolean, assumed: boolean, dark: boolean, toggle: (kind: string) => void): Node[] {
  const items = [...meta.kinds.values()]
    .filter(({ name }) => present.has(name))
    .map(({ name, label, color, shape }) =>
      h(
        'li',
        {},
        h(
          'button',
          { type: 'button', 'aria-pressed': String(shown(name)), title: shown(name) ? `Hide ${label}` : `Show ${label}`, 'data-kind': name, onclick: () => toggle(name) },
          s('svg', { width: 16, height: 16, viewBox: '-8 -8 16 16', 'aria-hidden': 'true' }, s('path', { d: shapePath(shape, 13), fill: nodeColor(color, dark) })),
          label,
        ),
      ),
    );
  return [...items, h('li', { class: 'lines' }, line(1), line(4.5), 'confidence', line(2, '4 3', 'var(--warn)'), 'disputed', ...(assumed ? [line(2, '2 3', 'var(--accent)'), 'assumed'] : []))];
}

function line(width: number, dashes?: string, color = 'var(--edge)'): SVGSVGElement {
  return s('svg', { width: 22, height: 10, 'aria-hidden': 'true' }, s('line', { x1: 1, x2: 21, y1: 5, y2: 5, stroke: color, 'stroke-width': width, 'stroke-dasharray': dashes }));
}

/** The filter's form. `relations` maps each relation of the loaded graph to its number of edges. */
export function filterForm(meta: Meta, filter: Filter, relations: ReadonlyMap<string, number>, change: (next: Partial<Filter>) => void): Node[] {
  const chosen = (name: string): boolean => filter.relations === null || filter.relations.includes(name);
  const names = [...relations.keys()].sort((a, b) => (relations.get(b) ?? 0) - (relations.get(a) ?? 0));
  const toggle = (name: string): void => {
    const next = names.filter((each) => (each === name ? !chosen(each) : chosen(each)));
    change({ relations: next.length === names.length ? null : next });
  };
  const value = h('small', {}, percent(filter.minConfidence));
  return [
    h(
      'fieldset',
      {},
      h('legend', {}, 'Confidence at least'),
      h('label', {}, range(filter.minConfidence, value, (minConfidence) => change({ minConfidence })), value),
    ),
    h(
      'fieldset',
      {},
      h('legend', {}, 'Relations'),
      ...names.map((name) =>
        h(
          'label',
          {},
          checkbox(name, chosen(name), () => toggle(name)),
          h('span', {}, phraseOf(meta, name)),
          h('small', {}, relations.get(name) ?? 0),
        ),
      ),
    ),
    h('button', { type: 'button', onclick: () => change({ relations: null, kinds: null, minConfidence: 0 }) }, 'Show everything'),
  ];
}

function checkbox(value: string, checked: boolean, onchange: () => void): HTMLInputElement {
  return h('input', { type: 'checkbox', value, checked, onchange });
}

function range(current: number, shown: HTMLElement, set: (value: number) => void): HTMLInputElement {
  const input = h('input', { type: 'range', min: 0, max: 1, step: 0.05, value: current, 'aria-label': 'Confidence at least' });
  input.addEventListener('input', () => (shown.textContent = percent(input.valueAsNumber)));
  input.addEventListener('change', () => set(input.valueAsNumber));
  return input;
}

export interface TableActions {
  node(id: string): void;
  edge(id: string): void;
  all(): void;
}

/** Every line of the picture as a row that can be read and pressed. */
export function tableOf(meta: Meta, nodes: readonly GraphNode[], edges: readonly GraphEdge[], selected: string | null, everything: boolean, actions: TableActions): Node[] {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const sorted = [...edges].sort((a, b) => (a.relation < b.relation ? -1 : a.relation > b.relation ? 1 : b.confidence - a.confidence));
  const rows = everything ? sorted : sorted.slice(0, ROWS);
  const end = (id: string): HTMLElement => h('td', {}, h('button', { type: 'button', onclick: () => actions.node(id) }, labels.get(id) ?? id));
  const row = (edge: GraphEdge): HTMLElement =>
    h(
      'tr',
      { class: edge.id === selected && 'chosen' },
      end(edge.source),
      h('td', { class: edge.disputed && 'disputed' }, h('button', { type: 'button', class: 'relation', title: 'Show the evidence', onclick: () => actions.edge(edge.id) }, phraseOf(meta, edge.relation), edge.disputed && ' (disputed)', edge.assumed && ' (assumed)')),
      end(edge.target),
      h('td', { class: 'n' }, percent(edge.confidence)),
    );
  return [
    h(
      'table',
      {},
      h('caption', {}, `${nodes.length} entities, ${edges.length} relations`),
      h('thead', {}, h('tr', {}, ...['From', 'Relation', 'To', 'Confidence'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, ...rows.map(row)),
    ),
    ...(rows.length < sorted.length ? [h('button', { type: 'button', onclick: actions.all }, `Show all ${sorted.length} relations`)] : []),
  ];
}
