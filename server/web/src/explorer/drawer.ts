/** The evidence for one assertion, in a panel at the side: every source with its citation and link. */
import { h, icon, isSafeLink, percent, plural, words } from '../dom';
import { fetchMeta, type Meta, claimOf } from '../graph/model';
import type { KgGraph } from '../graph/element';
import { kindIcon } from './kinds';
import { problemBox } from './problem';
import type { Site } from './site';

interface Source {
  citation: string;
  url: string;
  doi: string | null;
  pmid: string | null;
  nct: string | null;
}
interface Evidence {
  level: string;
  direction: 'SUPPORTS' | 'CONTRADICTS' | 'INCONCLUSIVE';
  date: string;
  sampleSize: number | null;
  count: number | null;
  total: number | null;
  grade: string | null;
  comment: string | null;
  study: { label: string } | null;
  source: Source;
}
interface Picked {
  curie: string;
  label: string;
  kind: string;
  description: string | null;
  degree: number;
  url: string | null;
}
const ENTITY = 'query Picked($id: String!) { entity(curie: $id) { curie label kind description degree url } }';
interface Assertion {
  relation: string;
  confidence: number;
  disputed: boolean;
  explanation: { text: string };
  subject: { curie: string; label: string };
  object: { curie: string; label: string };
  evidence: Evidence[];
}
export const EVIDENCE_QUERY = `query Evidence($id: ID!, $asOf: Date) {
  node(id: $id, asOf: $asOf) {
    ... on Assertion {
      relation confidence disputed explanation { text } subject { curie label } object { curie label }
      evidence { level direction date sampleSize count total grade comment study { label } source { citation url doi pmid nct } }
    }
  }
}`;
const MARKS = { SUPPORTS: 'supports', CONTRADICTS: 'contradicts', INCONCLUSIVE: 'inconclusive' };

export class Drawer {
  readonly #panel = h('aside', { class: 'kg-drawer', 'aria-label': 'Details', tabindex: -1, hidden: true });
  #opener: Element | null = null;
  #turn = 0;

  constructor(private readonly site: Site) {
    document.body.append(this.#panel);
    this.#panel.addEventListener('keydown', (event) => event.key === 'Escape' && this.close());
  }

  /** Shows the evidence of an assertion; `without` offers to leave it out of a what-if. */
  async open(id: string, asOf: string | null, without?: () => void): Promise<void> {
    const turn = ++this.#turn;
    if (this.#panel.hidden) this.#opener = document.activeElement;
    this.#fill(h('p', { class: 'kg-waiting' }, 'Loading the evidence…'));
    this.#panel.hidden = false;
    try {
      const [{ data }, meta] = await Promise.all([this.site.service.query<{ node: Assertion | null }>(EVIDENCE_QUERY, { id, ...(asOf && { asOf }) }), fetchMeta(this.site.service)]);
      if (turn !== this.#turn) return;
      if (data.node?.subject) this.#show(data.node, meta, without);
      else this.#fill(h('p', {}, asOf ? `On ${asOf} nothing was known of this.` : 'This assertion is no longer in the graph; reload the page.'));
    } catch (problem) {
      if (turn === this.#turn) this.#fill(problemBox(problem, () => void this.open(id, asOf, without)));
    }
  }

  /** Shows an entity picked in a graph, and what can be done with it there. */
  async openEntity(id: string, root: string | null, graph: KgGraph): Promise<void> {
    const turn = ++this.#turn;
    try {
      const { data } = await this.site.service.query<{ entity: Picked | null }>(ENTITY, { id });
      if (turn !== this.#turn || !data.entity) return;
      const { curie, label, kind, description, degree, url } = data.entity;
      const meta = await fetchMeta(this.site.service);
      const act = (text: string, onclick: () => void): Node => h('button', { type: 'button', class: 'kg-button', onclick }, text);
      this.#opener ??= document.activeElement;
      this.#fill(
        h('h2', {}, kindIcon(meta, kind), ' ', h('a', { href: this.site.entity(curie) }, label)),
        h('p', { class: 'kg-muted' }, `${meta.kinds.get(kind)?.label ?? kind} · ${plural(degree, 'relation')} · `, url && isSafeLink(url) ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, curie) : curie),
        description ? h('p', {}, description) : undefined,
        h('p', { class: 'kg-actions' }, act('Expand', () => void graph.expand(curie)), curie !== root && act('Hide', () => void graph.hide(curie).then(() => this.close())), curie !== root && root && h('a', { class: 'kg-button', href: this.site.explore('paths', { from: root, to: curie }) }, 'Paths to here')),
      );
      this.#panel.hidden = false; // without taking the focus: arrow keys go on moving through the graph
    } catch {
      this.close(); // the graph itself says when the service is down
    }
  }

  /** How much of a box the open panel covers, from the right and from below. */
  covers({ right, bottom }: DOMRect): { right: number; below: number } {
    const panel = this.#panel.getBoundingClientRect();
    const below = panel.left < 40; // on a phone it comes from below
    return { right: this.#panel.hidden || below ? 0 : right - panel.left, below: this.#panel.hidden || !below ? 0 : bottom - panel.top };
  }

  close(): void {
    if (this.#panel.hidden) return;
    this.#turn++;
    const held = this.#panel.contains(document.activeElement);
    this.#panel.hidden = true;
    if (held && this.#opener instanceof HTMLElement) this.#opener.focus();
    this.#opener = null;
  }

  #fill(...content: (Node | false | undefined)[]): void {
    this.#panel.replaceChildren(h('button', { type: 'button', class: 'kg-close', 'aria-label': 'Close', onclick: () => this.close() }, icon('close')), ...content.filter((each) => each instanceof Node));
  }

  #show(assertion: Assertion, meta: Meta, without?: () => void): void {
    const { subject, object, relation, confidence, disputed, explanation, evidence } = assertion;
    const [before, phrase, after] = claimOf(meta, subject.label, relation, object.label);
    const end = ({ curie }: { curie: string }, name: string): Node => h('a', { href: this.site.entity(curie) }, name);
    this.#fill(
      h('h2', {}, end(subject, before), ' ', h('span', { class: 'kg-phrase' }, phrase), ' ', end(object, after)),
      h('p', { class: 'kg-confidence' }, meter(confidence), h('strong', {}, percent(confidence)), ' confidence', disputed && h('span', { class: 'kg-badge kg-warn' }, 'disputed')),
      h('p', { class: 'kg-muted' }, explanation.text),
      h('h3', {}, plural(evidence.length, 'piece of evidence', 'pieces of evidence')),
      h('ol', { class: 'kg-evidence' }, ...evidence.map(item)),
      without && h('button', { type: 'button', class: 'kg-button', onclick: without }, 'What if this were not so?'),
    );
    this.#panel.focus({ preventScroll: true });
  }
}

/** A confidence as a small bar, drawn as SVG because the policy allows no style attributes. */
export function meter(value: number): HTMLElement {
  return h('progress', { class: 'kg-meter', max: 1, value, 'aria-label': `Confidence ${percent(value)}` });
}

function item({ level, direction, date, sampleSize, count, total, grade, comment, study, source }: Evidence): HTMLElement {
  const facts = [words(level), date, sampleSize !== null && `n = ${sampleSize}`, count !== null && total !== null && `${count} of ${total}`, grade, study?.label !== source.citation && study?.label].filter(Boolean);
  const citation = isSafeLink(source.url) ? h('a', { href: source.url, target: '_blank', rel: 'noopener noreferrer' }, source.citation) : source.citation;
  return h(
    'li',
    { class: `kg-${direction.toLowerCase()}` },
    h('p', {}, h('span', { class: `kg-badge${direction === 'CONTRADICTS' ? ' kg-warn' : ''}` }, MARKS[direction]), ' ', h('span', { class: 'kg-muted' }, facts.join(' · '))),
    comment && h('p', {}, comment),
    h('p', { class: 'kg-citation' }, citation, source.pmid && h('small', {}, ` PMID ${source.pmid}`), source.doi && h('small', {}, ` doi:${source.doi}`), source.nct && h('small', {}, ` ${source.nct}`)),
  );
}
