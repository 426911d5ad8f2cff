/** The picture and its data as files. The SVG is built as elements, so a hostile label stays text in it too. */
import { s } from '../dom';
import type { Look } from './engine';
import { type GraphEdge, type GraphNode, type Kind, type Meta, phraseOf } from './model';
import type { Point } from './placing';
import { lineWidth, nodeColor, nodeSize, shapePath } from './shapes';

const MARGIN = 60;
const LEGEND = 44;

export interface Drawing {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  places: ReadonlyMap<string, Point>;
  roots: readonly string[];
}

/** A stand-alone SVG with the legend below. */
export function svgOf(drawing: Drawing, meta: Meta, look: Look): string {
  const { nodes, edges, places, roots } = drawing;
  const at = (id: string): Point => places.get(id) ?? { x: 0, y: 0 };
  const xs = nodes.map(({ id }) => at(id).x);
  const ys = nodes.map(({ id }) => at(id).y);
  const [left, right] = [xs.reduce((a, b) => Math.min(a, b), 0) - MARGIN * 1.5, xs.reduce((a, b) => Math.max(a, b), 0) + MARGIN * 1.5];
  const [top, bottom] = [ys.reduce((a, b) => Math.min(a, b), 0) - MARGIN, ys.reduce((a, b) => Math.max(a, b), 0) + MARGIN];
  const size = new Map(nodes.map((node) => [node.id, nodeSize(node.degree, roots.includes(node.id))]));
  const kinds = [...meta.kinds.values()].filter(({ name }) => nodes.some((node) => node.kind === name));
  const picture = s(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `${left} ${top} ${right - left} ${bottom - top + LEGEND}`, width: Math.round(right - left), height: Math.round(bottom - top + LEGEND), 'font-family': look.font, role: 'img' },
    s('title', {}, `Graph of ${nodes.length} entities and ${edges.length} relations`),
    s('rect', { x: left, y: top, width: right - left, height: bottom - top + LEGEND, fill: look.background }),
    s('g', {}, ...edges.map((edge) => edgeOf(edge, at(edge.source), at(edge.target), size.get(edge.target) ?? 20, meta, look))),
    s('g', {}, ...nodes.map((node) => nodeOf(node, at(node.id), size.get(node.id) ?? 20, meta.kinds.get(node.kind), look))),
    s('g', { transform: `translate(${left + 24} ${bottom + LEGEND / 2})`, 'font-size': 12 }, ...legend(kinds, look)),
  );
  return new XMLSerializer().serializeToString(picture);
}

function edgeOf(edge: GraphEdge, from: Point, to: Point, size: number, meta: Meta, look: Look): SVGElement {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const back = (way: number): Point => ({ x: to.x - ((to.x - from.x) * way) / length, y: to.y - ((to.y - from.y) * way) / length });
  const [tip, base] = [back(size / 2 + 1), back(size / 2 + 8)];
  const [dx, dy] = [((to.y - from.y) / length) * 3.5, ((from.x - to.x) / length) * 3.5];
  const color = edge.disputed ? look.warn : edge.assumed ? look.accent : look.edge;
  return s(
    'g',
    { stroke: color, fill: color },
    s('title', {}, `${phraseOf(meta, edge.relation)} (${Math.round(edge.confidence * 100)}%)`),
    s('line', { x1: from.x, y1: from.y, x2: base.x, y2: base.y, 'stroke-width': lineWidth(edge.confidence).toFixed(2), 'stroke-dasharray': edge.disputed ? '7 5' : edge.assumed ? '2 4' : null, opacity: 0.8 }),
    s('path', { d: `M${tip.x} ${tip.y}L${base.x + dx} ${base.y + dy}L${base.x - dx} ${base.y - dy}Z`, stroke: 'none' }),
  );
}

function nodeOf({ id, label, url }: GraphNode, { x, y }: Point, size: number, kind: Kind | undefined, look: Look): SVGElement {
  const short = label.length > 34 ? `${label.slice(0, 33)}…` : label;
  const drawn = s(
    'g',
    { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    s('title', {}, `${label} (${id})`),
    s('path', { d: shapePath(kind?.shape ?? 'ellipse', size), fill: nodeColor(kind?.color, look.dark) }),
    s('text', { y: size / 2 + 13, 'text-anchor': 'middle', 'font-size': 11, fill: look.text, stroke: look.background, 'stroke-width': 3, 'paint-order': 'stroke' }, short),
  );
  return url ? s('a', { href: url }, drawn) : drawn;
}

function legend(kinds: Kind[], look: Look): SVGElement[] {
  let x = 0;
  return kinds.map((kind) => {
    const item = s('g', { transform: `translate(${x} 0)` }, s('path', { d: shapePath(kind.shape, 13), fill: nodeColor(kind.color, look.dark) }), s('text', { x: 12, y: 4, fill: look.text }, kind.label));
    x += 36 + kind.label.length * 7;
    return item;
  });
}

/** The engine's PNG with the legend drawn below it. */
export async function withLegend(picture: Blob, kinds: Kind[], look: Look, scale: number): Promise<Blob> {
  const bitmap = await createImageBitmap(picture);
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(bitmap.width, kinds.reduce((sum, { label }) => sum + 44 + label.length * 8, 40) * scale);
  canvas.height = bitmap.height + LEGEND * scale;
  const pen = canvas.getContext('2d');
  if (!pen) return picture;
  pen.fillStyle = look.background;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, (canvas.width - bitmap.width) / 2, 0);
  pen.setTransform(scale, 0, 0, scale, 24 * scale, bitmap.height + (LEGEND / 2) * scale);
  pen.font = `12px ${look.font}`;
  for (const kind of kinds) {
    pen.fillStyle = nodeColor(kind.color, look.dark);
    pen.fill(new Path2D(shapePath(kind.shape, 13)));
    pen.fillStyle = look.text;
    pen.fillText(kind.label, 12, 4);
    pen.translate(36 + pen.measureText(kind.label).width, 0);
  }
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? picture), 'image/png'));
}

/** Cytoscape.js elements with positions: opens in Cytoscape too. */
export function cytoscapeJson({ nodes, edges, places }: Drawing): object {
  return {
    elements: {
      nodes: nodes.map((node) => ({ data: { ...node }, ...(places.has(node.id) && { position: places.get(node.id) }) })),
      edges: edges.map((edge) => ({ data: { ...edge } })),
    },
  };
}
