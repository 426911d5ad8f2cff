"""A process on the failing disk (shim.c): makes a change while something fails, asks again, and tells what happened.

    python -m tests.durability.faults DATA CASES LOG_BYTES

CASES is JSON: a list of [operation, errno, part of the file name, skip, count]. LOG_BYTES is how long the log may grow.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

import kg.store
from kg.errors import KGError
from kg.store import Store
from tests.durability.writer import document


def attempt(store: Store, name: str, expected: int) -> dict[str, Any]:
    """Make a change and return what came of it."""
    try:
        change = store.load([document("a", name)], message="m", author="a", change_id=name, expected_version=expected)
    except KGError as error:
        return {"error": type(error).__name__, "said": str(error)}
    return {"version": change.version if change else None}


def made(store: Store, name: str, expected: int) -> dict[str, Any]:
    """Ask for a change until it is made: what failed in the background strikes the next write, too."""
    return next(told for _ in range(5) if "version" in (told := attempt(store, name, expected)))


def values(store: Store) -> list[str] | str:
    """Return the values that the graph has, or why it cannot be read."""
    try:
        return sorted({t.object.value for t in store.triples() if t.predicate.value == "http://x/n"})
    except KGError as error:
        return str(error)


def run(data: Path, case: tuple[str, int, str, int, int]) -> dict[str, Any]:
    """Let something fail during the second change, and ask for it again when the disk is well."""
    operation, error, part, skip, count = case
    shim = ctypes.CDLL(None)
    with Store(data, free_bytes=0) as store:
        attempt(store, "one", 0)
        shim.shim_fail(ord(operation), error, skip, count, part.encode())
        first = attempt(store, "two", 1)
        during = values(store)
        again = attempt(store, "two", 1)
        hits = shim.shim_fail(ord("-"), 0, 0, 0, b"")
        after, third = made(store, "two", 1), made(store, "three", 2)
    with Store(data, free_bytes=0) as store:
        store.verify()
        reopened = [store.version, values(store)]
    return {
        "hits": hits, "first": first, "during": during, "again": again, "after": after, "third": third,
        "reopened": reopened,
    }  # fmt: skip


def main(folder: str, cases: str, log_bytes: str) -> None:
    """Run the cases, each in a data folder of its own, and print what happened in each as one line of JSON."""
    kg.store.LOG_BYTES = int(log_bytes)
    for number, case in enumerate(json.loads(cases)):
        print(json.dumps(run(Path(os.environ["SHIM_DATA"]) / folder / str(number), case)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
