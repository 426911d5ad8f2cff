"""Backups: making one, also of a store that another process serves, examining one, and putting one back.

A running service need not help. What it acknowledged is in files that never change once written, so a
copy of the files taken in the right order either holds that, which reading all of it proves, or is
thrown away and taken again.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kg.disk import CHECKPOINT, HEAD, Head, copy_graph, disk_named, make_folder, not_there, read_head, write_head
from kg.errors import BadInput, StoreDamaged, StoreError, StoreFull, StoreLocked
from kg.store import Store

ATTEMPTS = 10


@contextmanager
def opened(data: Path) -> Iterator[Store]:
    """Give the store in a data folder, or, while another process has it open, a store of a copy of its files.

    Raises BadInput where there is none: looking at a store must not make one.
    """
    try:
        store = existing(data)
    except StoreLocked:
        with _copied(data) as store:
            yield store
        return
    with store:
        yield store


def existing(data: Path) -> Store:
    """Open the store in a data folder; raises BadInput where there is none, and as ``Store`` does."""
    if not (data / "graph").exists():
        raise BadInput(f"There is no store in {data}. `kg load FILE --data {data}` makes one.")
    return Store(data)


def backup(data: Path, folder: Path) -> int:
    """Copy the store in a data folder, served or not, into a new folder, and return the version copied."""
    not_there(folder)
    with opened(data) as store:
        store.verify()
        store.backup(folder)
        return store.version


def restore(folder: Path, data: Path) -> int:
    """Put a backup in the place of an empty or missing data folder, after reading all of it; return its version.

    The backup is only read. Until the copy of it is found to be sound, there is nothing in the data folder.
    """
    head = read_head(folder)
    if head is None:
        raise BadInput(f"{folder} is no backup: it has no {HEAD}.")
    if data.exists() and any(data.iterdir()):
        raise BadInput(f"{data} is not empty. Move it away first, so that nothing is overwritten.")
    fresh = data.with_name(f"{data.name}.{uuid.uuid4().hex[:8]}.new")
    try:
        with disk_named(f"{data} cannot be written", data):
            copy_graph(folder / "graph", fresh, head)
        with Store(fresh) as store:
            store.verify()
            version = store.version
        with disk_named(f"{data} cannot be written", data):
            if data.exists():
                data.rmdir()
            fresh.rename(data)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return version


@contextmanager
def _copied(data: Path) -> Iterator[Store]:
    aside = data / f"{CHECKPOINT}{uuid.uuid4().hex}"
    try:
        with _sound_copy(data, aside) as store:
            yield store
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sound_copy(data: Path, aside: Path) -> Store:
    """Return an open store of a copy, in which all that was acknowledged when it was begun is there and agrees."""
    failed: Exception | None = None
    for _ in range(ATTEMPTS):
        head = read_head(data)
        if head is None:
            raise StoreDamaged(f"{data} has no {HEAD}.")
        shutil.rmtree(aside, ignore_errors=True)
        try:
            with disk_named(f"{aside} cannot be written", aside):
                _set_aside(data / "graph", aside, head)
            store = Store(aside)
        except StoreFull:
            raise
        except StoreError as error:  # a file went away under our hands
            failed = error
            continue
        try:
            store.verify()
        except StoreDamaged as error:
            store.close()
            failed = error
            continue
        return store
    raise StoreDamaged(f"No sound copy of {data} could be taken in {ATTEMPTS} attempts. The last one: {failed}")


def _set_aside(graph: Path, aside: Path, head: Head) -> None:
    """Take the files as they are: first what names the others, then those, sharing the ones that never change."""
    make_folder(aside / "graph")
    for file in (graph / "CURRENT", *graph.glob("MANIFEST-*"), *graph.glob("OPTIONS-*")):
        shutil.copyfile(file, aside / "graph" / file.name)
    for file in graph.glob("*.sst"):
        os.link(file, aside / "graph" / file.name)
    for file in graph.glob("*.log"):
        shutil.copyfile(file, aside / "graph" / file.name)
    write_head(aside, head)
