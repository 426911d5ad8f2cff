"""The explorer's pages, as a person uses them: with a mouse, a keyboard, a phone, in the dark."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.explorer import GRAVIS, LUPUS, THERAPY, click_at, count, draw, drawn, drawn_at, place
from tests.browser.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.usefixtures("built", "quiet")


def parameters(page: "Page") -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(page.url).query)


def disputed_edge(page: "Page") -> str:
    """The id of an edge that is drawn dashed."""
    found: str = page.evaluate("document.querySelector('kg-graph')?.engine?.cy.edges('[disputed = 1]')[0].id()")
    return found


def test_search_suggests_expands_and_shows_the_evidence(page: "Page", service: str) -> None:
    """The way most people take: a name, its page, one hop further, why."""
    page.goto(f"{service}/")
    page.get_by_role("combobox").first.fill("systemic lup")
    page.get_by_role("option", name="systemic lupus erythematosus").first.click()
    page.wait_for_url(f"**/entity/{LUPUS}")
    graph = drawn(page)
    before, stood = count(graph), place(graph, LUPUS)
    graph.evaluate("(g, id) => g.expand(id)", THERAPY)
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length > n", arg=before)
    drawn(page)
    assert place(graph, LUPUS) == stood
    assert parameters(page)["expand"] == [THERAPY]
    edge = disputed_edge(page)
    graph.evaluate("(g, id) => g.select(id)", edge)
    drawer = page.get_by_role("complementary", name="Details")
    drawer.get_by_text("contradicts").first.wait_for()
    links = drawer.locator(".kg-citation a").all()
    assert links
    assert all((link.get_attribute("href") or "").startswith("https://") for link in links)
    assert parameters(page)["select"] == [edge]


def test_a_click_on_an_entity_offers_what_can_be_done_with_it(page: "Page", service: str) -> None:
    """Double-clicking is nothing anyone would guess, and no phone has it."""
    graph = draw(page, f"{service}/entity/{LUPUS}")
    before = count(graph)
    click_at(page, graph, LUPUS)
    drawer = page.get_by_role("complementary", name="Details")
    drawer.get_by_role("link", name="systemic lupus erythematosus").wait_for()
    page.keyboard.press("Escape")
    graph.evaluate("(g, id) => g.select(id)", THERAPY)
    drawer.get_by_role("button", name="Expand").click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.nodes().length > n", arg=before)
    assert THERAPY in (drawer.get_by_role("link", name="Paths to here").get_attribute("href") or "").replace("%3A", ":")


def test_a_link_shows_a_colleague_the_same(page: "Page", service: str) -> None:
    """Filter, day, expansion and selection are all in the address."""
    graph = draw(page, f"{service}/entity/{LUPUS}?kinds=Therapy,Trial&min=0.5&as-of=2024-12-31&expand={THERAPY}")
    kinds = graph.evaluate("g => [...new Set(g.engine.cy.nodes().map(n => n.data('kind')))].sort()")
    assert kinds == ["Disease", "Therapy", "Trial"]
    assert graph.evaluate("g => g.engine.cy.edges().every(e => e.data('confidence') >= 0.5)")
    assert graph.evaluate("g => g.asOf") == "2024-12-31"
    assert "2024-12-31" in page.locator(".kg-time output").inner_text()


def test_the_slider_plays_what_was_known_when(page: "Page", service: str) -> None:
    """Earlier days show less, in the same places."""
    graph = draw(page, f"{service}/entity/{LUPUS}")
    now, stood = count(graph, "edges"), place(graph, LUPUS)
    slider = page.get_by_role("slider", name="Show what was known on")
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.edges().length < n", arg=now)
    drawn(page)
    assert place(graph, LUPUS) == stood
    assert re.fullmatch(r"\d{4}-(06-30|12-31)", parameters(page)["as-of"][0])
    page.get_by_role("button", name="Play how knowledge grew").click()
    until(page, "n => document.querySelector('kg-graph')?.engine?.cy.edges().length === n", arg=now)


COPIED = {
    "graphView": (f"/entity/{LUPUS}?min=0.5&as-of=2024-12-31", "nodes"),
    "paths": (
        f"/explore/paths?from={THERAPY}&to={GRAVIS}&max-length=3&disputed=0&assume={THERAPY}+depletes+CL:0000786",
        "nodes",
    ),
    "hypotheses": (f"/explore/hypotheses?disease={GRAVIS}&without=HGNC:1633", "nodes"),
    "diff": ("/explore/history?from=0&to=1", "counts"),
}


@pytest.mark.parametrize("name", COPIED)
def test_the_query_of_a_view_runs_as_it_is_copied(page: "Page", service: str, tmp_path: Path, name: str) -> None:
    """One click from looking to programming: GraphQL, curl and Python all run, and give the same."""
    address, field = COPIED[name]
    page.goto(service + address)
    page.locator(".kg-copy > button").first.click()
    panel = page.locator(".kg-copy-panel").first
    until(page, "document.querySelector('.kg-copy-panel pre').innerText.length > 40")

    def copied(language: str) -> str:
        panel.get_by_role("button", name=language, exact=True).click()
        return panel.locator("pre").inner_text()

    said, query = copied("GraphQL").split("\n", 1)
    variables = json.loads(said.removeprefix("# variables: "))
    body = page.request.post(f"{service}/graphql", data={"query": query, "variables": variables}).json()
    assert "errors" not in body
    assert body["data"][name][field]
    written = subprocess.run(["bash", "-c", copied("curl")], capture_output=True, check=True, timeout=60)
    assert json.loads(written.stdout)["data"] == body["data"]
    script = tmp_path / "copied.py"
    script.write_text(copied("Python").replace("import httpx\n", "import httpx2 as httpx\n"))
    printed = subprocess.run([sys.executable, script], capture_output=True, check=True, text=True, timeout=60)
    assert ast.literal_eval(printed.stdout) == body["data"]


def test_suggestions_by_keyboard(page: "Page", service: str) -> None:
    """Arrow keys choose, Escape closes, the active option is announced."""
    page.goto(f"{service}/")
    box = page.get_by_role("combobox").first
    box.fill("myasth")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/entity/**")


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: "Browser", service: str) -> None:
    """And the graph, its tools and the evidence are all within reach of a thumb."""
    context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True, device_scale_factor=2)
    page = context.new_page()
    graph = draw(page, f"{service}/entity/{LUPUS}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert graph.get_by_role("button", name="Filters").evaluate("b => b.getBoundingClientRect().height") >= 40
    graph.evaluate("(g, id) => g.select(id)", disputed_edge(page))
    drawer = page.get_by_role("complementary", name="Details")
    drawer.get_by_text("contradicts").first.wait_for()
    box = drawer.bounding_box()
    assert box
    assert box["y"] > 100
    page.set_viewport_size({"width": 360, "height": 780})
    for path in (f"paths?from={THERAPY}&to={LUPUS}", f"hypotheses?disease={GRAVIS}", "history?from=0&to=1"):
        page.goto(f"{service}/explore/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    context.close()


def test_a_click_finds_its_entity_after_the_page_was_scrolled(page: "Page", service: str) -> None:
    """The place of the canvas on the screen is not remembered from before."""
    graph = draw(page, f"{service}/entity/{LUPUS}")
    box = graph.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.evaluate("scrollBy(0, 140)")
    until(page, "scrollY === 140")
    click_at(page, graph, THERAPY)
    page.get_by_role("complementary", name="Details").get_by_role("link", name="GC012F").first.wait_for()


def test_how_much_is_shown_is_in_the_address(page: "Page", service: str) -> None:
    """More than the usual number of entities, for whoever gets the link too."""
    graph = draw(page, f"{service}/entity/{LUPUS}")
    graph.get_by_role("button", name=re.compile(r"^Show \d")).click()
    until(page, "document.querySelector('kg-graph').engine.cy.nodes().length > 60")
    shown = count(graph)
    until(page, "location.search.includes('max-nodes')")
    assert parameters(page)["max-nodes"] == [str(shown)]
    assert count(draw(page, page.url)) == shown


def test_fingers_zoom_move_drag_and_choose(browser: "Browser", service: str) -> None:
    """Two fingers zoom, one moves the picture or an entity, a tap chooses, two taps expand; the page stays as large as it was."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    page = context.new_page()
    graph = draw(page, f"{service}/entity/{LUPUS}")
    graph.scroll_into_view_if_needed()
    fingers = context.new_cdp_session(page)

    def swipe(*tracks: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Each finger goes from one point to another, in ten steps."""
        for step in range(11):
            points = [
                {"id": i, "x": x + (to_x - x) * step / 10, "y": y + (to_y - y) * step / 10}
                for i, ((x, y), (to_x, to_y)) in enumerate(tracks)
            ]
            kind = "touchMove" if step else "touchStart"
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            page.wait_for_timeout(20)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def seen() -> dict[str, Any]:
        state: dict[str, Any] = graph.evaluate("g => ({zoom: g.engine.cy.zoom(), ...g.engine.cy.pan()})")
        return state

    x, y, wide = graph.evaluate(
        "g => { const b = g.shadowRoot.querySelector('.canvas').getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2, b.width]; }"
    )
    before = seen()
    swipe(((x - 30, y), (x - 120, y)), ((x + 30, y), (x + 120, y)))
    wider = seen()
    assert wider["zoom"] > 1.5 * before["zoom"]
    swipe(((x - 120, y), (x - 30, y)), ((x + 120, y), (x + 30, y)))
    assert seen()["zoom"] < 0.7 * wider["zoom"]
    assert page.evaluate("visualViewport.scale") == 1

    graph.evaluate("g => g.fit()")
    empty = (x - wide / 2 + 12, y - 100)
    before = seen()
    swipe((empty, (empty[0] + 60, empty[1] + 30)))
    moved = seen()
    assert (moved["zoom"], moved["x"] - before["x"] > 30, moved["y"] - before["y"] > 15) == (before["zoom"], True, True)
    graph.evaluate("g => { g.style.height = '22rem'; return new Promise(requestAnimationFrame); }")
    assert seen()["zoom"] == moved["zoom"]  # what a person moved to stays, whatever happens around it

    graph.evaluate("(g, id) => g.focus(id)", LUPUS)
    until(page, "!document.querySelector('kg-graph').engine.cy.animated()")
    stood, (x, y) = place(graph, LUPUS), drawn_at(graph, LUPUS)
    swipe(((x, y), (x + 50, y + 30)))
    assert place(graph, LUPUS)["x"] > stood["x"] + 20
    page.touchscreen.tap(*drawn_at(graph, LUPUS))
    page.locator(".kg-drawer").get_by_text("MONDO:0007915").wait_for()
    page.locator(".kg-drawer").get_by_role("button", name="Close").tap()
    drawn_before = count(graph)
    graph.evaluate("(g, id) => g.focus(id)", THERAPY)
    until(page, "!document.querySelector('kg-graph').engine.cy.animated()")
    page.touchscreen.tap(*drawn_at(graph, THERAPY))
    page.touchscreen.tap(*drawn_at(graph, THERAPY))
    until(page, "n => document.querySelector('kg-graph').engine.cy.nodes().length > n", drawn_before)
    context.close()


def test_the_dark_is_dark(browser: "Browser", service: str) -> None:
    """The canvas follows the system, too."""
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    graph = draw(page, f"{service}/entity/{LUPUS}")
    ground = graph.locator(".frame").evaluate("f => getComputedStyle(f).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 150
    page.emulate_media(color_scheme="light")
    until(
        page,
        "getComputedStyle(document.querySelector('kg-graph').shadowRoot.querySelector('.frame')).backgroundColor === 'rgb(255, 255, 255)'",
    )
    context.close()


def test_when_the_service_is_down_the_servers_picture_is_still_there(browser: "Browser", service: str) -> None:
    """And a sentence says what to do."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/graphql", lambda route: route.abort())
    page.goto(f"{service}/entity/{LUPUS}")
    page.get_by_role("heading", name="does not answer").wait_for()
    assert page.locator("[data-kg-graph] svg a").count() > 3
    page.unroute("**/graphql")
    page.locator("kg-graph").get_by_role("button", name="Try again").click()
    drawn(page)
    context.close()


# ---------------------------------------------------------------- paths and hypotheses
def hide(page: "Page", name: str) -> None:
    """Have the service look as one whose schema has no such query: one that predicts nothing, or an older one."""

    def answer(route: "Route") -> None:
        response = route.fetch()
        body = response.json()
        fields = ((body.get("data") or {}).get("__type") or {}).get("fields")
        if fields:
            body["data"]["__type"]["fields"] = [field for field in fields if field["name"] != name]
        route.fulfill(response=response, json=body)

    page.route("**/graphql", answer)


@pytest.mark.parametrize("query", ["paths", "hypotheses", "history"])
def test_a_page_whose_query_is_missing_says_so(page: "Page", service: str, query: str) -> None:
    """A page over a service that cannot answer it explains itself."""
    hide(page, query)
    page.goto(f"{service}/explore/{query}")
    page.get_by_role("alert").get_by_text(f"does not offer “{query}” yet").wait_for()


def test_hypotheses_join_what_the_page_says(page: "Page", service: str) -> None:
    """Of another domain's kinds, and where the service does not tell its schema."""
    closed = {"errors": [{"message": "GraphQL introspection has been disabled"}]}

    def untold(route: "Route") -> None:
        if "__type" in (route.request.post_data or ""):
            route.fulfill(json=closed)
        else:
            route.continue_()

    def other(route: "Route") -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('ends="therapy', 'ends="compound'))

    page.route("**/graphql", untold)
    page.route("**/explore/hypotheses", other)
    page.goto(f"{service}/explore/hypotheses")
    which = page.get_by_label("Hypotheses about a")
    assert which.locator("option").all_inner_texts() == ["compound", "disease"]


PATH_TEXTS = """query($from: ID!, $to: ID!) {
  paths(from: [$from], to: [$to], where: {maxLength: 3, relations: ["targets", "expressedOn", "drives"]}) { nodes { text } }
}"""


def test_paths_are_a_picture_and_sentences(page: "Page", service: str) -> None:
    """Two ends and a limit; each step opens its evidence; leaving one out asks again."""
    graph = draw(page, f"{service}/explore/paths?from={THERAPY}&to={GRAVIS}&maxLength=3")
    sentences = page.locator(".kg-paths li")
    assert sentences.count() == 10
    assert place(graph, THERAPY)["x"] < place(graph, GRAVIS)["x"]
    first = sentences.first.inner_text()
    sentences.first.locator(".kg-step").first.click()
    page.get_by_role("button", name="What if this were not so?").click()
    until(
        page,
        "text => document.querySelector('.kg-paths li') && document.querySelector('.kg-paths li').innerText !== text",
        arg=first,
    )
    assert "without" in parameters(page)


def test_names_in_a_path_agree_with_its_verbs(page: "Page", service: str) -> None:
    """“B cells drive …”, as the service says it."""
    page.goto(f"{service}/explore/paths?from={THERAPY}&to={GRAVIS}&maxLength=3&relations=targets,expressedOn,drives")
    page.locator(".kg-paths li").first.wait_for()
    said = [" ".join(line.split()) for line in page.locator(".kg-paths .kg-steps").all_inner_texts()]
    asked = {"query": PATH_TEXTS, "variables": {"from": THERAPY, "to": GRAVIS}}
    paths = page.request.post(f"{service}/graphql", data=asked).json()["data"]["paths"]["nodes"]
    assert said == [path["text"].replace(", which", "") for path in paths]
    assert any(" cells drive " in line for line in said)
    page.locator(".kg-step", has_text="drive").first.click()
    assert re.search(r"(cell|blast)s drive ", page.locator(".kg-drawer h2").inner_text())


LINKS = (
    "relations=targets,expressedOn,drives",
    "maxLength=3&min=0.2&order=NOVELTY",  # as earlier versions wrote them
    "max-length=3&min-length=3&order=length&diverse=1",
    "metapath=targets,expressedOn,drives",
    "via=HGNC:1633&avoid=CL:0000785&kinds=Target,CellPopulation",
    "max-length=4&levels=REVIEW,MECHANISTIC,CASE_SERIES,CURATED_REFERENCE,SINGLE_ARM_TRIAL,RANDOMIZED_TRIAL,PRECLINICAL&direction=out&disputed=false&signs=-1",
    f"max-length=3&assume={THERAPY}+depletes+CL:0000785&without=HGNC:1633&as-of=2024-12-31",
    "max-length=3&min-confidence=0.45",
)


@pytest.mark.parametrize("chosen", LINKS)
def test_a_link_to_paths_means_the_same_with_scripts_and_without(
    browser: "Browser", page: "Page", service: str, chosen: str
) -> None:
    """Every constraint is read from the address, is in the controls, and is written back."""
    link = f"/explore/paths?from={THERAPY}&to={GRAVIS}&{chosen}"
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(service + link)
    said = [" ".join(text.split()) for text in plain.locator("ol.paths .who").all_inner_texts()]
    context.close()
    page.goto(service + link)
    page.locator(".kg-paths li").first.wait_for()

    def shown() -> list[str]:
        return [" ".join(text.split()) for text in page.locator(".kg-paths .kg-steps").all_inner_texts()]

    assert said == shown()
    assert said
    again = page.url  # as the page writes it
    page.goto("about:blank")
    page.goto(again)
    page.locator(".kg-paths li").first.wait_for()
    assert said == shown()
    assert page.url == again


def test_constraints_on_paths_are_controls(page: "Page", service: str) -> None:
    """A metapath is put together from what may follow; boxes and lists say what was chosen, in the address too."""
    draw(
        page, f"{service}/explore/paths?from={THERAPY}&to={GRAVIS}&max-length=3"
    )  # a constraint: its controls are open
    step = page.get_by_label("Add a step")
    step.select_option("targets")
    step.select_option("expressedOn")
    assert not step.locator("option[value=treats]").count()  # no treatment is given by a cell
    step.select_option("drives")
    until(page, "document.querySelectorAll('.kg-paths li').length > 0")
    assert parameters(page)["metapath"] == ["targets,expressedOn,drives"]
    page.get_by_role("button", name="Remove step 2").click()
    page.get_by_role("button", name="Remove step 1").click()
    page.get_by_text("Relations:").click()
    for name in ("targets", "is expressed on", "drive"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("Disputed edges").select_option("0")
    page.get_by_text("Relations: targets, is expressed on, drive").wait_for()
    assert parameters(page)["relations"] == ["targets,expressedOn,drives"]
    assert parameters(page)["disputed"] == ["0"]
    assert "metapath" not in parameters(page)
    until(
        page,
        "document.querySelector('kg-graph')?.engine?.cy.edges().every(e => ['targets', 'expressedOn', 'drives'].includes(e.data('relation')))",
    )


def test_hypotheses_are_a_table_that_answers_what_if(page: "Page", service: str) -> None:
    """Sorted by any column, for and against side by side, ranks before and after."""
    page.goto(f"{service}/explore/hypotheses?disease={GRAVIS}")
    rows = page.locator(".kg-hypotheses tbody th")
    rows.first.wait_for()
    page.get_by_role("button", name="Suggested", exact=True).click()
    names = [name.lower() for name in rows.all_inner_texts()]
    assert names == sorted(names)
    rows.first.get_by_role("button").click()
    page.get_by_role("heading", name="Against").wait_for()
    page.get_by_role("button", name="Assume this").first.click()
    page.locator(".kg-scenario").wait_for()
    assert "assume" in parameters(page)
    page.locator(".kg-hypotheses tbody .kg-up").first.wait_for()  # ranks move


def test_history_says_who_changed_what(page: "Page", service: str) -> None:
    """Versions, and what any two differ in, counted in full and listed in part."""
    page.goto(f"{service}/explore/history")
    page.locator(".kg-history tbody button").last.click()
    page.get_by_role("heading", name="From version 0 to 1").wait_for()
    added = page.locator(".kg-diff details").filter(has_text="assertions added")
    added.locator("summary").click()
    assert added.locator("li").count() == 101
    assert "more; the query asks" in added.locator("li").last.inner_text()
    assert added.locator("li a").first.get_attribute("href")
    assert parameters(page) == {"from": ["0"], "to": ["1"]}
    page.goto(f"{service}/explore/history?from=0&to=77")
    page.get_by_role("alert").get_by_text("77").wait_for()
    assert page.get_by_label("To version").input_value() == "1"


# ---------------------------------------------------------------- without scripts
PLAIN = {
    "front": ("/", "CARTograph"),
    "entity": (f"/entity/{LUPUS}", "systemic lupus erythematosus"),
    "paths": (f"/explore/paths?from={THERAPY}&to={GRAVIS}&maxLength=3", "Paths from GC012F to myasthenia gravis"),
    "hypotheses": (f"/explore/hypotheses?disease={GRAVIS}", "Hypotheses about myasthenia gravis"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_without_scripts_every_page_is_complete_on_a_small_phone(browser: "Browser", service: str, name: str) -> None:
    """The base layer: nothing wider than 360 px, evidence in what opens by itself, and axe finds nothing serious."""
    context = browser.new_context(viewport={"width": 360, "height": 700}, java_script_enabled=False)
    page = context.new_page()
    address, heading = PLAIN[name]
    page.goto(service + address)
    page.get_by_role("heading", level=1, name=heading).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if name != "front":
        page.locator("main summary").first.click()
        assert page.locator("main details[open] > :not(summary)").first.is_visible()
    context.close()


# ---------------------------------------------------------------- hostile text
HOSTILE = '"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'


def hostile(route: "Route") -> None:
    """The service's answer with every text made hostile."""
    answer = route.fetch()
    route.fulfill(response=answer, json=spoilt(answer.json()))


def spoilt(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: spoilt(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [spoilt(item, name) for item in value]
    if name == "url":
        return "javascript:window.hurt=1"
    return HOSTILE if name in {"label", "phrase", "inversePhrase", "matched", "citation", "comment", "text"} else value


def test_hostile_text_never_runs(page: "Page", service: str) -> None:
    """Labels, phrases, citations, comments and addresses come from files that anyone may have written."""
    page.route("**/graphql", hostile)
    graph = draw(page, f"{service}/entity/{LUPUS}")
    graph.get_by_role("button", name="Table").click()
    graph.evaluate("(g, id) => g.select(id)", disputed_edge(page))
    drawer = page.get_by_role("complementary", name="Details")
    drawer.locator(".kg-evidence li").first.wait_for()
    assert HOSTILE in drawer.inner_text()
    assert drawer.locator("a[href^=javascript], img, script").count() == 0
    page.get_by_role("combobox").first.fill("lupus")
    page.get_by_role("option").first.wait_for()
    svg = graph.evaluate("g => g.exportSVG()")
    tags = page.evaluate(
        """svg => { const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
        return [parsed.querySelector('parsererror, script, img, foreignObject, [onerror], a[href]') === null,
                parsed.querySelectorAll('text').length]; }""",
        svg,
    )
    assert tags[0]
    assert tags[1] > 10
    assert page.evaluate("window.hurt") is None
