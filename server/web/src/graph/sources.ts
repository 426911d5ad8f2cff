/** The other two pictures: the paths between two ends, and what supports hypotheses about an entity. */
import type { Service } from '../service';
import type { GraphData, GraphEdge, GraphNode } from './model';

export interface Assumption {
  subject: string;
  relation: string;
  object: string;
}
/** What any search may be asked to take for granted, or leave out. */
export interface Scenario {
  assuming?: Assumption[];
  without?: string[];
  asOf?: string | null;
}
export interface Entity {
  curie: string;
  label: string;
  kind: string;
  degree: number;
  url: string | null;
}
export interface Step {
  from: Entity;
  to: Entity;
  relation: string;
  phrase: string;
  reversed: boolean;
  confidence: number;
  assumed: boolean;
  assertion: { id: string; disputed: boolean };
}
export interface Path {
  id?: string;
  text: string;
  length: number;
  score: { value: number; terms: { name: string; value: number }[] };
  steps: Step[];
  weakestStep: { assertion: { id: string } };
}
export interface PathPage {
  totalCount: number | null;
  truncatedBy: string | null;
  nodes: Path[];
  whyNot: { text: string } | null;
}

export const STEPS = `fragment Steps on PathStep {
  relation phrase reversed confidence assumed
  from { curie label kind degree url } to { curie label kind degree url }
  assertion { id disputed }
}`;
export const PATHS_QUERY = `query Paths($from: [ID!]!, $to: [ID!]!, $where: PathConstraints, $orderBy: PathOrder, $diverse: Boolean! = false, $first: Int!, $assuming: [AssertionInput!], $without: [ID!], $asOf: Date) {
  paths(from: $from, to: $to, where: $where, orderBy: $orderBy, diverse: $diverse, first: $first, assuming: $assuming, without: $without, asOf: $asOf) {
    totalCount truncatedBy whyNot { text }
    nodes { id text length score { value terms { name value } } weakestStep { assertion { id } } steps { ...Steps } }
  }
}
${STEPS}`;
const SUPPORT_QUERY = (end: string): string => `query Support($id: ID!, $first: Int!, $asOf: Date) {
  hypotheses(${end}: $id, first: $first, where: {paths: 3, permutations: 0}, asOf: $asOf) { totalCount nodes { supportingPaths { steps { ...Steps } } } }
}
${STEPS}`;

/** One edge for each step, seen from subject to object. */
export function stepEdge(step: Step): GraphEdge {
  const [subject, object] = step.reversed ? [step.to, step.from] : [step.from, step.to];
  return { id: step.assertion.id, relation: step.relation, source: subject.curie, target: object.curie, confidence: step.confidence, disputed: step.assertion.disputed, assumed: step.assumed };
}

/** The union of some paths, each entity as far from its path's start as on the shortest of them. */
export function pathsData(paths: readonly { steps: Step[] }[], total: number): GraphData {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  for (const { steps } of paths)
    steps.forEach((step, at) => {
      for (const [entity, distance] of [[step.from, at], [step.to, at + 1]] as const) {
        const { curie: id, ...rest } = entity;
        const known = nodes.get(id)?.distance; // the furthest place on any path, so that edges lead onwards; where paths start is 0
        nodes.set(id, { id, ...rest, distance: known === 0 ? 0 : distance === 0 ? 0 : Math.max(known ?? 0, distance) });
      }
      edges.set(step.assertion.id, stepEdge(step));
    });
  return { nodes: [...nodes.values()], edges: [...edges.values()], total, totalEdges: edges.size, version: null };
}

export async function fetchPaths(service: Service, variables: Record<string, unknown>, signal?: AbortSignal): Promise<PathPage> {
  return (await service.query<{ paths: PathPage }>(PATHS_QUERY, variables, signal)).data.paths;
}

/** What supports the best hypotheses about an entity of one of the kinds that the schema predicts between. */
export async function fetchSupport(service: Service, id: string, asOf: string | null, signal?: AbortSignal): Promise<GraphData> {
  const found = await service.query<{ entity: { kind: string } }>('query KindOf($id: String!) { entity(curie: $id) { kind } }', { id }, signal);
  const { kind } = found.data.entity;
  const end = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`;
  const answer = await service.query<{ hypotheses: { nodes: { supportingPaths: { steps: Step[] }[] }[] } }>(SUPPORT_QUERY(end), { id, first: 5, ...(asOf && { asOf }) }, signal);
  const paths = answer.data.hypotheses.nodes.flatMap(({ supportingPaths }) => supportingPaths);
  return pathsData(paths, paths.length);
}
