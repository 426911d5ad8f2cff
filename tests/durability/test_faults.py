"""The disk fails during a write: the error is clear, nothing acknowledged is lost, asking again is safe."""

import errno
import json
import os
import random
import re
import subprocess
import sys
from typing import Any

import pytest

from kg.store import LOG_BYTES
from tests.conftest import ROOT
from tests.durability.disk import Disk
from tests.durability.rounds import chance, rounds

PARTS = [".log", ".sst", "MANIFEST", "CURRENT", "head.json", ""]
KNOWN = r"the change was (not )?kept"
CASES = [
    ("w", errno.EIO, ".log", 0, 1),
    ("w", errno.ENOSPC, "", 0, -1),
    ("w", errno.ENOSPC, "head.json", 0, 1),
    ("s", errno.EIO, ".log", 0, 1),
    ("s", errno.EIO, ".log", 0, -1),
    ("s", errno.EIO, "head.json", 0, 1),
]
TABLES = [
    ("s", errno.EIO, ".sst", 0, 1),
    ("s", errno.EIO, "MANIFEST", 0, -1),
]
IN_THE_BACKGROUND = {".sst", "MANIFEST", "CURRENT"}  # what is written when the change is safe in the log


def random_case(moments: random.Random) -> tuple[str, int, str, int, int]:
    operation, error = moments.choice([("w", errno.EIO), ("w", errno.ENOSPC), ("s", errno.EIO)])
    return operation, error, moments.choice(PARTS), moments.randrange(12), moments.choice([1, 2, -1])


def run(disk: Disk, cases: list[Any], log_bytes: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.durability.faults", "cases", json.dumps(cases), str(log_bytes)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **disk.begin()}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("log_bytes", "named"), [(LOG_BYTES, CASES), (0, [*CASES, *TABLES])], ids=["log", "tables"])
def test_a_failing_disk_costs_no_acknowledged_change_and_asking_again_is_safe(
    disk: Disk, log_bytes: int, named: list[Any]
) -> None:
    """What became of the change is said where it can be known; the same change id never makes it twice."""
    moments, struck = chance(), 0
    cases = [*named, *(random_case(moments) for _ in rounds(0))]
    later = IN_THE_BACKGROUND if log_bytes else set()
    for case, told in zip(cases, run(disk, cases, log_bytes), strict=True):
        where = json.dumps([case, told], indent=1)
        first = told["first"]
        if told["hits"] and case[2] and case[2] not in later:
            assert "error" in first or case[3], where  # a later write may strike what comes after the change
        if "error" in first:
            assert first["error"] in {"StoreError", "StoreFull"}, where
            assert re.search(rf"Writing version 2 .* failed .*({KNOWN}|unknown until the next write)", first["said"]), (
                where
            )
        readable = told["during"] in (["one"], ["two"])
        assert readable or "could not be opened again" in told["during"], where
        if case[1] == errno.ENOSPC:
            assert readable, f"reading goes on: {where}"
        if "version" in first:
            assert first["version"] == 2, where
            assert told["during"] == ["two"], where
        assert told["after"] == {"version": 2}, where
        assert told["third"] == {"version": 3}, where
        assert told["reopened"] == [3, ["three"]], where
        struck += told["hits"] > 0
    assert struck >= len(named), "the shim does make writes fail"
