/** Makes the server's pages livelier. What it looks for in a page is written down in README-hooks.md. */
import './explorer.css';
import { h } from './dom';
import { dayIn } from './explorer/address';
import { combobox } from './explorer/combobox';
import { copyButton, type Question } from './explorer/copy';
import { Drawer } from './explorer/drawer';
import { graphPanel } from './explorer/entity';
import { historyPage } from './explorer/history';
import { hypothesesPage } from './explorer/hypotheses';
import { pathsPage } from './explorer/paths';
import { Site } from './explorer/site';
import { defineKgGraph } from './graph/element';

const PAGES: Record<string, (main: HTMLElement, site: Site, drawer: Drawer) => Promise<void>> = { paths: pathsPage, hypotheses: hypothesesPage, history: historyPage };

/** Finds and enhances everything in a page. */
export function start(page: Document = document): void {
  const site = new Site(page.body, new URL(import.meta.url));
  const drawer = new Drawer(site);
  defineKgGraph(site.service.endpoint);
  for (const form of page.querySelectorAll<HTMLElement>('[data-kg-search]')) searchForm(form, site);
  for (const section of page.querySelectorAll<HTMLElement>('[data-kg-graph]')) graphPanel(section, site, drawer);
  for (const place of page.querySelectorAll<HTMLElement>('[data-kg-copy]')) copyPlace(place, site);
  page.addEventListener('click', (event) => {
    const edge = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-kg-edge]') : null;
    if (!edge || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void drawer.open(edge.dataset['kgEdge'] ?? '', dayIn(new URLSearchParams(location.search)));
  });
  const main = page.getElementById('explore');
  const fill = PAGES[page.body.dataset['page'] ?? ''];
  if (main && fill) void fill(main, site, drawer);
}

function searchForm(form: HTMLElement, site: Site): void {
  const input = form.querySelector<HTMLInputElement>('input[type="search"]');
  const kinds = (form.dataset['kgKinds'] ?? '').split(' ').filter(Boolean);
  if (input) combobox(input, site.service, { kinds, choose: ({ curie }) => location.assign(site.entity(curie)) });
}

function copyPlace(place: HTMLElement, site: Site): void {
  const text = place.querySelector('script[type="application/json"]')?.textContent;
  if (!text) return;
  const question = JSON.parse(text) as Question;
  place.replaceChildren(h('span', {}, copyButton(() => question, site.service.endpoint)));
}

start();
