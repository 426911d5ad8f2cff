/** `/explore/history`: who changed the graph, when and why, and what two versions differ in. */
import { h, percent, plural } from '../dom';
import { writeAddress } from './address';
import { copyButton } from './copy';
import { demand, type Features, features } from './features';
import { problemBox } from './problem';
import type { Site } from './site';

interface ChangeSet {
  version: number;
  time: string;
  author: string;
  message: string;
  added: number;
  removed: number;
  reverts: number | null;
}
interface Ref {
  curie: string;
  label: string;
}
interface Claim {
  text: string;
  subject: Ref;
  object: Ref;
  confidenceBefore: number | null;
  confidenceAfter: number | null;
  evidenceAdded: { id: string }[];
  evidenceRemoved: { id: string }[];
}
interface Changed {
  entity: Ref;
  fields: { name: string }[];
}
type Item = Ref | Claim | Changed;
type Part = keyof typeof PARTS;
type Diff = Record<Part, Item[]> & { counts: Record<Part, number> };

const SHOWN = 100;
const FIELDS = 'version time author message added removed reverts';
const PAGES = `query History($first: Int!) { history(first: $first) { nodes { ${FIELDS} } } }`;
const REF = '{ curie label }';
const CLAIM = `{ text subject ${REF} object ${REF} confidenceBefore confidenceAfter evidenceAdded { id } evidenceRemoved { id } }`;
const PARTS = { entitiesAdded: REF, entitiesChanged: `{ entity ${REF} fields { name } }`, entitiesRemoved: REF, assertionsAdded: CLAIM, assertionsChanged: CLAIM, assertionsRemoved: CLAIM };
const NAMES = Object.keys(PARTS) as Part[];
const DIFF = `query Diff($from: Int!, $to: Int!) {
  diff(from: $from, to: $to) {
    counts { ${NAMES.join(' ')} }
${NAMES.map((name) => `    ${name}(first: ${SHOWN}) ${PARTS[name]}`).join('\n')}
  }
}`;

export async function historyPage(main: HTMLElement, site: Site): Promise<void> {
  const search = new URLSearchParams(location.search);
  const list = h('tbody', {});
  const result = h('section', { class: 'kg-diff', 'aria-label': 'Differences', 'aria-live': 'polite' });
  const from = h('select', { 'aria-label': 'From version' });
  const to = h('select', { 'aria-label': 'To version' });
  let offered: Features | null = null;
  const compare = async (one = from.value, other = to.value): Promise<void> => {
    writeAddress({ from: one, to: other });
    result.replaceChildren(h('p', { class: 'kg-waiting' }, 'Comparing…'));
    result.replaceChildren(await differences(site, offered, Number(one), Number(other), () => void compare(one, other)));
  };
  const show = (version: number): void => {
    [from.value, to.value] = [String(version - 1), String(version)];
    void compare();
  };
  main.replaceChildren(
    h(
      'div',
      { class: 'kg-page' },
      h('h1', {}, 'History'),
      h('div', { class: 'kg-tools' }, h('label', {}, 'Compare ', from), h('label', {}, 'with ', to), h('button', { type: 'button', class: 'kg-button', onclick: () => void compare() }, 'Compare'), copyButton(() => ({ query: DIFF, variables: { from: Number(from.value), to: Number(to.value) } }), site.service.endpoint)),
      result,
      h('div', { class: 'kg-scroll' }, h('table', { class: 'kg-history' }, h('thead', {}, h('tr', {}, ...['Version', 'When', 'Who', 'Why', 'Added', 'Removed'].map((name) => h('th', { scope: 'col' }, name)))), list)),
    ),
  );
  try {
    offered = await features(site);
    const changes = await history(site, offered);
    list.append(...changes.map((change) => row(change, show)));
    const numbers = [...changes.map(({ version }) => version), 0];
    for (const select of [from, to]) select.append(...numbers.map((number) => h('option', { value: number }, `version ${number}`)));
    from.value = String(Math.max(0, (numbers[0] ?? 1) - 1));
    to.value = String(numbers[0] ?? 0);
    const asked = { from: search.get('from') ?? from.value, to: search.get('to') ?? to.value };
    for (const [name, select] of [['from', from], ['to', to]] as const) if (numbers.includes(Number(asked[name]))) select.value = asked[name];
    if (search.has('from') || search.has('to')) await compare(asked.from, asked.to); // of what is not there, the service says so
  } catch (problem) {
    result.replaceChildren(problemBox(problem, () => void historyPage(main, site)));
  }
}

/** Change sets, newest first. */
async function history(site: Site, offered: Features | null): Promise<ChangeSet[]> {
  demand(offered, 'history');
  return (await site.service.query<{ history: { nodes: ChangeSet[] } }>(PAGES, { first: 200 })).data.history.nodes;
}

function row({ version, time, author, message, added, removed, reverts }: ChangeSet, show: (version: number) => void): HTMLElement {
  const when = new Date(time);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'kg-link', title: 'What it changed', onclick: () => show(version) }, version)),
    h('td', {}, h('time', { datetime: time }, `${when.toISOString().slice(0, 10)} ${when.toISOString().slice(11, 16)}`)),
    h('td', {}, author),
    h('td', {}, message, reverts !== null && h('small', { class: 'kg-muted' }, ` undoes version ${reverts}`)),
    h('td', { class: 'kg-n' }, `+${added.toLocaleString('en')}`),
    h('td', { class: 'kg-n' }, `−${removed.toLocaleString('en')}`),
  );
}

async function differences(site: Site, offered: Features | null, from: number, to: number, retry: () => void): Promise<HTMLElement> {
  try {
    demand(offered, 'diff');
    const { diff } = (await site.service.query<{ diff: Diff }>(DIFF, { from, to })).data;
    const parts = NAMES.filter((name) => diff.counts[name] > 0);
    return h('div', {}, h('h2', {}, `From version ${from} to ${to}`), parts.length === 0 && h('p', {}, 'No difference in entities or assertions.'), ...parts.map((name) => part(site, name, diff[name], diff.counts[name])));
  } catch (problem) {
    return problemBox(problem, retry);
  }
}

function part(site: Site, name: Part, items: Item[], total: number): HTMLElement {
  const mark = name.endsWith('Added') ? '+' : name.endsWith('Removed') ? '−' : '~';
  const what = name.startsWith('entities') ? (['entity', 'entities'] as const) : (['assertion', 'assertions'] as const);
  const verb = name.replace(/^[a-z]+/, '').toLowerCase();
  return h(
    'details',
    { open: total <= 20 },
    h('summary', {}, `${plural(total, what[0], what[1])} ${verb}`),
    h('ul', { class: `kg-${verb}` }, ...items.map((item) => h('li', {}, `${mark} `, ...line(site, item))), total > items.length && h('li', { class: 'kg-muted' }, `and ${(total - items.length).toLocaleString('en')} more; the query asks for any of them`)),
  );
}

function line(site: Site, item: Item): (string | HTMLElement)[] {
  const link = ({ curie, label }: Ref, text = label || curie): HTMLElement => h('a', { href: site.entity(curie) }, text);
  const note = (text: string): HTMLElement => h('small', { class: 'kg-muted' }, ` ${text}`);
  if ('entity' in item) return [link(item.entity), note(item.fields.map(({ name }) => name).join(', '))];
  if (!('subject' in item)) return [link(item)];
  const confidence = [item.confidenceBefore, item.confidenceAfter].map((value) => (value === null ? '–' : percent(value))).join(' → ');
  const evidence = [`+${item.evidenceAdded.length}`, `−${item.evidenceRemoved.length}`].filter((text) => !text.endsWith('0') || text.length > 2).join(' ');
  return [...between(item, link), note(`confidence ${confidence}, evidence ${evidence || 'as before'}`)];
}

/** A claim in words, its ends as links. */
function between({ text, subject, object }: Claim, link: (ref: Ref) => HTMLElement): (string | HTMLElement)[] {
  const [from, to] = [subject.label || subject.curie, object.label || object.curie];
  if (!text.startsWith(from) || !text.endsWith(to)) return [link(subject), ' … ', link(object), ` (${text})`];
  return [link(subject), text.slice(from.length, text.length - to.length), link(object)];
}
