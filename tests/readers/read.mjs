// node read.mjs cytoscape|graphology < file: loads it with the real library and says what came of it.
import { readFileSync } from 'node:fs';
import cytoscape from 'cytoscape';
import graphology from 'graphology';

const [format] = process.argv.slice(2);
const text = JSON.parse(readFileSync(0, 'utf8'));
const readers = {
  cytoscape() {
    const cy = cytoscape({ headless: true, elements: text.elements, layout: { name: 'preset' } });
    return { nodes: cy.nodes().length, edges: cy.edges().length, labels: cy.nodes().map((n) => n.data('label')), x: cy.nodes()[0].position('x') };
  },
  graphology() {
    const graph = (graphology.default ?? graphology).from(text);
    return { nodes: graph.order, edges: graph.size, labels: graph.mapNodes((_, a) => a.label), x: graph.getNodeAttribute(graph.nodes()[0], 'x') };
  },
};
console.log(JSON.stringify(readers[format]()));
