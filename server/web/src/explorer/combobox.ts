/** Suggestions while typing: an ARIA combobox around an input that is there already. */
import { h } from '../dom';
import { isAborted, type Service } from '../service';
import { fetchMeta, type Meta } from '../graph/model';
import { kindIcon } from './kinds';

export interface Hit {
  curie: string;
  label: string;
  kind: string;
  matched: string;
}
const SEARCH = `query Suggest($text: String!, $kinds: [Kind!], $first: Int!) {
  search(text: $text, kinds: $kinds, first: $first) { edges { matched node { curie label kind } } }
}`;
const WAIT_MS = 120;
let instances = 0;

export interface Options {
  kinds?: string[];
  choose(hit: Hit): void;
}

export function combobox(input: HTMLInputElement, service: Service, { kinds, choose }: Options): void {
  const id = `kg-suggestions-${++instances}`;
  const list = h('ul', { id, class: 'kg-suggestions', role: 'listbox', 'aria-label': 'Suggestions', hidden: true });
  const status = h('span', { class: 'kg-sr', role: 'status' });
  const place = h('span', { class: 'kg-combobox' });
  input.replaceWith(place);
  place.append(input, list, status);
  for (const [name, value] of Object.entries({ role: 'combobox', autocomplete: 'off', spellcheck: 'false', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': id })) input.setAttribute(name, value);

  let hits: Hit[] = [];
  let active = -1;
  let timer = 0;
  let asking: AbortController | null = null;

  const close = (): void => {
    list.hidden = true;
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const take = (hit: Hit): void => {
    close();
    choose(hit);
  };
  const mark = (at: number): void => {
    active = at;
    [...list.children].forEach((option, index) => option.setAttribute('aria-selected', String(index === at)));
    const option = list.children[at];
    if (option) input.setAttribute('aria-activedescendant', option.id);
    else input.removeAttribute('aria-activedescendant');
    option?.scrollIntoView({ block: 'nearest' });
  };
  const show = (meta: Meta, text: string): void => {
    list.replaceChildren(
      ...hits.map((hit, at) =>
        h(
          'li',
          { id: `${id}-${at}`, role: 'option', 'aria-selected': 'false', onmousedown: (event: MouseEvent) => event.preventDefault(), onclick: () => take(hit) },
          kindIcon(meta, hit.kind),
          h('span', { class: 'kg-name' }, ...marked(hit.label, text), hit.matched.toLowerCase() !== hit.label.toLowerCase() && h('small', {}, hit.matched)),
          h('small', { class: 'kg-kind' }, meta.kinds.get(hit.kind)?.label ?? hit.kind),
        ),
      ),
    );
    if (hits.length === 0) list.replaceChildren(h('li', { class: 'kg-none', role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, `Nothing is called “${text}”. Try another spelling or a wider term.`));
    status.textContent = hits.length === 0 ? 'No suggestions.' : `${hits.length} suggestions.`;
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    mark(-1);
  };
  const ask = async (): Promise<void> => {
    asking?.abort();
    const text = input.value.trim();
    if (!text) return close();
    const mine = (asking = new AbortController());
    try {
      const [{ data }, meta] = await Promise.all([
        service.query<{ search: { edges: { matched: string; node: Omit<Hit, 'matched'> }[] } }>(SEARCH, { text, first: 8, ...(kinds?.length && { kinds }) }, mine.signal),
        fetchMeta(service),
      ]);
      if (mine.signal.aborted || document.activeElement !== input) return;
      hits = data.search.edges.map(({ matched, node }) => ({ ...node, matched }));
      show(meta, text);
    } catch (problem) {
      if (!isAborted(problem)) {
        close(); // the form still works, and says what is wrong
        status.textContent = problem instanceof Error ? problem.message : '';
      }
    }
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), WAIT_MS);
  });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !list.hidden) {
      close();
      event.preventDefault();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) return void ask();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (hits.length > 0) mark((active + step + hits.length + (active < 0 && step < 0 ? 1 : 0)) % hits.length);
    } else if (event.key === 'Enter' && active >= 0) {
      event.preventDefault();
      const hit = hits[active];
      if (hit) take(hit);
    }
  });
}

/** The part of a name that was typed, brought out. */
function marked(label: string, text: string): (string | HTMLElement)[] {
  const at = label.toLowerCase().indexOf(text.toLowerCase());
  return at < 0 ? [label] : [label.slice(0, at), h('mark', {}, label.slice(at, at + text.length)), label.slice(at + text.length)];
}
