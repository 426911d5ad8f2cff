/** What the service offers: the fields of Query with their arguments. Null where it does not tell (introspection is off). */
import { ServiceError } from '../service';
import type { Site } from './site';

export type Features = ReadonlyMap<string, readonly string[]>;
interface Answer {
  __type: { fields: { name: string; args: { name: string }[] }[] };
}
const QUERY = '{ __type(name: "Query") { fields { name args { name } } } }';

export async function features(site: Site): Promise<Features | null> {
  try {
    const { data } = await site.service.query<Answer>(QUERY);
    return new Map(data.__type.fields.map(({ name, args }) => [name, args.map((each) => each.name)]));
  } catch {
    return null; // the question itself will say what is wrong
  }
}

/** Throws, with a sentence for the page, when the service is known not to offer a query. */
export function demand(offered: Features | null, name: string): void {
  if (offered && !offered.has(name)) throw new ServiceError('NOT_OFFERED', `This service does not offer “${name}” yet.`, 'It is of an older version; ask whoever runs it to update it.');
}
