/** Outlines of the kinds' shapes, for the legend, the SVG export and the PNG export alike. */

const round = (value: number): string => value.toFixed(1);
const polygon = (points: [number, number][]): string => `M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L')}Z`;

/** An SVG path around (0, 0), `size` wide and high. */
export function shapePath(shape: string, size: number): string {
  const r = size / 2;
  switch (shape.replace(/^round-/, '')) {
    case 'rectangle':
      return rectangle(r, shape.startsWith('round-') ? r * 0.35 : 0);
    case 'diamond':
      return polygon([[0, -r], [r, 0], [0, r], [-r, 0]]); // prettier-ignore
    case 'hexagon':
      return polygon([[-r / 2, -r], [r / 2, -r], [r, 0], [r / 2, r], [-r / 2, r], [-r, 0]]); // prettier-ignore
    case 'triangle':
      return polygon([[0, -r], [r, r], [-r, r]]); // prettier-ignore
    case 'tag':
      return polygon([[-r, -r], [r / 2, -r], [r, 0], [r / 2, r], [-r, r]]); // prettier-ignore
    default:
      return `M${round(-r)} 0a${round(r)} ${round(r)} 0 1 0 ${round(size)} 0a${round(r)} ${round(r)} 0 1 0 ${round(-size)} 0Z`;
  }
}

function rectangle(r: number, corner: number): string {
  const side = round(2 * (r - corner));
  const c = round(corner);
  return `M${round(-r + corner)} ${round(-r)}h${side}a${c} ${c} 0 0 1 ${c} ${c}v${side}a${c} ${c} 0 0 1 -${c} ${c}h-${side}a${c} ${c} 0 0 1 -${c} -${c}v-${side}a${c} ${c} 0 0 1 ${c} -${c}Z`;
}

/** A colour moved towards another, `share` of the way. Both are `#rrggbb`. */
export function mix(color: string, other: string, share: number): string {
  const part = (hex: string, at: number): number => parseInt(hex.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) => Math.round(part(color, at) * (1 - share) + part(other, at) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** The colour of a kind; lighter on dark ground, so that it stands out as much. */
export const nodeColor = (color = '#6b7785', dark = false): string => (dark ? mix(color, '#ffffff', 0.28) : color);

/** Larger with more edges, and where a picture starts. */
export const nodeSize = (degree: number, root: boolean): number => (root ? 30 : 13) + Math.min(15, Math.log2(1 + degree) * 2.6);

/** From barely there to bold. */
export const lineWidth = (confidence: number): number => 0.6 + 2.9 * confidence ** 1.6;
