"""axe finds nothing serious on any page, in light and in dark."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser.explorer import GRAVIS, LUPUS, THERAPY, drawn, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = Path(__file__).resolve().parents[2] / "server/web/node_modules/axe-core/axe.min.js"
PAGES = {
    "front": "/",
    "search": "/search?q=lupus",
    "entity": f"/entity/{LUPUS}",
    "paths": "/explore/paths",
    "hypotheses": "/explore/hypotheses",
    "history": "/explore/history",
}
RESULTS = {
    "paths": f"/explore/paths?from={THERAPY}&to={GRAVIS}&maxLength=3",
    "hypotheses": f"/explore/hypotheses?disease={GRAVIS}",
    "history": "/explore/history?from=0&to=1",
}


@pytest.fixture(scope="module")
def axe() -> str:
    """The checker's script, from the development packages of `server/web`."""
    if not AXE.is_file():
        pytest.skip("no axe-core: run `npm ci` in server/web")
    return AXE.read_text("utf-8")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_violation(
    browser: "Browser", service: str, axe: str, name: str, scheme: Literal["light", "dark"]
) -> None:
    """With the graph drawn, its filters and table open, and the evidence at the side."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(service + PAGES[name])
    page.wait_for_load_state("networkidle")
    found = violations(page, axe)
    if name == "entity":
        graph = drawn(page)
        graph.get_by_role("button", name="Filters").click()
        graph.get_by_role("button", name="Table").click()
        found += violations(page, axe)
        graph.evaluate("g => g.select(g.engine.cy.edges('[disputed = 1]')[0].id())")
        page.locator(".kg-evidence li").first.wait_for()
        page.locator(".kg-live .kg-copy > button").click()
        found += violations(page, axe)
    context.close()
    assert [re.sub(r"\s+", " ", line) for line in dict.fromkeys(found)] == []


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", RESULTS)
def test_axe_finds_no_serious_violation_in_results(
    browser: "Browser", service: str, axe: str, name: str, scripts: bool
) -> None:
    """With scripts, and with the server's own drawing in their place."""
    context = browser.new_context(viewport={"width": 360, "height": 780}, bypass_csp=True)
    page = context.new_page()
    if not scripts:
        page.route("**/static/explorer.js", lambda route: route.abort())
    page.goto(service + RESULTS[name])
    page.wait_for_load_state("networkidle")
    if scripts and name == "hypotheses":
        page.locator(".kg-hypotheses tbody th button").first.click()
    found = violations(page, axe)
    context.close()
    assert [re.sub(r"\s+", " ", line) for line in dict.fromkeys(found)] == []
