"""Snapshots as files that a process publishes beside its store, and that any number of others map and follow.

The folder holds one folder for each published version (``kg.snapshotfile``) and a file ``current`` that names the
newest whole one. ``current`` changes last and in one step, so whoever reads it finds a whole snapshot; the one before
stays until the next comes. A copy of the folder serves elsewhere without a store (``kg serve --read-only``).
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from kg.errors import BadInput, StoreDamaged
from kg.exploration import Graph
from kg.model import Model
from kg.snapshotfile import Last, open_snapshot, read_about, schema_mark, write_snapshot
from kg.tallies import MOST_BYTES

FOLDER = "snapshots"  # in a data folder
CURRENT = "current"
Publish = Literal["all", "some", "none"]
ATTEMPTS = 3  # at opening a snapshot that is replaced meanwhile


class Serving(Protocol):
    """Something that always has a graph to answer from: a store's service, or a follower of one."""

    model: Model

    @property
    def snapshot(self) -> Graph:
        """The graph as it stands."""

    @property
    def folder(self) -> Path:
        """Where tokens and kept answers are."""


class Published:
    """The folder in which one process, the one that holds the store, publishes snapshots."""

    def __init__(self, folder: Path, model: Model, tally_bytes: int = MOST_BYTES) -> None:
        """Tallies of a snapshot (``kg.tallies``) may take ``tally_bytes`` in its folder."""
        self.folder = folder
        self.model = model
        self.tally_bytes = tally_bytes
        self._last: Last | None = None

    def publish(self, snapshot: Graph) -> None:
        """Write a snapshot and make it the current one; raises OSError, with the old one in place, where that fails.

        Nothing is forced to disk: what a power cut leaves half is found by its checksums, and made again.
        """
        name = f"{snapshot.version.tag}-{secrets.token_hex(4)}"
        try:
            written = write_snapshot(snapshot, self.folder / name, self._last)
            snapshot.beside.at(written.folder, written.about, self.tally_bytes)
            temporary = self.folder / f"{CURRENT}.new"
            temporary.write_text(name, encoding="utf-8")
            before = current(self.folder)
            temporary.replace(self.folder / CURRENT)
        except BaseException:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            raise
        self._last = written
        for other in self.folder.iterdir():
            if other.is_dir() and other.name not in {name, before}:
                shutil.rmtree(other, ignore_errors=True)

    def is_worth_more_than(self, snapshot: Graph) -> bool:
        """Whether a snapshot has no edge and what is current was written under another schema, as its data may have been."""
        name = current(self.folder)
        if snapshot.edge_count or name is None:
            return False
        try:
            return bool(read_about(self.folder / name)["schema"] != schema_mark(self.model))
        except StoreDamaged:
            return False

    def newest(self) -> Graph | None:
        """Return the current snapshot, every byte of it checked, or None where there is none that can be used."""
        name = current(self.folder)
        if name is None:
            return None
        try:
            found, self._last = open_snapshot(self.folder / name, self.model, Graph, verify=True)
            found.beside.at(self._last.folder, self._last.about, self.tally_bytes)
        except StoreDamaged:
            return None
        return found


class Follower:
    """The newest snapshot of a folder that another process publishes in; it writes nothing there but tallies."""

    def __init__(self, folder: Path, model: Model, tally_bytes: int = MOST_BYTES) -> None:
        """Open what is published in a folder, or in the data folder that it is; with no ``tally_bytes`` nothing is written.

        Raises BadInput where nothing is, StoreDamaged where it cannot be used.
        """
        self.folder = folder
        self.published = published_in(folder)
        self.model = model
        self.tally_bytes = tally_bytes
        self._seen = self._mark()
        self._last: Last | None = None
        self.snapshot = self._open(verify=True)

    def look(self) -> bool:
        """Take the newest snapshot where there is another one, and return whether; raises as making a follower does.

        Who reads the last one goes on reading it.
        """
        mark = self._mark()
        if mark == self._seen:
            return False
        self._seen = mark
        snapshot = self._open()
        snapshot.make_ready(self.snapshot)
        changed = snapshot.version != self.snapshot.version
        self.snapshot = snapshot
        return changed

    def _open(self, *, verify: bool = False) -> Graph:
        for attempt in range(1, ATTEMPTS + 1):
            name = current(self.published)
            if name is None:
                raise _nothing_in(self.published)
            try:
                folder = self.published / name
                found, self._last = open_snapshot(folder, self.model, Graph, verify=verify, last=self._last)
                found.beside.at(folder, self._last.about, self.tally_bytes)
                return found.lent()
            except StoreDamaged:
                if attempt == ATTEMPTS or current(self.published) == name:
                    raise
        raise AssertionError("unreachable")

    def _mark(self) -> tuple[int, int] | None:
        try:
            found = (self.published / CURRENT).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


class Watch:
    """A thread that looks for a newer snapshot every so many seconds and says when there is one."""

    def __init__(
        self,
        follower: Follower,
        seconds: float,
        changed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._stop = threading.Event()
        self._work = (follower, seconds, changed, failed)
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        follower, seconds, changed, failed = self._work
        while not self._stop.wait(seconds):
            try:
                if follower.look():
                    changed()
            except Exception as error:  # noqa: BLE001 - whatever it is, the last snapshot goes on being served
                failed(error)

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()


def current(folder: Path) -> str | None:
    """Return the name of the snapshot that is current in a folder of published ones, or None where there is none."""
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return name if name and Path(name).name == name else None


def published_version(folder: Path, model: Model) -> int | None:
    """Return the number of the version that is current in a folder, or None where there is none to be served under a schema."""
    name = current(folder)
    try:
        about = read_about(folder / name) if name else None
    except StoreDamaged:
        return None
    return int(about["version"]["number"]) if about and about["schema"] == schema_mark(model) else None


def published_in(folder: Path) -> Path:
    """Return where the snapshots are: in a folder itself, or in the data folder that it is; raises BadInput for neither."""
    for found in (folder, folder / FOLDER):
        if (found / CURRENT).is_file():
            return found
    raise _nothing_in(folder)


def _nothing_in(folder: Path) -> BadInput:
    return BadInput(
        f"No snapshot is published in {folder}. `kg publish FOLDER --data DATA` writes one from the store in DATA."
    )
