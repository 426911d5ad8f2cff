"""Take the README's pictures: ``python -m tests.browser.screenshot [URL] [NAME…]`` (a service must be running there)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium
from tests.browser.explorer import GRAVIS, LUPUS, THERAPY, draw

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[2] / ".readme"
QUESTION = "LupusEvidence"


def graphiql(page: Page, url: str) -> None:
    """GraphiQL with one example and its answer."""
    page.goto(f"{url}/graphql")
    page.wait_for_selector(".graphiql-query-editor .view-line")
    page.get_by_role("tablist").get_by_role("button", name=QUESTION, exact=True).click()
    page.wait_for_timeout(1_000)
    with page.expect_response("**/graphql"):
        page.get_by_role("button", name="Execute query").click()
    page.wait_for_timeout(2_000)


def search(page: Page, url: str) -> None:
    """Suggestions on the front page."""
    page.goto(f"{url}/")
    page.get_by_role("combobox").first.fill("lup")
    page.get_by_role("option").first.wait_for()


def explorer(page: Page, url: str) -> None:
    """An entity's page with its graph."""
    draw(page, f"{url}/entity/{LUPUS}")


def evidence(page: Page, url: str) -> None:
    """The evidence of a disputed edge beside the graph."""
    graph = draw(page, f"{url}/entity/{LUPUS}")
    graph.evaluate("g => g.select(g.engine.cy.edges('[disputed = 1]')[0].id())")
    page.locator(".kg-evidence li").first.wait_for()


def dark(page: Page, url: str) -> None:
    """The same in the dark, with filters and table open."""
    page.emulate_media(color_scheme="dark")
    graph = draw(page, f"{url}/entity/{LUPUS}?kinds=Therapy,Target,CellPopulation,Disease,Risk")
    graph.get_by_role("button", name="Table").click()
    graph.get_by_role("button", name="Filters").click()


def phone(page: Page, url: str) -> None:
    """The same on a phone."""
    page.set_viewport_size({"width": 390, "height": 780})
    draw(page, f"{url}/entity/{THERAPY}")
    page.locator("kg-graph").scroll_into_view_if_needed()


def paths(page: Page, url: str) -> None:
    """How two things connect."""
    page.set_viewport_size({"width": 1360, "height": 1040})
    draw(page, f"{url}/explore/paths?from={THERAPY}&to={GRAVIS}&maxLength=3")
    page.locator(".kg-more > summary").click()
    page.locator(".kg-paths li").nth(2).dispatch_event("mouseenter")


def hypotheses(page: Page, url: str) -> None:
    """What the graph suggests for a disease, one case open."""
    page.goto(f"{url}/explore/hypotheses?disease={GRAVIS}")
    page.locator(".kg-hypotheses tbody th button").first.click()
    page.locator(".kg-detail").wait_for()


def history(page: Page, url: str) -> None:
    """Who changed what."""
    page.goto(f"{url}/explore/history?from=0&to=1")
    page.locator(".kg-diff summary").last.click()


VIEWS: dict[str, Callable[[Page, str], None]] = {
    each.__name__: each for each in (graphiql, search, explorer, evidence, dark, phone, paths, hypotheses, history)
}


def main(url: str, names: list[str]) -> None:
    """Open each view and keep what is seen."""
    path = chromium()
    if path is None:
        raise SystemExit("no browser: install Debian's chromium, or name one in KG_BROWSER")
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        for name in names or VIEWS:
            page = browser.new_page(viewport={"width": 1360, "height": 860}, color_scheme="light")
            page.set_default_timeout(20_000)
            VIEWS[name](page, url)
            page.wait_for_timeout(600)
            page.screenshot(path=str(FOLDER / f"{name}.png"))
            page.close()
        browser.close()


if __name__ == "__main__":
    main((sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/"), sys.argv[2:])
