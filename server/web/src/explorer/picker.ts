/** A field that takes entities: a search box with what was chosen as removable chips. */
import { h, icon } from '../dom';
import type { Service } from '../service';
import { combobox, type Hit } from './combobox';

export interface Named {
  curie: string;
  label: string;
}
const NAMES = 'query Names($ids: [ID!]!) { nodes(ids: $ids) { ... on Entity { curie label kind } } }';

/** Labels for CURIEs that came from the address. Unknown ones keep their CURIE, and the search will say so. */
export async function named(service: Service, curies: readonly string[]): Promise<Named[]> {
  if (curies.length === 0) return [];
  const { data } = await service.query<{ nodes: (Named | null)[] }>(NAMES, { ids: curies });
  return curies.map((curie, at) => data.nodes[at] ?? { curie, label: curie });
}

export interface PickerOptions {
  label: string;
  kinds?: string[];
  single?: boolean;
  placeholder?: string;
  change(): void;
}

export class Picker {
  readonly element: HTMLElement;
  #chosen: Named[] = [];
  readonly #chips = h('span', { class: 'kg-chips' });
  readonly #input: HTMLInputElement;

  constructor(service: Service, private readonly options: PickerOptions) {
    this.#input = h('input', { type: 'search', placeholder: options.placeholder ?? 'Search…', 'aria-label': options.label });
    this.element = h('div', { class: 'kg-field' }, h('span', { class: 'kg-label', 'aria-hidden': 'true' }, options.label), h('span', { class: 'kg-picker' }, this.#chips, this.#input));
    combobox(this.#input, service, { ...(options.kinds && { kinds: options.kinds }), choose: (hit) => this.#add(hit) });
  }

  get curies(): string[] {
    return this.#chosen.map(({ curie }) => curie);
  }
  get labels(): string[] {
    return this.#chosen.map(({ label }) => label);
  }

  set(chosen: readonly Named[]): void {
    this.#chosen = [...chosen];
    this.#draw();
  }

  #add({ curie, label }: Hit): void {
    this.#input.value = '';
    if (!this.curies.includes(curie)) this.#chosen = this.options.single ? [{ curie, label }] : [...this.#chosen, { curie, label }];
    this.#draw();
    this.options.change();
  }

  #draw(): void {
    this.#chips.replaceChildren(
      ...this.#chosen.map(({ curie, label }) =>
        h(
          'span',
          { class: 'kg-chip', title: curie },
          label,
          h('button', { type: 'button', 'aria-label': `Remove ${label}`, onclick: () => this.#drop(curie) }, icon('close')),
        ),
      ),
    );
  }

  #drop(curie: string): void {
    this.#chosen = this.#chosen.filter((each) => each.curie !== curie);
    this.#draw();
    this.#input.focus();
    this.options.change();
  }
}
