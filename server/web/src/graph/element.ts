/**
 * `<kg-graph>`: a piece of the knowledge graph in any page.
 *
 *     <script type="module" src="https://kg.example.org/static/kg-graph.js"></script>
 *     <kg-graph entity="MONDO:0007915" depth="1" theme="auto"></kg-graph>
 *
 * Plain custom element, no framework: it goes into other people's pages, whatever they are built with, and what it
 * draws is a canvas, three lists and a form. The graph engine is a chunk of its own, loaded with the first graph.
 *
 * Attributes (each is a property of the same name in camelCase; lists take commas):
 *   entity          CURIEs in the middle          depth           hops around them (1)
 *   relations       only these relations          kinds           only entities of these kinds
 *   min-confidence  only edges at least this sure  as-of           only evidence known on this day (YYYY-MM-DD)
 *   max-nodes       most entities to load (200)    max-degree      hide entities with more edges (hubs)
 *   expand          CURIEs expanded in place       without         CURIEs taken out of the picture
 *   theme           light | dark | auto
 *   controls        full | legend | none          endpoint        GraphQL address (that of the script's service)
 *   paths-from, paths-to   draw the best paths between these instead, left to right
 *   hypotheses-for         draw what supports the hypotheses about this therapy or disease
 * Property only: `data`, a graph of your own (`{nodes, edges, kinds?, relations?}`; no request is made then), and
 * `headers`, sent with every request.
 *
 * Methods: expand(id) hide(id) focus(id) select(id | null) highlight(ids) fit() undo() redo() exportPNG() exportSVG() toJSON() reload()
 *
 * Events (bubble, cross shadow roots; details are plain objects):
 *   kg-load {nodes, edges, total, version}   kg-select {type: 'node' | 'edge', …} or null   kg-expand {id, added}
 *   kg-change {expand, without, relations, kinds, minConfidence, maxDegree, maxNodes}: a person changed what is shown
 *   kg-error {code, message, advice}
 *
 * Parts: frame toolbar canvas legend table message. Custom properties: --kg-graph-height, -background, -surface,
 * -text, -muted, -line, -edge, -accent, -warn, -font, -radius.
 */
import { download, h, icon, type IconName, plural } from '../dom';
import { isAborted, Service, ServiceError } from '../service';
import type { Engine, Look, Picked, Size } from './engine';
import { cytoscapeJson, type Drawing, svgOf, withLegend } from './export';
import { isArrow, KEYS, neighbourTowards, nextEdge } from './keyboard';
import { claimOf, fetchMeta, fetchView, type Filter, type GraphData, type GraphEdge, type GraphNode, type Kind, type Meta, metaOf, type Relation } from './model';
import { filterForm, legendItems, tableOf } from './panels';
import type { Point } from './placing';
import { sheet } from './sheet';
import { fetchPaths, fetchSupport, pathsData } from './sources';
import { covers, EMPTY, type GraphState, hubDegree, isCut, isGrown, merged, Timeline, visible, type Visible } from './state';

/** A graph of the page's own. */
export interface OwnData {
  nodes: (Pick<GraphNode, 'id' | 'label' | 'kind'> & Partial<GraphNode>)[];
  edges: (Pick<GraphEdge, 'source' | 'target' | 'relation'> & Partial<GraphEdge>)[];
  kinds?: Kind[];
  relations?: Relation[];
  /** CURIEs of the entities it is about. */
  roots?: string[];
  /** `paths` draws from left to right. */
  layout?: 'around' | 'paths';
}
interface Memory {
  state: GraphState;
  filter: Filter;
  maxDegree: number;
  places: Map<string, Point>;
}

const ATTRIBUTES = {
  entity: 'list', depth: 'number', relations: 'list', kinds: 'list', 'min-confidence': 'number', 'as-of': 'text', 'max-nodes': 'number', 'max-degree': 'number',
  expand: 'list', without: 'list', theme: 'text', controls: 'text', endpoint: 'text', 'paths-from': 'list', 'paths-to': 'list', 'hypotheses-for': 'text',
} as const; // prettier-ignore
type Name = keyof typeof ATTRIBUTES;
const RELOADS: readonly Name[] = ['depth', 'max-nodes', 'as-of'];
const RESETS: readonly Name[] = ['entity', 'endpoint', 'paths-from', 'paths-to', 'hypotheses-for', 'expand'];
const FILTERS: readonly Name[] = ['relations', 'kinds', 'min-confidence', 'max-degree', 'without'];
const MOST_NODES = 5_000;
const EXPAND_BY = 50;
const JOINED_UP_TO = 200; // the service's own limit on ids in one argument

const camel = (name: string): string => name.replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase());
const listed = (text: string | null): string[] => (text ?? '').split(',').map((each) => each.trim()).filter(Boolean); // prettier-ignore

export class KgGraph extends HTMLElement {
  static readonly observedAttributes = Object.keys(ATTRIBUTES);
  /** Where graphs without an `endpoint` are asked for; the script that defines the element sets it. */
  static defaultEndpoint = new URL('graphql', document.baseURI);

  declare entity: string[];
  declare depth: number | null;
  declare relations: string[];
  declare kinds: string[];
  declare minConfidence: number | null;
  declare asOf: string;
  declare maxNodes: number | null;
  declare maxDegree: number | null;
  declare without: string[];
  declare theme: string;
  declare controls: string;
  declare endpoint: string;
  declare pathsFrom: string[];
  declare pathsTo: string[];
  declare hypothesesFor: string;

  static {
    for (const [name, type] of Object.entries(ATTRIBUTES) as [Name, string][]) {
      if (name === 'expand') continue; // `expand` is a method
      Object.defineProperty(this.prototype, camel(name), {
        get(this: KgGraph) {
          const text = this.getAttribute(name);
          return type === 'list' ? listed(text) : type === 'number' ? (text === null || text === '' || Number.isNaN(Number(text)) ? null : Number(text)) : (text ?? '');
        },
        set(this: KgGraph, value: unknown) {
          if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) this.removeAttribute(name);
          else this.setAttribute(name, Array.isArray(value) ? value.join(',') : String(value));
        },
        enumerable: true,
        configurable: true,
      });
    }
  }

  headers: Record<string, string> = {};
  /** Resolves when what was last asked for is drawn, or has failed. */
  updateComplete: Promise<void> = Promise.resolve();

  #own: OwnData | null = null;
  #engine: Engine | null = null;
  #meta: Meta = metaOf([], []);
  #state: GraphState = EMPTY;
  #shown: Visible = { nodes: [], edges: [], hidden: new Map() };
  #applied: Filter = { relations: null, kinds: null, minConfidence: 0 };
  #appliedDegree = Infinity;
  #loaded: Filter = this.#applied;
  #places = new Map<string, Point>();
  #timeline = new Timeline<Memory>();
  #selected: Picked | null = null;
  #cursor: string | null = null;
  #changed = new Set<Name | 'data'>();
  #quiet = false;
  #busy: AbortController | null = null;
  #everyRow = false;
  #dark = matchMedia('(prefers-color-scheme: dark)');
  #sized: ResizeObserver | null = null;
  #seen: Size = { width: 0, height: 0 };

  readonly #root = this.attachShadow({ mode: 'open' });
  readonly #canvas = h('div', { class: 'canvas', part: 'canvas', tabindex: 0, role: 'application', 'aria-roledescription': 'graph', 'aria-label': 'Graph', 'aria-describedby': 'keys' });
  readonly #hint = h('p', { class: 'hint', hidden: true });
  readonly #legend = h('ul', { class: 'legend', part: 'legend', 'aria-label': 'Kinds' });
  readonly #message = h('div', { class: 'message', part: 'message', hidden: true });
  readonly #bar = h('div', { class: 'busy', hidden: true });
  readonly #filters = h('div', { class: 'filters', id: 'filters', role: 'dialog', 'aria-label': 'Filters', hidden: true });
  readonly #menu = h('div', { class: 'menu', id: 'menu', role: 'group', 'aria-label': 'Export', hidden: true });
  readonly #table = h('div', { class: 'table', part: 'table', id: 'table', role: 'region', 'aria-label': 'Relations as a table', tabindex: 0, hidden: true });
  readonly #note = h('div', { class: 'note', hidden: true });
  readonly #count = h('span', { class: 'count' });
  readonly #live = h('p', { class: 'sr', role: 'status' });
  readonly #body = h('div', { class: 'body' }, h('div', { class: 'stage' }, this.#canvas, this.#hint, this.#legend, this.#filters, this.#menu, this.#message, this.#bar), this.#table);
  readonly #tools = {
    filter: tool('filter', 'Filters', () => this.#toggle('filter')),
    hubs: h('button', { type: 'button', 'aria-pressed': 'false', class: 'wide', title: 'Hide entities that are joined to nearly everything', onclick: () => this.#toggleHubs() }, 'Hide hubs'),
    undo: tool('undo', 'Undo', () => this.undo()),
    redo: tool('redo', 'Redo', () => this.redo()),
    minus: tool('minus', 'Zoom out', () => this.#engine?.zoomBy(1 / 1.3)),
    plus: tool('plus', 'Zoom in', () => this.#engine?.zoomBy(1.3)),
    fit: tool('fit', 'Fit all', () => this.fit()),
    table: tool('table', 'Table', () => this.#toggle('table')),
    export: tool('export', 'Export', () => this.#toggle('export')),
  };
  readonly #toolbar = h('div', { class: 'toolbar', part: 'toolbar', role: 'group', 'aria-label': 'Graph tools' });
  readonly #frame = h('div', { class: 'frame', part: 'frame' }, this.#toolbar, this.#body, this.#note, this.#live, h('p', { class: 'sr', id: 'keys' }, KEYS));

  constructor() {
    super();
    const { filter, hubs, undo, redo, minus, plus, fit, table, export: save } = this.#tools;
    for (const [button, panel] of [[filter, 'filters'], [table, 'table'], [save, 'menu']] as const) {
      button.setAttribute('aria-controls', panel);
      button.setAttribute('aria-expanded', 'false');
    }
    undo.disabled = redo.disabled = true;
    this.#toolbar.append(filter, hubs, undo, redo, h('span', { class: 'space' }), this.#count, h('span', { class: 'space' }), minus, plus, fit, table, save);
    this.#menu.append(
      h('button', { type: 'button', onclick: () => void this.#save('png') }, 'PNG picture'),
      h('button', { type: 'button', onclick: () => void this.#save('svg') }, 'SVG picture'),
      h('button', { type: 'button', onclick: () => void this.#save('json') }, 'Data (Cytoscape JSON)'),
    );
    this.#root.adoptedStyleSheets = [sheet()];
    this.#root.append(this.#frame);
    this.#canvas.addEventListener('keydown', (event) => this.#key(event));
    this.#canvas.addEventListener('focus', () => this.#moveCursor(this.#cursor ?? this.#state.roots[0] ?? null));
    this.#canvas.addEventListener('blur', () => this.#engine?.cursor(null));
    this.#frame.addEventListener('keydown', (event) => event.key === 'Escape' && this.#closePanels());
  }

  connectedCallback(): void {
    for (const name of [...Object.keys(ATTRIBUTES).map(camel), 'data'] as (keyof this)[])
      if (name !== ('expand' as keyof this) && Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    this.#dark.addEventListener('change', this.#recolour);
    this.#sized = new ResizeObserver(() => this.#resized());
    this.#sized.observe(this.#canvas);
    this.#schedule('entity');
  }

  disconnectedCallback(): void {
    this.#dark.removeEventListener('change', this.#recolour);
    this.#sized?.disconnect();
    this.#busy?.abort();
    this.#places = this.#engine?.positions() ?? this.#places;
    this.#engine?.destroy();
    this.#engine = null;
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.#quiet && before !== after && this.isConnected) this.#schedule(name as Name);
  }

  /** The page's own graph instead of a service's. */
  get data(): OwnData | null {
    return this.#own;
  }
  set data(own: OwnData | null) {
    this.#own = own;
    if (this.isConnected) this.#schedule('data');
  }

  #schedule(name: Name | 'data'): void {
    if (this.#changed.size === 0) this.updateComplete = Promise.resolve().then(() => this.#update());
    this.#changed.add(name);
  }

  async #update(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    if (!this.isConnected) return;
    const any = (names: readonly Name[]): boolean => changed.some((name) => names.includes(name as Name));
    if (changed.includes('data') || any(RESETS)) await this.#load(true);
    else if (any(RELOADS)) await this.#load(false);
    else if (any(FILTERS)) await this.#refilter(changed.includes('without'));
    if (changed.includes('theme')) this.#recolour();
    if (changed.includes('controls')) this.#drawControls();
  }

  // ------------------------------------------------------------ loading

  /** Asks for everything again. */
  reload(): Promise<void> {
    this.#schedule('entity');
    return this.updateComplete;
  }

  get #service(): Service {
    const service = new Service(this.endpoint ? new URL(this.endpoint, document.baseURI) : KgGraph.defaultEndpoint);
    service.headers = this.headers;
    return service;
  }

  get #wanted(): Filter {
    const some = (list: string[]): string[] | null => (list.length > 0 ? list : null);
    return { relations: some(this.relations), kinds: some(this.kinds), minConfidence: this.minConfidence ?? 0 };
  }

  async #load(reset: boolean): Promise<void> {
    this.#busy?.abort();
    const busy = (this.#busy = new AbortController());
    this.#wait(true);
    try {
      const [state, meta] = this.#own ? this.#fromOwn(this.#own) : await this.#fromService(busy.signal);
      if (busy.signal.aborted || !this.isConnected) return;
      this.#meta = meta;
      const grown = isGrown(this.#state, state);
      if (reset) {
        this.#timeline.clear();
        this.#cursor = null;
        this.#everyRow = false;
      }
      if (reset || grown) {
        this.#places.clear();
        this.#engine?.cy.elements().remove();
      }
      this.#state = state;
      this.#loaded = this.#wanted;
      await this.#show(null, reset || grown);
      this.#emit('kg-load', { nodes: this.#shown.nodes.length, edges: this.#shown.edges.length, total: state.total, version: state.version });
    } catch (problem) {
      if (!isAborted(problem) && this.#busy === busy) this.#fail(problem);
    } finally {
      if (this.#busy === busy) this.#wait(false);
    }
  }

  #fromOwn(own: OwnData): [GraphState, Meta] {
    const degrees = new Map<string, number>();
    for (const { source, target } of own.edges) for (const id of [source, target]) degrees.set(id, (degrees.get(id) ?? 0) + 1);
    const nodes = own.nodes.map((node): GraphNode => ({ degree: degrees.get(node.id) ?? 0, distance: 0, ...node }));
    const edges = own.edges.map((edge, at): GraphEdge => ({ id: `edge-${at}`, confidence: 1, disputed: false, ...edge }));
    const state = merged({ ...EMPTY, roots: own.roots ?? [], total: nodes.length, totalEdges: edges.length }, { nodes, edges, total: nodes.length, totalEdges: edges.length, version: null });
    return [state, metaOf(own.kinds ?? [], own.relations ?? [])];
  }

  async #fromService(signal: AbortSignal): Promise<[GraphState, Meta]> {
    const service = this.#service;
    const meta = fetchMeta(service);
    meta.catch(() => undefined); // awaited below
    const ends = [this.pathsFrom, this.pathsTo] as const;
    if (ends[0].length > 0 && ends[1].length > 0) return [await this.#paths(service, ends, signal), await meta];
    if (this.hypothesesFor) return [stateOf([this.hypothesesFor], await fetchSupport(service, this.hypothesesFor, this.asOf || null, signal)), await meta];
    if (this.entity.length === 0) throw new ServiceError('NOTHING_ASKED', 'No entity to draw.', 'Set the attribute entity to an identifier, such as a CURIE.');
    return [await this.#around(service, signal), await meta];
  }

  async #paths(service: Service, [from, to]: readonly [string[], string[]], signal: AbortSignal): Promise<GraphState> {
    const { relations, kinds, minConfidence } = this.#wanted;
    const where = { ...(relations && { relations }), ...(kinds && { kinds }), ...(minConfidence > 0 && { minConfidence }) };
    const page = await fetchPaths(service, { from, to, where, first: 25, ...(this.asOf && { asOf: this.asOf }) }, signal);
    if (page.nodes.length === 0) throw new ServiceError('NO_PATH', 'No path connects the two.', page.whyNot?.text ?? 'Allow longer paths or fewer constraints.');
    const data = pathsData(page.nodes, page.nodes.length);
    return stateOf([...from, ...to], data);
  }

  /** The neighbourhood, and that of everything expanded, under the current filter. */
  async #around(service: Service, signal: AbortSignal): Promise<GraphState> {
    const shared = { ...this.#wanted, asOf: this.asOf || null };
    const maxNodes = Math.min(this.maxNodes ?? 200, MOST_NODES);
    const first = await fetchView(service, { ...shared, around: this.entity, depth: this.depth ?? 1, maxNodes }, signal);
    let state = stateOf(first.nodes.filter(({ distance }) => distance === 0).map(({ id }) => id), first); // an alias was resolved
    state = { ...state, removed: new Set(this.without) };
    for (const id of listed(this.getAttribute('expand'))) {
      const known = state.nodes.get(id);
      const more = await fetchView(service, { ...shared, around: [id], depth: 1, maxNodes: EXPAND_BY + 1 }, signal);
      state = { ...merged(state, more, known?.distance ?? 1), expanded: [...state.expanded, id] };
    }
    return state.expanded.length > 0 ? this.#joined(service, state, signal) : state;
  }

  /** Edges between entities that were loaded by different questions. */
  async #joined(service: Service, state: GraphState, signal: AbortSignal): Promise<GraphState> {
    const around = [...state.nodes.keys()];
    if (around.length > JOINED_UP_TO) return state;
    const { edges, total, totalEdges, version } = await fetchView(service, { ...this.#wanted, asOf: this.asOf || null, around, depth: 0, maxNodes: around.length }, signal);
    return merged(state, { nodes: [], edges, total, totalEdges, version });
  }

  async #refilter(removed: boolean): Promise<void> {
    this.#remember();
    if (removed) this.#state = { ...this.#state, removed: new Set(this.without) };
    if (!this.#own && (isCut(this.#state) || !covers(this.#loaded, this.#wanted))) await this.#load(false);
    else await this.#show(null, false);
  }

  // ------------------------------------------------------------ what a person or page does

  /** Brings in the neighbours of an entity, most trusted first, with everything else staying where it is. */
  async expand(id: string): Promise<void> {
    const node = this.#state.nodes.get(id);
    if (!node || this.#own) return;
    this.#busy?.abort();
    const busy = (this.#busy = new AbortController());
    this.#wait(true);
    try {
      const known = this.#shown.edges.filter(({ source, target }) => source === id || target === id).length;
      const request = { ...this.#wanted, asOf: this.asOf || null, around: [id], depth: 1, maxNodes: known + 1 + EXPAND_BY };
      const data = await fetchView(this.#service, request, busy.signal);
      const wider = { ...merged(this.#state, data, node.distance), expanded: [...new Set([...this.#state.expanded, id])] };
      const joined = await this.#joined(this.#service, wider, busy.signal);
      if (busy.signal.aborted) return;
      this.#remember();
      const added = data.nodes.filter((each) => !this.#state.nodes.has(each.id)).map((each) => each.id);
      const removed = new Set([...this.#state.removed].filter((gone) => !data.nodes.some((each) => each.id === gone)));
      this.#state = { ...joined, removed };
      await this.#show(id, false);
      this.#say(`${plural(added.length, 'entity', 'entities')} added around ${node.label}.`);
      this.#emit('kg-expand', { id, added });
      this.#tellChange();
    } catch (problem) {
      if (!isAborted(problem)) this.#fail(problem);
    } finally {
      if (this.#busy === busy) this.#wait(false);
    }
  }

  /** Takes an entity out of the picture. */
  async hide(id: string): Promise<void> {
    if (!this.#state.nodes.has(id) || this.#state.roots.includes(id)) return;
    this.#remember();
    this.#state = { ...this.#state, removed: new Set([...this.#state.removed, id]) };
    if (this.#cursor === id) this.#cursor = null;
    await this.#show(null, false);
    this.#tellChange();
  }

  undo(): void {
    const back = this.#timeline.undo(this.#memory());
    if (back) this.#restore(back, 'Undone');
  }

  redo(): void {
    const forth = this.#timeline.redo(this.#memory());
    if (forth) this.#restore(forth, 'Done again');
  }

  /** Brings an entity to the middle of the picture. */
  focus(options?: FocusOptions | string): void {
    if (typeof options === 'string') {
      this.#engine?.focus(options);
      this.#cursor = options;
    } else this.#canvas.focus(options);
  }

  /** Selects an entity by CURIE or an edge by id, as a click does. */
  select(id: string | null): void {
    const type = id === null ? null : this.#state.nodes.has(id) ? 'node' : this.#state.edges.has(id) ? 'edge' : null;
    this.#pick(type && id !== null ? { type, id } : null);
  }

  /** Brings these entities and edges out and dims the rest; an empty list ends it. */
  highlight(ids: readonly string[]): void {
    this.#engine?.highlight(ids);
  }

  fit(): void {
    this.#engine?.fit();
  }

  /** A picture with its legend; `scale` is pixels for each unit. */
  async exportPNG(scale = 2): Promise<Blob> {
    if (!this.#engine) throw new ServiceError('NOT_READY', 'Nothing is drawn yet.', 'Wait for the event kg-load.');
    return withLegend(await this.#engine.png(scale), this.#drawing(), this.#meta, this.#look(), scale);
  }

  exportSVG(): string {
    return svgOf(this.#drawing(), this.#meta, this.#look());
  }

  /** What is shown, as Cytoscape.js JSON with positions. */
  toJSON(): object {
    return cytoscapeJson(this.#drawing());
  }

  /** The engine, once a graph is drawn; for tests and for what the element does not offer. */
  get engine(): Engine | null {
    return this.#engine;
  }

  #drawing(): Drawing {
    return { nodes: this.#shown.nodes, edges: this.#shown.edges, places: this.#engine?.positions() ?? this.#places, roots: this.#state.roots };
  }

  async #save(format: 'png' | 'svg' | 'json'): Promise<void> {
    this.#closePanels();
    const name = `graph-${(this.entity[0] ?? 'view').replace(/\W+/g, '-')}`;
    if (format === 'png') download(`${name}.png`, await this.exportPNG());
    else if (format === 'svg') download(`${name}.svg`, new Blob([this.exportSVG()], { type: 'image/svg+xml' }));
    else download(`${name}.cyjs`, new Blob([JSON.stringify(this, null, 1)], { type: 'application/json' }));
  }

  // ------------------------------------------------------------ memory

  #memory(): Memory {
    return { state: this.#state, filter: this.#applied, maxDegree: this.#appliedDegree, places: this.#engine?.positions() ?? this.#places };
  }

  #remember(): void {
    this.#timeline.remember(this.#memory());
  }

  #restore({ state, filter, maxDegree, places }: Memory, word: string): void {
    this.#state = state;
    this.#places = new Map(places);
    this.#quiet = true;
    Object.assign(this, { relations: filter.relations, kinds: filter.kinds, minConfidence: filter.minConfidence || null, maxDegree: maxDegree === Infinity ? null : maxDegree });
    this.#quiet = false;
    this.#loaded = filter;
    void this.#show(null, false).then(() => {
      this.#engine?.place(places);
      this.#say(`${word}: ${plural(this.#shown.nodes.length, 'entity', 'entities')}, ${plural(this.#shown.edges.length, 'relation')}.`);
    });
    this.#tellChange();
  }

  #tellChange(): void {
    const { relations, kinds, minConfidence } = this.#wanted;
    this.#quiet = true;
    if (this.#state.expanded.length > 0) this.setAttribute('expand', this.#state.expanded.join(','));
    else this.removeAttribute('expand');
    this.without = [...this.#state.removed];
    this.#quiet = false;
    this.#emit('kg-change', { expand: [...this.#state.expanded], without: [...this.#state.removed], relations, kinds, minConfidence, maxDegree: this.maxDegree, maxNodes: this.maxNodes });
  }

  /** A filter changed from inside: the attributes say so, and so does an event. */
  #set(next: Partial<Filter>): void {
    if ('relations' in next) this.relations = next.relations as string[];
    if ('kinds' in next) this.kinds = next.kinds as string[];
    if (next.minConfidence !== undefined) this.minConfidence = next.minConfidence || null;
    void this.updateComplete.then(() => this.#tellChange());
  }

  #toggleKind(kind: string): void {
    const all = [...this.#kindCounts().keys()];
    const now = this.#wanted.kinds ?? all;
    const next = now.includes(kind) ? now.filter((each) => each !== kind) : [...now, kind];
    this.#set({ kinds: all.every((each) => next.includes(each)) ? null : next });
  }

  #showMore(most: number): void {
    this.maxNodes = most;
    void this.updateComplete.then(() => this.#tellChange());
  }

  #toggleHubs(): void {
    this.maxDegree = this.maxDegree === null ? hubDegree(this.#state) : null;
    void this.updateComplete.then(() => this.#tellChange());
  }

  // ------------------------------------------------------------ drawing

  async #show(anchor: string | null, fit: boolean): Promise<void> {
    this.#applied = this.#wanted;
    this.#appliedDegree = this.maxDegree ?? Infinity;
    this.#shown = visible(this.#state, this.#applied, this.#appliedDegree);
    for (const [id, place] of this.#engine?.positions() ?? []) this.#places.set(id, place);
    this.#message.hidden = true;
    this.#drawControls();
    const engine = await this.#start();
    if (!engine) return;
    const layout = this.#own ? (this.#own.layout ?? 'around') : this.pathsFrom.length > 0 || this.hypothesesFor ? 'paths' : 'around';
    const wasEmpty = engine.cy.elements().empty();
    const fresh = engine.sync(this.#shown, this.#state.roots, this.#places, anchor);
    engine.select(this.#selected);
    if (fit || wasEmpty) engine.fit();
    await engine.arrange(layout, fresh, !wasEmpty);
    if (this.#engine !== engine) return; // taken out of the page meanwhile
    this.#places = new Map([...this.#places, ...engine.positions()]);
    if (fit || wasEmpty) engine.fit();
    if (this.#shown.nodes.length === 0) this.#tell('Nothing to show.', 'No entity passes the filters; allow more.', 'Show everything', () => this.#set({ relations: null, kinds: null, minConfidence: 0 }));
  }

  async #start(): Promise<Engine | null> {
    if (this.#engine) return this.#engine;
    let module: typeof import('./engine');
    try {
      module = await import('./engine');
    } catch {
      throw new ServiceError('UNREACHABLE', 'The drawing program could not be loaded.', 'Check your connection, then reload the page. The table shows the same graph.');
    }
    if (!this.isConnected) return null;
    this.#engine ??= new module.Engine(this.#canvas, this.#look(), this.#meta, {
      pick: (picked) => this.#pick(picked),
      expand: (id) => void this.expand(id),
      hover: (text) => {
        this.#hint.textContent = text ?? '';
        this.#hint.hidden = text === null;
      },
    });
    return this.#engine;
  }

  /** A canvas that was not to be seen when it was drawn on gets its picture when it is. */
  #resized(): void {
    const before = this.#seen;
    const now = (this.#seen = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight });
    if (before.width !== now.width || before.height !== now.height) this.#engine?.resize(before, now);
  }

  readonly #recolour = (): void => {
    this.#engine?.restyle(this.#look());
    this.#drawControls();
  };

  #look(): Look {
    const dark = this.theme === 'dark' || (this.theme !== 'light' && this.#dark.matches);
    this.#frame.classList.toggle('dark', dark);
    const style = getComputedStyle(this.#frame);
    const read = (name: string): string => style.getPropertyValue(name).trim();
    return { dark, background: read('--bg'), text: read('--text'), muted: read('--muted'), edge: read('--edge'), accent: read('--accent'), warn: read('--warn'), font: read('--font') };
  }

  #kindCounts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.#state.nodes.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    for (const kind of this.#wanted.kinds ?? []) if (!counts.has(kind)) counts.set(kind, 0);
    return this.#wanted.kinds ? new Map([...this.#meta.kinds.keys()].map((kind) => [kind, counts.get(kind) ?? 0])) : counts;
  }

  #drawControls(): void {
    const { nodes, edges } = this.#shown;
    const controls = this.controls || 'full';
    const { filter, undo, redo, hubs, table } = this.#tools;
    const dark = this.#look().dark;
    this.#toolbar.hidden = controls !== 'full';
    this.#legend.hidden = controls === 'none' || nodes.length === 0;
    const wanted = this.#wanted;
    const assumed = edges.some((edge) => edge.assumed);
    this.#legend.replaceChildren(...legendItems(this.#meta, this.#kindCounts(), (kind) => wanted.kinds?.includes(kind) ?? true, assumed, dark, (kind) => this.#toggleKind(kind)));
    this.#count.textContent = `${plural(nodes.length, 'entity', 'entities')} · ${plural(edges.length, 'relation')}`;
    this.#canvas.setAttribute('aria-label', `Graph of ${plural(nodes.length, 'entity', 'entities')} and ${plural(edges.length, 'relation')}`);
    filter.setAttribute('aria-pressed', String(wanted.relations !== null || wanted.minConfidence > 0));
    undo.disabled = !this.#timeline.canUndo;
    redo.disabled = !this.#timeline.canRedo;
    hubs.setAttribute('aria-pressed', String(this.maxDegree !== null));
    if (!this.#filters.hidden) this.#drawFilters();
    if (table.getAttribute('aria-expanded') === 'true') this.#drawTable();
    this.#drawNote();
  }

  #drawNote(): void {
    const { total, totalEdges, nodes, edges } = this.#state;
    const cut = this.entity.length > 0 && this.#state.expanded.length === 0 && isCut(this.#state);
    this.#note.hidden = !cut;
    if (!cut) return;
    const number = (value: number): string => value.toLocaleString('en');
    const more = Math.min(total, nodes.size * 2, MOST_NODES);
    this.#note.replaceChildren(
      total > nodes.size ? `Showing the ${number(nodes.size)} nearest and best supported of ${number(total)} entities` : `Showing ${plural(nodes.size, 'entity', 'entities')}`,
      totalEdges > edges.size ? ` with the ${number(edges.size)} most trusted of ${number(totalEdges)} relations between them.` : '.',
      more > nodes.size ? h('button', { type: 'button', onclick: () => this.#showMore(more) }, `Show ${number(more)}`) : ' Filter, or hide hubs, to see less of it.',
    );
  }

  #drawFilters(): void {
    const counts = new Map<string, number>();
    for (const { relation } of this.#state.edges.values()) counts.set(relation, (counts.get(relation) ?? 0) + 1);
    for (const relation of this.#wanted.relations ?? []) if (!counts.has(relation)) counts.set(relation, 0);
    const active = (this.#root.activeElement as HTMLInputElement | null)?.value;
    this.#filters.replaceChildren(...filterForm(this.#meta, this.#wanted, counts, (next) => this.#set(next)));
    if (active) this.#filters.querySelector<HTMLInputElement>(`input[value="${CSS.escape(active)}"]`)?.focus();
  }

  #drawTable(): void {
    const actions = {
      node: (id: string) => {
        this.#pick({ type: 'node', id });
        this.#engine?.focus(id);
      },
      edge: (id: string) => this.#pick({ type: 'edge', id }),
      all: () => {
        this.#everyRow = true;
        this.#drawTable();
      },
    };
    this.#table.replaceChildren(...tableOf(this.#meta, this.#shown.nodes, this.#shown.edges, this.#selected?.id ?? null, this.#everyRow, actions));
  }

  #toggle(which: 'filter' | 'table' | 'export'): void {
    const panel = { filter: this.#filters, table: this.#table, export: this.#menu }[which];
    panel.hidden = !panel.hidden;
    this.#tools[which].setAttribute('aria-expanded', String(!panel.hidden));
    if (which === 'table') {
      this.#body.classList.toggle('split', !panel.hidden);
      if (!panel.hidden) this.#drawTable();
    } else {
      for (const other of ['filter', 'export'] as const) if (other !== which) this.#close(other);
      if (which === 'filter' && !panel.hidden) this.#drawFilters();
      if (!panel.hidden) panel.querySelector<HTMLElement>('input, button')?.focus();
    }
  }

  #close(which: 'filter' | 'export'): void {
    const panel = which === 'filter' ? this.#filters : this.#menu;
    if (panel.hidden) return;
    if (panel.contains(this.#root.activeElement)) this.#tools[which].focus();
    panel.hidden = true;
    this.#tools[which].setAttribute('aria-expanded', 'false');
  }

  #closePanels(): void {
    this.#close('filter');
    this.#close('export');
  }

  #wait(busy: boolean): void {
    this.#bar.hidden = !busy;
    this.#frame.setAttribute('aria-busy', String(busy));
  }

  #tell(title: string, advice: string, action: string, act: () => void): void {
    const back = this.#shown.nodes.length > 0 && h('button', { type: 'button', onclick: () => (this.#message.hidden = true) }, 'Back to the graph');
    this.#message.replaceChildren(h('h3', {}, title), h('p', {}, advice), h('p', {}, h('button', { type: 'button', onclick: act }, action), ' ', back));
    this.#message.hidden = false;
    this.#say(`${title} ${advice}`);
  }

  #fail(problem: unknown): void {
    const known = problem instanceof ServiceError ? problem : new ServiceError('ERROR', String(problem), 'Reload the page; if it stays, tell whoever runs the service.');
    this.#tell(known.message, known.advice, 'Try again', () => void this.reload());
    this.#emit('kg-error', { code: known.code, message: known.message, advice: known.advice });
  }

  #say(text: string): void {
    this.#live.textContent = text;
  }

  #emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  // ------------------------------------------------------------ selecting

  #pick(picked: Picked | null): void {
    this.#closePanels();
    this.#selected = picked;
    this.#engine?.select(picked);
    if (!this.#table.hidden) this.#drawTable();
    if (picked === null) return this.#emit('kg-select', null);
    if (picked.type === 'node') {
      this.#cursor = picked.id;
      const node = this.#state.nodes.get(picked.id);
      this.#say(node ? this.#nodeText(node) : '');
      return this.#emit('kg-select', { type: 'node', ...node });
    }
    const edge = this.#state.edges.get(picked.id);
    this.#say(edge ? this.#edgeText(edge) : '');
    this.#emit('kg-select', { type: 'edge', ...edge });
  }

  #nodeText({ id, label, kind }: GraphNode): string {
    const hidden = this.#shown.hidden.get(id) ?? 0;
    return `${label}, ${this.#meta.kinds.get(kind)?.label ?? kind}${hidden > 0 ? `, ${hidden} more relations` : ''}`;
  }

  #edgeText({ source, target, relation, confidence, disputed }: GraphEdge): string {
    const label = (id: string): string => this.#state.nodes.get(id)?.label ?? id;
    return `${claimOf(this.#meta, label(source), relation, label(target)).join(' ')}, confidence ${Math.round(confidence * 100)} percent${disputed ? ', disputed' : ''}`;
  }

  #moveCursor(id: string | null): void {
    if (id === null) return;
    this.#cursor = id;
    this.#engine?.cursor(id);
    const node = this.#state.nodes.get(id);
    if (!node) return;
    this.#say(this.#nodeText(node));
    this.#hint.textContent = this.#nodeText(node);
    this.#hint.hidden = false;
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() !== 'z')) return;
    const act = this.#actionFor(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  #actionFor({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent): (() => void) | undefined {
    const here = this.#cursor;
    if (isArrow(key)) return () => this.#moveCursor(neighbourTowards(key, here, this.#engine?.positions() ?? new Map()) ?? here);
    const actions: Record<string, () => void> = {
      '+': () => this.#engine?.zoomBy(1.3),
      '=': () => this.#engine?.zoomBy(1.3),
      '-': () => this.#engine?.zoomBy(1 / 1.3),
      '0': () => this.fit(),
      t: () => this.#toggle('table'),
      Escape: () => this.#pick(null),
      ...((ctrlKey || metaKey) && { z: () => this.undo(), Z: () => (shiftKey ? this.redo() : this.undo()) }),
      ...(here !== null && {
        Enter: () => void this.expand(here),
        ' ': () => this.#pick({ type: 'node', id: here }),
        Delete: () => void this.hide(here),
        e: () => this.#nextEdge(here),
      }),
    };
    return actions[key];
  }

  #nextEdge(id: string): void {
    const edge = nextEdge(id, this.#selected?.id ?? null, this.#shown.edges);
    if (!edge) return;
    this.#pick({ type: 'edge', id: edge.id });
    this.#cursor = id;
  }
}

function tool(name: IconName, label: string, onclick: () => void): HTMLButtonElement {
  return h('button', { type: 'button', 'aria-label': label, title: label, onclick }, icon(name));
}

function stateOf(roots: readonly string[], data: GraphData): GraphState {
  return merged({ ...EMPTY, roots, total: data.total, totalEdges: data.totalEdges, version: data.version }, data);
}

/** Defines the element, once: a notebook cell or a page with two copies of the script runs this twice. */
export function defineKgGraph(endpoint: URL): void {
  KgGraph.defaultEndpoint = endpoint;
  if (!customElements.get('kg-graph')) customElements.define('kg-graph', KgGraph);
}

declare global {
  interface HTMLElementTagNameMap {
    'kg-graph': KgGraph;
  }
}
