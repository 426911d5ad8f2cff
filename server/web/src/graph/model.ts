/** What a picture of the graph is made of, and the queries it comes from. */
import type { Answer, Service } from '../service';
import { agreeing } from '../wording';

export interface GraphNode {
  /** CURIE. */
  id: string;
  label: string;
  kind: string;
  /** Edges it has in the whole graph. */
  degree: number;
  /** Hops from the nearest start. */
  distance: number;
  url?: string | null;
}
export interface GraphEdge {
  id: string;
  relation: string;
  source: string;
  target: string;
  confidence: number;
  disputed: boolean;
  /** Only assumed for this view (what-if). */
  assumed?: boolean;
}
export interface GraphData {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Entities that depth and filters allow, of which `nodes` may be the first few. */
  total: number;
  /** Relations between `nodes`, of which `edges` may be the most trusted. */
  totalEdges: number;
  version: number | null;
}
export interface Kind {
  name: string;
  label: string;
  color: string;
  shape: string;
}
export interface Relation {
  name: string;
  phrase: string;
  inversePhrase: string;
  /** The rest is known where the service told. */
  inverse?: string;
  subjects?: string[];
  objects?: string[];
}
export interface Meta {
  kinds: Map<string, Kind>;
  relations: Map<string, Relation>;
}
/** What may be shown; `null` is anything. */
export interface Filter {
  relations: readonly string[] | null;
  kinds: readonly string[] | null;
  minConfidence: number;
}
export interface ViewRequest extends Filter {
  around: string[];
  depth: number;
  maxNodes: number;
  asOf: string | null;
}

export const META_QUERY = `query KgKinds { metagraph { kinds { name label color shape } relations { name phrase inverse inversePhrase subjects objects } } }`;

export const VIEW_QUERY = `query GraphView($around: [ID!]!, $depth: Int!, $where: GraphConstraints, $maxNodes: Int!, $asOf: Date) {
  graphView(around: $around, depth: $depth, where: $where, maxNodes: $maxNodes, asOf: $asOf) {
    totalNodes totalEdges
    nodes { distance entity { curie label kind degree url } }
    edges { id relation confidence disputed subject { curie } object { curie } }
  }
}`;

interface ViewAnswer {
  graphView: {
    totalNodes: number;
    totalEdges: number;
    nodes: { distance: number; entity: { curie: string; label: string; kind: string; degree: number; url: string | null } }[];
    edges: { id: string; relation: string; confidence: number; disputed: boolean; subject: { curie: string }; object: { curie: string } }[];
  };
}
interface MetaAnswer {
  metagraph: { kinds: Kind[]; relations: Relation[] };
}

/** The variables of `VIEW_QUERY`, without what is not asked for. */
export function viewVariables({ around, depth, maxNodes, asOf, relations, kinds, minConfidence }: ViewRequest): Record<string, unknown> {
  const where = { ...(relations && { relations }), ...(kinds && { kinds }), ...(minConfidence > 0 && { minConfidence }) };
  return { around, depth, maxNodes, ...(Object.keys(where).length > 0 && { where }), ...(asOf && { asOf }) };
}

export async function fetchView(service: Service, request: ViewRequest, signal?: AbortSignal): Promise<GraphData> {
  const { data, graph }: Answer<ViewAnswer> = await service.query<ViewAnswer>(VIEW_QUERY, viewVariables(request), signal);
  const view = data.graphView;
  return {
    nodes: view.nodes.map(({ distance, entity: { curie, ...rest } }) => ({ id: curie, distance, ...rest })),
    edges: view.edges.map(({ subject, object, ...rest }) => ({ ...rest, source: subject.curie, target: object.curie })),
    total: view.totalNodes,
    totalEdges: view.totalEdges,
    version: graph?.version ?? null,
  };
}

const KNOWN_SHAPES = new Set(['ellipse', 'rectangle', 'round-rectangle', 'diamond', 'hexagon', 'round-hexagon', 'triangle', 'tag', 'round-tag']);

/** Kinds as they may be drawn: whatever is no plain colour or known shape becomes a grey ellipse. */
export function metaOf(kinds: Iterable<Kind>, relations: Iterable<Relation>): Meta {
  const safe = [...kinds].map((kind) => ({
    ...kind,
    color: /^#[0-9a-f]{6}$/i.test(kind.color) ? kind.color : '#6b7785',
    shape: KNOWN_SHAPES.has(kind.shape) ? kind.shape : 'ellipse',
  }));
  return { kinds: new Map(safe.map((kind) => [kind.name, kind])), relations: new Map([...relations].map((each) => [each.name, each])) };
}

const metas = new Map<string, Promise<Meta>>();

/** Kinds and relations, asked for once for each service. */
export function fetchMeta(service: Service): Promise<Meta> {
  const key = service.endpoint.href;
  const known = metas.get(key);
  if (known) return known;
  const asked = service.query<MetaAnswer>(META_QUERY).then(({ data }) => metaOf(data.metagraph.kinds, data.metagraph.relations));
  metas.set(key, asked);
  asked.catch(() => metas.delete(key)); // ask again next time
  return asked;
}

/** Subject, phrase and object of a relation, the names as they are said beside the phrase. */
export function claimOf(meta: Meta, subject: string, relation: string, object: string): [string, string, string] {
  const phrase = phraseOf(meta, relation);
  const [before = subject, after = object] = agreeing([subject, object], [phrase], phraseOf(meta, relation, true));
  return [before, phrase, after];
}

/** The phrase between two ends, read from subject to object or the other way. */
export function phraseOf(meta: Meta, relation: string, reversed = false): string {
  const known = meta.relations.get(relation);
  return (reversed ? known?.inversePhrase : known?.phrase) ?? relation;
}
