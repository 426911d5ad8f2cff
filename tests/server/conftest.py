"""Fixtures of the tests of the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.live import Live


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A service of its own for one test."""
    service = Live(tmp_path)
    yield service
    service.stop()
