"""Memory that is let go does not stay with the process."""

import ctypes
from pathlib import Path

import pytest

from kg.memory import give_back


def resident() -> int:
    """Return the process's resident bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library cannot give memory back")
def test_what_lies_between_things_in_use_is_given_back() -> None:
    things = [bytes(2_000) for _ in range(100_000)]
    kept = things[::1_000]
    del things
    before = resident()
    give_back()
    assert resident() < before - 100_000_000
    assert len(kept) == 100
