"""A service in a process of its own, as users start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from kg.tokens import TokenFile
from tests.conftest import COMPILED, ROOT, TINY


class Live:
    """``kg serve`` on the tiny graph, or on what ``folder / "data"`` holds; ``stop`` returns what it logged."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.data = folder / "data"
        command = [sys.executable, "-m", "kg", "serve", "--port", "0", "--data", str(self.data), "--seeds", str(TINY)]
        command += options
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KG_")}
        kept["KG_COMPILED"] = str(COMPILED).lower()
        self.process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**kept, "KG_LOG_FORMAT": "json", **environment}
        )
        self._lines: list[str] = []
        self._serving = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._serving.wait(60) or not hasattr(self, "url"):
            raise AssertionError(self.stop())

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)
            if '"event": "serving"' in line:
                self.url = json.loads(line)["url"] + "graphql"
                self._serving.set()
        self._serving.set()

    @property
    def socket_url(self) -> str:
        """Where its WebSockets are."""
        return self.url.replace("http", "ws", 1)

    @property
    def key(self) -> str:
        """The secret for this machine's own user."""
        return (self.data / "service.key").read_text(encoding="utf-8")

    def token(self, role: str, name: str = "someone") -> str:
        """Return the secret of a new token."""
        return TokenFile(self.data).create(name, role)

    def post(self, query: str, variables: dict[str, Any], **headers: str) -> Any:
        """Return the body of the answer, whatever its status."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def stop(self, seconds: float = 30) -> str:
        """Ask it to stop and return all it logged."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(seconds)
        self._reader.join(seconds)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return "".join(self._lines)
