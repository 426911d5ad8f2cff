"""Frame times of `<kg-graph>`: ``python -m tests.browser.frames [URL]`` (a service must be running there).

Draws scale-free graphs of the page's own (no query is timed), pans and zooms each for 60 frames, and prints a table.
Chromium without a GPU draws on the processor, so these are upper bounds.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium

SIZES = (50, 500, 2_000, 5_000)
PAGE = """<!doctype html><html lang="en"><head><title>frames</title><link rel="icon" href="data:,">
<script type="module" src="/static/kg-graph.js"></script></head><body><kg-graph></kg-graph></body></html>"""
MEASURE = """async size => {
  await customElements.whenDefined('kg-graph');
  let state = 7;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const kinds = ['#2f6fbb', '#3a8f5c', '#b5433f', '#7a5195'].map((color, i) => ({name: 'K' + i, label: 'kind ' + i, color, shape: ['ellipse', 'diamond', 'round-hexagon', 'triangle'][i]}));
  const nodes = [], edges = [], ends = [0];
  for (let i = 0; i < size; i++) {
    nodes.push({id: 'n' + i, label: 'entity number ' + i, kind: 'K' + (i % 4)});
    for (let k = 0; i && k < 2; k++) {
      const other = ends[Math.floor(random() * ends.length)];
      if (other === i) continue;
      edges.push({source: 'n' + i, target: 'n' + other, relation: 'knows', confidence: random()});
      ends.push(i, other);
    }
  }
  const old = document.querySelector('kg-graph');
  const graph = document.createElement('kg-graph');
  old.replaceWith(graph);
  const began = performance.now();
  graph.data = {nodes, edges, kinds};
  await graph.updateComplete;
  const ready = performance.now() - began;
  const cy = graph.engine.cy;
  const frame = () => new Promise(done => cy.one('render', done)); // drawn, not only due
  const run = async act => {
    const times = [];
    await new Promise(done => setTimeout(done, 500));
    for (let i = 0; i < 60; i++) {
      const start = performance.now();
      act(i);
      await frame();
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return [times[30], times[56]];
  };
  const pan = await run(i => cy.panBy({x: i % 2 ? 9 : -7, y: 3}));
  const zoom = await run(i => cy.zoom({level: cy.zoom() * (i < 30 ? 1.02 : 0.98), renderedPosition: {x: 400, y: 250}}));
  return {size, edges: edges.length, ready, pan, zoom};
}"""


def measure(url: str, sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Return, for each size, milliseconds until drawn and (median, 95th percentile) of a frame of panning and zooming."""
    path = chromium()
    if path is None:
        raise SystemExit("no browser: install Debian's chromium, or name one in KG_BROWSER")
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.route(f"{url}/frames", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page.goto(f"{url}/frames")
        rows = [page.evaluate(MEASURE, size) for size in sizes]
        browser.close()
    return rows


def main(url: str) -> None:
    """Print the table."""
    sys.stdout.write(
        "| entities | edges | until drawn, ms | pan, ms a frame (p95) | zoom, ms a frame (p95) |\n|--:|--:|--:|--:|--:|\n"
    )
    for row in measure(url):
        pan, zoom = (f"{median:.0f} ({worst:.0f})" for median, worst in (row["pan"], row["zoom"]))
        sys.stdout.write(f"| {row['size']:,} | {row['edges']:,} | {row['ready']:,.0f} | {pan} | {zoom} |\n")
    sys.stderr.write(json.dumps({"load": os.getloadavg()}) + "\n")


if __name__ == "__main__":
    main((sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/"))
