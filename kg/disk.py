"""The files of a data folder beside the graph itself, and what the disk says when something goes wrong.

``lock`` is held by the process that has the folder open; ``head.json`` names the last acknowledged
version, is written whole or not at all, synced, and carries a checksum, so that a store which lost its
tail, or whose head was damaged, is refused instead of served.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from kg.errors import StoreDamaged, StoreError, StoreFull, StoreLocked

HEAD = "head.json"
CHECKPOINT = "checkpoint-"  # a folder of files set aside while they are copied
FREE_BYTES = 64 * 1024 * 1024  # reopening a full disk needs headroom for the write-ahead log
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class Head:
    """What ``head.json`` says: the last acknowledged version, and the identity of the store."""

    version: int
    store: str

    @property
    def check(self) -> int:
        """Return the checksum of the rest."""
        return zlib.crc32(f"{self.version} {self.store}".encode())


def read_head(folder: Path) -> Head | None:
    """Return the head of a data folder, None where there is none; raises StoreDamaged where it is not whole."""
    path = folder / HEAD
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        head = Head(int(said["version"]), str(said["store"]))
        whole = said.keys() == {"version", "store"} or said["check"] == head.check  # the first is how it was once
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged(f"{path} is not readable ({error}). {_restore(folder)}") from error
    if not whole:
        raise StoreDamaged(f"{path} was damaged: its checksum does not fit. {_restore(folder)}")
    return head


def write_head(folder: Path, head: Head) -> None:
    """Write the head, whole or not at all, and make sure that it is on disk."""
    temporary = folder / f"{HEAD}.new"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump({"version": head.version, "store": head.store, "check": head.check}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / HEAD)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_log(folder: Path) -> int:
    """Make sure that what a graph's log says is on disk, which Oxigraph never does; return how many bytes that is."""
    graph, size = folder / "graph", 0
    for path in graph.glob("*.log"):
        with suppress(FileNotFoundError), path.open("rb") as log:  # gone: what it said is in a table by now
            os.fsync(log.fileno())
            size += os.fstat(log.fileno()).st_size
    sync_folder(graph)
    return size


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, all of them sure to be there after a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    with disk_named(f"The data folder {folder} cannot be made", folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            sync_folder(path.parent)


def take_lock(folder: Path) -> IO[str]:
    """Return the lock of a data folder, held until it is closed; raises StoreLocked naming who holds it."""
    path = folder / "lock"
    with disk_named(f"The data folder {folder} cannot be opened", folder):
        lock = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        who = f" by process {holder}" if holder else ""
        raise StoreLocked(
            f"The data folder {folder} is in use{who}. Stop that process, or choose another folder with --data."
        ) from error
    except OSError as error:
        lock.close()
        raise StoreError(f"The data folder {folder} cannot be locked ({error}). Use one on a local disk.") from error
    _say_holder(lock)
    return lock


def _say_holder(lock: IO[str]) -> None:
    """Write the number of this process into the lock; on a full disk the lock holds without it."""
    number = str(os.getpid()).encode()
    try:
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), number)
    except OSError as error:
        if error.errno not in _FULL:
            lock.close()
            raise StoreError(f"{lock.name} cannot be written ({error}).") from error


def open_oxigraph(folder: Path) -> ox.Store:
    """Open the graph of a data folder; raises StoreFull, StoreLocked or StoreDamaged where that is not possible."""
    _sweep(folder)
    try:
        return ox.Store(str(folder / "graph"))
    except (OSError, ValueError, RuntimeError) as error:
        if is_full(error):
            raise full_at_opening(folder, error) from error
        if "lock hold" in str(error) or "While lock file" in str(error):  # "block" has a lock in it, too
            raise StoreLocked(f"The store {folder} is open in another process ({error}).") from error
        if "input/output error" in str(error).lower():  # the disk, not what is on it
            raise StoreError(
                f"{folder} cannot be opened, because its disk fails ({error}). Look after the disk, then start again; "
                "if that does not help, restore a backup on another one."
            ) from error
        raise StoreDamaged(f"The store {folder} cannot be opened ({error}). {_restore(folder)}") from error


def _sweep(folder: Path) -> None:
    """Remove what bulk loads and backups that were killed left behind; nobody else does."""
    for orphan in (folder / "graph").glob("bulk*.sst"):
        orphan.unlink(missing_ok=True)
    for orphan in folder.glob(f"{CHECKPOINT}*"):
        shutil.rmtree(orphan, ignore_errors=True)


def not_there(folder: Path) -> None:
    """Raise StoreError where a folder exists."""
    if folder.exists():
        raise StoreError(f"{folder} exists already; name a folder that does not, so that no backup is overwritten.")


def copy_graph(files: Path, folder: Path, head: Head) -> None:
    """Make a new data folder of a copy of the graph's files: whole, synced, or not there at all."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial / "graph")
    try:
        for file in sorted(files.iterdir()):
            _copy(file, partial / "graph" / file.name)
        sync_folder(partial / "graph")
        write_head(partial, head)
        partial.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as from_, target.open("wb") as to:
        shutil.copyfileobj(from_, to, 1 << 20)
        to.flush()
        os.fsync(to.fileno())


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full."""
    said = str(error).lower()
    return getattr(error, "errno", None) in _FULL or "no space left" in said or "quota exceeded" in said


def full_at_opening(folder: Path, error: BaseException) -> StoreFull:
    """Return the error for a store that does not open because its disk is full."""
    return StoreFull(
        f"{folder} cannot be opened, because its disk is full ({error}). Nothing is lost. Free {FREE_BYTES >> 20} MB "
        "or more on that disk, or move the folder to a larger one, and start again; delete nothing inside it."
    )


@contextmanager
def disk_named(doing: str, folder: Path) -> Iterator[None]:
    """Turn what the operating system says of a file into StoreError, or StoreFull where the disk is full."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StoreFull(f"{doing}: the disk of {folder} is full. Free some space and try again.") from error
        raise StoreError(f"{doing} ({error.strerror or error}).") from error


@contextmanager
def damage_named(folder: Path) -> Iterator[None]:
    """Turn what RocksDB says of damaged blocks, found only when they are read, into StoreDamaged."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, RuntimeError, ValueError, LookupError, zlib.error) as error:
        raise StoreDamaged(f"{folder} cannot be read in full ({error}). {_restore(folder)}") from error


def _restore(folder: Path) -> str:
    return f"Restore {folder} from a backup, or delete it and load the files again."
