"""The disk is full: a clear error, reading goes on, and it recovers when there is room again."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg.cli import main
from kg.documents import Document
from kg.errors import StoreError, StoreFull
from kg.reading import name_nodes, read_text
from kg.store import Store
from tests.durability.disk import small_disk


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 16) as disk:
        yield disk


def much(name: str, megabytes: int) -> Document:
    lines = (f'<http://x/{name}{j}> <http://x/n> "{os.urandom(2048).hex()}" .' for j in range(megabytes * 250))
    return name_nodes(read_text("\n".join(lines).encode(), "nt", name))


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
    return ballast


def test_a_disk_that_fills_up_during_a_load_is_survived_without_a_restart(small: Path) -> None:
    with Store(small / "data", free_bytes=1 << 20) as store:
        store.load([much("a", 1)], message="m", author="a")
        before = store.quads()
        big = much("b", 8)
        for _ in range(2):
            with pytest.raises(StoreFull, match=r"Free some space; reading goes on"):
                store.load([big], message="m", author="a", change_id="big")
            assert (store.version, store.quads_at(1)) == (1, before), "reading goes on"
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        change = store.load([big], message="m", author="a", change_id="big")
        assert change
        assert (change.version, store.load([big], message="m", author="a", change_id="big")) == (2, change)
        store.verify()
    with Store(small / "data") as store:
        assert (store.version, store.quads_at(1)) == (2, before)


def test_too_little_room_is_noticed_before_anything_is_written(small: Path) -> None:
    with Store(small / "data", free_bytes=20 << 20) as store:
        with pytest.raises(StoreFull, match="15 MB free and 20 MB are needed"):
            store.load([much("a", 1)], message="m", author="a")
        assert store.version == 0


def test_a_store_that_does_not_open_on_a_full_disk_says_so_and_how_to_open_it(small: Path) -> None:
    """It must not be called damaged: nobody should delete or replace a store for want of room."""
    with Store(small / "data", free_bytes=0) as store:
        store.load([much("a", 1)], message="m", author="a")
        before = store.quads()
    ballast = fill(small)
    with pytest.raises(StoreFull, match=r"its disk is full.*Nothing is lost\. Free 64 MB.*delete nothing"):
        Store(small / "data", free_bytes=0)
    said = CliRunner().invoke(main, ["doctor", "--data", str(small / "data")])
    assert (said.exit_code, "delete nothing inside it" in said.output) == (2, True)
    ballast.unlink()
    with Store(small / "data", free_bytes=0) as store:
        store.verify()
        assert store.quads() == before


def test_a_backup_that_does_not_fit_leaves_nothing_behind(small: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "data", free_bytes=0) as store:
        store.load([much("a", 4)], message="m", author="a")
        fill(small)
        with pytest.raises(StoreError, match="is full"):
            store.backup(small / "backup")
    assert [path.name for path in small.iterdir()] == ["ballast"]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["graph", "head.json", "lock"]
