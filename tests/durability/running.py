"""Starting the writer, and ending it at a random moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT


class Writing:
    """A writer process on a data folder."""

    def __init__(self, data: Path, acks: Path, mode: str, environ: Mapping[str, str] | None = None) -> None:
        self.acks = acks
        acks.touch()
        self.before = acks.stat().st_size
        command = [sys.executable, "-m", "tests.durability.writer", str(data), str(acks), mode]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(environ or {})})

    def wait(self, count: int = 1) -> None:
        """Wait until so many changes were acknowledged."""
        deadline = time.monotonic() + 60
        while len(self._lines()) < count:
            assert self.process.poll() is None, "the writer ended by itself"
            assert time.monotonic() < deadline, "the writer does not get on"
            time.sleep(0.005)

    def kill(self) -> int:
        """Kill it and return the last version that was acknowledged."""
        self.process.kill()
        self.process.wait()
        return int(self._lines()[-1])

    def kill_sometime(self, chance: random.Random) -> int:
        """Kill it right after an acknowledgement, or at any moment."""
        self.wait()
        if chance.random() < 0.5:
            self.wait(len(self._lines()) + 1)
        else:
            time.sleep(chance.uniform(0, 0.3))
        return self.kill()

    def _lines(self) -> list[str]:
        text = self.acks.read_text(encoding="utf-8")[self.before :]
        return text[: text.rfind("\n") + 1].split()
