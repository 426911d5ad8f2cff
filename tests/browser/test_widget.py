"""The notebook's widget, as anywidget loads it: one module, from a blob, with a model."""

from typing import TYPE_CHECKING, Any

import pytest

from kg import Snapshot
from kg.notebook import show, show_paths, widget_data
from kg.overlay import scenario
from kg.paths import find_paths
from server.web.assets import WebAssets
from tests.browser.explorer import place
from tests.browser.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOAD = """async ([source, data]) => {
  const module = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
  const values = {data, theme: 'dark', height: '320px'}, listeners = {};
  window.model = {
    get: name => values[name],
    set: (name, value) => { values[name] = value; for (const react of listeners[`change:${name}`] ?? []) react(); },
    save_changes: () => { window.saved = values.selected; },
    on: (event, react) => (listeners[event] ??= []).push(react),
    off: (event, react) => { listeners[event] = listeners[event].filter(each => each !== react); },
  };
  document.body.replaceChildren(document.createElement('main'));
  window.leave = module.default.render({model: window.model, el: document.querySelector('main')});
}"""


def drawn(page: "Page", nodes: int) -> Any:
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length === n", arg=nodes)
    return page.locator("kg-graph")


@pytest.mark.usefixtures("quiet")
def test_the_widget_draws_selects_and_follows(
    page: "Page", service: str, built: WebAssets, tiny_graph: Snapshot
) -> None:
    """From a blob, so any chunk or relative address would fail; and twice, as cells are run again."""
    figure = show(tiny_graph, "HGNC:1633").figure
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(f"{service}/health")
    source = built.path("notebook.js").read_text("utf-8")
    for _ in range(2):
        page.evaluate(LOAD, [source, widget_data(figure)])
        graph = drawn(page, len(figure.nodes))
    graph.evaluate("g => g.select('HGNC:1633')")
    assert page.evaluate("window.saved.id") == "HGNC:1633"
    connected = show_paths(find_paths(scenario(tiny_graph), "therapy:alpha", "MONDO:0009688")).figure
    page.evaluate("data => window.model.set('data', data)", widget_data(connected))
    graph = drawn(page, len(connected.nodes))
    assert place(graph, "therapy:alpha")["x"] < place(graph, "MONDO:0009688")["x"]
    page.evaluate("window.leave()")
    assert page.locator("kg-graph").count() == 0
