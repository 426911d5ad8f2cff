/** Where things are, as the page says, and the service that answers. */
import { Service } from '../service';

export class Site {
  readonly service: Service;
  readonly base: URL;

  constructor(body: HTMLElement, script: URL) {
    this.base = new URL(body.dataset['base'] ?? new URL('../', script).href, document.baseURI);
    this.service = new Service(new URL(body.dataset['endpoint'] ?? new URL('graphql', this.base).href, document.baseURI));
  }

  /** The page about an entity. CURIEs stay readable. */
  entity(curie: string): string {
    return new URL(`entity/${encodeURIComponent(curie).replaceAll('%3A', ':')}`, this.base).href;
  }
  explore(page: 'paths' | 'hypotheses' | 'history', parameters: Record<string, string> = {}): string {
    const address = new URL(`explore/${page}`, this.base);
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return address.href;
  }
}
