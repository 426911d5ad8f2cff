/** Moving through the picture by keyboard. */
import type { GraphEdge } from './model';
import type { Point } from './placing';

const ARROWS: Record<string, Point> = { ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 }, ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 } };

export const KEYS = 'Arrow keys move between entities. Enter expands one, Space selects it, E goes through its relations, Delete hides it. Plus and minus zoom, 0 fits all, Control Z undoes. T shows the table.';

/** The entity that an arrow key leads to: the nearest within 60 degrees of that way. */
export function neighbourTowards(key: string, from: string | null, places: ReadonlyMap<string, Point>): string | null {
  const way = ARROWS[key];
  if (!way) return null;
  const here = from === null ? undefined : places.get(from);
  if (!here) return [...places.keys()][0] ?? null;
  let best: string | null = null;
  let least = Infinity;
  for (const [id, { x, y }] of places) {
    const [dx, dy] = [x - here.x, y - here.y];
    const ahead = dx * way.x + dy * way.y;
    const aside = Math.abs(dx * way.y - dy * way.x);
    const cost = ahead + 2 * aside;
    if (id !== from && ahead > 1 && aside <= 1.75 * ahead && cost < least) [best, least] = [id, cost];
  }
  return best;
}

export const isArrow = (key: string): boolean => key in ARROWS;

/** The edge after the selected one, around an entity. */
export function nextEdge(id: string, selected: string | null, edges: readonly GraphEdge[]): GraphEdge | undefined {
  const own = edges.filter(({ source, target }) => source === id || target === id);
  return own[(own.findIndex((edge) => edge.id === selected) + 1) % (own.length || 1)];
}
