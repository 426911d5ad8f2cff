/** The relation of every step, in order: a metapath put together from what may follow. */
import { h, icon } from '../dom';
import { type Meta, type Relation } from '../graph/model';

interface Move {
  name: string;
  phrase: string;
  from: readonly string[];
  to: readonly string[];
}
const MOST = 6;

export class Route {
  readonly element: HTMLElement;
  #names: string[] = [];
  #moves: Move[] = [];
  #meta: Meta | null = null;
  readonly #chips = h('span', { class: 'kg-chips' });
  readonly #next = h('select', { 'aria-label': 'Add a step', onchange: () => this.#add() });

  constructor(private readonly change: () => void) {
    this.element = h('div', { class: 'kg-field kg-route' }, h('span', { class: 'kg-label', 'aria-hidden': 'true' }, 'Every step, in order'), h('span', { class: 'kg-picker', role: 'group', 'aria-label': 'Every step, in order' }, this.#chips, this.#next));
  }

  /** The relations that may be walked, and the names of those that are. */
  offer(meta: Meta, names: readonly string[]): void {
    this.#meta = meta;
    this.#moves = [...meta.relations.values()].flatMap(movesOf);
    this.#names = [...names];
    this.#draw();
  }

  get names(): string[] {
    return [...this.#names];
  }

  #add(): void {
    if (!this.#next.value) return;
    this.#names.push(this.#next.value);
    this.#draw();
    this.#next.focus();
    this.change();
  }

  #drop(at: number): void {
    this.#names.splice(at); // what followed may not follow any more
    this.#draw();
    this.#next.focus();
    this.change();
  }

  #draw(): void {
    const phrase = (name: string): string => this.#moves.find((move) => move.name === name)?.phrase ?? name;
    this.#chips.replaceChildren(
      ...this.#names.map((name, at) => {
        const end = at === this.#names.length - 1 ? '' : ' and what follows';
        return h('span', { class: 'kg-chip', title: name }, `${at + 1}. ${phrase(name)}`, h('button', { type: 'button', 'aria-label': `Remove step ${at + 1}, ${phrase(name)}${end}`, onclick: () => this.#drop(at) }, icon('close')));
      }),
    );
    const kind = (name: string): string => this.#meta?.kinds.get(name)?.label ?? name;
    const here = this.#standing();
    const offered = this.#names.length >= MOST ? [] : this.#moves.filter((move) => !here || move.from.some((each) => here.has(each)));
    this.#next.replaceChildren(
      h('option', { value: '' }, this.#names.length === 0 ? 'any; add a step…' : 'add a step…'),
      ...offered.map(({ name, phrase: said, from, to }) => h('option', { value: name }, `${sides(from, here, kind)} ${said} ${sides(to, null, kind)}`)),
    );
    this.#next.hidden = offered.length === 0;
  }

  /** Kinds that one may stand at after the steps there are; null where nothing is known of them. */
  #standing(): Set<string> | null {
    let here: Set<string> | null = null;
    for (const name of this.#names) {
      const move = this.#moves.find((each) => each.name === name);
      if (!move) return null;
      // a relation within a kind leads to where it came from
      const to: readonly string[] = move.from.length > 1 && here ? move.to.filter((each) => here!.has(each)) : move.to;
      here = new Set(to);
    }
    return here;
  }
}

function movesOf({ name, inverse, phrase, inversePhrase, subjects, objects }: Relation): Move[] {
  const forward = { name, phrase, from: subjects ?? [], to: objects ?? [] };
  return !inverse || inverse === name ? [forward] : [forward, { name: inverse, phrase: inversePhrase, from: objects ?? [], to: subjects ?? [] }];
}

function sides(kinds: readonly string[], here: ReadonlySet<string> | null, kind: (name: string) => string): string {
  const able = here ? kinds.filter((each) => here.has(each)) : kinds;
  return able.length > 2 ? 'anything' : able.map(kind).join(' or ');
}
