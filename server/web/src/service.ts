/** The GraphQL service: one typed call, and errors that say what a person can do. */

export interface GraphStamp {
  version: number;
  asOf: string | null;
}
export interface Answer<T> {
  data: T;
  graph: GraphStamp | null;
}
interface GraphQLFault {
  message: string;
  extensions?: { code?: string; limit?: string; maximum?: number; suggestions?: string[] };
}
interface Body<T> {
  data?: T | null;
  errors?: GraphQLFault[];
  extensions?: { graph?: GraphStamp };
}

/** What went wrong (`message`), what to do about it (`advice`), and a name for programs (`code`). */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  constructor(
    readonly code: string,
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

const ADVICE: Record<string, string> = {
  NOT_FOUND: 'Check the identifier, or search for the name instead.',
  LIMIT_EXCEEDED: 'Ask for less: a smaller depth, fewer entities, or a filter; then expand step by step.',
  BAD_USER_INPUT: 'Correct the value and try again.',
  UNAUTHENTICATED: 'Your token is missing or has expired; get a new one from whoever runs the service.',
  FORBIDDEN: 'Your token does not allow this; ask whoever runs the service.',
  GRAPHQL_VALIDATION_FAILED: 'This page and the service are of different versions; reload the page.',
  UNAVAILABLE: 'Try again in a moment.',
};

/** Whether a failure is only that a newer question overtook this one. */
export const isAborted = (problem: unknown): boolean => problem instanceof DOMException && problem.name === 'AbortError';

export class Service {
  /** Extra request headers, such as `authorization`. */
  headers: Record<string, string> = {};

  constructor(readonly endpoint: URL) {}

  /** Sends one query. Throws `ServiceError`, or the browser's `AbortError` when `signal` fires. */
  async query<T>(query: string, variables: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Answer<T>> {
    const body = await this.#send<T>(query, variables, signal);
    const fault = body.errors?.[0];
    if (fault) throw faultOf(fault);
    if (!body.data) throw new ServiceError('EMPTY', 'The service answered without data.', 'Try again; if it stays, tell whoever runs the service.');
    return { data: body.data, graph: body.extensions?.graph ?? null };
  }

  async #send<T>(query: string, variables: Record<string, unknown>, signal?: AbortSignal): Promise<Body<T>> {
    let response: Response;
    try {
      response = await fetch(this.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json', ...this.headers },
        body: JSON.stringify({ query, variables }),
        credentials: 'omit',
        ...(signal && { signal }),
      });
    } catch (problem) {
      if (isAborted(problem)) throw problem;
      throw this.#unreachable();
    }
    if (!(response.headers.get('content-type') ?? '').includes('json'))
      throw new ServiceError('UNAVAILABLE', `The service answered ${response.status} and no data.`, `Check that ${this.endpoint.href} is a GraphQL service and that nothing stands in between.`);
    return (await response.json()) as Body<T>;
  }

  #unreachable(): ServiceError {
    const foreign = this.endpoint.origin !== location.origin;
    const origins = foreign ? ` It must also allow pages of ${location.origin} (setting KG_CORS_ORIGINS).` : '';
    return new ServiceError('UNREACHABLE', `The service at ${this.endpoint.host} does not answer.`, `Check your connection and that the service runs, then try again.${origins}`);
  }
}

function faultOf({ message, extensions }: GraphQLFault): ServiceError {
  const code = extensions?.code ?? 'ERROR';
  const missing = /Cannot query field '(\w+)' on type 'Query'/.exec(message);
  if (missing) return new ServiceError('NOT_OFFERED', `This service does not offer “${missing[1]}” yet.`, 'Ask whoever runs it to update it.');
  return new ServiceError(code, message, ADVICE[code] ?? 'Try again; if it stays, tell whoever runs the service.');
}
