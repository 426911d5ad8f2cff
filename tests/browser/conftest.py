"""A real browser against a real service. Skipped, with the reason, where there is no browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from server.web.assets import WebAssets

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing but the page may speak: names off this machine do not even resolve.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
START_SECONDS = 60


def chromium() -> str | None:
    """`$KG_BROWSER`, else the first known name on PATH. Playwright's own download is never used."""
    names = (os.environ.get("KG_BROWSER", ""), *CHROMIUMS)
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One Chromium a module. Not a session: playwright's event loop would be running under all later tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install '.[browser]'")
    path = chromium()
    if path is None:
        pytest.skip("no browser: install Debian's chromium, or name one in KG_BROWSER")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, *(["--no-sandbox"] if as_root else [])]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running service with the seeds in it; `KG_TEST_URL` names one that runs already."""
    if address := os.environ.get("KG_TEST_URL"):
        yield address.rstrip("/")
        return
    folder = tmp_path_factory.mktemp("service")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "kg", "serve", "--port", port, "--data", str(folder / "data")]
    environ = {**os.environ, "KG_CORS_ORIGINS": "*"}  # for the page of another origin in test_kg_graph.py
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns when `/ready` answers 200; fails with the service's own words when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=5):
                return
        except urllib.error.HTTPError as problem:  # 503: still loading
            problem.close()
        except OSError:
            pass
        time.sleep(0.1)
    ended = "did not become ready" if process.poll() is None else f"ended with code {process.returncode}"
    pytest.fail(f"the service {ended}:\n{log.read_text(errors='replace')[-4000:]}", pytrace=False)


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """An empty page with storage of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def quiet(page: "Page") -> Iterator[list[str]]:
    """Fails the test on a script error, a console error (a policy violation is one), or a request off this machine."""
    problems: list[str] = []

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOOPBACK:
            problems.append(f"asked for {url}")

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda websocket: asked(websocket.url))
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("console", lambda line: problems.append(f"console: {line.text}") if line.type == "error" else None)
    yield problems
    assert problems == []


@pytest.fixture
def built() -> WebAssets:
    """The built browser files. Only `KG_WEB=skip` excuses their absence."""
    assets = WebAssets()
    if not assets.built and os.environ.get("KG_WEB") == "skip":
        pytest.skip(assets.missing_reason)
    assert assets.missing_reason == ""
    return assets
