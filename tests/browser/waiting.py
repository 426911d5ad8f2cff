"""Waiting for a page whose policy forbids eval."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS = 30


def until(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until an expression holds in a page.

    Playwright's ``wait_for_function`` polls with eval inside the page, which our Content-Security-Policy forbids from
    the second look on; each ``evaluate`` from outside is allowed.
    """
    deadline = time.monotonic() + SECONDS
    while not page.evaluate(expression, arg):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {SECONDS} s this still does not hold: {expression}")
        page.wait_for_timeout(50)
