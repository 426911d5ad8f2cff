/** Builds elements. Strings become text nodes, never markup, so no label from the graph can run. */
export type Child = Node | string | number | false | null | undefined;
type Listener = (event: never) => void;
export type Props = Record<string, string | number | boolean | null | undefined | Listener>;

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element; a prop named `on…` is a listener, `true` an empty attribute, `false`, `null` and `undefined` none. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, props, children);
  return element;
}

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  fill(element, props, children);
  return element;
}

function fill(element: Element, props: Props, children: Child[]): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as unknown as EventListener);
    else if (name === 'href') setLink(element, String(value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))));
}

/** Addresses come from the graph too: only those that open a page are used. */
export function isSafeLink(href: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(href, document.baseURI).protocol);
  } catch {
    return false;
  }
}

function setLink(element: Element, href: string): void {
  if (isSafeLink(href)) element.setAttribute('href', href);
}

/** Strokes of the few icons there are, on a 24 × 24 grid. */
const ICONS = {
  undo: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6',
  redo: 'm15 7 5 5-5 5m5-5H10a6 6 0 0 0-6 6',
  fit: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  filter: 'M4 5h16l-6 8v6l-4-2v-4z',
  table: 'M4 5h16v14H4zM4 10h16M10 10v9',
  export: 'M12 4v11m-4-4 4 4 4-4M5 20h14',
  close: 'M6 6l12 12M18 6 6 18',
  play: 'M8 5v14l11-7z',
  pause: 'M9 5v14M15 5v14',
  code: 'm8 7-5 5 5 5m8-10 5 5-5 5',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
} as const;
export type IconName = keyof typeof ICONS;

/** An icon that says nothing to a screen reader: the button around it does. */
export function icon(name: IconName): SVGSVGElement {
  return s(
    'svg',
    { viewBox: '0 0 24 24', width: 18, height: 18, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' },
    s('path', { d: ICONS[name] }),
  );
}

/** Offers a file to keep. */
export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const percent = (confidence: number): string => `${Math.round(confidence * 100)}%`;
export const plural = (count: number, one: string, many = `${one}s`): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
/** `SINGLE_ARM_TRIAL` as a person writes it. */
export const words = (name: string): string => name.toLowerCase().replaceAll('_', ' ');
/** `CellPopulation` as a person writes it. */
export const spaced = (name: string): string => name.replace(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
