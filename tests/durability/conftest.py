"""Fixtures of the durability tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability.disk import Disk, compile_shim

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory where there is one: what a killed process wrote is kept there as well, and syncing is free."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def disk(shim: Path, tmp_path: Path) -> Disk:
    return Disk(shim, tmp_path)
