/** `/explore/hypotheses`: what the graph suggests about a therapy or a disease, for and against, and what-if. */
import { h, plural, s, words } from '../dom';
import { claimOf, fetchMeta, type Meta, metaOf } from '../graph/model';
import { type Assumption, type Step, STEPS } from '../graph/sources';
import { isAborted } from '../service';
import { writeAddress } from './address';
import { copyButton } from './copy';
import type { Drawer } from './drawer';
import { demand, features } from './features';
import { named, Picker } from './picker';
import { problemBox } from './problem';
import { asOfField, type Scenario, scenarioChips, scenarioIn, scenarioParameters, scenarioVariables } from './scenario';
import type { Site } from './site';
import { stepLine, stepText } from './steps';

interface End {
  curie: string;
  label: string;
}
interface Hypothesis {
  id: string;
  subject: End;
  object: End;
  rank: number;
  baselineRank: number | null;
  score: number;
  scoreChange: number | null;
  qValue: number | null;
  pValueNote: string | null;
  status: string;
  firstSuggested: string | null;
  text: string;
  contributions: { share: number; score: number; metapath: { text: string } }[];
  supportingPaths: { steps: Step[]; contribution: number }[];
  pathsTotal: number;
  against: { kind: string; text: string; assertion: { id: string } | null }[];
  againstTotal: number;
  gaps: { subject: End; relation: string; object: End; gain: number; text: string }[];
  trials: End[];
}
interface Page {
  totalCount: number;
  truncatedBy: string | null;
  note: string | null;
  nodes: Hypothesis[];
}

/** The two ends are named after their kinds, so they are asked for under fixed aliases. */
const query = (subject: string, object: string): string => `query Hypotheses($subject: ID, $object: ID, $where: HypothesisConstraints, $first: Int!, $assuming: [AssertionInput!], $without: [ID!], $asOf: Date) {
  hypotheses(${subject}: $subject, ${object}: $object, where: $where, first: $first, assuming: $assuming, without: $without, asOf: $asOf) {
    totalCount truncatedBy note
    nodes {
      id subject: ${subject} { curie label } object: ${object} { curie label }
      rank baselineRank score scoreChange qValue pValueNote status firstSuggested text pathsTotal againstTotal
      contributions { share score metapath { text } }
      supportingPaths { contribution steps { ...Steps } }
      against { kind text assertion { id } }
      gaps { subject { curie label } relation object { curie label } gain text }
      trials { curie label }
    }
  }
}
${STEPS}`;

type Column = 'rank' | 'name' | 'score' | 'qValue' | 'for' | 'against' | 'status' | 'firstSuggested';
const COLUMNS: Record<Column, string> = { rank: '#', name: 'Suggested', score: 'Score', qValue: 'q', for: 'For', against: 'Against', status: 'Status', firstSuggested: 'Since' };
const HUES = ['#3b78b8', '#3a8f5c', '#b8860b', '#7a5195', '#c2571a', '#5f7d8c'];
const PAGE = 25;

export async function hypothesesPage(main: HTMLElement, site: Site, drawer: Drawer): Promise<void> {
  try {
    demand(await features(site), 'hypotheses');
  } catch (problem) {
    return main.replaceChildren(h('div', { class: 'kg-page' }, h('h1', {}, 'Hypotheses'), problemBox(problem)));
  }
  const page = new Hypotheses(site, drawer, pair(main.dataset['kgEnds']), pair(main.dataset['kgKinds']));
  main.replaceChildren(page.element);
  await page.start(new URLSearchParams(location.search));
}

/** Two words, as the page says them. */
function pair(text = ''): [string, string] {
  const [one = '', other = ''] = text.split(' ');
  return [one, other];
}

class Hypotheses {
  readonly element: HTMLElement;
  readonly #picker: Picker;
  readonly #which: HTMLSelectElement;
  readonly #tested = h('input', { type: 'checkbox' });
  readonly #chance = h('input', { type: 'checkbox' });
  readonly #when = h('span', {});
  readonly #chips = h('div', {});
  readonly #status = h('p', { class: 'kg-muted', role: 'status' });
  readonly #table = h('div', { class: 'kg-scroll', role: 'region', 'aria-label': 'Hypotheses', tabindex: 0 });
  readonly #said = new Map<string, string>();
  #scenario: Scenario = { assuming: [], without: [], asOf: null };
  #sort: { column: Column; down: boolean } = { column: 'rank', down: false };
  #open = new Set<string>();
  #rows: Hypothesis[] = [];
  #first = PAGE;
  #meta: Meta = metaOf([], []);
  #asking: AbortController | null = null;

  constructor(
    private readonly site: Site,
    private readonly drawer: Drawer,
    private readonly ends: readonly [string, string],
    kinds: readonly [string, string],
  ) {
    const change = (): void => this.#ask();
    this.#which = h('select', { 'aria-label': 'Hypotheses about a' }, ...ends.map((end) => h('option', { value: end }, end)));
    this.#picker = new Picker(site.service, { label: 'About', single: true, change, placeholder: `a ${ends.join(' or ')}`, kinds: [...kinds] });
    for (const box of [this.#tested, this.#chance]) box.addEventListener('change', change);
    this.#which.addEventListener('change', change);
    this.element = h(
      'div',
      { class: 'kg-page' },
      h('h1', {}, 'Hypotheses'),
      h(
        'div',
        { class: 'kg-form' },
        h('label', { class: 'kg-field kg-narrow' }, h('span', { class: 'kg-label', 'aria-hidden': 'true' }, 'For a'), this.#which),
        this.#picker.element,
        this.#when,
        h('label', { class: 'kg-check' }, this.#tested, 'include what has been tried'),
        h('label', { class: 'kg-check' }, this.#chance, 'compare with chance (q)'),
      ),
      this.#chips,
      h('div', { class: 'kg-tools' }, this.#status, copyButton(() => ({ query: query(...ends), variables: this.#variables() }), site.service.endpoint)),
      this.#table,
    );
  }

  async start(search: URLSearchParams): Promise<void> {
    this.#scenario = scenarioIn(search);
    this.#tested.checked = search.get('tested') === 'yes';
    this.#chance.checked = search.get('q') === 'yes';
    const sort = (search.get('sort') ?? '').split(' ');
    if (sort[0] && sort[0] in COLUMNS) this.#sort = { column: sort[0] as Column, down: sort[1] === 'down' };
    for (const id of search.getAll('select')) this.#open.add(id);
    const end = this.ends.find((name) => search.has(name)) ?? this.ends[0];
    this.#which.value = end;
    try {
      const about = search.get(end);
      const [meta, chosen] = await Promise.all([fetchMeta(this.site.service), named(this.site.service, about ? [about] : [])]);
      this.#meta = meta;
      this.#picker.set(chosen);
      this.#ask();
    } catch (problem) {
      this.#table.replaceChildren(problemBox(problem, () => location.reload()));
    }
  }

  #variables(): Record<string, unknown> {
    const about = this.#picker.curies[0] ?? null;
    const where = { paths: 4, arguments: 6, gaps: 3, ...(this.#tested.checked && { includeTested: true }), ...(!this.#chance.checked && { permutations: 0 }) };
    return { [this.#which.value === this.ends[0] ? 'subject' : 'object']: about, where, first: this.#first, ...scenarioVariables(this.#scenario) };
  }

  #ask(): void {
    const [about] = this.#picker.curies;
    const { column, down } = this.#sort;
    writeAddress({
      ...Object.fromEntries(this.ends.map((end) => [end, end === this.#which.value ? about : null])),
      tested: this.#tested.checked ? 'yes' : null, q: this.#chance.checked ? 'yes' : null, sort: column === 'rank' && !down ? null : `${column}${down ? ' down' : ''}`,
      select: [...this.#open], ...scenarioParameters(this.#scenario),
    }); // prettier-ignore
    const restart = (next: Scenario): void => {
      this.#scenario = next;
      this.#ask();
    };
    this.#when.replaceChildren(asOfField(this.#scenario, (asOf) => restart({ ...this.#scenario, asOf })));
    this.#chips.replaceChildren(...[scenarioChips(this.#scenario, this.#said, restart)].filter((each) => each !== null));
    if (about) return void this.#run();
    this.#status.textContent = `Choose a ${this.ends.join(' or a ')}.`;
    this.#table.replaceChildren();
  }

  async #run(): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    this.#status.textContent = this.#chance.checked ? 'Counting paths in permuted graphs…' : 'Counting paths…';
    try {
      const { data } = await this.site.service.query<{ hypotheses: Page }>(query(...this.ends), this.#variables(), asking.signal);
      const { nodes, totalCount, truncatedBy, note } = data.hypotheses;
      this.#rows = nodes;
      this.#status.textContent = [`${nodes.length} of ${plural(totalCount, 'hypothesis', 'hypotheses')}`, truncatedBy && truncatedBy !== 'first' && `ended by ${truncatedBy}`, note].filter(Boolean).join(' · ');
      this.#draw(totalCount > nodes.length);
    } catch (problem) {
      if (isAborted(problem)) return;
      this.#status.textContent = '';
      this.#table.replaceChildren(problemBox(problem, () => void this.#run()));
    }
  }

  #other(row: Hypothesis): End {
    return this.#which.value === this.ends[0] ? row.object : row.subject;
  }

  #value(row: Hypothesis): string | number {
    const values: Record<Column, string | number> = {
      rank: row.rank, name: this.#other(row).label.toLowerCase(), score: row.score, qValue: row.qValue ?? 2, for: row.pathsTotal, against: row.againstTotal, status: row.status, firstSuggested: row.firstSuggested ?? '9999',
    }; // prettier-ignore
    return values[this.#sort.column];
  }

  #draw(more: boolean): void {
    const held = this.#table.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset['column'] : undefined;
    const sign = this.#sort.down ? -1 : 1;
    const rows = [...this.#rows].sort((a, b) => (this.#value(a) < this.#value(b) ? -sign : this.#value(a) > this.#value(b) ? sign : a.rank - b.rank));
    const most = Math.max(...rows.map(({ score }) => score), 1e-9);
    const names = mostFirst(this.#rows);
    const hue = (name: string): string => HUES[Math.min(names.indexOf(name), HUES.length - 1)] ?? HUES[0]!;
    const heads = (Object.entries(COLUMNS) as [Column, string][]).map(([column, text]) => {
      const active = this.#sort.column === column;
      return h(
        'th',
        { scope: 'col', 'aria-sort': active ? (this.#sort.down ? 'descending' : 'ascending') : null },
        h('button', { type: 'button', 'data-column': column, onclick: () => this.#sortBy(column, more) }, text, active && (this.#sort.down ? ' ↓' : ' ↑')),
      );
    });
    this.#table.replaceChildren(
      h('table', { class: 'kg-hypotheses' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows.flatMap((row) => this.#row(row, most, hue, more)))),
      ...(more ? [h('button', { type: 'button', class: 'kg-button', onclick: () => this.#more() }, 'More hypotheses')] : []),
    );
    if (held) this.#table.querySelector<HTMLElement>(`[data-column="${held}"]`)?.focus();
  }

  #more(): void {
    this.#first += PAGE;
    this.#ask();
  }

  #sortBy(column: Column, more: boolean): void {
    const numbers = column === 'score' || column === 'for' || column === 'against';
    this.#sort = { column, down: this.#sort.column === column ? !this.#sort.down : numbers };
    writeAddress({ sort: `${column}${this.#sort.down ? ' down' : ''}` });
    this.#draw(more);
  }

  #row(row: Hypothesis, most: number, hue: (name: string) => string, more: boolean): HTMLElement[] {
    const open = this.#open.has(row.id);
    const toggle = (): void => {
      if (!this.#open.delete(row.id)) this.#open.add(row.id);
      writeAddress({ select: [...this.#open] });
      this.#draw(more);
      this.#table.querySelector<HTMLElement>(`[data-column="${CSS.escape(row.id)}"]`)?.focus();
    };
    const main = h(
      'tr',
      {},
      h('td', { class: 'kg-n' }, row.rank, moved(row)),
      h('th', { scope: 'row' }, h('button', { type: 'button', class: 'kg-link', 'aria-expanded': String(open), 'data-column': row.id, onclick: toggle }, this.#other(row).label)),
      h('td', { class: 'kg-n' }, bars(row, most, hue), h('span', { class: 'kg-n' }, row.score.toFixed(2))),
      h('td', { class: 'kg-n', title: row.pValueNote }, row.qValue === null ? '–' : row.qValue < 0.001 ? '<0.001' : row.qValue.toFixed(3)),
      h('td', { class: 'kg-n' }, row.pathsTotal),
      h('td', { class: `kg-n${row.againstTotal > 0 ? ' kg-warn' : ''}` }, row.againstTotal),
      h('td', {}, words(row.status)),
      h('td', { class: 'kg-n' }, row.firstSuggested ?? '–'),
    );
    return open ? [main, h('tr', { class: 'kg-detail' }, h('td', { colspan: Object.keys(COLUMNS).length }, this.#detail(row, hue)))] : [main];
  }

  #detail(row: Hypothesis, hue: (name: string) => string): HTMLElement {
    const total = row.contributions.filter(({ share }) => share > 0);
    return h(
      'div',
      {},
      h('p', {}, row.text),
      h(
        'div',
        { class: 'kg-sides' },
        h(
          'section',
          {},
          h('h3', {}, `For (${row.pathsTotal})`),
          h('ul', { class: 'kg-contributions' }, ...total.slice(0, 6).map(({ share, metapath }) => h('li', {}, swatch(hue(metapath.text)), `${Math.round(share * 100)}% `, h('span', {}, metapath.text)))),
          h('ol', { class: 'kg-paths' }, ...row.supportingPaths.map(({ steps }) => h('li', {}, stepLine(steps, undefined, this.#meta, this.site, (step) => this.#evidence(step))))),
        ),
        h(
          'section',
          {},
          h('h3', {}, `Against (${row.againstTotal})`),
          row.against.length === 0 && h('p', { class: 'kg-muted' }, 'Nothing in this graph speaks against it. That is not the same as evidence for it.'),
          h('ul', {}, ...row.against.map(({ kind, text, assertion }) => h('li', {}, h('span', { class: 'kg-badge kg-warn' }, words(kind)), ' ', text, assertion && ' ', assertion && h('button', { type: 'button', class: 'kg-link', onclick: () => void this.drawer.open(assertion.id, this.#scenario.asOf) }, 'evidence')))),
          row.gaps.length > 0 && h('h3', {}, 'What would raise it'),
          h('ul', {}, ...row.gaps.map((gap) => h('li', {}, `${gap.text} `, h('button', { type: 'button', class: 'kg-link', onclick: () => this.#assume(gap) }, 'Assume this')))),
          row.trials.length > 0 && h('h3', {}, 'Trials'),
          h('ul', {}, ...row.trials.map(({ curie, label }) => h('li', {}, h('a', { href: this.site.entity(curie) }, label)))),
        ),
      ),
      h('p', {}, h('a', { href: this.site.explore('paths', { from: row.subject.curie, to: row.object.curie }) }, 'All paths between the two')),
    );
  }

  #evidence(step: Step): void {
    const { id } = step.assertion;
    void this.drawer.open(id, this.#scenario.asOf, () => {
      this.#said.set(id, stepText(step, this.#meta));
      this.drawer.close();
      this.#scenario = { ...this.#scenario, without: [...new Set([...this.#scenario.without, id])] };
      this.#ask();
    });
  }

  #assume({ subject, relation, object }: Hypothesis['gaps'][number]): void {
    const assumption: Assumption = { subject: subject.curie, relation, object: object.curie };
    this.#said.set(`${subject.curie} ${relation} ${object.curie}`, claimOf(this.#meta, subject.label, relation, object.label).join(' '));
    this.#scenario = { ...this.#scenario, assuming: [...this.#scenario.assuming, assumption] };
    this.#ask();
  }
}

/** The mechanisms in some hypotheses, those first that give most of the scores: only a few have a colour of their own. */
function mostFirst(rows: readonly Hypothesis[]): string[] {
  const given = new Map<string, number>();
  for (const { contributions, score } of rows) for (const { share, metapath } of contributions) given.set(metapath.text, (given.get(metapath.text) ?? 0) + share * score);
  return [...given.keys()].sort((a, b) => (given.get(b) ?? 0) - (given.get(a) ?? 0));
}

/** How far a rank moved under the assumptions. */
function moved({ rank, baselineRank, scoreChange }: Hypothesis): HTMLElement | false {
  if (scoreChange === null && baselineRank === null) return false;
  if (baselineRank === null) return h('small', { class: 'kg-up' }, ' new');
  const by = baselineRank - rank;
  if (by === 0) return h('small', { class: 'kg-muted' }, ' =');
  return h('small', { class: by > 0 ? 'kg-up' : 'kg-down' }, ` ${by > 0 ? '▲' : '▼'}${Math.abs(by)}`);
}

/** The contributions as one bar, as long as the score. */
function bars({ contributions, score }: Hypothesis, most: number, hue: (name: string) => string): SVGSVGElement {
  let x = 0;
  const parts = contributions.filter(({ share }) => share > 0).map(({ share, metapath }) => {
    const width = share * (score / most) * 100;
    const part = s('rect', { x, y: 0, width: Math.max(0, width - 0.6), height: 10, fill: hue(metapath.text) }, s('title', {}, `${metapath.text}: ${Math.round(share * 100)}%`));
    x += width;
    return part;
  }); // prettier-ignore
  return s('svg', { class: 'kg-contribution', viewBox: '0 0 100 10', width: 100, height: 10, role: 'img', 'aria-label': `score ${score.toFixed(2)}` }, ...parts);
}

const swatch = (color: string): SVGSVGElement => s('svg', { width: 10, height: 10, 'aria-hidden': 'true' }, s('rect', { width: 10, height: 10, rx: 2, fill: color }));
