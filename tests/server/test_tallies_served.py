"""What p-values took is written by processes of the service that may write, and read by all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.graph import open_service
from server.roles import open_follower, open_store
from server.settings import Settings
from tests.conftest import TINY


@pytest.mark.parametrize("read_only", [False, True])
def test_a_service_that_only_reads_leaves_the_snapshot_alone(tmp_path: Path, read_only: bool) -> None:
    open_service(tmp_path / "data", seeds=TINY).close()
    settings = Settings(data=tmp_path / "data", read_only=read_only, tally_bytes=1_000)
    assert open_follower(settings).snapshot.beside.most_bytes == (0 if read_only else 1_000)


def test_the_process_that_writes_keeps_as_much_as_is_set(tmp_path: Path) -> None:
    open_service(tmp_path / "data", seeds=TINY).close()
    service = open_store(Settings(data=tmp_path / "data", seeds=TINY, tally_bytes=1_000))
    assert service.snapshot.beside.most_bytes == 1_000
    service.close()
