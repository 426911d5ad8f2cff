/** A slider over what was known when, with the evidence of each half-year below it, and a button that plays it. */
import { h, icon, s } from '../dom';

const STEP_MS = 700;
const HEIGHT = 28;

/** A half-year: its last day, and how much evidence came out in it. */
interface Slot {
  end: string;
  count: number;
}

/** Half-years from the first date to today's. Dates may be years or months only. */
export function slotsOf(dates: readonly string[], today = new Date().toISOString().slice(0, 10)): Slot[] {
  const known = dates.map((date) => (date.length === 4 ? `${date}-12-31` : date.length === 7 ? `${date}-28` : date)).filter((date) => /^\d{4}-\d\d-\d\d$/.test(date) && date <= today).sort();
  const first = known[0];
  if (!first) return [];
  const slots: Slot[] = [];
  for (let year = Math.max(Number(first.slice(0, 4)), Number(today.slice(0, 4)) - 30); ; year++)
    for (const day of ['06-30', '12-31']) {
      const end = `${year}-${day}`;
      const start = slots.at(-1)?.end ?? '';
      slots.push({ end, count: known.filter((date) => date > start && date <= end).length });
      if (end >= today) return slots;
    }
}

export class KnowledgeTime {
  readonly element = h('div', { class: 'kg-time', role: 'group', 'aria-label': 'Knowledge time', hidden: true });
  readonly #slider = h('input', { type: 'range', min: 0, step: 1, 'aria-label': 'Show what was known on' });
  readonly #output = h('output', {});
  readonly #play = h('button', { type: 'button', class: 'kg-button', 'aria-label': 'Play how knowledge grew', title: 'Play how knowledge grew', onclick: () => (this.#timer ? this.stop() : this.#start()) }, icon('play'));
  readonly #bars = s('svg', { class: 'kg-bars', height: HEIGHT, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  #slots: Slot[] = [];
  #timer = 0;

  /** `change` gets a day, or null for all that is known now. */
  constructor(private readonly change: (asOf: string | null) => void | Promise<void>) {
    this.element.append(this.#play, h('span', { class: 'kg-track' }, this.#bars, this.#slider), this.#output);
    this.#slider.addEventListener('input', () => {
      this.stop();
      this.#move();
    });
  }

  /** Draws the range of these dates and goes to a day in it. */
  set(dates: readonly string[], asOf: string | null): void {
    this.#slots = slotsOf(dates);
    this.element.hidden = this.#slots.length < 2;
    const most = Math.max(1, ...this.#slots.map(({ count }) => count));
    this.#slider.max = String(this.#slots.length - 1);
    this.#bars.setAttribute('viewBox', `0 0 ${this.#slots.length} ${HEIGHT}`);
    this.#bars.replaceChildren(
      ...this.#slots.map(({ count, end }, at) => {
        const height = count === 0 ? 0 : 2 + (Math.sqrt(count / most) * (HEIGHT - 2));
        return s('rect', { x: at + 0.12, width: 0.76, y: HEIGHT - height, height }, s('title', {}, `${count} by ${end}`));
      }),
    );
    this.goTo(asOf);
  }

  goTo(asOf: string | null): void {
    const at = asOf === null ? -1 : this.#slots.findIndex(({ end }) => end >= asOf);
    this.#slider.value = String(at < 0 ? this.#slots.length - 1 : at);
    this.#say(asOf);
  }

  get #asOf(): string | null {
    const at = this.#slider.valueAsNumber;
    return at >= this.#slots.length - 1 ? null : (this.#slots[at]?.end ?? null);
  }

  #say(asOf: string | null): void {
    this.#output.textContent = asOf === null ? 'known today' : `known on ${asOf}`;
    this.#slider.setAttribute('aria-valuetext', asOf ?? 'today');
    const at = this.#slider.valueAsNumber;
    [...this.#bars.children].forEach((bar, index) => bar.classList.toggle('kg-later', index > at));
  }

  #move(): void | Promise<void> {
    this.#say(this.#asOf);
    return this.change(this.#asOf);
  }

  #start(): void {
    if (this.#slider.valueAsNumber >= this.#slots.length - 1) this.#slider.value = String(Math.max(0, this.#slots.findIndex(({ count }) => count > 0)));
    this.#play.replaceChildren(icon('pause'));
    this.#play.setAttribute('aria-label', 'Pause');
    const step = async (): Promise<void> => {
      await this.#move();
      if (!this.#timer) return;
      if (this.#slider.valueAsNumber >= this.#slots.length - 1) return this.stop();
      this.#timer = window.setTimeout(() => {
        this.#slider.value = String(this.#slider.valueAsNumber + 1);
        void step();
      }, STEP_MS);
    };
    this.#timer = window.setTimeout(() => void step(), 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#play.replaceChildren(icon('play'));
    this.#play.setAttribute('aria-label', 'Play how knowledge grew');
  }
}
