/** What a person sees when something went wrong: what, and what to do. */
import { h } from '../dom';
import { ServiceError } from '../service';

export function problemBox(problem: unknown, retry?: () => void): HTMLElement {
  const [message, advice] = problem instanceof ServiceError ? [problem.message, problem.advice] : [String(problem), 'Reload the page; if it stays, tell whoever runs the service.'];
  return h('div', { class: 'kg-problem', role: 'alert' }, h('strong', {}, message), h('p', {}, advice), retry && h('button', { type: 'button', class: 'kg-button', onclick: retry }, 'Try again'));
}
