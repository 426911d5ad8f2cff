/** The graph panel of an entity's page. */
import { h } from '../dom';
import type { KgGraph } from '../graph/element';
import { VIEW_QUERY, viewVariables } from '../graph/model';
import { dayIn, listIn, writeAddress } from './address';
import { copyButton } from './copy';
import type { Drawer } from './drawer';
import { KnowledgeTime } from './knowledge-time';
import type { Site } from './site';

const DATES = 'query EvidenceDates($id: String!) { entity(curie: $id) { assertions { evidence { date } } } }';

/** Puts a live graph in the place of the picture that the server drew, which stays for when there is no service. */
export function graphPanel(section: HTMLElement, site: Site, drawer: Drawer): void {
  const entity = section.dataset['entity'];
  if (!entity) return;
  const search = new URLSearchParams(location.search);
  const graph = h('kg-graph', { endpoint: site.service.endpoint.href, 'aria-label': 'Graph around this entity' });
  const time = new KnowledgeTime((asOf) => {
    graph.asOf = asOf ?? '';
    writeAddress({ 'as-of': asOf, asOf: null });
    return graph.updateComplete;
  });
  setUp(graph, entity, section, search);
  const question = (): { query: string; variables: Record<string, unknown> } => ({
    query: VIEW_QUERY,
    variables: viewVariables({
      around: [entity],
      depth: graph.depth ?? 1,
      maxNodes: graph.maxNodes ?? 200,
      asOf: graph.asOf || null,
      relations: graph.relations.length > 0 ? graph.relations : null,
      kinds: graph.kinds.length > 0 ? graph.kinds : null,
      minConfidence: graph.minConfidence ?? 0,
    }),
  });
  const depth = h('select', { 'aria-label': 'Hops to show' }, ...[1, 2, 3].map((hops) => h('option', { value: hops, selected: hops === (graph.depth ?? 1) }, hops === 1 ? '1 hop' : `${hops} hops`)));
  depth.addEventListener('change', () => {
    graph.depth = Number(depth.value);
    writeAddress({ depth: depth.value === '1' ? null : depth.value });
  });
  const paths = h('a', { class: 'kg-button', href: site.explore('paths', { from: entity }) }, 'Paths from here');
  const fallback = [...section.childNodes];
  const live = h('div', { class: 'kg-live' }, h('div', { class: 'kg-tools' }, depth, paths, copyButton(question, site.service.endpoint)), graph, time.element);
  section.replaceChildren(live);
  listen(graph, drawer, section);
  graph.addEventListener('kg-error', () => {
    if (!section.contains(fallback[0] ?? null)) live.after(...fallback); // the server's picture, still true
  });
  const select = search.get('select');
  if (select) graph.addEventListener('kg-load', () => graph.select(select), { once: true });
  void site.service
    .query<{ entity: { assertions: { evidence: { date: string }[] }[] } | null }>(DATES, { id: entity })
    .then(({ data }) => time.set(data.entity?.assertions.flatMap(({ evidence }) => evidence.map(({ date }) => date)) ?? [], graph.asOf || null))
    .catch(() => undefined); // no slider then; the graph says what is wrong
}

function setUp(graph: KgGraph, entity: string, section: HTMLElement, search: URLSearchParams): void {
  graph.entity = [entity];
  graph.depth = Number(search.get('depth') ?? section.dataset['depth'] ?? 1);
  graph.maxNodes = Number(search.get('max-nodes')) || Number(section.dataset['maxNodes']) || null;
  graph.relations = listIn(search, 'relations');
  graph.kinds = listIn(search, 'kinds');
  graph.minConfidence = Number(search.get('min')) || null;
  graph.asOf = dayIn(search) ?? '';
  graph.maxDegree = Number(search.get('hubs')) || null;
  graph.theme = document.documentElement.dataset['theme'] ?? 'auto';
  graph.without = listIn(search, 'without');
  const expand = listIn(search, 'expand');
  if (expand.length > 0) graph.setAttribute('expand', expand.join(','));
}

/** A second click may follow: opening at once would push the panel under it. */
const DOUBLE_CLICK_MS = 300;

function listen(graph: KgGraph, drawer: Drawer, section: HTMLElement): void {
  let later = 0;
  const standard = Number(section.dataset['maxNodes']);
  graph.addEventListener('kg-select', (event) => {
    const detail = (event as CustomEvent<{ type: 'node' | 'edge'; id: string } | null>).detail;
    clearTimeout(later);
    writeAddress({ select: detail?.id });
    const reveal = (): void => {
      const { right, below } = drawer.covers(graph.getBoundingClientRect());
      if (detail) graph.engine?.reveal(detail.id, right, below);
    };
    if (detail?.type === 'edge') void drawer.open(detail.id, graph.asOf || null).then(reveal);
    else if (detail) later = window.setTimeout(() => void drawer.openEntity(detail.id, graph.entity[0] ?? null, graph).then(reveal), DOUBLE_CLICK_MS);
    else drawer.close();
  });
  graph.addEventListener('kg-change', (event) => {
    const { expand, without, relations, kinds, minConfidence, maxDegree, maxNodes } = (event as CustomEvent).detail;
    writeAddress({ expand: expand.join(','), without: without.join(','), relations: relations?.join(','), kinds: kinds?.join(','), min: minConfidence || null, hubs: maxDegree, 'max-nodes': maxNodes === standard ? null : maxNodes });
  });
}
