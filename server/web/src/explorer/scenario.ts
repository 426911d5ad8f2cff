/** What-if: edges assumed and things left out, for one question only. Shown as chips that can be taken back. */
import { h, icon } from '../dom';
import type { Assumption } from '../graph/sources';
import { dayIn, listIn } from './address';

export interface Scenario {
  assuming: Assumption[];
  without: string[];
  asOf: string | null;
}

export function scenarioIn(search: URLSearchParams): Scenario {
  const assuming = search.getAll('assume').flatMap((text) => {
    const [subject, relation, object] = text.split(' ');
    return subject && relation && object ? [{ subject, relation, object }] : [];
  });
  return { assuming, without: listIn(search, 'without'), asOf: dayIn(search) };
}

export const scenarioParameters = ({ assuming, without, asOf }: Scenario): Record<string, string[] | string | null> => ({
  assume: assuming.map(({ subject, relation, object }) => `${subject} ${relation} ${object}`),
  without: without.join(','),
  'as-of': asOf,
  asOf: null,
});

/** As variables of a query, without what is empty. */
export const scenarioVariables = ({ assuming, without, asOf }: Scenario): Record<string, unknown> => ({
  ...(assuming.length > 0 && { assuming }),
  ...(without.length > 0 && { without }),
  ...(asOf && { asOf }),
});

/** The chips; `said` remembers what ids were called when they were picked. */
export function scenarioChips(scenario: Scenario, said: ReadonlyMap<string, string>, change: (next: Scenario) => void): HTMLElement | null {
  const chip = (prefix: string, text: string, drop: () => void): HTMLElement =>
    h('span', { class: 'kg-chip kg-scenario' }, `${prefix} `, h('strong', {}, text), h('button', { type: 'button', 'aria-label': `Take back: ${prefix} ${text}`, onclick: drop }, icon('close')));
  const chips = [
    ...scenario.assuming.map((each) => {
      const key = `${each.subject} ${each.relation} ${each.object}`;
      return chip('assuming', said.get(key) ?? key, () => change({ ...scenario, assuming: scenario.assuming.filter((other) => other !== each) }));
    }),
    ...scenario.without.map((id) => chip('without', said.get(id) ?? id, () => change({ ...scenario, without: scenario.without.filter((other) => other !== id) }))),
  ];
  if (chips.length === 0) return null;
  return h('p', { class: 'kg-chips' }, 'What if: ', ...chips, h('button', { type: 'button', class: 'kg-link', onclick: () => change({ ...scenario, assuming: [], without: [] }) }, 'as the graph stands'));
}

/** The day to look back to. */
export function asOfField(scenario: Scenario, change: (asOf: string | null) => void): HTMLElement {
  const input = h('input', { type: 'date', value: scenario.asOf ?? '', max: new Date().toISOString().slice(0, 10) });
  input.addEventListener('change', () => change(input.value || null));
  return h('label', { class: 'kg-field' }, h('span', { class: 'kg-label' }, 'Known on'), input);
}
