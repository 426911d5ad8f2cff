"""`<kg-graph>`, the element that any page can use."""

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.explorer import LUPUS, THERAPY, click_at, count, drawn, place
from tests.browser.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("built", "quiet")
Show = Callable[..., "Locator"]


class _OneFolder(http.server.SimpleHTTPRequestHandler):
    """Serves a page with the strictest policy that lets the element in: no styles, no images, nothing inline."""

    service = ""

    def end_headers(self) -> None:
        allowed = self.service
        self.send_header(
            "Content-Security-Policy", f"default-src 'none'; script-src {allowed}; connect-src {allowed}; img-src data:"
        )
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def show(page: "Page", service: str, tmp_path: Any) -> Iterator[Show]:
    """Returns a function that shows some HTML on a page of another origin, with the element's script."""
    handler = type("Handler", (_OneFolder,), {"service": service})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def visit(body: str, *, wait: bool = True) -> "Locator":
        script = f'<script type="module" src="{service}/static/kg-graph.js"></script>'
        (tmp_path / "index.html").write_text(
            f'<!doctype html><html lang="en"><head><title>t</title><link rel="icon" href="data:,">{script}</head><body>{body}</body></html>'
        )
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
        return drawn(page) if wait else page.locator("kg-graph").first

    yield visit
    server.shutdown()
    server.server_close()


def heard(page: "Page", name: str) -> list[Any]:
    """Details of the events of a name since `listen`."""
    details: list[Any] = page.evaluate("name => (window.heard ?? {})[name] ?? []", name)
    return details


def listen(page: "Page", *names: str) -> None:
    """Keeps the details of events."""
    page.evaluate(
        "names => { window.heard = {}; for (const n of names) addEventListener(n, e => (window.heard[n] ??= []).push(e.detail)); }",
        list(names),
    )


def test_a_page_of_another_origin_needs_one_script_and_one_tag(show: Show, service: str) -> None:
    """Under a policy without any style or image: the `quiet` fixture fails on a violation."""
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    assert count(graph) > 20
    assert graph.evaluate("g => g.toJSON().elements.nodes.length") == count(graph)
    png = graph.evaluate("async g => { const b = await g.exportPNG(1); return [b.type, b.size]; }")
    assert png[0] == "image/png"
    assert png[1] > 10_000


def test_the_readme_tells_all_of_it_and_its_page_works(show: Show, page: "Page", service: str) -> None:
    """What a frontend developer copies runs, and nothing that the element has goes untold."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (example,) = [block for block in re.findall(r"```html\n(.*?)```", readme, re.DOTALL) if "<kg-graph" in block]
    tags = "".join(re.findall(r"<kg-graph.*</kg-graph>", example))
    graph = show(tags)
    until(page, "document.querySelectorAll('kg-graph')[1].engine?.cy.nodes().nonempty()")
    code = re.findall(r'<script type="module">(.*?)</script>', example, re.DOTALL)[0]
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.evaluate(code)  # as the page's policy lets no inline script run
    graph.evaluate("(g, id) => { g.select(id); g.reload(); }", LUPUS)
    until(page, "!document.querySelector('kg-graph').shadowRoot.querySelector('[aria-busy=true]')")
    page.wait_for_timeout(300)
    assert f"node {LUPUS}" in said
    assert any(line.isdigit() and int(line) > 10_000 for line in said)
    table = readme.split("| attribute | what it is for |")[1].split("\n\n")[0]
    known = set(re.findall(r"`([a-z-]+)`", table)) - {"light", "dark", "auto", "full", "legend", "none"}
    assert known == set(graph.evaluate("g => g.constructor.observedAttributes"))
    methods = re.search(r"Methods: (.*?)\. Events: (.*?)\.", readme, re.DOTALL)
    assert methods
    for name in re.findall(r"`(\w+)`", methods[1]):
        assert graph.evaluate("(g, name) => typeof g[name] === 'function'", name), name
    parts = graph.evaluate("g => [...g.shadowRoot.querySelectorAll('[part]')].map(e => e.part.value).sort()")
    assert parts == ["canvas", "frame", "legend", "message", "table", "toolbar"]


def test_several_stand_on_one_page(show: Show, page: "Page") -> None:
    """And a script that is loaded twice does no harm."""
    show(f'<kg-graph entity="{LUPUS}"></kg-graph><kg-graph entity="{THERAPY}" controls="none"></kg-graph>')
    until(page, "document.querySelectorAll('kg-graph')[1].engine?.cy.nodes().nonempty()")
    sizes = page.evaluate("[...document.querySelectorAll('kg-graph')].map(g => g.engine.cy.nodes().length)")
    assert sizes[0] != sizes[1]
    assert page.locator("kg-graph").nth(1).locator(".toolbar").is_hidden()


def test_attributes_and_properties_say_the_same(show: Show) -> None:
    """Frameworks set properties, people write attributes."""
    graph = show(f'<kg-graph entity="{LUPUS}" min-confidence="0.5"></kg-graph>')
    assert graph.evaluate("g => [g.entity, g.minConfidence, g.depth, g.asOf]") == [[LUPUS], 0.5, None, ""]
    graph.evaluate("g => { g.kinds = ['Therapy']; g.minConfidence = null; return g.updateComplete; }")
    assert graph.get_attribute("kinds") == "Therapy"
    assert graph.get_attribute("min-confidence") is None
    assert graph.evaluate("g => g.engine.cy.nodes().every(n => ['Therapy', 'Disease'].includes(n.data('kind')))")


def test_events_tell_the_page_what_happens(show: Show, page: "Page") -> None:
    """Selecting, expanding, loading."""
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    listen(page, "kg-select", "kg-expand", "kg-load", "kg-change")
    click_at(page, graph, LUPUS)
    until(page, "window.heard['kg-select']?.length > 0")
    chosen = heard(page, "kg-select")[0]
    assert (chosen["type"], chosen["id"], chosen["kind"]) == ("node", LUPUS, "Disease")
    graph.evaluate("(g, id) => g.expand(id)", THERAPY)
    assert heard(page, "kg-expand")[0]["added"]
    graph.evaluate("g => g.reload()")
    assert heard(page, "kg-load")[0]["version"] == 1


def test_undo_and_redo_keep_every_place(show: Show, page: "Page") -> None:
    """Whoever expands the wrong thing gets the picture back exactly."""
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    before, stood = count(graph), place(graph, THERAPY)
    graph.evaluate("(g, id) => g.expand(id)", THERAPY)
    drawn(page)
    after = count(graph)
    assert after > before
    assert place(graph, THERAPY) == stood
    graph.get_by_role("button", name="Undo").click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length === n", arg=before)
    assert place(graph, THERAPY) == stood
    graph.get_by_role("button", name="Redo").click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length === n", arg=after)


def test_filters_by_legend_relation_confidence_and_hubs(show: Show, page: "Page") -> None:
    """Each is one press, and undone by the next."""
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    everything = count(graph)
    graph.get_by_role("button", name="trial", exact=True).click()
    drawn(page)
    assert graph.evaluate("g => g.engine.cy.nodes().every(n => n.data('kind') !== 'Trial')")
    graph.get_by_role("button", name="trial", exact=True).click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length === n", arg=everything)
    graph.get_by_role("button", name="Filters").click()
    graph.get_by_role("checkbox", name="treats").uncheck()
    until(page, "document.querySelector('kg-graph')?.engine?.cy.edges('[relation = \"treats\"]').empty()")
    graph.get_by_role("button", name="Show everything").click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length === n", arg=everything)
    graph.get_by_role("button", name="Hide hubs").click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length < n", arg=everything)


def test_everything_is_done_by_keyboard(show: Show, page: "Page") -> None:
    """Move, expand, look at the edges, hide, undo: and each is announced."""
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    before = count(graph)
    listen(page, "kg-select")
    graph.locator(".canvas").focus()
    status = graph.locator("[role=status]")
    assert "systemic lupus" in status.inner_text()
    page.keyboard.press("ArrowRight")
    there = status.inner_text()
    assert "systemic lupus erythematosus, disease" not in there
    page.keyboard.press(" ")
    assert heard(page, "kg-select")[-1]["label"] in there
    page.keyboard.press("e")
    assert heard(page, "kg-select")[-1]["type"] == "edge"
    assert "confidence" in status.inner_text()
    page.keyboard.press("Delete")
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length < n", arg=before)
    assert graph.get_attribute("without")
    page.keyboard.press("Control+z")
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length === n", arg=before)
    page.keyboard.press("t")
    assert graph.locator("table tbody tr").count() > 20


def test_the_table_says_what_the_picture_shows(show: Show, page: "Page") -> None:
    """For whoever cannot see a canvas, and for whoever wants the words."""
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    graph.get_by_role("button", name="Table").click()
    assert graph.locator("tbody tr").count() == count(graph, "edges")
    listen(page, "kg-select")
    graph.locator("tbody tr .relation").first.click()
    assert heard(page, "kg-select")[-1]["type"] == "edge"


def test_a_large_view_says_what_it_leaves_out(show: Show, page: "Page") -> None:
    """Never silently."""
    graph = show(f'<kg-graph entity="{LUPUS}" max-nodes="20"></kg-graph>')
    assert count(graph) == 20
    graph.get_by_text("Showing the 20 nearest").wait_for()
    graph.get_by_role("button", name="Show 40").click()
    until(page, "document.querySelector('kg-graph')?.engine?.cy.nodes().length === 40")


@pytest.mark.parametrize(
    ("attributes", "code", "says"),
    [
        ("", "NOTHING_ASKED", "Set the attribute entity"),
        ('entity="MONDO:0007916"', "NOT_FOUND", "Check the identifier"),
        (f'entity="{LUPUS}" depth="9"', "LIMIT_EXCEEDED", "Ask for less"),
        (f'entity="{LUPUS}" endpoint="http://127.0.0.1:9/graphql"', "UNREACHABLE", "KG_CORS_ORIGINS"),
    ],
)
def test_an_error_says_what_to_do(
    show: Show, page: "Page", quiet: list[str], attributes: str, code: str, says: str
) -> None:
    """In the picture's place, and to the page as an event."""
    page.add_init_script("window.errors = []; addEventListener('kg-error', e => window.errors.push(e.detail));")
    graph = show(f"<kg-graph {attributes}></kg-graph>", wait=False)
    graph.get_by_text(says).first.wait_for()
    assert page.evaluate("window.errors[0].code") == code
    quiet[:] = [
        line
        for line in quiet
        if "Failed to load" not in line and "Content Security Policy" not in line and "violates" not in line
    ]


def test_a_page_may_bring_its_own_graph(show: Show, page: "Page") -> None:
    """A notebook or a static page draws without any service."""
    graph = show("<main></main>", wait=False)
    until(page, "customElements.get('kg-graph') !== undefined")
    page.evaluate("document.querySelector('main').append(document.createElement('kg-graph'))")
    graph.evaluate(
        """g => { g.data = {nodes: [{id: 'a', label: 'A', kind: 'X'}, {id: 'b', label: 'B', kind: 'X'}],
        edges: [{source: 'a', target: 'b', relation: 'knows'}], kinds: [{name: 'X', label: 'thing', color: '#336699', shape: 'diamond'}]};
        return g.updateComplete; }"""
    )
    assert count(graph) == 2
    assert graph.get_by_role("button", name="thing").is_visible()


OWN = """{nodes: [{id: 'a', label: 'B cell', kind: 'X'}, {id: 'b', label: 'lupus', kind: 'Y'}, {id: 'c', label: 'CD19', kind: 'X'}],
  edges: [{source: 'a', target: 'b', relation: 'drives', disputed: true}, {source: 'c', target: 'a', relation: 'on', assumed: true}],
  kinds: [{name: 'X', label: 'thing', color: '#336699', shape: 'diamond'}, {name: 'Y', label: 'illness', color: '#993333', shape: 'ellipse'}, {name: 'Z', label: 'absent', color: '#000000', shape: 'ellipse'}],
  relations: [{name: 'drives', phrase: 'drive', inversePhrase: 'is driven by'}, {name: 'on', phrase: 'is expressed on', inversePhrase: 'express'}], roots: ['b']}"""


def test_exported_pictures_say_what_their_signs_mean(show: Show, page: "Page") -> None:
    """The legend names the kinds and lines in the picture, below it and within it; an SVG holds text as text."""
    graph = show("<kg-graph></kg-graph>", wait=False)
    until(page, "customElements.get('kg-graph') !== undefined")
    graph.evaluate(f"g => {{ g.data = {OWN}; return g.updateComplete; }}")
    said, box = graph.evaluate(
        """g => {
          const svg = new DOMParser().parseFromString(g.exportSVG(), 'image/svg+xml').documentElement;
          return [[...svg.querySelectorAll('text')].map(e => e.textContent), svg.getAttribute('viewBox').split(' ').map(Number)];
        }"""
    )
    assert said == ["B cell", "CD19", "lupus", "thing", "illness", "confidence, low and high", "disputed", "assumed"]
    assert (box[2] >= 260, box[3] > 60) == (True, True)
    colours = graph.evaluate(
        """async g => {
          const picture = await createImageBitmap(await g.exportPNG(2));
          const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
          pen.drawImage(picture, 0, 0);
          const below = pen.getImageData(0, picture.height - 190, picture.width, 190).data;
          const found = new Set();
          for (let i = 0; i < below.length; i += 4) found.add([below[i], below[i + 1], below[i + 2]].join());
          return [...found];
        }"""
    )
    assert {"51,102,153", "153,51,51"} < set(colours)
    assert "0,0,0" not in colours
    graph.evaluate("g => g.select('edge-0')")
    assert graph.get_by_role("status").first.inner_text().startswith("B cells drive lupus")


def test_a_dense_view_counts_the_relations_that_are_left_out(show: Show, page: "Page") -> None:
    """As the service counts them."""

    def fewer(route: "Route") -> None:
        response = route.fetch()
        body = response.json()
        if view := (body.get("data") or {}).get("graphView"):
            view["totalEdges"] = 12_345
        route.fulfill(response=response, json=body)

    page.route("**/graphql", fewer)
    graph = show(f'<kg-graph entity="{LUPUS}"></kg-graph>')
    note = graph.locator(".note").inner_text()
    assert re.search(r"^Showing \d+ entities with the \d+ most trusted of 12,345 relations between them\.", note)
