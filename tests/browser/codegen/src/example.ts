/** A typed client of the service: every type below is generated from its schema, and a wrong field is a compile error. */
import { graphql } from './generated/gql.js';
import type { TypedDocumentString } from './generated/graphql.js';

const Therapies = graphql(`
  query TherapiesFor($disease: String!, $atLeast: Float!) {
    entity(curie: $disease) {
      __typename
      label
      ... on Disease {
        treatedBy(first: 5, filter: { minConfidence: $atLeast }, orderBy: [{ field: CONFIDENCE, direction: DESC }]) {
          totalCount
          edges {
            confidence
            node {
              label
              modality
            }
            evidence {
              level
              date
              source {
                citation
                url
              }
            }
          }
        }
      }
    }
  }
`);

const Neighbourhood = graphql(`
  query Neighbourhood($around: [ID!]!, $where: GraphConstraints) {
    graphView(around: $around, depth: 1, maxNodes: 50, where: $where) {
      totalNodes
      nodes {
        distance
        entity {
          curie
          label
          kind
        }
      }
      edges {
        relation
        confidence
        disputed
      }
    }
  }
`);

export async function ask<Result, Variables>(endpoint: string, query: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: query.toString(), variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Result; errors?: { message: string }[] };
  if (errors?.[0]) throw new Error(errors[0].message);
  if (!data) throw new Error(`no data: HTTP ${response.status}`);
  return data;
}

/** Prints what treats a disease, and how large its neighbourhood is. */
export async function main(endpoint: string, disease: string): Promise<void> {
  const { entity } = await ask(endpoint, Therapies, { disease, atLeast: 0.5 });
  if (entity?.__typename === 'Disease') {
    for (const { node, confidence, evidence } of entity.treatedBy.edges)
      console.log(`${node.label} (${node.modality ?? 'modality unknown'}): ${confidence.toFixed(2)}, ${evidence[0]?.level ?? 'no evidence'}`);
  }
  const { graphView } = await ask(endpoint, Neighbourhood, { around: [disease], where: { kinds: ['Therapy', 'Trial'], minConfidence: 0.5 } });
  console.log(`${graphView.nodes.length} of ${graphView.totalNodes} entities around ${entity?.label ?? disease}`);
}
