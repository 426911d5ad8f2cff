"""A snapshot as a folder of files that any number of processes map: start without reading the store, share the memory.

A ``.rows`` file is a column, bare, mapped when opened, so that its pages are read when needed and are the same memory in
every process. Those of columns that only grow are one file for all snapshots, each of which goes as far as its own rows.
Entities, sources, studies and details of evidence are JSON texts end to end (``kg.packed``). ``about.json`` is written
last. It names the version, the schema and the code that worked the columns out, and of every file the size and checksum,
and what its rows are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import mmap
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from kg.columns import EVIDENCE, Columns, EntitySpecs, EvidenceColumns
from kg.errors import StoreDamaged
from kg.model import Model
from kg.packed import Packed, packed, unpacked
from kg.projection import Cited, EntitySpec, Reference, StructureSpec
from kg.records import Source, Study
from kg.snapshot import Snapshot, Version

Kind = TypeVar("Kind", bound=Snapshot)
FileSaid: TypeAlias = tuple[int, int, str]
"""Size of a file and its checksum, as far as the snapshot goes, and the numpy type of its rows."""

MADE_BY = ("checking", "columns", "evidence", "facts", "packed", "projection", "records", "snapshotfile", "triples")
ABOUT = "about.json"
ARRAYS = ("named", "subjects", "relations", "objects", "confidences", "starts", "rows", "by_id")
GROWING = ("names", *(f"evidence-{name}" for name in EVIDENCE))
PACKS = ("entities", "sources", "studies", "details")
REFERENCE, CITED, RECORD = "entity", "source", "record"  # what stands for values that are no plain ones


@dataclasses.dataclass(frozen=True, slots=True)
class Last:
    """A snapshot that was opened or written before, where it is, and what its folder says of it."""

    columns: Columns
    folder: Path
    about: Mapping[str, Any]
    packs: Mapping[str, Packed]
    """Its entities, sources and studies, packed."""

    @property
    def files(self) -> Mapping[str, Any]:
        """The size, the checksum and what a row is, of each of its files."""
        files: Mapping[str, Any] = self.about["files"]
        return files


def write_snapshot(snapshot: Snapshot, folder: Path, last: Last | None = None) -> Last:
    """Write a snapshot, not one as of a day, into a new folder and return it; raises OSError where that fails.

    Files of entities, sources and studies that are those of the ``last`` one are shared with it by hard links, and so are
    those of columns that only grew.
    """
    folder.mkdir(parents=True)
    columns, version = snapshot.columns, snapshot.version
    arrays: dict[str, NDArray[Any]] = {name: getattr(columns, name) for name in ARRAYS}
    shown: dict[str, Callable[[Any], Any]] = {
        "entities": lambda spec: (spec.kind, _shown(spec.values)),
        "sources": dataclasses.astuple,
        "studies": dataclasses.astuple,
    }
    files: dict[str, Any] = {}
    for name in PACKS:
        if last and getattr(columns, name) is getattr(last.columns, name) and _linked(name, folder, last):
            files |= {part: last.files[part] for part in (name, f"{name}-ends")}
        else:
            pack = _packed(name, columns, shown[name], last) if name in shown else columns.details
            arrays[name], arrays[f"{name}-ends"] = pack.bytes_and_ends()
    files |= {name: _write(folder / f"{name}.rows", array) for name, array in arrays.items()}
    files |= {name: _grow(name, folder, columns, last) for name in GROWING}
    about = {
        "format": _format(),
        "schema": schema_mark(snapshot.model),
        "version": {
            "number": version.number,
            "store": version.store,
            "time": version.time.isoformat() if version.time else None,
            "author": version.author,
            "message": version.message,
        },
        "files": files,
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
    mapped = {name: _packed_in(folder, files, name) for name in shown}
    return Last(columns, folder, about, mapped)


def read_about(folder: Path) -> dict[str, Any]:
    """Return what a snapshot's folder says of itself; raises StoreDamaged where it is no whole snapshot."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != _format():
            raise StoreDamaged(f"{folder} was written by another release of this program; delete it.")
        for name, (size, _, _) in about["files"].items():
            if (folder / f"{name}.rows").stat().st_size < size:
                raise StoreDamaged(f"{folder}/{name}.rows is not whole. Copy the folder again, or delete it.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged(f"{folder} is no whole snapshot ({error}). Copy the folder again, or delete it.") from error
    return about


def open_snapshot(
    folder: Path, model: Model, kind: type[Kind], *, verify: bool = False, last: Last | None = None
) -> tuple[Kind, Last]:
    """Return the snapshot in a folder, of a class such as ``Graph``, and what to open or write the next one with.

    Its columns are mapped, not read. Entities, sources and studies that the ``last`` one had too are taken from there.
    Raises StoreDamaged where the folder is not whole (with ``verify``, where any byte has
    changed) or was written under another schema.
    """
    about = read_about(folder)
    if about["schema"] != schema_mark(model):
        raise StoreDamaged(f"{folder} was written under another schema. Serve it with that one, or delete it.")
    try:
        if verify:
            _verify(folder, about["files"])
        columns, packs = _columns(folder, about["files"], model, last)
        return kind(model, columns, _version(about["version"])), Last(columns, folder, about, packs)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StoreDamaged(f"{folder} cannot be read ({error}). Copy the folder again, or delete it.") from error


def schema_mark(model: Model) -> str:
    """Return a short text that is the same for schemas under which a snapshot's numbers mean the same."""
    said = (
        *(model.kinds, model.records, model.relations, model.levels),
        *(model.directions, model.verifications, model.source_kinds, model.prefixes.rows),
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


@cache
def _format() -> str:
    """Return a short text that changes with the code: numbers that other code worked out are not served."""
    folder = Path(__file__).parent
    code = b"".join((folder / f"{name}.py").read_bytes() for name in MADE_BY)
    return hashlib.sha256(code).hexdigest()[:16]


# ------------------------------------------------------------------ files
def _write(path: Path, array: NDArray[Any]) -> FileSaid:
    """Write an array; return the file's size and checksum, and what a row is."""
    rows = _bytes(array)
    path.write_bytes(rows.data)
    return array.nbytes, zlib.crc32(rows.data), array.dtype.str


def _grow(name: str, folder: Path, columns: Columns, last: Last | None) -> FileSaid:
    """Write rows, or only those that came where the last snapshot has the others."""
    array, path = _growing(name, columns), folder / f"{name}.rows"
    if last and _is_longer(array, _growing(name, last.columns)):
        with suppress(OSError):  # a disk that has no links
            path.hardlink_to(last.folder / path.name)
            size, checksum, kind = last.files[name]
            more = _bytes(array)[size:]
            with path.open("r+b") as file:
                file.seek(size)  # behind it may be what was never published
                file.write(more.data)
            return array.nbytes, zlib.crc32(more.data, checksum), kind
    path.unlink(missing_ok=True)
    return _write(path, array)


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1)


def _growing(name: str, columns: Columns) -> NDArray[Any]:
    found: NDArray[Any] = (
        columns.names if name == "names" else getattr(columns.evidence, name.removeprefix("evidence-"))
    )
    return found


def _is_longer(array: NDArray[Any], before: NDArray[Any]) -> bool:
    """Whether an array begins with the very rows of another: in a room (``kg.columns``), they stay as they are."""
    return array.ctypes.data == before.ctypes.data and array.dtype == before.dtype and len(array) >= len(before) > 0


def _packed(name: str, columns: Columns, shown: Callable[[Any], Any], last: Last | None) -> Packed:
    """Return the entities, sources or studies packed; those that are the same objects in ``last`` are taken from there."""
    known: dict[int, bytes] = {}
    if last:
        known = dict(zip(map(id, getattr(last.columns, name)), last.packs[name].texts(), strict=True))
    return Packed.of_texts(known.get(id(thing)) or packed(shown(thing)) for thing in getattr(columns, name))


def _linked(name: str, folder: Path, last: Last) -> bool:
    """Share the two files of a pack with the last snapshot, if its folder and the disk allow it."""
    try:
        for part in (name, f"{name}-ends"):
            (folder / f"{part}.rows").hardlink_to(last.folder / f"{part}.rows")
    except OSError:
        for part in (name, f"{name}-ends"):
            (folder / f"{part}.rows").unlink(missing_ok=True)
        return False
    return True


def _checksum(path: Path, size: int) -> int:
    found = 0
    with path.open("rb") as file:
        while block := file.read(min(size, 1 << 20)):
            found = zlib.crc32(block, found)
            size -= len(block)
    return found


def _verify(folder: Path, files: Mapping[str, FileSaid]) -> None:
    for name, (size, checksum, _) in files.items():
        if _checksum(folder / f"{name}.rows", size) != checksum:
            raise StoreDamaged(f"{folder}/{name}.rows was damaged. Copy the folder again, or delete it.")


def _columns(
    folder: Path, files: Mapping[str, FileSaid], model: Model, last: Last | None
) -> tuple[Columns, Mapping[str, Packed]]:
    packs = {name: _packed_in(folder, files, name) for name in PACKS}
    evidence: dict[str, Any] = {name: _mapped(folder, files, f"evidence-{name}") for name in EVIDENCE}
    arrays: list[Any] = [_mapped(folder, files, name) for name in ("names", *ARRAYS)]

    def records(name: str, make: Callable[[Any], Any], all_: type[Any] = tuple) -> Any:
        if last and all(files[part] == last.files[part] for part in (name, f"{name}-ends")):
            return getattr(last.columns, name)
        if last is None:
            return all_(map(make, packs[name]))
        # to make all of Hetionet's entities anew takes a reader 0.5 s
        known = dict(zip(last.packs[name].texts(), getattr(last.columns, name), strict=True))
        return all_(known.get(text) or make(unpacked(text)) for text in packs[name].texts())

    columns = Columns(
        model,
        records("entities", _spec, EntitySpecs),
        records("sources", lambda values: Source(*values)),
        records("studies", lambda values: Study(*values)),
        packs["details"],
        EvidenceColumns(**evidence),
        *arrays,
    )
    return columns, packs


def _spec(said: Any) -> EntitySpec:
    kind, values = said
    return EntitySpec(kind, {name: _meant(value) for name, value in values.items()})


def _packed_in(folder: Path, files: Mapping[str, FileSaid], name: str) -> Packed:
    return Packed(_mapped(folder, files, name), _mapped(folder, files, f"{name}-ends"))


def _mapped(folder: Path, files: Mapping[str, FileSaid], name: str) -> NDArray[Any]:
    """Return the rows of a file; numpy's own way to map one takes several times as long."""
    size, _, kind = files[name]
    if not size:
        return np.zeros(0, np.dtype(kind))
    with (folder / f"{name}.rows").open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ), np.dtype(kind))


def _version(said: Mapping[str, Any]) -> Version:
    time = datetime.fromisoformat(said["time"]) if said["time"] else None
    return Version(said["number"], said["store"], time, said["author"], said["message"])


# ------------------------------------------------------------------ values
def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    if isinstance(value, Reference):
        return {REFERENCE: value.curie}
    if isinstance(value, Cited):
        return {CITED: value.id}
    if isinstance(value, StructureSpec):
        return {RECORD: value.record, "values": _shown(value.values)}
    return value


def _meant(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_meant, value))
    if not isinstance(value, dict):
        return value
    if REFERENCE in value:
        return Reference(value[REFERENCE])
    if CITED in value:
        return Cited(value[CITED])
    return StructureSpec(value[RECORD], {name: _meant(item) for name, item in value["values"].items()})
