"""The long form of the durability tests."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from tests.durability.rounds import VARIABLE

ABOUT = """\
Run the durability tests in their long form: every test that repeats something at random (killing a
process, cutting the power, failing a write, damaging a file, a random history) repeats it N times.
`pytest` alone runs the same tests with a few rounds each.

Killing needs nothing special. The tests of power cuts and failing writes need gcc (they compile a shim
for LD_PRELOAD); those of a real ext4 file system and of a full disk need root, for mount. What cannot
run is skipped, and the summary says why.
"""


def main() -> int:
    """Run the tests; returns pytest's exit code."""
    parser = argparse.ArgumentParser(
        "python -m tests.durability", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=50, metavar="N", help="rounds of each test (default: 50)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only tests whose names match, as for pytest -k")
    parser.add_argument("--seed", type=int, help="seed of the random moments; another one each time by default")
    given = parser.parse_args()
    os.environ[VARIABLE] = str(given.rounds)
    if given.seed is not None:
        os.environ["KG_DURABILITY_SEED"] = str(given.seed)
    only = ["-k", given.only] if given.only else []
    return int(pytest.main([str(Path(__file__).parent), "-v", "-rs", "-s", "--durations=10", *only]))


if __name__ == "__main__":
    sys.exit(main())
