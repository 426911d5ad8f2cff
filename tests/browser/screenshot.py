"""Take the README's picture: ``python -m tests.browser.screenshot [URL]`` (a service must be running there)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium

PICTURE = Path(__file__).resolve().parents[2] / ".readme" / "graphiql.png"
QUESTION = "LupusEvidence"


def main(url: str) -> None:
    """Open GraphiQL, run one example, and keep what is seen."""
    path = chromium()
    if path is None:
        raise SystemExit("no browser: install Debian's chromium, or name one in KG_BROWSER")
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(viewport={"width": 1360, "height": 820}, color_scheme="light")
        page.goto(f"{url}/graphql")
        page.wait_for_selector(".graphiql-query-editor .view-line")
        page.get_by_role("tablist").get_by_role("button", name=QUESTION, exact=True).click()
        page.wait_for_timeout(1_000)
        with page.expect_response("**/graphql"):
            page.get_by_role("button", name="Execute query").click()
        page.wait_for_timeout(2_000)
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=str(PICTURE))
        browser.close()


if __name__ == "__main__":
    main((sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/"))
