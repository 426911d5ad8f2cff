"""What tests and pictures of the explorer share: where things are in its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.browser.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LUPUS = "MONDO:0007915"
GRAVIS = "MONDO:0009688"
THERAPY = "therapy:gc012f"


def draw(page: Page, url: str) -> Locator:
    """Open a page and wait until its graph is drawn."""
    page.goto(url)
    return drawn(page)


def drawn(page: Page) -> Locator:
    """Return the page's graph once it is drawn and at rest."""
    graph = page.locator("kg-graph").first
    graph.locator(".frame[aria-busy=false]").wait_for()
    until(page, "document.querySelector('kg-graph')?.engine?.cy.nodes().nonempty()")
    graph.evaluate("g => g.updateComplete")
    until(page, "!document.querySelector('kg-graph')?.engine?.cy.nodes().some(n => n.animated())")
    return graph


def count(graph: Locator, what: str = "nodes") -> int:
    """Number of entities (or edges) that are drawn."""
    number: int = graph.evaluate("(g, what) => g.engine.cy[what]().length", what)
    return number


def place(graph: Locator, curie: str) -> dict[str, float]:
    """Where an entity stands in the picture."""
    position: dict[str, float] = graph.evaluate("(g, id) => ({...g.engine.cy.getElementById(id).position()})", curie)
    return position


def drawn_at(graph: Locator, curie: str) -> tuple[float, float]:
    """Where an entity is drawn on the screen."""
    x, y = graph.evaluate(
        """(g, id) => {
          const box = g.shadowRoot.querySelector('.canvas').getBoundingClientRect();
          const {x, y} = g.engine.cy.getElementById(id).renderedPosition();
          return [box.x + x, box.y + y];
        }""",
        curie,
    )
    return x, y


def click_at(page: Page, graph: Locator, curie: str, *, double: bool = False) -> None:
    """Press the mouse where an entity is drawn."""
    x, y = drawn_at(graph, curie)
    page.mouse.click(x, y)
    if double:
        page.mouse.click(x, y)


def violations(page: Page, axe: str, *, rules: tuple[str, ...] = ()) -> list[str]:
    """Return what axe finds serious or critical, as lines that name the element."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(
        "async off => (await axe.run(document, {rules: Object.fromEntries(off.map(r => [r, {enabled: false}]))})).violations",
        list(rules),
    )
    return [
        f"{v['id']} ({v['impact']}): {node['target']} {node['html'][:120]} {(node['any'] or [{}])[0].get('message', '')}"
        for v in found
        if v["impact"] in {"serious", "critical"}
        for node in v["nodes"]
    ]
