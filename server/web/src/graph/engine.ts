/** The picture itself: cytoscape.js with its layouts. A chunk of its own, loaded when the first graph is drawn. */
import cytoscape from 'cytoscape';
import fcose from 'cytoscape-fcose';
import { claimOf, type GraphEdge, type GraphNode, type Meta, phraseOf } from './model';
import { lineWidth, nodeColor, nodeSize } from './shapes';
import { beside, columns, type Point, rings } from './placing';
import type { Visible } from './state';

cytoscape.use(fcose);

/** Colours and font of the element, as its custom properties say. */
export interface Look {
  dark: boolean;
  background: string;
  text: string;
  muted: string;
  edge: string;
  accent: string;
  warn: string;
  font: string;
}
export interface Picked {
  type: 'node' | 'edge';
  id: string;
}
export interface Handlers {
  pick(picked: Picked | null): void;
  expand(id: string): void;
  hover(text: string | null): void;
}
export interface Size {
  width: number;
  height: number;
}
export type Layout = 'around' | 'paths';

/** Up to here every layout runs in full; beyond, positions are drafted, for a full one takes seconds. */
const FULL_LAYOUT = 300;
const MANY_EDGES = 600;
const DENSE_EDGES = 4_000;
const MANY_NODES = 1_000;
/** Side of the square that each entity of a large picture gets. */
const ROOM = 62;
const SHEET_ID = '__________cytoscape_stylesheet';

export class Engine {
  readonly cy: cytoscape.Core;
  #look: Look;
  #roots = new Set<string>();
  #fitted = ''; // the viewport as `fit` left it

  constructor(
    container: HTMLElement,
    look: Look,
    private readonly meta: Meta,
    private readonly handlers: Handlers,
  ) {
    this.#look = look;
    holdStyleElement(container.ownerDocument);
    this.cy = cytoscape({
      container,
      style: this.#style(),
      minZoom: 0.05,
      maxZoom: 3,
      boxSelectionEnabled: false,
      selectionType: 'single',
      pixelRatio: 'auto',
    });
    this.#listen();
  }

  /** Shows exactly these entities and edges; what was there keeps its place, what is new starts beside `anchor`. */
  sync(view: Visible, roots: readonly string[], places: ReadonlyMap<string, Point>, anchor: string | null): Set<string> {
    this.#roots = new Set(roots);
    const fresh = new Set<string>();
    this.cy.batch(() => {
      const ids = new Set([...view.nodes, ...view.edges].map(({ id }) => id));
      this.cy.elements().filter((element) => !ids.has(element.id())).remove();
      const missing = view.nodes.filter(({ id }) => this.cy.getElementById(id).empty());
      const starts = this.#starts(view, missing, places, anchor);
      for (const node of view.nodes) {
        const data = this.#nodeData(node, view.hidden.get(node.id) ?? 0);
        const known = this.cy.getElementById(node.id);
        if (known.nonempty()) known.data(data);
        else {
          if (!places.has(node.id)) fresh.add(node.id);
          this.cy.add({ group: 'nodes', data, position: { ...(starts.get(node.id) ?? { x: 0, y: 0 }) } });
        }
      }
      for (const edge of view.edges) {
        const data = this.#edgeData(edge);
        const known = this.cy.getElementById(edge.id);
        if (known.nonempty()) known.data(data);
        else this.cy.add({ group: 'edges', data });
      }
      this.cy.elements().toggleClass('many', view.edges.length > MANY_EDGES);
      this.cy.edges().toggleClass('dense', view.edges.length > DENSE_EDGES);
    });
    moveAsPicture(this.cy, view.nodes.length > MANY_NODES);
    return fresh;
  }

  #starts(view: Visible, missing: GraphNode[], places: ReadonlyMap<string, Point>, anchor: string | null): Map<string, Point> {
    const known = new Map(missing.filter(({ id }) => places.has(id)).map(({ id }) => [id, places.get(id)!]));
    const unplaced = missing.filter(({ id }) => !places.has(id));
    const middle = anchor ? this.cy.nodes().filter((node) => node.id() === anchor) : this.cy.nodes().slice(0, 0);
    const placed = middle.nonempty() ? beside(unplaced, middle.first().position(), this.#middle()) : rings(view.nodes, [...this.meta.kinds.keys()]);
    return new Map([...placed, ...known]);
  }

  #middle(): Point {
    const box = this.cy.nodes().boundingBox({});
    return { x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 };
  }

  /** Finds places for the entities in `fresh`, all others keeping theirs, and resolves when they are there. */
  async arrange(layout: Layout, fresh: ReadonlySet<string>, animate: boolean): Promise<void> {
    const nodes = this.cy.nodes();
    if (nodes.length < 2 || fresh.size === 0) return;
    if (layout === 'paths') return this.#columns();
    const options = { ...this.#fcose(fresh, nodes), animate: animate && nodes.length <= FULL_LAYOUT ? 'end' : false, animationDuration: 350, fit: false };
    const run = this.cy.layout(options as cytoscape.LayoutOptions);
    const done = run.promiseOn('layoutstop');
    const kept = new Map([...this.positions()].filter(([id]) => !fresh.has(id)));
    run.run();
    await done;
    this.place(kept);
    if (fresh.size < nodes.length) return;
    if (nodes.length <= FULL_LAYOUT) this.#fill();
    else this.#spread();
  }

  /** Gives the entities of a large picture room beside each other; a draft piles them up. */
  #spread(): void {
    const { x1, y1, w, h } = this.cy.nodes().boundingBox({ includeLabels: false });
    const wide = Math.sqrt(this.cy.nodes().length * ROOM ** 2 * (this.cy.width() / (this.cy.height() || 1)));
    const [fx, fy] = [wide / (w || 1), (this.cy.nodes().length * ROOM ** 2) / wide / (h || 1)];
    this.cy.nodes().positions((node) => ({ x: (node.position().x - x1) * fx, y: (node.position().y - y1) * fy }));
  }

  /** Makes a new picture as wide and high as the canvas, within reason, so that it is read at full size. */
  #fill(): void {
    const { x1, y1, w, h } = this.cy.nodes().boundingBox({ includeLabels: false });
    const within = (room: number, size: number): number => Math.min(1.8, Math.max(0.7, room / (size || 1)));
    const fx = within(this.cy.width() - 150, w);
    const zoom = Math.min(1, this.cy.width() / (w * fx + 150)); // as it will be seen
    const fy = within(this.cy.height() / zoom - 130, h);
    this.cy.nodes().positions((node) => ({ x: (node.position().x - x1) * fx, y: (node.position().y - y1) * fy }));
  }

  #columns(): void {
    const nodes = this.cy.nodes().map((node) => node.data() as GraphNode);
    const edges = this.cy.edges().map((edge) => edge.data() as GraphEdge);
    const places = columns(nodes, edges, this.#roots);
    this.place(places);
    // Neighbours in one column would be joined right through what stands between them.
    this.cy.edges().forEach((each) => void each.toggleClass('bowed', places.get(each.source().id())?.x === places.get(each.target().id())?.x));
    this.#fill();
  }

  #fcose(fresh: ReadonlySet<string>, nodes: cytoscape.NodeCollection): object {
    const kept = nodes.filter((node) => !fresh.has(node.id()));
    const small = nodes.length <= FULL_LAYOUT;
    return {
      name: 'fcose',
      quality: small ? 'default' : 'draft',
      randomize: !small && kept.empty(), // small graphs start from rings: the same link draws the same picture
      fixedNodeConstraint: small ? kept.map((node) => ({ nodeId: node.id(), position: (node as cytoscape.NodeSingular).position() })) : [],
      nodeRepulsion: 12_000,
      idealEdgeLength: 90,
      edgeElasticity: 0.35,
      gravity: 0.35,
      numIter: nodes.length > 120 ? 600 : 1_500,
      nodeSeparation: 90,
      nodeDimensionsIncludeLabels: small && kept.empty(), // fcose would shift fixed entities by their labels
      tile: true,
      ...(!small && kept.nonempty() && { name: 'preset' }),
    };
  }

  #nodeData({ id, label, kind, degree, distance }: GraphNode, hidden: number): Record<string, unknown> {
    const known = this.meta.kinds.get(kind);
    return {
      id,
      label,
      kind,
      distance,
      more: hidden,
      root: this.#roots.has(id) ? 1 : 0,
      color: nodeColor(known?.color, this.#look.dark),
      shape: known?.shape ?? 'ellipse',
      size: nodeSize(degree, this.#roots.has(id)),
    };
  }

  #edgeData({ id, source, target, relation, confidence, disputed, assumed }: GraphEdge): Record<string, unknown> {
    return { id, source, target, relation, phrase: phraseOf(this.meta, relation), width: lineWidth(confidence), confidence, disputed: disputed ? 1 : 0, assumed: assumed ? 1 : 0 };
  }

  /** New colours, same picture. */
  restyle(look: Look): void {
    this.#look = look;
    for (const [name, { color }] of this.meta.kinds) this.cy.nodes().filter((node) => node.data('kind') === name).data('color', nodeColor(color, look.dark));
    this.cy.style(this.#style());
  }

  #style(): cytoscape.StylesheetJson {
    const { text, background, edge, accent, warn, font } = this.#look;
    return [
      {
        selector: 'node',
        style: {
          'background-color': 'data(color)', shape: 'data(shape)' as never, width: 'data(size)', height: 'data(size)',
          label: 'data(label)', 'font-family': font, 'font-size': 10.5, color: text, 'text-valign': 'bottom', 'text-margin-y': 4,
          'text-wrap': 'ellipsis', 'text-max-width': '130px', 'text-background-color': background, 'text-background-opacity': 0.75, 'text-background-padding': '1px',
          'min-zoomed-font-size': 6.5, 'border-width': 1.5, 'border-color': background, 'overlay-opacity': 0,
        },
      },
      { selector: 'node[more > 0]', style: { 'border-style': 'double', 'border-width': 3.5, 'border-color': background } },
      { selector: 'node[root = 1]', style: { 'font-size': 14, 'font-weight': 600, 'border-width': 3, 'border-color': text, 'border-style': 'solid', 'text-wrap': 'wrap', 'text-max-width': '240px', 'min-zoomed-font-size': 5, 'z-index': 5 } },
      {
        selector: 'edge',
        style: {
          width: 'data(width)', 'line-color': edge, 'target-arrow-color': edge, 'target-arrow-shape': 'triangle', 'arrow-scale': 0.8,
          'curve-style': 'bezier', 'control-point-step-size': 26, opacity: 0.55, 'overlay-opacity': 0,
        },
      },
      { selector: 'edge.bowed', style: { 'curve-style': 'unbundled-bezier', 'control-point-distances': [70], 'control-point-weights': [0.5] } },
      { selector: 'edge.many', style: { 'curve-style': 'haystack', 'target-arrow-shape': 'none', opacity: 0.5 } as never },
      { selector: 'edge.dense', style: { width: 1, opacity: 0.16 } },
      { selector: 'edge[disputed = 1]', style: { 'line-style': 'dashed', 'line-color': warn, 'target-arrow-color': warn, opacity: 1 } },
      { selector: 'edge[assumed = 1]', style: { 'line-style': 'dotted', 'line-color': accent, 'target-arrow-color': accent, opacity: 1 } },
      { selector: '.dim', style: { opacity: 0.14 } },
      { selector: 'edge.dense.dim', style: { opacity: 0.03 } },
      { selector: 'edge.dense.near', style: { width: 'data(width)', opacity: 0.7 } },
      { selector: 'node.near', style: { 'text-wrap': 'wrap', 'min-zoomed-font-size': 5, 'z-index': 8 } },
      {
        selector: 'edge.told, edge:selected',
        style: {
          label: 'data(phrase)', 'font-size': 10, 'font-family': font, color: text, 'text-rotation': 'autorotate', 'min-zoomed-font-size': 6,
          'text-background-color': background, 'text-background-opacity': 0.9, 'text-background-padding': '2px', 'z-index': 9,
        },
      },
      { selector: 'edge:selected', style: { 'line-color': accent, 'target-arrow-color': accent, opacity: 1 } },
      { selector: 'node:selected, node.cursor', style: { 'border-color': accent, 'border-width': 3.5, 'border-style': 'solid', 'z-index': 10 } },
    ] as cytoscape.StylesheetJson; // prettier-ignore
  }

  #listen(): void {
    const { cy, handlers } = this;
    cy.on('tap', (event) => {
      if (event.target === cy) handlers.pick(null);
      else handlers.pick({ type: event.target.isNode() ? 'node' : 'edge', id: event.target.id() });
    });
    cy.on('dbltap', 'node', (event) => handlers.expand(event.target.id()));
    cy.on('mouseover', 'node, edge', (event) => {
      this.#light(event.target);
      handlers.hover(event.target.isNode() ? event.target.data('label') : this.#edgeText(event.target));
    });
    cy.on('mouseout', 'node, edge', () => {
      this.#light(cy.$(':selected'));
      handlers.hover(null);
    });
  }

  #edgeText(edge: cytoscape.EdgeSingular): string {
    return `${claimOf(this.meta, edge.source().data('label'), edge.data('relation'), edge.target().data('label')).join(' ')} · ${Math.round(edge.data('confidence') * 100)}%`;
  }

  /** Brings these and their neighbours out; dims the rest. */
  #light(center: cytoscape.CollectionReturnValue): void {
    this.cy.batch(() => {
      this.cy.elements().removeClass('dim told near');
      if (center.empty()) return;
      const near = center.nodes().closedNeighborhood().union(center.edges()).union(center.edges().connectedNodes());
      this.cy.elements().not(near).addClass('dim');
      near.addClass('near');
      if (near.edges().length <= 12) near.edges().addClass('told');
    });
  }

  /** Marks one thing as selected; `null` clears it. */
  select(picked: Picked | null): void {
    this.cy.batch(() => {
      this.cy.$(':selected').unselect();
      this.cy.nodes('.cursor').removeClass('cursor');
      if (picked) this.cy.getElementById(picked.id).select();
    });
    this.#light(this.cy.$(':selected'));
  }

  /** Brings these elements out, such as one path, and dims the rest; none brings everything back. */
  highlight(ids: readonly string[]): void {
    const wanted = new Set(ids);
    const chosen = this.cy.elements().filter((element) => wanted.has(element.id()));
    this.cy.batch(() => {
      this.cy.elements().removeClass('dim told near');
      if (chosen.empty()) return;
      this.cy.elements().not(chosen).addClass('dim');
      chosen.edges().addClass('near told');
    });
  }

  /** Moves the keyboard's place. */
  cursor(id: string | null): void {
    this.cy.nodes('.cursor').removeClass('cursor');
    if (id === null) return;
    const node = this.cy.getElementById(id);
    node.addClass('cursor');
    const { x, y } = node.renderedPosition();
    if (x < 30 || y < 30 || x > this.cy.width() - 30 || y > this.cy.height() - 30) this.cy.center(node);
  }

  /** Moves the picture so that something is seen beside what covers the canvas on the right or below. */
  reveal(id: string, right: number, below: number): void {
    const element = this.cy.getElementById(id);
    if (element.empty() || (right <= 0 && below <= 0)) return;
    const box = element.union(element.connectedNodes()).renderedBoundingBox({ includeLabels: false });
    const dx = Math.min(0, this.cy.width() - Math.max(0, right) - 40 - box.x2);
    const dy = Math.min(0, this.cy.height() - Math.max(0, below) - 40 - box.y2);
    if (dx < 0 || dy < 0) this.cy.animate({ panBy: { x: dx, y: dy }, duration: calm() ? 0 : 200 });
  }

  /** Brings an entity to the middle, close enough to read. */
  focus(id: string): void {
    const node = this.cy.getElementById(id);
    if (node.nonempty()) this.cy.animate({ center: { eles: node }, zoom: Math.max(1, this.cy.zoom()), duration: calm() ? 0 : 250 });
  }

  fit(): void {
    this.cy.resize();
    this.cy.fit(this.cy.elements(), 44);
    this.cy.panBy({ x: 0, y: -12 }); // the legend is below
    if (this.cy.zoom() > 1.4) this.cy.zoom({ level: 1.4, renderedPosition: { x: this.cy.width() / 2, y: this.cy.height() / 2 } });
    this.#fitted = this.#viewport();
  }

  /** The canvas has another size: all is still seen where all was, and what a person zoomed or moved to stays in the middle. */
  resize(before: Size, now: Size): void {
    if (this.#fitted === this.#viewport() || before.width === 0 || before.height === 0) return this.fit();
    this.cy.resize();
    this.cy.panBy({ x: (now.width - before.width) / 2, y: (now.height - before.height) / 2 });
  }

  #viewport(): string {
    const { x, y } = this.cy.pan();
    return `${this.cy.zoom()} ${x} ${y}`;
  }

  zoomBy(factor: number): void {
    this.cy.zoom({ level: this.cy.zoom() * factor, renderedPosition: { x: this.cy.width() / 2, y: this.cy.height() / 2 } });
  }

  positions(): Map<string, Point> {
    return new Map(this.cy.nodes().map((node) => [node.id(), { ...node.position() }] as [string, Point]));
  }

  place(positions: ReadonlyMap<string, Point>): void {
    this.cy.batch(() => {
      for (const [id, position] of positions) this.cy.getElementById(id).position({ ...position });
    });
  }

  /** The whole graph as a picture. */
  png(scale: number): Promise<Blob> {
    return this.cy.png({ output: 'blob-promise', full: true, scale, bg: this.#look.background, maxWidth: 8_000, maxHeight: 8_000 });
  }

  destroy(): void {
    this.cy.destroy();
  }
}

/** A large graph moves as a picture of itself while it is panned or zoomed: blurred for a moment, but without a wait. */
function moveAsPicture(cy: cytoscape.Core, on: boolean): void {
  (cy as unknown as { renderer(): { textureOnViewport: boolean } }).renderer().textureOnViewport = on;
}

/** Whether the person asked for less motion. */
const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * cytoscape writes one `<style>` into the page's head, which a policy without 'unsafe-inline' reports as a violation.
 * It looks for the element's id first; an inert element with that id keeps it from writing. Our own style sheet says the same.
 */
function holdStyleElement(page: Document): void {
  if (page.getElementById(SHEET_ID)) return;
  const placeholder = page.createElement('template');
  placeholder.id = SHEET_ID;
  page.head.prepend(placeholder);
}
