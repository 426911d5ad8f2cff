/** The state of a page in its address, so that a link shows a colleague the same thing. */

export type Parameters = Record<string, string | readonly string[] | number | null | undefined>;

/** Values of a parameter, given once with commas or several times. */
export function listIn(search: URLSearchParams, name: string): string[] {
  return search.getAll(name).flatMap((text) => text.split(',')).map((text) => text.trim()).filter(Boolean); // prettier-ignore
}

/** The day to look back to; `asOf` is understood as well. */
export const dayIn = (search: URLSearchParams): string | null => search.get('as-of') ?? search.get('asOf');

/** Writes what is given into the address; empty values leave it, everything else in it stays. */
export function writeAddress(parameters: Parameters): void {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(parameters)) {
    address.searchParams.delete(name);
    const values = Array.isArray(value) ? (value as readonly string[]) : [value];
    for (const each of values) if (each !== null && each !== undefined && each !== '') address.searchParams.append(name, String(each));
  }
  address.search = readable(address.search);
  history.replaceState(history.state, '', address);
}

/** `MONDO:0007915,CL:0000236` needs no percent signs in a query string. */
const readable = (search: string): string => search.replaceAll('%3A', ':').replaceAll('%2C', ',');
