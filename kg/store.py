"""The durable graph: an rdflib ``Dataset`` over an embedded, on-disk Oxigraph.

Each source file is a named graph; loading a file again replaces what it said before and nothing else.
A change set is one atomic commit that holds its data, the plain triples derived from its assertions,
and its own history entry, which is what makes the version one higher. It is flushed to disk before it
is acknowledged (without that, a power cut loses it), and a small fsynced file beside the store names
the last acknowledged version, so that a store which lost its tail is refused instead of served.
There is one writer process, held by ``flock``, and one writer thread at a time, held by a lock.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import threading
import uuid
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeAlias
from urllib.parse import quote, unquote

import pyoxigraph as ox
from oxrdflib import OxigraphStore
from pyoxigraph import Literal, NamedNode, Quad, Triple
from rdflib import Dataset
from rdflib.namespace import DCTERMS, PROV, RDF, XSD

from kg.errors import Conflict, LimitExceeded, StoreDamaged, StoreError, StoreFull, StoreLocked
from kg.reading import Document
from kg.vocabulary import CHANGE, GRAPH, KG, SOURCE

HISTORY = NamedNode(GRAPH + "history")
DERIVED = NamedNode(GRAPH + "derived")
_TYPE, _CHANGE_SET = NamedNode(str(RDF.type)), NamedNode(str(KG.ChangeSet))
_ASSERTION, _EVIDENCE = NamedNode(str(KG.Assertion)), NamedNode(str(KG.evidence))
_DIRECTION, _SUPPORTS = NamedNode(str(KG.direction)), NamedNode(str(KG.Supports))
_SPO = tuple(NamedNode(str(term)) for term in (RDF.subject, RDF.predicate, RDF.object))
_TIME, _WHO, _STORE = (
    NamedNode(str(PROV.endedAtTime)),
    NamedNode(str(PROV.wasAssociatedWith)),
    NamedNode(str(DCTERMS.isPartOf)),
)
_USED, _TITLE = NamedNode(str(PROV.used)), NamedNode(str(DCTERMS.title))

UPDATE_QUADS = 300_000  # one SPARQL update of this size takes about 5 s and 1.3 GB (research/stores.md, size)
FREE_BYTES = 64 * 1024 * 1024  # reopening a full disk needs headroom for the write-ahead log


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One atomic change of the graph; ``sources`` maps each file it loaded to the SHA-256 of its bytes."""

    version: int
    time: datetime
    author: str
    message: str
    added: int
    removed: int
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delta:
    """The quads that a change set took away and put in."""

    removed: tuple[Quad, ...]
    added: tuple[Quad, ...]

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


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
        for entry in self.history_entries:
            loaded.update(entry.sources)
        return {name: digest for name, digest in loaded.items() if digest}

    def triples(self) -> list[Triple]:
        """Return every triple that a source file states (each once), materialised."""
        return self.triples_except(())

    def triples_except(self, names: Collection[str]) -> list[Triple]:
        """Return every triple that a source file states, but for the named files."""
        seen: dict[Triple, None] = {}
        for graph in self._inner.named_graphs():
            if (
                isinstance(graph, NamedNode)
                and graph.value.startswith(SOURCE)
                and source_name(graph.value) not in names
            ):
                seen.update((quad.triple, None) for quad in self._inner.quads_for_pattern(None, None, None, graph))
        return list(seen)

    def delta(self, version: int) -> Delta:
        """Return exactly what a change set removed and added; raises KeyError for an unknown version."""
        entry = NamedNode(f"{CHANGE}{version}")
        quads: list[Any] = list(self._inner.quads_for_pattern(entry, NamedNode(str(KG.delta)), None, HISTORY))
        if not quads:
            raise KeyError(version)
        return _unpack(quads[0].object.value)

    # -------------------------------------------------------------- writing
    def preview(self, documents: Iterable[Document], remove: Iterable[str] = ()) -> Delta:
        """Return what loading the documents (through ``name_nodes``) and dropping the named files would change."""
        removed: list[Quad] = []
        added: list[Quad] = []
        for name, triples in [*((d.name, d.triples) for d in documents), *((name, []) for name in remove)]:
            graph = NamedNode(SOURCE + quote(name))
            old = set(self._inner.quads_for_pattern(None, None, None, graph))
            new = _as_stored(Quad(t.subject, t.predicate, t.object, graph) for t in triples)
            removed += old - new
            added += new - old
        if removed or added:
            stale, fresh = _derive(self._inner if self.version else None, removed, added)
            removed += stale
            added += fresh
        return Delta(tuple(sorted(removed, key=str)), tuple(sorted(added, key=str)))

    def load(
        self,
        documents: Sequence[Document],
        *,
        message: str,
        author: str,
        remove: Sequence[str] = (),
        expected_version: int | None = None,
    ) -> ChangeSet | None:
        """Apply documents as one change set and return it, or None where they change nothing.

        On return the change is on disk. Raises Conflict where the store is not at ``expected_version``,
        StoreFull before writing anything where the disk has too little room.
        """
        with self._write:
            self._ready_to_write()
            if expected_version is not None and expected_version != self.version:
                raise Conflict(expected_version, self.version)
            delta = self.preview(documents, remove)
            if not delta:
                return None
            sources = {**{d.name: d.sha256 for d in documents}, **dict.fromkeys(remove, "")}
            change = ChangeSet(
                self.version + 1,
                datetime.now(UTC).replace(microsecond=0),
                author,
                message,
                len(delta.added),
                len(delta.removed),
                sources,
            )
            self._commit(delta, change)
            self.history_entries = (*self.history_entries, change)
            return change

    def _ready_to_write(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError("This store was opened before a fork; only the process that opened it may write.")
        free = shutil.disk_usage(self.folder).free
        if free < self._free_bytes:
            raise StoreFull(
                f"{self.folder} has {free >> 20} MB free and {self._free_bytes >> 20} MB are needed to write safely. Free some space; reading goes on."
            )

    def _commit(self, delta: Delta, change: ChangeSet) -> None:
        quads = [*delta.added, *self._entry(change, delta)]
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

    def _entry(self, change: ChangeSet, delta: Delta) -> list[Quad]:
        node = NamedNode(f"{CHANGE}{change.version}")
        time = Literal(change.time.isoformat(), datatype=NamedNode(str(XSD.dateTime)))
        number = NamedNode(str(XSD.integer))
        facts: list[tuple[NamedNode, NamedNode | Literal]] = [
            (_TYPE, _CHANGE_SET),
            (NamedNode(str(KG.version)), Literal(str(change.version), datatype=number)),
            (_TIME, time),
            (_WHO, Literal(change.author)),
            (NamedNode(str(KG.message)), Literal(change.message)),
            (NamedNode(str(KG.added)), Literal(str(change.added), datatype=number)),
            (NamedNode(str(KG.removed)), Literal(str(change.removed), datatype=number)),
            (NamedNode(str(KG.delta)), Literal(_pack(delta))),
            (_STORE, Literal(self.store_id)),
        ]
        quads = [Quad(node, predicate, value, HISTORY) for predicate, value in facts]
        for name, digest in sorted(change.sources.items()):
            used = NamedNode(f"{CHANGE}{change.version}/{quote(name)}")
            quads += [
                Quad(node, _USED, used, HISTORY),
                Quad(used, NamedNode(str(KG.file)), Literal(name), HISTORY),
                Quad(used, NamedNode(str(KG.sha256)), Literal(digest), HISTORY),
            ]
        return quads

    # -------------------------------------------------------------- opening
    def _read_history(self) -> tuple[ChangeSet, ...]:
        facts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        quads: Iterator[Any] = self._inner.quads_for_pattern(None, None, None, HISTORY)
        for quad in quads:
            facts[quad.subject.value][quad.predicate.value].append(quad.object.value)
        entries = [_change_set(about, facts) for about in facts.values() if str(KG.version) in about]
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


def _pack(delta: Delta) -> str:
    lines = [f"-{quad} ." for quad in delta.removed] + [f"+{quad} ." for quad in delta.added]
    return base64.b64encode(zlib.compress("\n".join(lines).encode(), 6)).decode()


def _unpack(text: str) -> Delta:
    lines = zlib.decompress(base64.b64decode(text)).decode().splitlines()
    sides = {sign: "\n".join(line[1:] for line in lines if line[0] == sign) for sign in "-+"}
    removed, added = (tuple(ox.parse(sides[sign].encode(), format=ox.RdfFormat.N_QUADS)) for sign in "-+")
    return Delta(removed, added)


def _change_set(about: Mapping[str, Sequence[str]], facts: Mapping[str, Mapping[str, Sequence[str]]]) -> ChangeSet:
    used = [facts[node] for node in about.get(str(PROV.used), ())]
    return ChangeSet(
        version=int(about[str(KG.version)][0]),
        time=datetime.fromisoformat(about[str(PROV.endedAtTime)][0].replace("Z", "+00:00")),
        author=about[str(PROV.wasAssociatedWith)][0],
        message=about[str(KG.message)][0],
        added=int(about[str(KG.added)][0]),
        removed=int(about[str(KG.removed)][0]),
        sources={row[str(KG.file)][0]: row[str(KG.sha256)][0] for row in used},
    )


# ---------------------------------------------------------------- the plain triples behind assertions
def _derive(store: ox.Store | None, removed: Sequence[Quad], added: Sequence[Quad]) -> tuple[list[Quad], list[Quad]]:
    """Return the plain triples to remove and to add so that (s, p, o) stands exactly where an assertion has support."""
    gone, come = _index(removed), _index(added)
    objects = _after(store, removed, come)
    stale: list[Quad] = []
    fresh: list[Quad] = []
    for assertion in _touched(store, gone, come):
        for plain in _claims(assertion, gone, come, store):
            stands = _stands(assertion, plain, objects)
            present = store is not None and plain in store
            if stands and not present:
                fresh.append(plain)
            elif present and not stands:
                stale.append(plain)
    return stale, fresh


Node: TypeAlias = Any  # NamedNode or Literal: reading lets nothing else through
Index = Mapping[Node, Mapping[Node, list[Node]]]


def _index(quads: Iterable[Quad]) -> Index:
    index: dict[Node, dict[Node, list[Node]]] = defaultdict(lambda: defaultdict(list))
    for quad in quads:
        index[quad.subject][quad.predicate].append(quad.object)
    return index


def _after(store: ox.Store | None, removed: Sequence[Quad], come: Index) -> Callable[[Node, Node], set[Node]]:
    """Return a look-up of (subject, predicate) -> objects in the source graphs as they will be."""
    gone = set(removed)

    def objects(subject: Node, predicate: Node) -> set[Node]:
        kept: set[Node] = set(come[subject][predicate]) if subject in come else set()
        for quad in store.quads_for_pattern(subject, predicate, None, None) if store else ():
            if quad not in gone and quad.graph_name != DERIVED:
                kept.add(quad.object)
        return kept

    return objects


def _touched(store: ox.Store | None, gone: Index, come: Index) -> Iterator[Node]:
    seen: set[Node] = set()
    for index in (gone, come):
        for node, facts in index.items():
            if _EVIDENCE in facts or _ASSERTION in facts.get(_TYPE, ()):
                seen.add(node)
            elif store and _DIRECTION in facts:
                seen |= {quad.subject for quad in store.quads_for_pattern(None, _EVIDENCE, node, None)}
    yield from sorted(seen, key=str)


def _claims(assertion: NamedNode, gone: Index, come: Index, store: ox.Store | None) -> Iterator[Quad]:
    """Yield the plain triple of an assertion, as a quad of the derived graph."""
    parts: list[Any] = []
    for term in _SPO:
        values: list[Node] = [*come.get(assertion, {}).get(term, ()), *gone.get(assertion, {}).get(term, ())]
        if not values and store:
            values = [quad.object for quad in store.quads_for_pattern(assertion, term, None, None)]
        parts.append(values[0] if values else None)
    if all(isinstance(part, NamedNode) for part in parts):
        yield Quad(parts[0], parts[1], parts[2], DERIVED)


def _stands(assertion: NamedNode, plain: Quad, objects: Callable[[Node, Node], set[Node]]) -> bool:
    if plain.object not in objects(assertion, _SPO[2]):
        return False
    evidence = objects(assertion, _EVIDENCE)
    return any(_SUPPORTS in objects(node, _DIRECTION) for node in evidence if isinstance(node, NamedNode))


def source_name(graph: str) -> str:
    """Return the file name that a source graph was loaded from."""
    return unquote(graph.removeprefix(SOURCE))


def default_author() -> str:
    """Return the name of whoever runs this process, or ``unknown``."""
    with suppress(OSError, KeyError, ImportError):
        import getpass

        return getpass.getuser()
    return "unknown"
