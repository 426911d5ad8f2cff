import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from '@graphiql/toolkit';

/** Refuses an answer that is no JSON with a sentence the response pane can show. */
async function fetchJson(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const type = response.headers.get('content-type') ?? 'no content type';
  if (type.includes('json')) return response;
  const text = (await response.text()).slice(0, 500);
  throw new Error(`The service answered ${response.status} (${type}): ${text || response.statusText}`);
}

/** For a moment after a change of tab GraphiQL still sends the operation name of the tab before. */
function withoutStaleName({ operationName, ...params }: FetcherParams): FetcherParams {
  const isInQuery = operationName && new RegExp(`\\b${operationName}\\b`).test(params.query);
  return isInQuery ? { operationName, ...params } : params;
}

/** Queries and mutations by POST, subscriptions by WebSocket, all at one address. */
export function fetcherFor(endpoint: URL): Fetcher {
  const socket = new URL(endpoint);
  socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  const send = createGraphiQLFetcher({
    url: endpoint.href,
    subscriptionUrl: socket.href,
    headers: { accept: 'application/graphql-response+json' },
    enableIncrementalDelivery: false,
    fetch: fetchJson as typeof fetch,
  });
  return (params, options) => send(withoutStaleName(params), options);
}
