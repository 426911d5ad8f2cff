/** `/explore/paths`: how two things connect, as a picture from left to right and as sentences. */
import { h, percent, plural } from '../dom';
import type { KgGraph } from '../graph/element';
import { fetchMeta } from '../graph/model';
import { fetchPaths, type Path, PATHS_QUERY, type PathPage, pathsData, type Step } from '../graph/sources';
import { isAborted } from '../service';
import { listIn, writeAddress } from './address';
import { copyButton } from './copy';
import type { Drawer } from './drawer';
import { demand, features } from './features';
import { named, Picker } from './picker';
import { problemBox } from './problem';
import { asOfField, type Scenario, scenarioChips, scenarioIn, scenarioParameters, scenarioVariables } from './scenario';
import type { Site } from './site';
import { stepLine, stepText } from './steps';

const ORDERS = { CONFIDENCE: 'most trusted first', LENGTH: 'shortest first', NOVELTY: 'newest evidence first' };
const PAGE = 10;

export async function pathsPage(main: HTMLElement, site: Site, drawer: Drawer): Promise<void> {
  try {
    demand(await features(site), 'paths');
  } catch (problem) {
    return main.replaceChildren(h('div', { class: 'kg-page' }, h('h1', {}, 'Paths'), problemBox(problem)));
  }
  const page = new PathFinder(site, drawer);
  main.replaceChildren(page.element);
  await page.start(new URLSearchParams(location.search));
}

class PathFinder {
  readonly element: HTMLElement;
  readonly #from: Picker;
  readonly #to: Picker;
  readonly #via: Picker;
  readonly #avoid: Picker;
  readonly #length = select('Longest path', Object.fromEntries([1, 2, 3, 4, 5, 6].map((steps) => [steps, plural(steps, 'step')])), '4');
  readonly #min = select('Each step at least', { 0: 'any confidence', 0.3: '30%', 0.5: '50%', 0.7: '70%', 0.9: '90%' }, '0');
  readonly #order = select('Order', ORDERS, 'CONFIDENCE');
  readonly #kinds = h('fieldset', { class: 'kg-field kg-kinds' }, h('legend', { class: 'kg-label' }, 'Between the ends'));
  readonly #when = h('span', {});
  readonly #chips = h('div', {});
  readonly #status = h('p', { class: 'kg-muted', role: 'status' });
  readonly #list = h('ol', { class: 'kg-paths' });
  readonly #more = h('button', { type: 'button', class: 'kg-button', hidden: true, onclick: () => this.#ask(this.#first + PAGE) }, 'More paths');
  readonly #graph: KgGraph = h('kg-graph', { controls: 'full', 'aria-label': 'The paths as a picture' });
  readonly #picture = h('section', { class: 'kg-picture', 'aria-label': 'Picture', hidden: true }, this.#graph);
  readonly #said = new Map<string, string>();
  #scenario: Scenario = { assuming: [], without: [], asOf: null };
  #first = PAGE;
  #asking: AbortController | null = null;

  constructor(
    private readonly site: Site,
    private readonly drawer: Drawer,
  ) {
    const change = (): void => this.#ask(PAGE);
    const { service } = site;
    this.#from = new Picker(service, { label: 'From', change, placeholder: 'a therapy, target, cell…' });
    this.#to = new Picker(service, { label: 'To', change, placeholder: 'a disease, risk…' });
    this.#via = new Picker(service, { label: 'Must pass', change });
    this.#avoid = new Picker(service, { label: 'Must not pass', change });
    for (const field of [this.#length, this.#min, this.#order]) field.addEventListener('change', change);
    this.#graph.theme = document.documentElement.dataset['theme'] ?? 'auto';
    this.#graph.addEventListener('kg-select', (event) => {
      const detail = (event as CustomEvent<{ type: string; id: string } | null>).detail;
      if (detail?.type === 'edge') void this.drawer.open(detail.id, this.#scenario.asOf);
    });
    const swap = h('button', { type: 'button', class: 'kg-button', 'aria-label': 'Swap the ends', title: 'Swap the ends', onclick: () => this.#swap() }, '⇄');
    const more = h('details', { class: 'kg-more' }, h('summary', {}, 'Constraints'), h('div', { class: 'kg-form' }, this.#via.element, this.#avoid.element, label(this.#length), label(this.#min), label(this.#order), this.#when, this.#kinds));
    this.element = h(
      'div',
      { class: 'kg-page' },
      h('h1', {}, 'Paths'),
      h('div', { class: 'kg-form kg-ends' }, this.#from.element, swap, this.#to.element),
      more,
      this.#chips,
      h('div', { class: 'kg-tools' }, this.#status, copyButton(() => ({ query: PATHS_QUERY, variables: this.#variables() }), service.endpoint)),
      this.#picture,
      this.#list,
      this.#more,
    );
  }

  async start(search: URLSearchParams): Promise<void> {
    this.#scenario = scenarioIn(search);
    for (const [field, name] of [[this.#length, 'maxLength'], [this.#min, 'min'], [this.#order, 'order']] as const) {
      const value = search.get(name);
      if (value && [...field.options].some((option) => option.value === value)) field.value = value;
    }
    try {
      const [meta] = await Promise.all([fetchMeta(this.site.service), ...([[this.#from, 'from'], [this.#to, 'to'], [this.#via, 'via'], [this.#avoid, 'avoid']] as const).map(async ([picker, name]) => picker.set(await named(this.site.service, listIn(search, name))))]);
      const chosen = listIn(search, 'kinds');
      for (const { name, label: text } of meta.kinds.values()) {
        const box = h('input', { type: 'checkbox', value: name, checked: chosen.length === 0 || chosen.includes(name), onchange: () => this.#ask(PAGE) });
        this.#kinds.append(h('label', {}, box, text));
      }
      if (['via', 'avoid', 'kinds', 'maxLength', 'min', 'order', 'as-of'].some((name) => search.has(name))) this.element.querySelector('details')!.open = true;
      this.#ask(Number(search.get('first')) || PAGE);
    } catch (problem) {
      this.#list.replaceChildren(problemBox(problem, () => location.reload()));
    }
  }

  #swap(): void {
    const zip = (picker: Picker): { curie: string; label: string }[] => picker.curies.map((curie, at) => ({ curie, label: picker.labels[at] ?? curie }));
    const [from, to] = [zip(this.#from), zip(this.#to)];
    this.#from.set(to);
    this.#to.set(from);
    this.#ask(PAGE);
  }

  get #chosenKinds(): string[] | null {
    const boxes = [...this.#kinds.querySelectorAll('input')];
    return boxes.every(({ checked }) => checked) ? null : boxes.filter(({ checked }) => checked).map(({ value }) => value);
  }

  /** Only from the address: whoever links to some relations means them. */
  get #relations(): string[] {
    return listIn(new URLSearchParams(location.search), 'relations');
  }

  #variables(): Record<string, unknown> {
    const where = {
      maxLength: Number(this.#length.value),
      ...(this.#min.value !== '0' && { minConfidence: Number(this.#min.value) }),
      ...(this.#via.curies.length > 0 && { via: this.#via.curies }),
      ...(this.#avoid.curies.length > 0 && { avoid: this.#avoid.curies }),
      ...(this.#chosenKinds && { kinds: this.#chosenKinds }),
      ...(this.#relations.length > 0 && { relations: this.#relations }),
    };
    return { from: this.#from.curies, to: this.#to.curies, where, orderBy: this.#order.value, first: this.#first, ...scenarioVariables(this.#scenario) };
  }

  #ask(first: number): void {
    this.#first = first;
    const [from, to] = [this.#from.curies, this.#to.curies];
    writeAddress({
      from: from.join(','), to: to.join(','), via: this.#via.curies.join(','), avoid: this.#avoid.curies.join(','), kinds: this.#chosenKinds?.join(','),
      maxLength: this.#length.value === '4' ? null : this.#length.value, min: this.#min.value === '0' ? null : this.#min.value,
      order: this.#order.value === 'CONFIDENCE' ? null : this.#order.value, first: first === PAGE ? null : first, ...scenarioParameters(this.#scenario),
    }); // prettier-ignore
    const restart = (next: Scenario): void => {
      this.#scenario = next;
      this.#ask(PAGE);
    };
    this.#when.replaceChildren(asOfField(this.#scenario, (asOf) => restart({ ...this.#scenario, asOf })));
    this.#chips.replaceChildren(...[scenarioChips(this.#scenario, this.#said, restart)].filter((each) => each !== null));
    if (from.length === 0 || to.length === 0) {
      this.#status.textContent = 'Choose where paths start and where they end.';
      this.#list.replaceChildren();
      this.#picture.hidden = this.#more.hidden = true;
      return;
    }
    void this.#run();
  }

  async #run(): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    this.#status.textContent = 'Searching…';
    try {
      const [page, meta] = await Promise.all([fetchPaths(this.site.service, this.#variables(), asking.signal), fetchMeta(this.site.service)]);
      if (asking.signal.aborted) return;
      this.#show(page);
      const data = pathsData(page.nodes, page.nodes.length);
      this.#picture.hidden = page.nodes.length === 0;
      if (page.nodes.length > 0) this.#graph.data = { ...data, roots: [...this.#from.curies, ...this.#to.curies], layout: 'paths', kinds: [...meta.kinds.values()], relations: [...meta.relations.values()] };
    } catch (problem) {
      if (isAborted(problem)) return;
      this.#status.textContent = '';
      this.#picture.hidden = this.#more.hidden = true;
      this.#list.replaceChildren(h('li', {}, problemBox(problem, () => void this.#run())));
    }
  }

  #show({ nodes, totalCount, truncatedBy, whyNot }: PathPage): void {
    const of = totalCount === null ? '' : ` of ${totalCount.toLocaleString('en')}`;
    this.#status.textContent = nodes.length === 0 ? 'No path.' : `${nodes.length}${of} paths, ${ORDERS[this.#order.value as keyof typeof ORDERS]}${truncatedBy && truncatedBy !== 'first' ? ` (search ended by ${truncatedBy})` : ''}${this.#relations.length > 0 ? `, only by ${this.#relations.join(', ')}` : ''}`;
    this.#more.hidden = totalCount !== null ? totalCount <= nodes.length : nodes.length < this.#first;
    this.#list.replaceChildren(...nodes.map((path) => this.#item(path)));
    if (nodes.length === 0) this.#list.replaceChildren(h('li', { class: 'kg-problem' }, h('strong', {}, 'No path connects them.'), h('p', {}, whyNot?.text ?? 'Allow more steps or fewer constraints.')));
  }

  #item(path: Path): HTMLElement {
    const ids = path.steps.flatMap((step) => [step.from.curie, step.to.curie, step.assertion.id]);
    const show = (): void => this.#graph.highlight(ids);
    const rest = (): void => this.#graph.highlight([]);
    return h(
      'li',
      { onmouseenter: show, onmouseleave: rest, onfocusin: show, onfocusout: rest },
      stepLine(path.steps, path.weakestStep.assertion.id, this.site, (step) => this.#open(step)),
      h('p', { class: 'kg-muted', title: path.score.terms.map(({ name, value }) => `${name} ${value.toFixed(3)}`).join(' × ') }, `${plural(path.length, 'step')} · score ${path.score.value.toPrecision(2)} · weakest step ${percent(Math.min(...path.steps.map(({ confidence }) => confidence)))}`),
    );
  }

  #open(step: Step): void {
    const { id } = step.assertion;
    void this.drawer.open(id, this.#scenario.asOf, () => {
      this.#said.set(id, stepText(step));
      this.drawer.close();
      this.#scenario = { ...this.#scenario, without: [...new Set([...this.#scenario.without, id])] };
      this.#ask(PAGE);
    });
  }
}

function select(name: string, options: Record<string, string>, value: string): HTMLSelectElement {
  return h('select', { 'aria-label': name }, ...Object.entries(options).sort(([a], [b]) => (Number(a) || 0) - (Number(b) || 0)).map(([key, text]) => h('option', { value: key, selected: key === value }, text))); // prettier-ignore
}

const label = (field: HTMLSelectElement): HTMLElement => h('label', { class: 'kg-field' }, h('span', { class: 'kg-label', 'aria-hidden': 'true' }, field.getAttribute('aria-label')), field);
