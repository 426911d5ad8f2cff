/** `/explore/paths`: how two things connect, as a picture from left to right and as sentences. */
import { h, percent, plural, words } from '../dom';
import type { KgGraph } from '../graph/element';
import { fetchMeta, type Meta, metaOf } from '../graph/model';
import { fetchPaths, type Path, PATHS_QUERY, type PathPage, pathsData, type Step } from '../graph/sources';
import { isAborted } from '../service';
import { listIn, writeAddress } from './address';
import { Choices } from './choices';
import { copyButton } from './copy';
import type { Drawer } from './drawer';
import { demand, features } from './features';
import { named, Picker } from './picker';
import { problemBox } from './problem';
import { Route } from './route';
import { asOfField, type Scenario, scenarioChips, scenarioIn, scenarioParameters, scenarioVariables } from './scenario';
import type { Site } from './site';
import { stepLine, stepText } from './steps';

const ORDERS = { CONFIDENCE: 'most trusted first', LENGTH: 'shortest first', NOVELTY: 'newest evidence first' };
const LENGTHS = Object.fromEntries([1, 2, 3, 4, 5, 6].map((steps) => [String(steps), plural(steps, 'step')]));
const USUAL_LENGTH = '4';
const DIRECTIONS = { BOTH: 'either way', OUT: 'forwards', IN: 'backwards' };
const SIGNS = [['-1', 'less of the end'], ['1', 'more of the end'], ['0', 'not said']] as const; // prettier-ignore
const LEVELS = '{ metagraph { levels { name } } }';
const PAGE = 10;
const LISTS = ['via', 'avoid', 'metapath', 'kinds', 'relations', 'levels', 'signs'];
/** What addresses say for what is chosen in a field as it is when nothing is. */
type Field = readonly [select: HTMLSelectElement, names: readonly string[], usual: string];

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
  readonly #least = select('At least', LENGTHS, '1');
  readonly #most = select('At most', LENGTHS, USUAL_LENGTH);
  readonly #min = select('Each step at least', { 0: 'any confidence', 0.3: '30%', 0.5: '50%', 0.7: '70%', 0.9: '90%' }, '0');
  readonly #direction = select('Steps are walked', DIRECTIONS, 'BOTH');
  readonly #disputed = select('Disputed edges', { 1: 'may be walked', 0: 'are left out' }, '1');
  readonly #order = select('Order', ORDERS, 'CONFIDENCE');
  readonly #diverse = select('Mechanisms', { 0: 'by score', 1: 'different first' }, '0');
  /** The first name is the one that is written; the others are read too, as earlier versions wrote them. */
  readonly #fields: readonly Field[] = [
    [this.#least, ['min-length'], '1'],
    [this.#most, ['max-length', 'maxLength'], USUAL_LENGTH],
    [this.#min, ['min-confidence', 'min'], '0'],
    [this.#direction, ['direction'], 'BOTH'],
    [this.#disputed, ['disputed'], '1'],
    [this.#order, ['order'], 'CONFIDENCE'],
    [this.#diverse, ['diverse'], '0'],
  ];
  readonly #kinds = new Choices('Kinds between the ends', () => this.#ask(PAGE));
  readonly #relations = new Choices('Relations', () => this.#ask(PAGE));
  readonly #levels = new Choices('Evidence of every step', () => this.#ask(PAGE));
  readonly #signs = new Choices('Effect of the start on the end', () => this.#ask(PAGE));
  readonly #route = new Route(() => this.#ask(PAGE));
  readonly #constraints: HTMLDetailsElement;
  readonly #when = h('span', {});
  readonly #chips = h('div', {});
  readonly #status = h('p', { class: 'kg-muted', role: 'status' });
  readonly #list = h('ol', { class: 'kg-paths' });
  readonly #more = h('button', { type: 'button', class: 'kg-button', hidden: true, onclick: () => this.#ask(this.#first + PAGE) }, 'More paths');
  readonly #graph: KgGraph = h('kg-graph', { controls: 'full', 'aria-label': 'The paths as a picture' });
  readonly #picture = h('section', { class: 'kg-picture', 'aria-label': 'Picture', hidden: true }, this.#graph);
  readonly #said = new Map<string, string>();
  #meta: Meta = metaOf([], []);
  #scenario: Scenario = { assuming: [], without: [], asOf: null };
  #first = PAGE;
  #asking: AbortController | null = null;

  constructor(
    private readonly site: Site,
    private readonly drawer: Drawer,
  ) {
    const change = (): void => this.#ask(PAGE);
    const { service } = site;
    this.#from = new Picker(service, { label: 'From', change, placeholder: 'a name or identifier' });
    this.#to = new Picker(service, { label: 'To', change, placeholder: 'a name or identifier' });
    this.#via = new Picker(service, { label: 'Must pass', change });
    this.#avoid = new Picker(service, { label: 'Must not pass', change });
    for (const [field] of this.#fields) field.addEventListener('change', change);
    this.#graph.theme = document.documentElement.dataset['theme'] ?? 'auto';
    this.#graph.addEventListener('kg-select', (event) => {
      const detail = (event as CustomEvent<{ type: string; id: string } | null>).detail;
      if (detail?.type === 'edge') void this.drawer.open(detail.id, this.#scenario.asOf);
    });
    const swap = h('button', { type: 'button', class: 'kg-button', 'aria-label': 'Swap the ends', title: 'Swap the ends', onclick: () => this.#swap() }, '⇄');
    const choices = [this.#kinds, this.#relations, this.#levels, this.#signs].map(({ element }) => element);
    const [least, most, ...others] = this.#fields.map(([field]) => label(field));
    this.#constraints = h(
      'details',
      { class: 'kg-more' },
      h('summary', {}, 'Constraints'),
      h('div', { class: 'kg-form' }, this.#via.element, this.#avoid.element, this.#route.element),
      h('div', { class: 'kg-form' }, least!, most!, ...others, this.#when),
      h('div', { class: 'kg-folds' }, ...choices),
    );
    this.element = h(
      'div',
      { class: 'kg-page' },
      h('h1', {}, 'Paths'),
      h('div', { class: 'kg-form kg-ends' }, this.#from.element, swap, this.#to.element),
      this.#constraints,
      this.#chips,
      h('div', { class: 'kg-tools' }, this.#status, copyButton(() => ({ query: PATHS_QUERY, variables: this.#variables() }), service.endpoint)),
      this.#picture,
      this.#list,
      this.#more,
    );
  }

  async start(search: URLSearchParams): Promise<void> {
    this.#scenario = scenarioIn(search);
    for (const [field, names] of this.#fields) choose(field, names.map((name) => search.get(name)).find((text) => text) ?? '');
    try {
      const pickers = [[this.#from, 'from'], [this.#to, 'to'], [this.#via, 'via'], [this.#avoid, 'avoid']] as const; // prettier-ignore
      const { service } = this.site;
      const naming = pickers.map(async ([picker, name]) => picker.set(await named(service, listIn(search, name))));
      const [meta, { data }] = await Promise.all([fetchMeta(service), service.query<{ metagraph: { levels: { name: string }[] } }>(LEVELS), ...naming]);
      this.#kinds.offer([...meta.kinds.values()].map((kind) => [kind.name, kind.label]), listIn(search, 'kinds')); // prettier-ignore
      this.#relations.offer([...meta.relations.values()].map(({ name, phrase }) => [name, phrase]), listIn(search, 'relations')); // prettier-ignore
      this.#levels.offer(data.metagraph.levels.map(({ name }) => [name, words(name)]), listIn(search, 'levels')); // prettier-ignore
      this.#signs.offer(SIGNS, listIn(search, 'signs').map((sign) => sign.replace(/^\+/, ''))); // prettier-ignore
      this.#route.offer(meta, listIn(search, 'metapath'));
      this.#constraints.open = Object.keys(this.#constrained).some((name) => name !== 'order') || this.#scenario.asOf !== null;
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

  /** What is not as usual, under the names that addresses have for it. */
  get #constrained(): Record<string, string> {
    const lists = { via: this.#via.curies, avoid: this.#avoid.curies, metapath: this.#route.names, kinds: this.#kinds.chosen, relations: this.#relations.chosen, levels: this.#levels.chosen, signs: this.#signs.chosen };
    const changed = this.#fields.filter(([field, , usual]) => field.value !== usual).map(([field, names]) => [names[0]!, field.value.toLowerCase()]);
    return Object.fromEntries([...Object.entries(lists).map(([name, values]) => [name, values.join(',')]), ...changed].filter(([, text]) => text));
  }

  #variables(): Record<string, unknown> {
    const some = (values: readonly unknown[]): unknown => (values.length > 0 ? values : undefined);
    const unusual = (at: HTMLSelectElement): boolean => this.#fields.some(([field, , usual]) => field === at && field.value !== usual);
    const where = {
      maxLength: unusual(this.#most) ? Number(this.#most.value) : undefined,
      minLength: unusual(this.#least) ? Number(this.#least.value) : undefined,
      relations: some(this.#relations.chosen),
      kinds: some(this.#kinds.chosen),
      via: some(this.#via.curies),
      avoid: some(this.#avoid.curies),
      metapath: some(this.#route.names),
      levels: some(this.#levels.chosen),
      minConfidence: unusual(this.#min) ? Number(this.#min.value) : undefined,
      direction: unusual(this.#direction) ? this.#direction.value : undefined,
      disputed: unusual(this.#disputed) ? false : undefined,
      signs: some(this.#signs.chosen.map(Number)),
    };
    const variables = {
      from: this.#from.curies,
      to: this.#to.curies,
      where: Object.values(where).some((value) => value !== undefined) ? where : undefined,
      orderBy: unusual(this.#order) ? this.#order.value : undefined,
      diverse: unusual(this.#diverse) || undefined,
      first: this.#first,
      ...scenarioVariables(this.#scenario),
    };
    return JSON.parse(JSON.stringify(variables)) as Record<string, unknown>; // without what is undefined
  }

  #ask(first: number): void {
    this.#first = first;
    const [from, to] = [this.#from.curies, this.#to.curies];
    const nothing = Object.fromEntries([...this.#fields.flatMap(([, names]) => names), ...LISTS].map((name) => [name, null]));
    writeAddress({ from: from.join(','), to: to.join(','), ...nothing, ...this.#constrained, first: first === PAGE ? null : first, ...scenarioParameters(this.#scenario) });
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
      this.#meta = meta;
      this.#show(page);
      const data = pathsData(page.nodes, page.nodes.length);
      this.#picture.hidden = page.nodes.length === 0;
      if (page.nodes.length > 0) this.#graph.data = { ...data, roots: [...this.#from.curies, ...this.#to.curies], layout: 'paths', kinds: [...meta.kinds.values()], relations: [...meta.relations.values()] };
    } catch (problem) {
      if (isAborted(problem)) return;
      this.#status.textContent = '';
      this.#picture.hidden = this.#more.hidden = true;
      this.#list.replaceChildren(h('li', { class: 'kg-alone' }, problemBox(problem, () => void this.#run())));
    }
  }

  #show({ nodes, totalCount, truncatedBy, whyNot }: PathPage): void {
    const of = totalCount === null ? '' : ` of ${totalCount.toLocaleString('en')}`;
    this.#status.textContent = nodes.length === 0 ? 'No path.' : `${nodes.length}${of} ${totalCount === 1 || (!of && nodes.length === 1) ? 'path' : 'paths'}, ${ORDERS[this.#order.value as keyof typeof ORDERS]}${truncatedBy && truncatedBy !== 'first' ? ` (search ended by ${truncatedBy})` : ''}`;
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
      stepLine(path.steps, path.weakestStep.assertion.id, this.#meta, this.site, (step) => this.#open(step)),
      h('p', { class: 'kg-muted', title: path.score.terms.map(({ name, value }) => `${name} ${value.toFixed(3)}`).join(' × ') }, `${plural(path.length, 'step')} · score ${path.score.value.toPrecision(2)} · weakest step ${percent(Math.min(...path.steps.map(({ confidence }) => confidence)))}`),
    );
  }

  #open(step: Step): void {
    const { id } = step.assertion;
    void this.drawer.open(id, this.#scenario.asOf, () => {
      this.#said.set(id, stepText(step, this.#meta));
      this.drawer.close();
      this.#scenario = { ...this.#scenario, without: [...new Set([...this.#scenario.without, id])] };
      this.#ask(PAGE);
    });
  }
}

function select(name: string, options: Record<string, string>, value: string): HTMLSelectElement {
  return h('select', { 'aria-label': name }, ...Object.entries(options).map(([key, text]) => h('option', { value: key, selected: key === value }, text))); // prettier-ignore
}

/** Chooses what an address says, however it is written; a number that is not offered is offered then. */
function choose(field: HTMLSelectElement, text: string): void {
  if (!text) return;
  const known = [...field.options].find(({ value }) => value === text.toUpperCase() || (Number.isFinite(Number(text)) && Number(value) === Number(text)));
  const said = { true: '1', yes: '1', on: '1', false: '0', no: '0', off: '0' }[text.toLowerCase()];
  if (known) field.value = known.value;
  else if (said && [...field.options].some(({ value }) => value === said)) field.value = said;
  else if (Number(text) > 0) {
    field.append(h('option', { value: text }, Number(text) < 1 ? percent(Number(text)) : plural(Number(text), 'step')));
    field.value = text;
  }
}

const label = (field: HTMLSelectElement): HTMLElement => h('label', { class: 'kg-field kg-narrow' }, h('span', { class: 'kg-label', 'aria-hidden': 'true' }, field.getAttribute('aria-label')), field);
