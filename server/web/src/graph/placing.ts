/** Where entities start, before the layout moves them: fixed rules, so that the same graph gives the same picture. */
import type { GraphEdge, GraphNode } from './model';

export interface Point {
  x: number;
  y: number;
}
const SPACING = 62;

/** Rings by distance around the starts, each sorted by kind so that a kind has its sector. */
export function rings(nodes: readonly GraphNode[], kinds: readonly string[]): Map<string, Point> {
  const order = (node: GraphNode): number => (kinds.indexOf(node.kind) + kinds.length) % (kinds.length || 1);
  const places = new Map<string, Point>();
  let radius = 0;
  for (const distance of [...new Set(nodes.map((node) => node.distance))].sort((a, b) => a - b)) {
    const ring = nodes.filter((node) => node.distance === distance).sort((a, b) => order(a) - order(b) || b.degree - a.degree || (a.id < b.id ? -1 : 1));
    radius = ring.length === 1 && radius === 0 ? 0 : Math.max(radius + 150, (ring.length * SPACING) / (2 * Math.PI));
    ring.forEach(({ id }, at) => places.set(id, around({ x: 0, y: 0 }, radius, (2 * Math.PI * at) / ring.length - Math.PI / 2)));
  }
  return places;
}

/** A fan beside an entity, on the side that looks away from the middle of what is there. */
export function beside(nodes: readonly GraphNode[], anchor: Point, middle: Point): Map<string, Point> {
  const away = Math.atan2(anchor.y - middle.y, anchor.x - middle.x);
  const spread = Math.min(Math.PI * 1.6, 0.35 * nodes.length + 0.6);
  const radius = Math.max(130, (nodes.length * SPACING) / spread);
  const turn = (at: number): number => (nodes.length === 1 ? 0 : (at / (nodes.length - 1) - 0.5) * spread);
  return new Map(nodes.map(({ id }, at) => [id, around(anchor, radius, away + turn(at))]));
}

const around = ({ x, y }: Point, radius: number, angle: number): Point => ({ x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) });

const LAYER = 230;
const ROW = 64;
const SWEEPS = 6;

/**
 * Columns from left to right by distance from the start, whichever way the edges point: a path is read as it is walked.
 * Entities that paths lead to stand last. Within a column each sits near the middle of its neighbours (barycentre).
 */
export function columns(nodes: readonly GraphNode[], edges: readonly Pick<GraphEdge, 'source' | 'target'>[], ends: ReadonlySet<string>): Map<string, Point> {
  const isEnd = ({ id, distance }: GraphNode): boolean => ends.has(id) && distance > 0;
  const last = 1 + Math.max(0, ...nodes.filter((node) => !isEnd(node)).map(({ distance }) => distance));
  const column = new Map(nodes.map((node) => [node.id, isEnd(node) ? last : node.distance]));
  const groups: string[][] = Array.from({ length: last + 1 }, (_each, at) => nodes.filter(({ id }) => column.get(id) === at).map(({ id }) => id)); // prettier-ignore
  const near = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { source, target } of edges) {
    near.get(source)?.push(target);
    near.get(target)?.push(source);
  }
  const y = new Map<string, number>();
  const settle = (group: string[]): void => group.forEach((id, at) => y.set(id, (at - (group.length - 1) / 2) * ROW));
  groups.forEach(settle);
  const pull = (id: string): number => {
    const others = (near.get(id) ?? []).filter((other) => column.get(other) !== column.get(id));
    return others.length === 0 ? (y.get(id) ?? 0) : others.reduce((sum, other) => sum + (y.get(other) ?? 0), 0) / others.length;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const group of sweep % 2 ? [...groups].reverse() : groups) {
      const wanted = new Map(group.map((id) => [id, pull(id)]));
      group.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || (a < b ? -1 : 1));
      settle(group);
    }
  return new Map(nodes.map(({ id }) => [id, { x: (column.get(id) ?? 0) * LAYER, y: y.get(id) ?? 0 }]));
}
