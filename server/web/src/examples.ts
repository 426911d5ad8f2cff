/** A query the page offers; the server writes the list into the page. */
export interface Example {
  title: string;
  query: string;
  variables?: Record<string, unknown>;
}

/** What an editor tab starts with. */
export interface Tab {
  query: string;
  variables: string;
}

/** Reads the JSON block the server put into the page. */
export function readExamples(page: Document): Example[] {
  const text = page.getElementById('examples')?.textContent ?? '[]';
  return JSON.parse(text) as Example[];
}

/** An example as the editors show it. */
export function tabOf({ query, variables }: Example): Tab {
  return { query, variables: variables ? JSON.stringify(variables, null, 2) : '' };
}

/** The query a link carries after its `#` (`#query=…&variables=…`), if it carries one; servers never see that part. */
export function linkedTab(address: URL): Tab | undefined {
  const parts = new URLSearchParams(address.hash.slice(1));
  const query = parts.get('query');
  return query ? { query, variables: parts.get('variables') ?? '' } : undefined;
}
