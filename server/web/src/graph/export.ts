/** The picture and its data as files. The SVG is built as elements, so a hostile label stays text in it too. */
import { s } from '../dom';
import type { Look } from './engine';
import { type GraphEdge, type GraphNode, type Kind, type Meta, phraseOf } from './model';
import type { Point } from './placing';
import { lineWidth, nodeColor, nodeSize, shapePath } from './shapes';

const MARGIN = 28;
const ROW = 24;
const LETTER = 0.58; // width of a letter, in heights
const LONGEST = 24;

export interface Drawing {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  places: ReadonlyMap<string, Point>;
  roots: readonly string[];
}

/** A stand-alone SVG with the legend below. Labels come last, so that nothing covers them. */
export function svgOf(drawing: Drawing, meta: Meta, look: Look): string {
  const { nodes, edges, places, roots } = drawing;
  const at = (id: string): Point => places.get(id) ?? { x: 0, y: 0 };
  const isRoot = (id: string): boolean => roots.includes(id);
  const size = new Map(nodes.map(({ id, degree }) => [id, nodeSize(degree, isRoot(id))]));
  const sizeOf = (id: string): number => size.get(id) ?? 20;
  const labels = [...nodes].sort((a, b) => Number(isRoot(a.id)) - Number(isRoot(b.id))).map((node) => ({ node, text: shortened(node.label, isRoot(node.id)), height: isRoot(node.id) ? 14 : 11 }));
  const reach = labels.map(({ node: { id }, text, height }) => ({ ...at(id), half: Math.max(sizeOf(id) / 2, (text.length * height * LETTER) / 2), above: sizeOf(id) / 2, below: sizeOf(id) / 2 + height + 8 }));
  const left = reach.reduce((least, { x, half }) => Math.min(least, x - half), 0) - MARGIN;
  const right = Math.max(left + 260, reach.reduce((most, { x, half }) => Math.max(most, x + half), 0) + MARGIN);
  const top = reach.reduce((least, { y, above }) => Math.min(least, y - above), 0) - MARGIN;
  const bottom = reach.reduce((most, { y, below }) => Math.max(most, y + below), 0) + MARGIN;
  const key = inRows(legendOf(drawing, meta, look), right - left - 2 * MARGIN, ({ text }) => text.length * 12 * LETTER);
  const high = bottom - top + key.height + MARGIN / 2;
  const picture = s(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `${left} ${top} ${right - left} ${high}`, width: Math.round(right - left), height: Math.round(high), 'font-family': look.font, role: 'img' },
    s('title', {}, `Graph of ${nodes.length} entities and ${edges.length} relations`),
    s('rect', { x: left, y: top, width: right - left, height: high, fill: look.background }),
    s('g', {}, ...edges.map((edge) => edgeOf(edge, at(edge.source), at(edge.target), sizeOf(edge.target), meta, look))),
    s('g', {}, ...nodes.map((node) => nodeOf(node, at(node.id), sizeOf(node.id), isRoot(node.id), meta.kinds.get(node.kind), look))),
    s(
      'g',
      { 'text-anchor': 'middle', fill: look.text, stroke: look.background, 'stroke-width': 3, 'paint-order': 'stroke', 'pointer-events': 'none' },
      ...labels.map(({ node: { id }, text, height }) => s('text', { x: at(id).x.toFixed(1), y: (at(id).y + sizeOf(id) / 2 + height + 2).toFixed(1), 'font-size': height, 'font-weight': isRoot(id) ? 600 : null }, text)),
    ),
    s('g', { transform: `translate(${left + MARGIN} ${bottom})`, 'font-size': 12, fill: look.text }, ...key.rows.map(({ item, x, y }) => s('g', { transform: `translate(${x} ${y})` }, ...item.marks.map(markOf), s('text', { x: item.indent, y: 4 }, item.text)))),
  );
  return new XMLSerializer().serializeToString(picture);
}

const shortened = (label: string, whole: boolean): string => (whole || label.length <= LONGEST ? label : `${label.slice(0, LONGEST - 1)}…`);

function edgeOf(edge: GraphEdge, from: Point, to: Point, size: number, meta: Meta, look: Look): SVGElement {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const back = (way: number): Point => ({ x: to.x - ((to.x - from.x) * way) / length, y: to.y - ((to.y - from.y) * way) / length });
  const [tip, base] = [back(size / 2 + 1), back(size / 2 + 8)];
  const [dx, dy] = [((to.y - from.y) / length) * 3.5, ((from.x - to.x) / length) * 3.5];
  const { color, dashes } = lineOf(edge, look);
  return s(
    'g',
    { stroke: color, fill: color, opacity: 0.8 },
    s('title', {}, `${phraseOf(meta, edge.relation)} (${Math.round(edge.confidence * 100)}%)`),
    s('line', { x1: from.x, y1: from.y, x2: base.x, y2: base.y, 'stroke-width': lineWidth(edge.confidence).toFixed(2), 'stroke-dasharray': dashes?.join(' ') }),
    s('path', { d: `M${tip.x} ${tip.y}L${base.x + dx} ${base.y + dy}L${base.x - dx} ${base.y - dy}Z`, stroke: 'none' }),
  );
}

function lineOf({ disputed, assumed }: Pick<GraphEdge, 'disputed' | 'assumed'>, look: Look): { color: string; dashes?: number[] } {
  return disputed ? { color: look.warn, dashes: [7, 5] } : assumed ? { color: look.accent, dashes: [2, 4] } : { color: look.edge };
}

function nodeOf({ id, label, url }: GraphNode, { x, y }: Point, size: number, root: boolean, kind: Kind | undefined, look: Look): SVGElement {
  const drawn = s(
    'g',
    { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    s('title', {}, `${label} (${id})`),
    s('path', { d: shapePath(kind?.shape ?? 'ellipse', size), fill: nodeColor(kind?.color, look.dark), stroke: root ? look.text : look.background, 'stroke-width': root ? 3 : 1.5 }),
  );
  return url ? s('a', { href: url }, drawn) : drawn;
}

// ------------------------------------------------------------ the legend
/** A part of a sign: an outline that is filled, or a line. */
interface Mark {
  d: string;
  fill?: string;
  stroke?: string;
  width?: number;
  dashes?: number[];
}
interface LegendItem {
  marks: Mark[];
  /** Where its text starts. */
  indent: number;
  text: string;
}

/** What the picture's shapes, colours and lines mean: kinds that are in it, and lines as they are in it. */
function legendOf({ nodes, edges }: Drawing, meta: Meta, look: Look): LegendItem[] {
  const present = new Set(nodes.map(({ kind }) => kind));
  const kinds = [...meta.kinds.values()].filter(({ name }) => present.has(name));
  const items: LegendItem[] = kinds.map(({ label, shape, color }) => ({ marks: [{ d: shapePath(shape, 13), fill: nodeColor(color, look.dark) }], indent: 12, text: label }));
  const across = (from: number): string => `M${from} 0h20`;
  if (edges.length > 0) items.push({ marks: [0.2, 1].map((sure, at) => ({ d: across(at * 24 - 6), stroke: look.edge, width: lineWidth(sure) })), indent: 44, text: 'confidence, low and high' });
  for (const [text, kind] of [['disputed', { disputed: true }], ['assumed', { disputed: false, assumed: true }]] as const)
    if (edges.some((edge) => (text === 'disputed' ? edge.disputed : edge.assumed && !edge.disputed))) {
      const { color, dashes } = lineOf(kind, look);
      items.push({ marks: [{ d: across(-6), stroke: color, width: 2, ...(dashes && { dashes }) }], indent: 20, text });
    }
  return items;
}

/** Where each item of a legend stands, in rows no wider than there is room. */
function inRows(items: readonly LegendItem[], room: number, widthOf: (item: LegendItem) => number): { rows: { item: LegendItem; x: number; y: number }[]; height: number } {
  let [x, y] = [0, 0];
  const rows = items.map((item) => {
    const width = item.indent + widthOf(item);
    if (x > 0 && x + width > room) [x, y] = [0, y + ROW];
    const placed = { item, x, y };
    x += width + 24;
    return placed;
  });
  return { rows, height: y + ROW };
}

const markOf = ({ d, fill, stroke, width, dashes }: Mark): SVGElement => s('path', { d, fill: fill ?? 'none', stroke, 'stroke-width': width, 'stroke-dasharray': dashes?.join(' ') });

/** The engine's PNG with room around it and the legend below. */
export async function withLegend(picture: Blob, drawing: Drawing, meta: Meta, look: Look, scale: number): Promise<Blob> {
  const bitmap = await createImageBitmap(picture);
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  if (!pen) return picture;
  const font = `12px ${look.font}`;
  pen.font = font;
  const room = Math.max(bitmap.width / scale, 260);
  const key = inRows(legendOf(drawing, meta, look), room, ({ text }) => pen.measureText(text).width);
  canvas.width = Math.round((room + 2 * MARGIN) * scale);
  canvas.height = Math.round(bitmap.height + (2.5 * MARGIN + key.height) * scale);
  pen.fillStyle = look.background;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, (canvas.width - bitmap.width) / 2, MARGIN * scale);
  pen.font = font;
  for (const { item, x, y } of key.rows) {
    pen.setTransform(scale, 0, 0, scale, (MARGIN + x) * scale, bitmap.height + (2 * MARGIN + y) * scale);
    for (const { d, fill, stroke, width, dashes } of item.marks) {
      const path = new Path2D(d);
      if (fill) {
        pen.fillStyle = fill;
        pen.fill(path);
      }
      if (!stroke) continue;
      pen.strokeStyle = stroke;
      pen.lineWidth = width ?? 1;
      pen.setLineDash(dashes ?? []);
      pen.stroke(path);
    }
    pen.fillStyle = look.text;
    pen.fillText(item.text, item.indent, 4);
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
