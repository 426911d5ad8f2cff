// mercurius over the benchmark's JSON export, with plain synchronous resolvers over maps: its best case.
// Usage: node server.mjs PORT DATA.json [jit]
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mercurius from "mercurius";

const [port, file, jit] = process.argv.slice(2);
const { entities, lists, edges } = JSON.parse(readFileSync(file, "utf8"));

const schema = `
  interface Entity { curie: String! label: String! description: String }
  type Therapy implements Entity { curie: String! label: String! description: String modality: String! platform: String }
  type Target implements Entity { curie: String! label: String! description: String symbol: String }
  type CellPopulation implements Entity { curie: String! label: String! description: String expresses(first: Int): TargetEdges! }
  type Disease implements Entity { curie: String! label: String! description: String drivenBy(first: Int): CellEdges! }
  type Evidence { level: String! direction: String! date: String! }
  type TargetEdge { confidence: Float! evidence: [Evidence!]! node: Target! }
  type TargetEdges { edges: [TargetEdge!]! }
  type CellEdge { confidence: Float! evidence: [Evidence!]! node: CellPopulation! }
  type CellEdges { edges: [CellEdge!]! }
  type Therapies { nodes: [Therapy!]! }
  type Diseases { nodes: [Disease!]! }
  type Query { entity(curie: String!): Entity therapies(first: Int): Therapies! diseases(first: Int): Diseases! }
`;

const list = (kind) => (_, { first = 25 }) => ({ nodes: lists[kind].slice(0, first).map((curie) => entities[curie]) });
const linked = (relation) => (entity, { first = 25 }) => ({ edges: (edges[entity.curie]?.[relation] ?? []).slice(0, first) });
const edge = { node: (one) => entities[one.node] };

const resolvers = {
  Query: { entity: (_, { curie }) => entities[curie], therapies: list("Therapy"), diseases: list("Disease") },
  Entity: { resolveType: (entity) => entity.kind },
  CellPopulation: { expresses: linked("expresses") },
  Disease: { drivenBy: linked("drivenBy") },
  TargetEdge: edge,
  CellEdge: edge,
};

const app = Fastify();
app.register(mercurius, { schema, resolvers, jit: jit ? 1 : 0 });
await app.listen({ port: Number(port), host: "127.0.0.1" });
