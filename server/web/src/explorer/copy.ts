/** “Query”: the question behind any view, ready to take along. */
import { h, icon } from '../dom';

export interface Question {
  title?: string;
  query: string;
  variables: Record<string, unknown>;
}
type Format = 'GraphQL' | 'curl' | 'Python';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const raw = (text: string): string => (text.includes('"""') ? JSON.stringify(text) : `"""\n${text.replaceAll('\\', '\\\\')}\n"""`);

/** A value as Python writes it. */
function literal(value: unknown, indent = ''): string {
  const inner = `${indent}    `;
  const lines = (items: string[], [open, close]: readonly [string, string]): string => (items.length === 0 ? open + close : `${open}\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}${close}`);
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return lines(value.map((each) => literal(each, inner)), ['[', ']']); // prettier-ignore
  if (typeof value === 'object') return lines(Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each, inner)}`), ['{', '}']); // prettier-ignore
  return JSON.stringify(value);
}

/** The question in one of three languages. */
export function written({ query, variables }: Question, format: Format, endpoint: string): string {
  const body = JSON.stringify({ query, variables });
  if (format === 'GraphQL') return Object.keys(variables).length > 0 ? `# variables: ${JSON.stringify(variables)}\n${query}\n` : `${query}\n`;
  if (format === 'curl') return `curl -H 'content-type: application/json' ${quoted(endpoint)} -d ${quoted(body)}\n`;
  return `import httpx\n\nQUERY = ${raw(query)}\nVARIABLES = ${literal(variables)}\n\nanswer = httpx.post(${JSON.stringify(endpoint)}, json={"query": QUERY, "variables": VARIABLES}).json()\nprint(answer["data"])\n`;
}

/** A button that opens a small panel with the text and a button to copy it. */
export function copyButton(question: () => Question, endpoint: URL): HTMLElement {
  const text = h('pre', { tabindex: 0, 'aria-label': 'The query' }, h('code', {}));
  const status = h('span', { class: 'kg-muted', role: 'status' });
  const tabs = (['GraphQL', 'curl', 'Python'] as const).map((format) => h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => show(format) }, format));
  const editor = h('a', { href: endpoint.href }, 'Open in GraphiQL');
  const copy = h('button', { type: 'button', class: 'kg-button', onclick: () => void take() }, 'Copy');
  const panel = h('div', { class: 'kg-copy-panel', hidden: true }, h('div', { class: 'kg-tabs', role: 'group', 'aria-label': 'Language' }, ...tabs), text, h('p', {}, copy, ' ', editor, ' ', status));
  const opener = h('button', { type: 'button', class: 'kg-button', 'aria-expanded': 'false', onclick: () => toggle() }, icon('code'), 'Query');
  const root = h('div', { class: 'kg-copy' }, opener, panel);
  let shown: Format = 'GraphQL';

  function show(format: Format): void {
    shown = format;
    for (const tab of tabs) tab.setAttribute('aria-pressed', String(tab.textContent === format));
    const asked = question();
    text.firstElementChild!.textContent = written(asked, format, endpoint.href);
    editor.setAttribute('href', `${endpoint.href}#${new URLSearchParams({ query: asked.query, variables: JSON.stringify(asked.variables, null, 2) })}`);
    status.textContent = '';
  }
  function toggle(): void {
    panel.hidden = !panel.hidden;
    opener.setAttribute('aria-expanded', String(!panel.hidden));
    if (!panel.hidden) show(shown);
  }
  async function take(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text.textContent ?? '');
      status.textContent = 'Copied.';
    } catch {
      getSelection()?.selectAllChildren(text); // no permission, or no https: the keys still work
      status.textContent = 'Selected: press Ctrl+C.';
    }
  }
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    toggle();
    opener.focus();
  });
  return root;
}
