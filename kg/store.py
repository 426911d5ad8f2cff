"""The durable graph: an rdflib ``Dataset`` over an embedded, on-disk Oxigraph.

Each source file is a named graph; loading a file again replaces what it said before and nothing else.
A change set is one atomic commit that holds its data, the plain triples derived from its assertions,
and its own history entry, which is what makes the version one higher. The log that it is in is synced before it
is acknowledged (without that, a power cut loses it), and a small fsynced file beside the store names
the last acknowledged version, so that a store which lost its tail is refused instead of served.
There is one writer process, held by ``flock``, and one writer thread at a time, held by a lock.
"""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import threading
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyoxigraph as ox
from oxrdflib import OxigraphStore
from pyoxigraph import Literal, NamedNode, Quad, Triple
from rdflib import Dataset
from rdflib.namespace import DCTERMS, RDF, XSD

from kg.changes import HISTORY, ChangeSet, Delta, Packing, Stated, compose, entry, read_entry, sources_of, unpack
from kg.derivation import DERIVED, derive, derived
from kg.disk import (
    CHECKPOINT,
    FREE_BYTES,
    Head,
    copy_graph,
    damage_named,
    disk_named,
    full_at_opening,
    is_full,
    make_folder,
    not_there,
    open_oxigraph,
    read_head,
    sync_log,
    take_lock,
    write_head,
)
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
from kg.triples import Facts, Triples, together
from kg.vocabulary import CHANGE, EVIDENCE, KG, NODE, SOURCE

SOURCE_LINK = NamedNode(str(DCTERMS.source))
EVIDENCE_LINK = NamedNode(str(KG.evidence))
_UNTOUCHED = {NamedNode(str(XSD.string)), NamedNode(str(RDF.langString))}  # datatypes that are kept letter by letter
UPDATE_QUADS = 300_000  # one SPARQL update of this size takes about 5 s and 1.3 GB (research/stores.md, size)
LOG_BYTES = (
    4 << 20
)  # of log that opening reads again, in 0.15 s; to make tables of every change took 9 ms CPU more for each
REOPEN_SECONDS = 5.0  # how long opening again waits for readers to let go


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

        Raises StoreLocked while another process has it open, StoreDamaged where it fails its checks, and
        StoreFull where the disk is too full to open it.
        """
        self.folder = folder
        self.on_reopen: Callable[[], None] | None = None
        self._free_bytes = free_bytes
        self._write = threading.RLock()
        self._pid = os.getpid()
        self._failed = False
        self.history_entries: tuple[ChangeSet, ...] = ()
        make_folder(folder)
        self._lock = take_lock(folder)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; whoever uses the store afterwards is told so."""
        self._let_go(f"The store {self.folder} is closed.")
        self._lock.close()

    def _let_go(self, why: str) -> None:
        closed: Any = _Closed(why)
        self.dataset = self._inner = closed

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
        return sources_of(self.history_entries)

    def triples(self) -> list[Triple]:
        """Return every triple that a source file states (each once), materialised."""
        return self.triples_except(())

    def triples_except(self, names: Collection[str]) -> list[Triple]:
        """Return every triple that a source file states, but for the named files."""
        seen: dict[Triple, None] = {}
        for graph in self._source_graphs():
            if source_name(graph.value) not in names:
                seen.update((quad.triple, None) for quad in self._match(graph=graph))
        return list(seen)

    def triples_after(self, delta: Delta) -> list[Triple]:
        """Return every triple that a source file would state after a change."""
        quads = {quad for graph in self._source_graphs() for quad in self._match(graph=graph)}
        quads.difference_update(delta.removed)
        quads.update(delta.of_sources().added)
        return list({quad.triple: None for quad in quads})

    def quads(self) -> set[Quad]:
        """Return every quad of the current version: source graphs and derived triples, without the history."""
        return self._scan()[1]

    def quads_at(self, version: int) -> set[Quad]:
        """Return every quad of any version, by undoing the later change sets; raises NotFound for an unknown one."""
        if version != 0:
            self.change(version)
        last, found = self._scan()
        for later in range(last, version, -1):
            delta = self._stored_delta(later)
            found.difference_update(delta.added)
            found.update(delta.removed)
        return found

    def _scan(self) -> tuple[int, set[Quad]]:
        """Return the version and the quads of one moment, whatever is written meanwhile: one iterator sees one state."""
        found: set[Quad] = set()
        version, number = 0, str(KG.version)
        for quad in self._match():
            graph = getattr(quad.graph_name, "value", "")
            if graph.startswith(SOURCE) or quad.graph_name == DERIVED:
                found.add(quad)
            elif quad.graph_name == HISTORY and quad.predicate.value == number:
                version = max(version, int(quad.object.value))
        return version, found

    def _match(self, subject: Any = None, predicate: Any = None, object_: Any = None, graph: Any = None) -> list[Any]:
        """Return the quads that match; raises StoreDamaged where they cannot all be read."""
        with damage_named(self.folder):
            found = list(self._inner.quads_for_pattern(subject, predicate, object_, graph))
        if isinstance(
            object_, Literal
        ):  # Oxigraph on disk finds 256 to 511 for 255: its bound keeps a last byte of 0xFF
            return [quad for quad in found if quad.object == object_]
        return found

    def about(self, subject: Any, except_files: Collection[str] = ()) -> list[Quad]:
        """Return what source files say of a subject."""
        return self._stated(self._match(subject), except_files)

    def pointing(self, object_: Any, except_files: Collection[str] = (), predicate: Any = None) -> list[Quad]:
        """Return what source files say with a term as the object."""
        return self._stated(self._match(None, predicate, object_), except_files)

    def cited(self, source: Any, except_files: Collection[str] = ()) -> Quad | None:
        """Return some evidence or entity of another file that names a source."""
        quads = self._match(None, SOURCE_LINK, source)
        return next((quad for quad in quads if self._stated([quad], except_files)), None)

    def owners(self, node: Any) -> list[Quad]:
        """Return the links from whatever a node is a part of: evidence of an assertion, a record of an entity."""
        anything = getattr(node, "value", "").startswith((EVIDENCE, NODE))
        return self._stated(self._match(None, None if anything else EVIDENCE_LINK, node), ())

    def file_quads(self, name: str) -> list[Quad]:
        """Return what one source file states."""
        return self._match(graph=source_graph(name))

    def history_quads(self) -> list[Quad]:
        """Return the history as PROV-O, without the packed deltas."""
        return [quad for quad in self._match(graph=HISTORY) if quad.predicate.value != str(KG.delta)]

    def _source_graphs(self) -> list[NamedNode]:
        with damage_named(self.folder):
            graphs = list(self._inner.named_graphs())
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
        return self._stored_delta(version)

    def _stored_delta(self, version: int) -> Delta:
        quads = self._match(NamedNode(f"{CHANGE}{version}"), NamedNode(str(KG.delta)), None, HISTORY)
        with damage_named(self.folder):
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
        self._recover()
        documents, remove = list(documents), list(remove)
        if not self.version and not remove:
            return self.prepare_first(documents)[0]
        sources = {**{d.name: d.sha256 for d in documents}, **dict.fromkeys(remove, "")}
        version = self.version
        removed: list[Quad] = []
        added: list[Quad] = []
        for name, triples in [*((d.name, d.triples) for d in documents), *((name, []) for name in remove)]:
            graph = source_graph(name)
            old = set(self._match(graph=graph))
            stated = Triples.of(triples)
            new = list(stated.replaced(_kept_literals(stated.literals)).quads(graph))
            removed += old.difference(new) if old else ()
            added += [quad for quad in new if quad not in old] if old else new
        return Prepared(version, self._with_derived(removed, added), sources)

    def prepare_first(self, documents: Sequence[Document]) -> tuple[Prepared, Facts]:
        """Work out what the first load of all would change; also return what the graph would then say."""
        files = [(document.name, Triples.of(document.triples)) for document in documents]
        kept = _kept_literals(set().union(*(triples.literals for _, triples in files)))
        stored = [(source_graph(name), triples.replaced(kept)) for name, triples in files]
        facts = together(triples.facts for _, triples in stored)
        sources = {document.name: document.sha256 for document in documents}
        return Prepared(self.version, Delta((), Stated(stored, derived(facts))), sources), facts

    def prepare_revert(self, version: int) -> Prepared:
        """Work out how to undo a change set, leaving what came later.

        Raises RevertConflict, naming the later change sets, where those touched the same statements.
        """
        self._recover()
        undo = self.delta(version).of_sources().reversed()
        with damage_named(self.folder):
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

    def _with_derived(self, removed: Collection[Quad], added: Collection[Quad]) -> Delta:
        with damage_named(self.folder):
            stale, fresh = derive(self._inner, removed, added) if removed or added else ([], [])
        return Delta((*sorted(removed, key=str), *stale), (*added, *fresh))

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
            if not self.made(change_id):
                self.expect(expected_version)
            return self.commit(self.prepare(documents, remove), message=message, author=author, change_id=change_id)

    def revert(
        self, version: int, *, message: str, author: str, expected_version: int | None = None
    ) -> ChangeSet | None:
        """Undo a change set as a new change set; raises RevertConflict where later ones touched the same."""
        with self._write:
            self.expect(expected_version)
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
            self._recover()
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

    def expect(self, version: int | None) -> None:
        """Raise Conflict where the store is not at the version that a change was made for; None is any."""
        if version is not None and version != self.version:
            raise Conflict(version, self.version)

    def made(self, change_id: str | None) -> ChangeSet | None:
        """Return the change set with a client's change id, if it was made."""
        if change_id is None:
            return None
        self._recover()
        return next((change for change in self.history_entries if change.change_id == change_id), None)

    # -------------------------------------------------------------- keeping
    def verify(self) -> None:
        """Read everything and compare it with the history; raises StoreDamaged where the two do not agree."""
        version, held = self._scan()
        stated = set(compose(self._stored_delta(n) for n in range(1, version + 1)).added)
        wrong = len(held ^ stated)
        if wrong:
            raise StoreDamaged(
                f"{self.folder} does not hold what its history says: {wrong:,} statement{'s' * (wrong != 1)} differ. "
                "Restore it from a backup, or delete the folder and load the files again."
            )
        self._verify_indexes(held)

    def _verify_indexes(self, quads: Collection[Quad]) -> None:
        """Look every quad up by each of its terms: Oxigraph keeps it in six orders, and each can be damaged."""
        graphs = {quad.graph_name for quad in quads}
        for place, term in enumerate(("subject", "predicate", "object")):
            anywhere = {(getattr(quad, term), None) for quad in quads}
            within = {(getattr(quad, term), quad.graph_name) for quad in quads}
            for looked in (anywhere, within):
                found = 0
                for value, graph in looked:
                    pattern: list[Any] = [None, None, None, graph]
                    pattern[place] = value
                    found += sum(q.graph_name in graphs for q in self._match(*pattern))
                if found != len(quads):
                    raise StoreDamaged(
                        f"{self.folder} finds {found:,} of its {len(quads):,} quads by {term}: an index is damaged. "
                        "Restore it from a backup, or delete the folder and load the files again."
                    )

    def backup(self, folder: Path) -> None:
        """Copy the current version into a new folder, which opens as a store; reading and writing go on.

        Every byte is copied: a backup that shared files with the store would share their damage.
        """
        not_there(folder)
        self._only_here()
        aside = self.folder / f"{CHECKPOINT}{uuid.uuid4().hex}"
        try:
            with disk_named(f"{folder} cannot be written", folder):
                with self._write:
                    self._recover()
                    self._inner.backup(str(aside))
                    head = Head(self.version, self.store_id)
                copy_graph(aside, folder, head)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _only_here(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError("This store was opened before a fork; only the process that opened it may write.")

    def _ready_to_write(self) -> None:
        self._only_here()
        free = shutil.disk_usage(self.folder).free
        if free < self._free_bytes:
            raise StoreFull(
                f"{self.folder} has {free >> 20} MB free and {self._free_bytes >> 20} MB are needed to write safely. Free some space; reading goes on."
            )

    def _write_change(self, delta: Delta, change: ChangeSet) -> None:
        count = len(delta.added)
        quads = self._with_entry(delta, change)
        whole, rest = self._emptied(delta.removed)
        if delta.removed:
            _bounded(count + len(rest))
        self._failed = True  # until all of it is on disk, whatever comes in between
        try:
            if delta.removed:
                steps = [f"DROP GRAPH {graph}" for graph in whole]
                steps += [f"DELETE DATA {{ {_data(rest)} }}", f"INSERT DATA {{ {_data(quads)} }}"]
                self._inner.update(" ; ".join(steps))
            elif count > UPDATE_QUADS:
                self._inner.bulk_extend(quads)
            else:
                self._inner.extend(quads)
            if sync_log(self.folder) > LOG_BYTES:
                self._inner.flush()
            write_head(self.folder, Head(change.version, self.store_id))
        except (OSError, RuntimeError) as error:
            raise self._write_failed(change, error) from error
        self._failed = False
        if not delta.removed and count > UPDATE_QUADS:
            self._compact()

    def _with_entry(self, delta: Delta, change: ChangeSet) -> Iterator[Quad]:
        """Return the quads that a change adds, then its history entry, into which they are packed as they pass."""
        packing = Packing()
        deque(packing.removing(delta.removed), maxlen=0)
        return chain(packing.adding(delta.added), self._entry(packing, change))

    def _entry(self, packing: Packing, change: ChangeSet) -> Iterator[Quad]:
        yield from entry(change, packing.text(), self.store_id)

    def _compact(self) -> None:
        """Merge the files that a bulk load left: else later changes wait until that is done, 9 s for one on Hetionet."""
        with suppress(OSError, RuntimeError):  # it needs room for a copy; without it the graph is the same
            self._inner.optimize()

    def _emptied(self, removed: Collection[Quad]) -> tuple[list[Any], list[Quad]]:
        """Return the graphs that a removal leaves nothing of, which can be dropped as they are, and the other quads."""
        counts = Counter(quad.graph_name for quad in removed)
        whole = []
        with damage_named(self.folder):
            for graph, count in counts.items():
                held = self._inner.quads_for_pattern(None, None, None, graph)
                if sum(1 for _ in islice(held, count + 1)) == count:
                    whole.append(graph)
        return whole, [quad for quad in removed if quad.graph_name not in whole]

    def _write_failed(self, change: ChangeSet, error: BaseException) -> StoreError:
        """Return the error for a write that failed, saying what became of it where that can be found out."""
        said = f"Writing version {change.version} to {self.folder} failed ({error})."
        if is_full(error):  # opening again needs room, and might leave nothing to read from
            return StoreFull(f"{said} Free some space; reading goes on. {UNKNOWN}")
        try:
            self._recover()
        except StoreError as again:
            return StoreError(f"{said} Nor could the store be opened again: {again} {UNKNOWN}")
        if self.version >= change.version:
            return StoreError(f"{said} The store was opened again, and the change was kept as version {self.version}.")
        return StoreError(f"{said} The store was opened again; the change was not kept, and nothing else was lost.")

    # -------------------------------------------------------------- opening
    def _open(self) -> None:
        self._inner = open_oxigraph(self.folder)
        self.dataset = Dataset(store=OxigraphStore(store=self._inner), default_union=True)
        with damage_named(self.folder):
            entries, stated_id = self._read_history()
        self.store_id = self._agree(entries, stated_id)
        self.history_entries = entries

    def _recover(self) -> None:
        """After a failed write, open the store again: only then is it known what the disk holds, and may be written."""
        if not self._failed:
            return
        with self._write:
            if not self._failed:
                return
            self._ready_to_write()
            self._let_go(f"{self.folder} could not be opened again after a failed write; the next write tries again.")
            deadline = time.monotonic() + REOPEN_SECONDS
            while True:
                gc.collect(0)
                try:
                    self._open()
                    break
                except StoreLocked:  # a reader still holds the old one
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            self._failed = False
        if self.on_reopen:
            self.on_reopen()

    def _read_history(self) -> tuple[tuple[ChangeSet, ...], str | None]:
        """Return the change sets, and the identity of the store that they were made in."""
        facts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        quads: Iterator[Any] = self._inner.quads_for_pattern(None, None, None, HISTORY)
        delta = str(KG.delta)
        for quad in quads:
            if quad.predicate.value != delta:  # large, and read one at a time when asked for
                facts[quad.subject.value][quad.predicate.value].append(quad.object.value)
        entries = [read_entry(about, facts) for about in facts.values() if str(KG.version) in about]
        entries.sort(key=lambda entry: entry.version)
        if [entry.version for entry in entries] != list(range(1, len(entries) + 1)):
            raise ValueError("the history has gaps")
        ids = (about[str(DCTERMS.isPartOf)][0] for about in facts.values() if str(DCTERMS.isPartOf) in about)
        return tuple(entries), next(ids, None)

    def _agree(self, entries: Sequence[ChangeSet], stated_id: str | None) -> str:
        """Compare the graph with the head, and return the identity of the store; raises StoreDamaged."""
        head, version = read_head(self.folder), len(entries)
        advice = f"Restore {self.folder} from a backup, or delete it and load the files again."
        if head is None and version:
            raise StoreDamaged(f"{self.folder} has no head.json, so what was last acknowledged is unknown. {advice}")
        if head and version < head.version:
            raise StoreDamaged(
                f"{self.folder} holds version {version}, but version {head.version} was acknowledged: its last writes are lost. {advice}"
            )
        if head and stated_id and stated_id != head.store:
            raise StoreDamaged(f"{self.folder} holds the graph of one store and the head.json of another. {advice}")
        store_id = head.store if head else uuid.uuid4().hex
        if head is None or version > head.version:
            self._acknowledge(Head(version, store_id))
        return store_id

    def _acknowledge(self, head: Head) -> None:
        """Make safe what a process wrote that was killed before it could say so: from now on it is served."""
        try:
            self._inner.flush()
            write_head(self.folder, head)
        except OSError as error:
            if is_full(error):
                raise full_at_opening(self.folder, error) from error
            raise StoreError(f"{self.folder} cannot be written ({error}).") from error


class _Closed:
    """Stands where a graph was; reading nothing must not look like finding nothing."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        raise StoreError(self._why)

    def __contains__(self, _: object) -> bool:
        raise StoreError(self._why)


UNKNOWN = "Whether the change was kept is unknown until the next write or start; asking again with the same change id, or loading again, is safe."


def is_part(quad: Quad) -> bool:
    """Whether the object of a quad is a part of its subject."""
    return quad.predicate == EVIDENCE_LINK or getattr(quad.object, "value", "").startswith((EVIDENCE, NODE))


# ---------------------------------------------------------------- quads
def _kept_literals(literals: Iterable[Literal]) -> dict[Literal, Literal]:
    """Return those literals that Oxigraph keeps as others ("1.10" as "1.1"), with what it makes of them."""
    typed = [literal for literal in literals if literal.datatype not in _UNTOUCHED]
    memory = ox.Store()
    memory.extend(Quad(NamedNode(f"urn:kg:{n}"), SOURCE_LINK, literal) for n, literal in enumerate(typed))
    pairs = ((typed[int(quad.subject.value[7:])], quad.object) for quad in memory)
    return {given: stored for given, stored in pairs if given != stored and isinstance(stored, Literal)}


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
