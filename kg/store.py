"""The durable graph: an rdflib ``Dataset`` over an embedded, on-disk Oxigraph.

Each source file is a named graph; loading a file again replaces what it said before and nothing else.
A change set is one atomic commit that holds its data, the plain triples derived from its assertions,
and its own history entry, which is what makes the version one higher. It is flushed to disk before it
is acknowledged (without that, a power cut loses it), and a small fsynced file beside the store names
the last acknowledged version, so that a store which lost its tail is refused instead of served.
There is one writer process, held by ``flock``, and one writer thread at a time, held by a lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import threading
import uuid
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

import pyoxigraph as ox
from oxrdflib import OxigraphStore
from pyoxigraph import NamedNode, Quad, Triple
from rdflib import Dataset
from rdflib.namespace import DCTERMS

from kg.changes import HISTORY, ChangeSet, Delta, compose, entry, read_entry, unpack
from kg.derivation import DERIVED, derive
from kg.documents import Document
from kg.errors import (
    Conflict,
    LimitExceeded,
    NotFound,
    RevertConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
)
from kg.vocabulary import CHANGE, EVIDENCE, KG, NODE, SOURCE

SOURCE_LINK = NamedNode(str(DCTERMS.source))
EVIDENCE_LINK = NamedNode(str(KG.evidence))
UPDATE_QUADS = 300_000  # one SPARQL update of this size takes about 5 s and 1.3 GB (research/stores.md, size)
FREE_BYTES = 64 * 1024 * 1024  # reopening a full disk needs headroom for the write-ahead log


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change worked out against one version and not yet made: what it does, and the files behind it.

    ``sources`` maps each file to the SHA-256 of its bytes, or to nothing where the file is taken out.
    """

    version: int
    delta: Delta
    sources: Mapping[str, str]
    reverts: int | None = None


class Store:
    """The graph on disk. Open one per process; use it as a context manager or call ``close``."""

    def __init__(self, folder: Path, *, free_bytes: int = FREE_BYTES) -> None:
        """Open or create the store in a folder.

        Raises StoreLocked while another process has it open, StoreDamaged where it fails its checks.
        """
        self.folder = folder
        self._free_bytes = free_bytes
        self._write = threading.RLock()
        self._pid = os.getpid()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(folder / "lock")
        try:
            self._inner = _open_oxigraph(folder / "graph")
            self.dataset = Dataset(store=OxigraphStore(store=self._inner), default_union=True)
            with damage_named(folder):
                self.history_entries = self._read_history()
            self.store_id = self._check_sidecar()
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the store cannot be used afterwards."""
        self.dataset = Dataset()
        self._inner = ox.Store()
        self._lock.close()

    # -------------------------------------------------------------- reading
    @property
    def version(self) -> int:
        """Number of the last change set; 0 for a store that nothing was loaded into."""
        return self.history_entries[-1].version if self.history_entries else 0

    def history(self) -> Sequence[ChangeSet]:
        """Return all change sets, oldest first."""
        return self.history_entries

    def sources(self) -> dict[str, str]:
        """Return file name -> SHA-256 of the bytes it was last loaded from, for files still in the graph."""
        loaded: dict[str, str] = {}
        for change in self.history_entries:
            loaded.update(change.sources)
        return {name: digest for name, digest in loaded.items() if digest}

    def triples(self) -> list[Triple]:
        """Return every triple that a source file states (each once), materialised."""
        return self.triples_except(())

    def triples_except(self, names: Collection[str]) -> list[Triple]:
        """Return every triple that a source file states, but for the named files."""
        seen: dict[Triple, None] = {}
        with damage_named(self.folder):
            for graph in self._source_graphs():
                if source_name(graph.value) not in names:
                    quads = self._inner.quads_for_pattern(None, None, None, graph)
                    seen.update((quad.triple, None) for quad in quads)
        return list(seen)

    def quads(self) -> set[Quad]:
        """Return every quad of the current version: source graphs and derived triples, without the history."""
        found: set[Quad] = set()
        with damage_named(self.folder):
            for graph in (*self._source_graphs(), DERIVED):
                found.update(self._inner.quads_for_pattern(None, None, None, graph))
        return found

    def quads_at(self, version: int) -> set[Quad]:
        """Return every quad of any version, by undoing the later change sets; raises NotFound for an unknown one."""
        if version != 0:
            self.change(version)
        found = self.quads()
        for later in range(self.version, version, -1):
            delta = self.delta(later)
            found.difference_update(delta.added)
            found.update(delta.removed)
        return found

    def about(self, subject: Any, except_files: Collection[str] = ()) -> list[Quad]:
        """Return what source files say of a subject."""
        return self._stated(self._inner.quads_for_pattern(subject, None, None, None), except_files)

    def pointing(self, object_: Any, except_files: Collection[str] = (), predicate: Any = None) -> list[Quad]:
        """Return what source files say with a term as the object."""
        return self._stated(self._inner.quads_for_pattern(None, predicate, object_, None), except_files)

    def cited(self, source: Any, except_files: Collection[str] = ()) -> Quad | None:
        """Return some evidence or entity of another file that names a source."""
        quads = self._inner.quads_for_pattern(None, SOURCE_LINK, source, None)
        return next((quad for quad in quads if self._stated([quad], except_files)), None)

    def owners(self, node: Any) -> list[Quad]:
        """Return the links from whatever a node is a part of: evidence of an assertion, a record of an entity."""
        anything = getattr(node, "value", "").startswith((EVIDENCE, NODE))
        found = self._inner.quads_for_pattern(None, None if anything else EVIDENCE_LINK, node, None)
        return self._stated(found, ())

    def file_quads(self, name: str) -> list[Quad]:
        """Return what one source file states."""
        return list(self._inner.quads_for_pattern(None, None, None, source_graph(name)))

    def history_quads(self) -> list[Quad]:
        """Return the history as PROV-O, without the packed deltas."""
        quads: Iterator[Quad] = self._inner.quads_for_pattern(None, None, None, HISTORY)
        return [quad for quad in quads if quad.predicate.value != str(KG.delta)]

    def _source_graphs(self) -> list[NamedNode]:
        graphs = self._inner.named_graphs()
        return [graph for graph in graphs if isinstance(graph, NamedNode) and graph.value.startswith(SOURCE)]

    def _stated(self, quads: Iterable[Quad], except_files: Collection[str]) -> list[Quad]:
        graphs: Iterable[tuple[Quad, str]] = ((quad, getattr(quad.graph_name, "value", "")) for quad in quads)
        return [
            q for q, g in graphs if g.startswith(SOURCE) and (not except_files or source_name(g) not in except_files)
        ]

    def change(self, version: int) -> ChangeSet:
        """Return one change set; raises NotFound for a version that there is not."""
        if not 1 <= version <= self.version:
            raise NotFound("version", str(version), hint=f"The graph has the versions 1 to {self.version}.")
        return self.history_entries[version - 1]

    def delta(self, version: int) -> Delta:
        """Return exactly what a change set removed and added; raises NotFound for an unknown version."""
        self.change(version)
        node = NamedNode(f"{CHANGE}{version}")
        quads: list[Any] = list(self._inner.quads_for_pattern(node, NamedNode(str(KG.delta)), None, HISTORY))
        return unpack(quads[0].object.value)

    def between(self, first: int, second: int) -> Delta:
        """Return the net difference from one version to another, which may be the earlier one."""
        low, high = sorted((first, second))
        net = compose(self.delta(version) for version in range(low + 1, high + 1))
        if low:
            self.change(low)
        return net if first <= second else net.reversed()

    # -------------------------------------------------------------- writing
    def prepare(self, documents: Iterable[Document], remove: Iterable[str] = ()) -> Prepared:
        """Work out what loading the documents (through ``name_nodes``) and dropping the named files would change."""
        documents, remove = list(documents), list(remove)
        sources = {**{d.name: d.sha256 for d in documents}, **dict.fromkeys(remove, "")}
        version = self.version
        removed: list[Quad] = []
        added: list[Quad] = []
        for name, triples in [*((d.name, d.triples) for d in documents), *((name, []) for name in remove)]:
            graph = source_graph(name)
            old = set(self._inner.quads_for_pattern(None, None, None, graph))
            new = _as_stored(Quad(t.subject, t.predicate, t.object, graph) for t in triples)
            removed += old - new
            added += new - old
        return Prepared(version, self._with_derived(removed, added), sources)

    def prepare_revert(self, version: int) -> Prepared:
        """Work out how to undo a change set, leaving what came later.

        Raises RevertConflict, naming the later change sets, where those touched the same statements.
        """
        undo = self.delta(version).of_sources().reversed()
        missing = [quad for quad in undo.removed if quad not in self._inner]
        present = [quad for quad in undo.added if quad in self._inner]
        if missing or present:
            raise RevertConflict(
                version, self._touched_later(version, {*missing, *present}), len(missing) + len(present)
            )
        delta = self._with_derived(undo.removed, undo.added)
        names = {source_name(getattr(quad.graph_name, "value", "")) for quad in (*undo.removed, *undo.added)}
        after = {name: self._digest_after(name, version, delta) for name in sorted(names)}
        return Prepared(self.version, delta, after, version)

    def _touched_later(self, version: int, quads: set[Quad]) -> list[int]:
        return [
            later
            for later in range(version + 1, self.version + 1)
            if not quads.isdisjoint((*(delta := self.delta(later)).removed, *delta.added))
        ]

    def _digest_after(self, name: str, version: int, delta: Delta) -> str:
        """Return the hash of a file as it stood before a version; of its statements where others changed it since."""
        gone = set(delta.removed)
        kept = [quad for quad in self.file_quads(name) if quad not in gone]
        here = source_graph(name)
        left = sorted(str(quad) for quad in (*kept, *(q for q in delta.added if q.graph_name == here)))
        if not left:
            return ""
        if any(name in change.sources for change in self.history_entries[version:]):
            return hashlib.sha256("\n".join(left).encode()).hexdigest()
        stated = [change.sources[name] for change in self.history_entries[: version - 1] if name in change.sources]
        return stated[-1] if stated else ""

    def _with_derived(self, removed: Sequence[Quad], added: Sequence[Quad]) -> Delta:
        stale, fresh = derive(self._inner if self.version else None, removed, added) if removed or added else ([], [])
        return Delta(tuple(sorted([*removed, *stale], key=str)), tuple(sorted([*added, *fresh], key=str)))

    def load(
        self,
        documents: Sequence[Document],
        *,
        message: str,
        author: str,
        remove: Sequence[str] = (),
        expected_version: int | None = None,
        change_id: str | None = None,
    ) -> ChangeSet | None:
        """Apply documents as one change set and return it, or None where they change nothing.

        On return the change is on disk. Raises Conflict where the store is not at ``expected_version``,
        StoreFull before writing anything where the disk has too little room.
        """
        with self._write:
            if expected_version is not None and expected_version != self.version and not self.made(change_id):
                raise Conflict(expected_version, self.version)
            return self.commit(self.prepare(documents, remove), message=message, author=author, change_id=change_id)

    def revert(
        self, version: int, *, message: str, author: str, expected_version: int | None = None
    ) -> ChangeSet | None:
        """Undo a change set as a new change set; raises RevertConflict where later ones touched the same."""
        with self._write:
            if expected_version is not None and expected_version != self.version:
                raise Conflict(expected_version, self.version)
            return self.commit(self.prepare_revert(version), message=message, author=author)

    def commit(
        self, prepared: Prepared, *, message: str, author: str, change_id: str | None = None
    ) -> ChangeSet | None:
        """Make a prepared change and return it, or None where it changes nothing.

        ``change_id`` is the client's own name for the change: the same one again returns the change set
        that was made, so a client that lost the answer may ask again. Raises Conflict where the store has
        moved on since the change was prepared.
        """
        with self._write:
            done = self.made(change_id)
            if done:
                return done
            self._ready_to_write()
            if prepared.version != self.version:
                raise Conflict(prepared.version, self.version)
            if not prepared.delta:
                return None
            change = ChangeSet(
                self.version + 1,
                datetime.now(UTC).replace(microsecond=0),
                author,
                message,
                len(prepared.delta.added),
                len(prepared.delta.removed),
                prepared.sources,
                change_id,
                prepared.reverts,
            )
            self._write_change(prepared.delta, change)
            self.history_entries = (*self.history_entries, change)
            return change

    def made(self, change_id: str | None) -> ChangeSet | None:
        """Return the change set with a client's change id, if it was made."""
        if change_id is None:
            return None
        return next((change for change in self.history_entries if change.change_id == change_id), None)

    # -------------------------------------------------------------- keeping
    def verify(self) -> None:
        """Read everything and compare it with the history; raises StoreDamaged where the two do not agree."""
        with damage_named(self.folder):
            held = self.quads()
            stated = set(compose(self.delta(n) for n in range(1, self.version + 1)).added)
        wrong = len(held ^ stated)
        if wrong:
            raise StoreDamaged(
                f"{self.folder} does not hold what its history says: {wrong:,} statement{'s' * (wrong != 1)} differ. "
                "Restore it from a backup, or delete the folder and load the files again."
            )

    def backup(self, folder: Path) -> None:
        """Copy the current version into a new folder, which opens as a store; reading and writing go on."""
        if folder.exists():
            raise StoreError(f"{folder} exists already; name a folder that does not, so that no backup is overwritten.")
        with self._write:
            folder.mkdir(parents=True)
            self._inner.backup(str(folder / "graph"))
            _write_sidecar(folder, {"version": self.version, "store": self.store_id})

    def _ready_to_write(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError("This store was opened before a fork; only the process that opened it may write.")
        free = shutil.disk_usage(self.folder).free
        if free < self._free_bytes:
            raise StoreFull(
                f"{self.folder} has {free >> 20} MB free and {self._free_bytes >> 20} MB are needed to write safely. Free some space; reading goes on."
            )

    def _write_change(self, delta: Delta, change: ChangeSet) -> None:
        quads = [*delta.added, *entry(change, delta, self.store_id)]
        try:
            if not delta.removed:
                self._inner.bulk_extend(quads) if len(quads) > UPDATE_QUADS else self._inner.extend(quads)
            else:
                _bounded(len(quads) + len(delta.removed))
                self._inner.update(f"DELETE DATA {{ {_data(delta.removed)} }} ; INSERT DATA {{ {_data(quads)} }}")
            self._inner.flush()
        except OSError as error:
            raise StoreError(
                f"Writing version {change.version} to {self.folder} failed ({error}). Whether it was kept shows on the next start; loading again is safe."
            ) from error
        _write_sidecar(self.folder, {"version": change.version, "store": self.store_id})

    # -------------------------------------------------------------- opening
    def _read_history(self) -> tuple[ChangeSet, ...]:
        facts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        quads: Iterator[Any] = self._inner.quads_for_pattern(None, None, None, HISTORY)
        delta = str(KG.delta)
        for quad in quads:
            if quad.predicate.value != delta:  # large, and read one at a time when asked for
                facts[quad.subject.value][quad.predicate.value].append(quad.object.value)
        entries = [read_entry(about, facts) for about in facts.values() if str(KG.version) in about]
        self._stated_id = next(
            (about[str(DCTERMS.isPartOf)][0] for about in facts.values() if str(DCTERMS.isPartOf) in about), None
        )
        return tuple(sorted(entries, key=lambda entry: entry.version))

    def _check_sidecar(self) -> str:
        path = self.folder / "head.json"
        if not path.exists():
            if self.history_entries:
                raise StoreDamaged(
                    f"{path} is missing, so what was last acknowledged is unknown. Restore {self.folder} from a backup, or delete it and load again."
                )
            store_id = uuid.uuid4().hex
            _write_sidecar(self.folder, {"version": 0, "store": store_id})
            return store_id
        try:
            head = json.loads(path.read_text(encoding="utf-8"))
            acknowledged, store_id = int(head["version"]), str(head["store"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamaged(
                f"{path} is not readable ({error}). Restore {self.folder} from a backup, or delete it and load again."
            ) from error
        if self.version < acknowledged or (self._stated_id and self._stated_id != store_id):
            raise StoreDamaged(
                f"{self.folder} holds version {self.version}, but version {acknowledged} was acknowledged: its last writes are lost. "
                "Restore it from a backup, or delete the folder and load the files again."
            )
        return store_id


def is_part(quad: Quad) -> bool:
    """Whether the object of a quad is a part of its subject."""
    return quad.predicate == EVIDENCE_LINK or getattr(quad.object, "value", "").startswith((EVIDENCE, NODE))


# ---------------------------------------------------------------- files beside the graph
def _take_lock(path: Path) -> IO[str]:
    lock = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        who = f" by process {holder}" if holder else ""
        raise StoreLocked(
            f"The data folder {path.parent} is in use{who}. Stop that process, or choose another folder with --data."
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


@contextmanager
def damage_named(folder: Path) -> Iterator[None]:
    """Turn what RocksDB says of damaged blocks, found only when they are read, into StoreDamaged."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, RuntimeError, ValueError, IndexError, zlib.error) as error:
        raise StoreDamaged(
            f"{folder} cannot be read in full ({error}). Restore it from a backup, or delete it and load the files again."
        ) from error


def _open_oxigraph(path: Path) -> ox.Store:
    try:
        return ox.Store(str(path))
    except (OSError, ValueError, RuntimeError) as error:
        if "lock" in str(error).lower():
            raise StoreLocked(f"The store {path} is open in another process ({error}).") from error
        raise StoreDamaged(
            f"The store {path} cannot be opened ({error}). Restore the folder from a backup, or delete it and load the files again."
        ) from error


def _write_sidecar(folder: Path, head: Mapping[str, object]) -> None:
    temporary = folder / "head.json.new"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(head, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / "head.json")
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


# ---------------------------------------------------------------- quads
def _as_stored(quads: Iterable[Quad]) -> set[Quad]:
    """Return quads with their literals as Oxigraph keeps them ("1.10" becomes "1.1"), so that comparing is exact."""
    memory = ox.Store()
    memory.extend(quads)
    return set(memory)


def _bounded(quads: int) -> None:
    if quads > UPDATE_QUADS:
        raise LimitExceeded(
            "change set quads", UPDATE_QUADS, quads, "Load the files into an empty data folder, or in several steps."
        )


def _data(quads: Iterable[Quad]) -> str:
    by_graph: dict[str, list[str]] = defaultdict(list)
    for quad in quads:
        by_graph[str(quad.graph_name)].append(f"{quad.subject} {quad.predicate} {quad.object} .")
    return "\n".join(f"GRAPH {graph} {{ {' '.join(lines)} }}" for graph, lines in by_graph.items())


def source_graph(name: str) -> NamedNode:
    """Return the graph that holds what a file states."""
    return NamedNode(SOURCE + quote(name))


def source_name(graph: str) -> str:
    """Return the file name that a source graph was loaded from."""
    return unquote(graph.removeprefix(SOURCE))


def default_author() -> str:
    """Return the name of whoever runs this process, or ``unknown``."""
    with suppress(OSError, KeyError, ImportError):
        import getpass

        return getpass.getuser()
    return "unknown"
