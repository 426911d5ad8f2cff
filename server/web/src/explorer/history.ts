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
}
interface Ref {
  curie: string;
  label: string;
}
interface Claim {
  subject: Ref;
  relation: string;
  object: Ref;
  confidenceBefore?: number | null;
  confidenceAfter?: number | null;
}
type Diff = Record<string, (Ref | Claim | { entity: Ref })[]>;

const FIELDS = 'version time author message added removed';
const PAGES = `query History($first: Int!) { history(first: $first) { nodes { ${FIELDS} } } }`;
const LIST = `query History($first: Int!) { history(first: $first) { ${FIELDS} } }`;
const REF = '{ curie label }';
const CLAIM = `{ subject ${REF} relation object ${REF} confidenceBefore confidenceAfter }`;
const PARTS = { entitiesAdded: REF, entitiesChanged: `{ entity ${REF} }`, entitiesRemoved: REF, assertionsAdded: CLAIM, assertionsChanged: CLAIM, assertionsRemoved: CLAIM };
const DIFF = `query Diff($from: Int!, $to: Int!) { diff(from: $from, to: $to) { ${Object.entries(PARTS).map(([name, fields]) => `${name} ${fields}`).join(' ')} } }`; // prettier-ignore
const SHOWN = 100;

export async function historyPage(main: HTMLElement, site: Site): Promise<void> {
  const search = new URLSearchParams(location.search);
  const list = h('tbody', {});
  const result = h('section', { class: 'kg-diff', 'aria-label': 'Differences', 'aria-live': 'polite' });
  const from = h('select', { 'aria-label': 'From version' });
  const to = h('select', { 'aria-label': 'To version' });
  let offered: Features | null = null;
  const compare = async (): Promise<void> => {
    writeAddress({ from: from.value, to: to.value });
    result.replaceChildren(h('p', { class: 'kg-waiting' }, 'Comparing…'));
    result.replaceChildren(await differences(site, offered, Number(from.value), Number(to.value), () => void compare()));
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
    from.value = search.get('from') ?? String(Math.max(0, (numbers[0] ?? 1) - 1));
    to.value = search.get('to') ?? String(numbers[0] ?? 0);
    if (search.has('from') || search.has('to')) await compare();
  } catch (problem) {
    result.replaceChildren(problemBox(problem, () => void historyPage(main, site)));
  }
}

/** Change sets, newest first: a Relay connection or, from older services, a list. */
async function history(site: Site, offered: Features | null): Promise<ChangeSet[]> {
  if (offered && !offered.get('history')?.includes('after')) return (await site.service.query<{ history: ChangeSet[] }>(LIST, { first: 200 })).data.history;
  return (await site.service.query<{ history: { nodes: ChangeSet[] } }>(PAGES, { first: 200 })).data.history.nodes;
}

function row({ version, time, author, message, added, removed }: ChangeSet, show: (version: number) => void): HTMLElement {
  const when = new Date(time);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'kg-link', title: 'What it changed', onclick: () => show(version) }, version)),
    h('td', {}, h('time', { datetime: time }, `${when.toISOString().slice(0, 10)} ${when.toISOString().slice(11, 16)}`)),
    h('td', {}, author),
    h('td', {}, message),
    h('td', { class: 'kg-n' }, `+${added.toLocaleString('en')}`),
    h('td', { class: 'kg-n' }, `−${removed.toLocaleString('en')}`),
  );
}

async function differences(site: Site, offered: Features | null, from: number, to: number, retry: () => void): Promise<HTMLElement> {
  try {
    demand(offered, 'diff');
    const { diff } = (await site.service.query<{ diff: Diff }>(DIFF, { from, to })).data;
    const parts = Object.keys(PARTS).filter((name) => (diff[name]?.length ?? 0) > 0);
    return h('div', {}, h('h2', {}, `From version ${from} to ${to}`), parts.length === 0 && h('p', {}, 'No difference in entities or assertions.'), ...parts.map((name) => part(site, name, diff[name] ?? [])));
  } catch (problem) {
    return problemBox(problem, retry);
  }
}

function part(site: Site, name: string, items: Diff[string]): HTMLElement {
  const mark = name.endsWith('Added') ? '+' : name.endsWith('Removed') ? '−' : '~';
  const what = name.startsWith('entities') ? (['entity', 'entities'] as const) : (['assertion', 'assertions'] as const);
  const verb = name.replace(/^[a-z]+/, '').toLowerCase();
  return h(
    'details',
    { open: items.length <= 20 },
    h('summary', {}, `${plural(items.length, what[0], what[1])} ${verb}`),
    h('ul', { class: `kg-${verb}` }, ...items.slice(0, SHOWN).map((item) => h('li', {}, `${mark} `, ...line(site, item))), items.length > SHOWN && h('li', { class: 'kg-muted' }, `and ${items.length - SHOWN} more`)),
  );
}

function line(site: Site, item: Diff[string][number]): (string | HTMLElement)[] {
  const link = ({ curie, label }: Ref): HTMLElement => h('a', { href: site.entity(curie) }, label || curie);
  if ('entity' in item) return [link(item.entity)];
  if (!('subject' in item)) return [link(item)];
  const { confidenceBefore: before, confidenceAfter: after } = item;
  const confidence = [before, after].map((value) => (value === null || value === undefined ? '–' : percent(value))).join(' → ');
  return [link(item.subject), ` ${item.relation} `, link(item.object), h('small', { class: 'kg-muted' }, ` ${confidence}`)];
}
