/** A kind's shape in its colour. The colour is an attribute of the SVG: the policy allows no style attributes. */
import { s } from '../dom';
import type { Meta } from '../graph/model';
import { nodeColor, shapePath } from '../graph/shapes';

export const isDark = (): boolean => {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
};

export function kindIcon(meta: Meta, name: string): SVGSVGElement {
  const kind = meta.kinds.get(name);
  return s('svg', { class: 'kg-icon', width: 16, height: 16, viewBox: '-8 -8 16 16', 'aria-hidden': 'true' }, s('path', { d: shapePath(kind?.shape ?? 'ellipse', 13), fill: nodeColor(kind?.color, isDark()) }));
}
