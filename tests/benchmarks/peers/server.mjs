// mercurius over the benchmark's JSON export, with plain synchronous resolvers over maps: its best case.
// Usage: node server.mjs PORT cart|hetionet DATA.json [jit]
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mercurius from "mercurius";

const [port, domain, file, jit] = process.argv.slice(2);
const { entities, lists, edges } = JSON.parse(readFileSync(file, "utf8"));

const schemas = {
  cart: `
  type Therapy implements Entity { curie: String! label: String! description: String modality: String! platform: String }
  type Target implements Entity { curie: String! label: String! description: String symbol: String }
  type CellPopulation implements Entity { curie: String! label: String! description: String expresses(first: Int): TargetEdges! }
  type Disease implements Entity { curie: String! label: String! description: String drivenBy(first: Int): CellEdges! }
  type TargetEdge { confidence: Float! evidence: [Evidence!]! node: Target! }
  type TargetEdges { edges: [TargetEdge!]! }
  type CellEdge { confidence: Float! evidence: [Evidence!]! node: CellPopulation! }
  type CellEdges { edges: [CellEdge!]! }
  type Therapies { nodes: [Therapy!]! }
  type Diseases { nodes: [Disease!]! }
  type Query { entity(curie: String!): Entity therapies(first: Int): Therapies! diseases(first: Int): Diseases! }
`,
  hetionet: `
  type Compound implements Entity { curie: String! label: String! description: String iri: String! drugbank: String! }
  type Gene implements Entity { curie: String! label: String! description: String }
  type Disease implements Entity { curie: String! label: String! description: String treatedBy(first: Int): CompoundEdges! }
  type Anatomy implements Entity { curie: String! label: String! description: String localizes(first: Int): DiseaseEdges! }
  type CompoundEdge { confidence: Float! evidence: [Evidence!]! node: Compound! }
  type CompoundEdges { edges: [CompoundEdge!]! }
  type DiseaseEdge { confidence: Float! evidence: [Evidence!]! node: Disease! }
  type DiseaseEdges { edges: [DiseaseEdge!]! }
  type Compounds { nodes: [Compound!]! }
  type Anatomies { nodes: [Anatomy!]! }
  type Query { entity(curie: String!): Entity compounds(first: Int): Compounds! anatomies(first: Int): Anatomies! }
`,
};
const schema = `
  interface Entity { curie: String! label: String! description: String }
  type Evidence { level: String! direction: String! date: String! }
  ${schemas[domain]}
`;

const list = (kind) => (_, { first = 25 }) => ({ nodes: lists[kind].slice(0, first).map((curie) => entities[curie]) });
const linked = (relation) => (entity, { first = 25 }) => ({ edges: (edges[entity.curie]?.[relation] ?? []).slice(0, first) });
const edge = { node: (one) => entities[one.node] };

const one = (_, { curie }) => entities[curie];
const resolvers = {
  cart: {
    Query: { entity: one, therapies: list("Therapy"), diseases: list("Disease") },
    CellPopulation: { expresses: linked("expresses") },
    Disease: { drivenBy: linked("drivenBy") },
    TargetEdge: edge,
    CellEdge: edge,
  },
  hetionet: {
    Query: { entity: one, compounds: list("Compound"), anatomies: list("Anatomy") },
    Anatomy: { localizes: linked("localizes") },
    Disease: { treatedBy: linked("treatedBy") },
    CompoundEdge: edge,
    DiseaseEdge: edge,
  },
}[domain];
resolvers.Entity = { resolveType: (entity) => entity.kind };

const app = Fastify();
app.register(mercurius, { schema, resolvers, jit: jit ? 1 : 0 });
await app.listen({ port: Number(port), host: "127.0.0.1" });
