"""The official GraphQL-over-HTTP audits (npm graphql-http) against a service as users start it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node import installed

ROOT = Path(__file__).resolve().parents[2]
AUDITS = ROOT / "tests" / "audits"
TINY = ROOT / "tests" / "data" / "tiny"
COUNT = 61  # audits in the pinned version of graphql-http
START_SECONDS = 60


@pytest.fixture(scope="module")
def packages() -> Path:
    """A folder with audit.mjs and its packages; installs them on first use."""
    return installed(AUDITS)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the service answers; fails with its log where it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"kg serve did not become ready:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module", params=["true", "false"], ids=["compiled", "interpreted"])
def service(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a running service with the tiny graph in it, on each executor."""
    folder = tmp_path_factory.mktemp("audited")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "kg", "serve", "--host", "127.0.0.1", "--port", port]
    command += ["--data", str(folder / "data"), "--seeds", str(TINY)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KG_")}
    environment["KG_COMPILED"] = request.param
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_every_audit_passes(packages: Path, service: str) -> None:
    command = ["node", "audit.mjs", f"{service}/graphql"]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    failing = [f"{r['id']} {r['name']}: {r['status']}, {r['reason']}" for r in results if r["status"] != "ok"]
    assert not failing, f"{len(failing)} of {len(results)} audits:\n" + "\n".join(failing)
    assert len(results) == COUNT


def test_lock_file_names_no_registry() -> None:
    packages = json.loads((AUDITS / "package-lock.json").read_bytes())["packages"]
    assert not [name for name, about in packages.items() if "resolved" in about]
    assert all("integrity" in about for name, about in packages.items() if name)
