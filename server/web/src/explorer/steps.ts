/** A path as a line of entities and phrases; each phrase opens its evidence. */
import { h, percent } from '../dom';
import type { Step } from '../graph/sources';
import type { Site } from './site';

export function stepLine(steps: readonly Step[], weakest: string | undefined, site: Site, open: (step: Step) => void): HTMLElement {
  const entity = ({ curie, label }: Step['from']): HTMLElement => h('a', { href: site.entity(curie) }, label);
  const first = steps[0];
  return h(
    'span',
    { class: 'kg-steps' },
    first ? entity(first.from) : '',
    ...steps.flatMap((step) => [
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
      entity(step.to),
    ]),
  );
}

export const stepText = (step: Step): string => {
  const [subject, object] = step.reversed ? [step.to, step.from] : [step.from, step.to];
  return `${subject.label} ${step.relation} ${object.label}`;
};
