/** A path as a line of entities and phrases; each phrase opens its evidence. */
import { h, percent } from '../dom';
import { claimOf, type Meta, phraseOf } from '../graph/model';
import type { Step } from '../graph/sources';
import { agreeing } from '../wording';
import type { Site } from './site';

export function stepLine(steps: readonly Step[], weakest: string | undefined, meta: Meta, site: Site, open: (step: Step) => void): HTMLElement {
  const first = steps[0];
  const last = steps.at(-1);
  if (!first || !last) return h('span', { class: 'kg-steps' });
  const labels = agreeing([first.from.label, ...steps.map(({ to }) => to.label)], steps.map(({ phrase }) => phrase), phraseOf(meta, last.relation, !last.reversed));
  const entity = ({ curie, label }: Step['from'], at: number): HTMLElement => h('a', { href: site.entity(curie) }, labels[at] ?? label);
  return h(
    'span',
    { class: 'kg-steps' },
    entity(first.from, 0),
    ...steps.flatMap((step, at) => [
      ' ',
      h(
        'button',
        {
          type: 'button',
          class: ['kg-step', step.assertion.disputed && 'kg-disputed', step.assumed && 'kg-assumed', step.assertion.id === weakest && steps.length > 1 && 'kg-weakest'].filter(Boolean).join(' '),
          title: `${step.assumed ? 'assumed' : `confidence ${percent(step.confidence)}`}${step.assertion.id === weakest && steps.length > 1 ? ', the weakest step' : ''}`,
          onclick: () => open(step),
        },
        step.phrase,
      ),
      ' ',
      entity(step.to, at + 1),
    ]),
  );
}

export const stepText = (step: Step, meta: Meta): string => {
  const [subject, object] = step.reversed ? [step.to, step.from] : [step.from, step.to];
  return claimOf(meta, subject.label, step.relation, object.label).join(' ');
};
