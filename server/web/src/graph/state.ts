/** The graph as loaded, and what of it is to be seen: pure functions over immutable values. */
import type { Filter, GraphData, GraphEdge, GraphNode } from './model';

export interface GraphState {
  roots: readonly string[];
  /** Entities expanded in place, in order. */
  expanded: readonly string[];
  /** Entities a person took away. */
  removed: ReadonlySet<string>;
  nodes: ReadonlyMap<string, GraphNode>;
  edges: ReadonlyMap<string, GraphEdge>;
  total: number;
  totalEdges: number;
  version: number | null;
}
export interface Visible {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Edges of each shown entity that are not shown. */
  hidden: Map<string, number>;
}

export const EMPTY: GraphState = { roots: [], expanded: [], removed: new Set(), nodes: new Map(), edges: new Map(), total: 0, totalEdges: 0, version: null };

/** A state with more of the graph in it; entities that were there keep their distance. */
export function merged(state: GraphState, data: GraphData, distanceFrom = 0): GraphState {
  const nodes = new Map(state.nodes);
  for (const node of data.nodes) {
    const before = nodes.get(node.id);
    nodes.set(node.id, { ...node, distance: Math.min(before?.distance ?? Infinity, node.distance + distanceFrom) });
  }
  const edges = new Map(state.edges);
  for (const edge of data.edges) edges.set(edge.id, edge);
  return { ...state, nodes, edges, version: data.version ?? state.version };
}

const passes = (filter: Filter, edge: GraphEdge): boolean =>
  edge.confidence >= filter.minConfidence && (filter.relations === null || filter.relations.includes(edge.relation));

/** What a filter leaves: everything still joined to a start. Entities with more than `maxDegree` edges go, starts aside. */
export function visible(state: GraphState, filter: Filter, maxDegree = Infinity): Visible {
  const roots = new Set(state.roots);
  const allowed = ({ id, kind, degree }: GraphNode): boolean =>
    !state.removed.has(id) && (roots.has(id) || ((filter.kinds === null || filter.kinds.includes(kind)) && degree <= maxDegree));
  const nodes = new Map([...state.nodes].filter(([, node]) => allowed(node)));
  const edges = [...state.edges.values()].filter((edge) => passes(filter, edge) && nodes.has(edge.source) && nodes.has(edge.target));
  const joined = reachable(state.roots.length > 0 ? state.roots : [...nodes.keys()], edges);
  const shown = [...nodes.values()].filter(({ id }) => joined.has(id));
  const shownEdges = edges.filter((edge) => joined.has(edge.source));
  return { nodes: shown, edges: shownEdges, hidden: hiddenCounts(shown, shownEdges) };
}

function reachable(starts: readonly string[], edges: GraphEdge[]): Set<string> {
  const next = new Map<string, string[]>();
  for (const { source, target } of edges) {
    (next.get(source) ?? next.set(source, []).get(source)!).push(target);
    (next.get(target) ?? next.set(target, []).get(target)!).push(source);
  }
  const seen = new Set(starts);
  const queue = [...starts];
  for (let id = queue.pop(); id !== undefined; id = queue.pop())
    for (const other of next.get(id) ?? [])
      if (!seen.has(other)) {
        seen.add(other);
        queue.push(other);
      }
  return seen;
}

function hiddenCounts(nodes: GraphNode[], edges: GraphEdge[]): Map<string, number> {
  const drawn = new Map<string, number>();
  for (const { source, target } of edges) for (const id of [source, target]) drawn.set(id, (drawn.get(id) ?? 0) + 1);
  return new Map(nodes.map(({ id, degree }) => [id, Math.max(0, degree - (drawn.get(id) ?? 0))]));
}

/** Whether the service left something out. */
export const isCut = ({ total, totalEdges, nodes, edges }: GraphState): boolean => total > nodes.size || totalEdges > edges.size;

/** Whether more than half of a state is new against one before: the old places would leave no room for it. */
export function isGrown(before: GraphState, now: GraphState): boolean {
  const known = [...now.nodes.keys()].filter((id) => before.nodes.has(id)).length;
  return known > 0 && now.nodes.size > 2 * known;
}

/** Whether everything that `wanted` lets through was asked for by `loaded`. */
export function covers(loaded: Filter, wanted: Filter): boolean {
  const within = (all: readonly string[] | null, some: readonly string[] | null): boolean => all === null || (some !== null && some.every((each) => all.includes(each)));
  return loaded.minConfidence <= wanted.minConfidence && within(loaded.relations, wanted.relations) && within(loaded.kinds, wanted.kinds);
}

/** More edges than this make a hub here: the upper twentieth, but never fewer than 20. */
export function hubDegree(state: GraphState): number {
  const degrees = [...state.nodes.values()].filter(({ id }) => !state.roots.includes(id)).map(({ degree }) => degree);
  degrees.sort((a, b) => a - b);
  return Math.max(20, degrees[Math.floor(degrees.length * 0.95)] ?? 0);
}

/** States gone back and forth between. */
export class Timeline<T> {
  #past: T[] = [];
  #future: T[] = [];

  get canUndo(): boolean {
    return this.#past.length > 0;
  }
  get canRedo(): boolean {
    return this.#future.length > 0;
  }
  /** Remembers a state before it changes. */
  remember(state: T): void {
    this.#past = [...this.#past.slice(-99), state];
    this.#future = [];
  }
  undo(now: T): T | undefined {
    const back = this.#past.pop();
    if (back !== undefined) this.#future.push(now);
    return back;
  }
  redo(now: T): T | undefined {
    const forth = this.#future.pop();
    if (forth !== undefined) this.#past.push(now);
    return forth;
  }
  clear(): void {
    this.#past = [];
    this.#future = [];
  }
}
