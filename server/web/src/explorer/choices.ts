/** Some of a few things, none ticked being any: boxes that fold away, and say what was chosen while folded. */
import { h } from '../dom';

export class Choices {
  readonly element: HTMLElement;
  readonly #boxes: HTMLFieldSetElement;
  readonly #said = h('span', { class: 'kg-chosen' });
  readonly #names = new Map<string, string>();

  constructor(
    private readonly label: string,
    private readonly change: () => void,
  ) {
    this.#boxes = h('fieldset', { class: 'kg-boxes' }, h('legend', { class: 'kg-sr' }, label));
    this.element = h('details', { class: 'kg-choices' }, h('summary', {}, `${label}: `, this.#said), this.#boxes);
    this.#say();
  }

  /** What may be chosen, as names and what people call them, and what is. */
  offer(options: Iterable<readonly [string, string]>, chosen: readonly string[]): void {
    for (const [name, text] of options) {
      const box = h('input', { type: 'checkbox', value: name, checked: chosen.includes(name), onchange: () => this.#turn() });
      this.#names.set(name, text);
      this.#boxes.append(h('label', {}, box, text));
    }
    this.#say();
  }

  /** The names that are ticked. */
  get chosen(): string[] {
    return [...this.#boxes.querySelectorAll('input')].filter(({ checked }) => checked).map(({ value }) => value);
  }

  #turn(): void {
    this.#say();
    this.change();
  }

  #say(): void {
    const { chosen } = this;
    this.#said.textContent = chosen.length === 0 ? 'any' : chosen.map((name) => this.#names.get(name)).join(', ');
    this.element.setAttribute('aria-label', this.label);
  }
}
