"""Opening a graph: the store on disk, the snapshot in memory, and the seeds that fill an empty folder."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pyoxigraph import NamedNode, Triple
from rdflib.namespace import RDF, SKOS

from kg.changes import ChangeSet, Delta
from kg.checking import check
from kg.columns import Columns
from kg.diagnostics import Diagnostic
from kg.diff import GraphDiff, around, graph_diff
from kg.documents import Document
from kg.errors import BadInput, CheckFailed, SyntaxProblem
from kg.exploration import Graph
from kg.facts import Named, Said, said
from kg.first import first_diff
from kg.impact import Impact, Limits, impact
from kg.keeping import opened
from kg.memory import give_back, no_collection
from kg.model import Model, data_folder, load_model
from kg.near import Near
from kg.past import Past
from kg.projection import Projection, project, project_both, project_facts
from kg.published import FOLDER, Publish, Published
from kg.reading import files_under, name_nodes, read_parts
from kg.reference import Reference, load_reference
from kg.significance import keep_tallies
from kg.snapshot import Version
from kg.store import Prepared, Store, default_author, source_graph
from kg.tallies import MOST_BYTES
from kg.vocabulary import KG

Progress = Callable[[str, int, int], None]
TYPE_LINK = NamedNode(str(RDF.type))
ADVANCE_QUADS = 20_000  # of a small change
CONTEXT_TRIPLES = 20_000  # up to so many, looking up what is near is faster than reading the whole graph


def default_data_folder() -> Path:
    """Return ``$KG_DATA``, else ``.cartograph`` in the working folder."""
    return Path(os.environ.get("KG_DATA", ".cartograph"))


@dataclass(frozen=True, slots=True)
class SeedChange:
    """A seed file that differs from what was loaded from it: ``state`` is new, changed or missing."""

    name: str
    state: str


@dataclass(frozen=True)
class Plan:
    """A change that was checked and worked out and not yet made: warnings, and what it means."""

    prepared: Prepared
    diff: GraphDiff
    warnings: Sequence[Diagnostic] = ()
    first: Columns | None = None
    """The graph that a first load leads to, at hand because all of it was just looked at."""
    around: tuple[Projection, Projection] | None = None
    """What stands around a small change before and after it, as ``Graph.advanced`` wants it."""

    def __bool__(self) -> bool:
        return bool(self.prepared.delta)


class GraphService:
    """A store with its current snapshot; loading makes the next one without disturbing readers of the last."""

    def __init__(
        self,
        store: Store,
        model: Model,
        published: Published | None = None,
        publish: Publish = "some",
        *,
        lends: bool = True,
    ) -> None:
        """The snapshot is the published one, brought up to the store's version, or else made from the store.

        ``publish`` says which snapshots are published: every one, none, or those that spare the next start much work.
        ``lends`` gives versions back as soon as nobody holds their snapshot (``Snapshot.lent``), also for records of it.
        """
        self.store = store
        self.model = model
        self.publishing_failed: OSError | None = None
        self._published, self._which, self._lends = published, publish, lends
        self._published_version = 0
        self._snapshot: Graph | None = None
        self._building = threading.RLock()
        store.on_reopen = self._catch_up

    @classmethod
    def reading(cls, store: Store, model: Model, data: Path) -> GraphService:
        """Return the service of a data folder's store, or of a copy of it, whose snapshots are nobody else's business."""
        publish: Publish = "some" if store.folder == data else "none"
        return cls(store, model, Published(data / FOLDER, model), publish, lends=False)

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.store.folder

    @property
    def snapshot(self) -> Graph:
        """The graph as it stands. It is made when first asked for: a large load from the command line never asks."""
        if self._snapshot is None:
            with self._building:
                if self._snapshot is None:
                    self._snapshot = self._handed_out(self._mapped() or self._build())
                    self._publish(self._snapshot)
        return self._snapshot

    def close(self) -> None:
        """Publish the snapshot, if one was made, and close the store."""
        if self._snapshot is not None:
            self._publish(self._snapshot, all_=self._which != "none")
        self.store.close()

    def _handed_out(self, graph: Graph) -> Graph:
        return graph.lent() if self._lends else graph

    def _catch_up(self) -> None:
        with self._building:
            now = self._snapshot
            if now is not None and self.store.version != now.version.number:
                self._snapshot = self._handed_out(self._next(now) or self._build())
                self._publish(self._snapshot)

    def _mapped(self) -> Graph | None:
        """Return the published snapshot, brought up to the store's version, or None where it is of no use."""
        newest = self._published.newest() if self._published else None
        if newest is None:
            return None
        number = newest.version.number
        if number > self.store.version or newest.version != self._version(number):
            return None
        self._published_version = number
        return newest if number == self.store.version else self._next(newest)

    def _publish(self, graph: Graph, *, all_: bool = False) -> None:
        """Publish a snapshot where that is wanted; a full disk keeps nobody from reading or writing."""
        wanted = all_ or self._which == "all" or (self._which == "some" and self._behind() > ADVANCE_QUADS // 2)
        if self._published is None or not wanted or self._published_version == graph.version.number:
            return
        if self._which != "all" and self._published.is_worth_more_than(graph):
            return  # opened under the wrong schema, it would cost the next start under the right one minutes
        try:
            self._published.publish(graph)
        except OSError as error:
            self.publishing_failed = error
        else:
            self.publishing_failed, self._published_version = None, graph.version.number
            keep_tallies(graph)

    def _behind(self) -> int:
        """Return how many quads were changed since the snapshot that is published."""
        late = (change for change in self.store.history() if change.version > self._published_version)
        return sum(change.added + change.removed for change in late)

    def _next(self, now: Graph) -> Graph | None:
        """Return the store's version made out of a snapshot, or None where that is impossible or no gain."""
        if self.store.version < now.version.number:
            return None
        delta = self.store.between(now.version.number, self.store.version)
        if not _is_small(delta):
            return None
        after, before = self._parts(delta.reversed(), Near(self.store))
        return now.advanced(before, after, self._version(self.store.version))

    def _build(self) -> Graph:
        with no_collection():
            version = self._version(self.store.version)
            graph = Graph(self.model, project(self.store.triples(), self.model), version)
        give_back()
        return graph

    def _version(self, number: int) -> Version:
        if number == 0:
            return Version(0, self.store.store_id)
        made = self.store.change(number)
        return Version(number, self.store.store_id, made.time, made.author, made.message)

    # -------------------------------------------------------------- changing
    def load(
        self,
        documents: Sequence[Document],
        *,
        message: str,
        author: str | None = None,
        remove: Sequence[str] = (),
        expected_version: int | None = None,
        change_id: str | None = None,
    ) -> ChangeSet | None:
        """Check and load documents as one change set, then swap in the next snapshot.

        Raises CheckFailed, with nothing loaded, where any document has an error.
        """
        refuse(self.check(documents, remove))
        change = self.store.load(
            documents,
            message=message,
            author=author or default_author(),
            remove=remove,
            expected_version=expected_version,
            change_id=change_id,
        )
        return self._changed(change)

    def plan(self, documents: Sequence[Document], remove: Sequence[str] = (), progress: Progress | None = None) -> Plan:
        """Check documents and work out what loading them would change; raises CheckFailed for errors."""
        if not self.store.version and not remove:
            return self._plan_first(documents, progress)
        near = Near(self.store)
        warnings = refuse(self.check(documents, remove, progress=progress, near=near))
        with no_collection():
            return self.planned(self.store.prepare(documents, remove), warnings, near)

    def planned(self, prepared: Prepared, warnings: Sequence[Diagnostic] = (), near: Near | None = None) -> Plan:
        """Return the plan of a prepared change that stood its checks, with what it means."""
        parts = self._parts(prepared.delta, near if near and near.version == prepared.version else Near(self.store))
        return Plan(prepared, graph_diff(*parts), warnings, around=parts if _is_small(prepared.delta) else None)

    def _plan_first(self, documents: Sequence[Document], progress: Progress | None) -> Plan:
        """Return the plan of a first load: what all of it says is put together once."""
        with no_collection():
            warnings = refuse(self.check(documents, progress=progress, said=said(documents)))
            prepared, facts = self.store.prepare_first(documents)
            whole = project_facts(facts, self.model)
            del facts
            columns = Columns.of(whole, self.model)
            return Plan(prepared, first_diff(columns), warnings, columns if prepared.delta else None)

    def plan_revert(self, version: int) -> Plan:
        """Work out what undoing a change set would do, leaving what came later.

        Raises RevertConflict where later change sets touched the same statements, CheckFailed where what is
        left would not stand, such as an assertion about an entity that would go.
        """
        prepared = self.store.prepare_revert(version)
        documents = [self._document_after(name, prepared) for name in prepared.sources]
        warnings = refuse(self.check(documents))
        return self.planned(prepared, warnings)

    def apply(
        self, plan: Plan, *, message: str, author: str | None = None, change_id: str | None = None
    ) -> ChangeSet | None:
        """Make a planned change and swap in the next snapshot; raises Conflict where the graph has moved on."""
        change = self.store.commit(
            plan.prepared, message=message, author=author or default_author(), change_id=change_id
        )
        if change is not None:
            with self._building:  # or somebody would have to read again what was written
                following = self._led_to(plan, self._version(change.version))
                if following is not None:
                    self._snapshot = self._handed_out(following)
                    self._publish(self._snapshot)
        return self._changed(change)

    def _led_to(self, plan: Plan, version: Version) -> Graph | None:
        """Return the graph that a plan leads to, or None where it cannot be told from the plan and the snapshot."""
        if plan.first is not None:
            return Graph(self.model, plan.first, version)
        now = self._snapshot
        if now is None or plan.around is None or not now.version.number == plan.prepared.version == version.number - 1:
            return None
        return now.advanced(*plan.around, version)

    def after(self, plan: Plan) -> Graph:
        """Return the graph as a planned change would leave it; nothing is written."""
        delta, now = plan.prepared.delta, self.snapshot.version
        version = Version(now.number + 1, now.store)
        following = self._led_to(plan, version)
        if following is not None:
            return self._handed_out(following)
        with no_collection():
            return self._handed_out(Graph(self.model, project(self.store.triples_after(delta), self.model), version))

    def impact(self, plan: Plan, limits: Limits | None = None) -> Impact:
        """Return which confidences, hypotheses and ranks a planned change would move."""
        return impact(self.snapshot, plan.diff, lambda: self.after(plan), limits)

    def revert(
        self, version: int, *, message: str, author: str | None = None, expected_version: int | None = None
    ) -> ChangeSet | None:
        """Undo a change set by a new one; see ``plan_revert`` for what it raises, besides Conflict."""
        self.store.expect(expected_version)
        return self.apply(self.plan_revert(version), message=message, author=author)

    def _changed(self, change: ChangeSet | None) -> ChangeSet | None:
        self._catch_up()
        return change

    def _document_after(self, name: str, prepared: Prepared) -> Document:
        here = source_graph(name)
        gone = set(prepared.delta.removed)
        quads = [q for q in self.store.file_quads(name) if q not in gone]
        quads += [q for q in prepared.delta.added if q.graph_name == here]
        return Document(name, prepared.sources[name], "", [q.triple for q in quads])

    # -------------------------------------------------------------- checking
    def check(
        self,
        documents: Sequence[Document],
        remove: Sequence[str] = (),
        *,
        pedantic: bool = False,
        progress: Progress | None = None,
        said: Said | None = None,
        near: Near | None = None,
    ) -> list[Diagnostic]:
        """Return every problem of the documents, read as replacing what their files said before.

        ``said`` is what they say, where that was put together and the graph says nothing besides. What is looked up is
        kept in ``near``.
        """
        near = near or Near(self.store)
        files = {document.name for document in documents} | set(remove)
        if not documents and files:
            documents = [Document(name, "", "", []) for name in sorted(files)]
        gone = self._gone(documents, files, near)
        large = sum(len(document.triples) for document in documents) + len(gone) > CONTEXT_TRIPLES
        context = self.store.triples_except(files) if large else self._context(documents, files, gone, near)
        others = tuple if large else partial(self._others, documents, files)
        reference = builtin_reference()
        return check(
            documents,
            self.model,
            reference,
            context,
            gone=gone,
            pedantic=pedantic,
            progress=progress,
            others=others,
            said=said,
        )

    def _gone(self, documents: Sequence[Document], files: set[str], near: Near) -> set[str]:
        """Return the things that replacing these files would leave undeclared."""
        declared = self._declared(files)
        if declared:
            declared -= _declares(documents)
        own = {source_graph(name) for name in files}
        lost = (n for n in declared if not any(q.predicate == TYPE_LINK for q in near.elsewhere(n, own)))
        return {str(getattr(node, "value", "")) for node in lost}

    def _declared(self, files: set[str]) -> set[object]:
        return {q.subject for name in files for q in self.store.file_quads(name) if q.predicate == TYPE_LINK}

    def _context(self, documents: Sequence[Document], files: set[str], gone: set[str], near: Near) -> list[Triple]:
        """Return what is near documents of few triples, of what the graph says that they may refer to."""
        found: dict[Triple, None] = {}
        own = {source_graph(name) for name in files}
        seen: set[object] = set()
        nodes: set[object] = {t for d in documents for q in d.triples for t in (q.subject, q.object)}
        pointed = {NamedNode(iri) for iri in gone}
        for _ in range(2):  # who refers to what would go, and, if that is evidence, to whom it belongs
            pointing = [q for node in pointed for q in self.store.pointing(node, files)]
            pointed = {q.subject for q in pointing if isinstance(q.subject, NamedNode)}
            nodes |= pointed
        nodes |= {q.subject for xref in _xrefs(documents) for q in self.store.pointing(xref, files)}
        for _ in range(3):
            fresh = {node for node in nodes - seen if isinstance(node, NamedNode)}
            seen |= fresh
            stated = [q.triple for node in fresh for q in near.elsewhere(node, own)]
            found.update(dict.fromkeys(stated))
            nodes = {t.object for t in stated if t.predicate != TYPE_LINK}
        cited = (self.store.cited(source, files) for source in _sources(documents))
        found.update((quad.triple, None) for quad in cited if quad)
        return list(found)

    def _others(self, documents: Sequence[Document], files: set[str]) -> Iterator[Named]:
        """Yield the entities of the graph that neither the documents nor what they replace state."""
        restated = self._declared(files) | _declares(documents)
        stated = {str(getattr(node, "value", "")) for node in restated}
        entities = self.snapshot.entities.values()
        return (Named(e.iri, e.kind, e.label) for e in entities if e.iri not in stated)

    # -------------------------------------------------------------- history
    def preview(self, documents: Sequence[Document], remove: Sequence[str] = ()) -> Delta:
        """Return the quads that loading would add and remove."""
        return self.store.prepare(documents, remove).delta

    def _parts(self, delta: Delta, near: Near) -> tuple[Projection, Projection]:
        """Return what stands around a change of the current graph, before and after it."""
        return project_both(*around(delta, near.about, near.owners), self.model)

    def diff(self, first: int, second: int) -> GraphDiff:
        """Return how one version differs from another; raises NotFound for a version that there is not."""
        past = Past(self.store, first)
        return graph_diff(
            *project_both(*around(self.store.between(first, second), past.about, past.owners), self.model)
        )

    def show(self, version: int) -> tuple[ChangeSet, GraphDiff]:
        """Return a change set and what it meant."""
        return self.store.change(version), self.diff(version - 1, version)


def _is_small(delta: Delta) -> bool:
    """Whether making the next snapshot out of the last is faster than reading the whole graph."""
    return len(delta.removed) + len(delta.added) <= ADVANCE_QUADS


def refuse(problems: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """Return the warnings among problems; raises CheckFailed where there is an error."""
    if any(problem.severity == "error" for problem in problems):
        raise CheckFailed(problems)
    return problems


def _declares(documents: Sequence[Document]) -> set[object]:
    return {t.subject for document in documents for t in document.triples if t.predicate == TYPE_LINK}


def _xrefs(documents: Sequence[Document]) -> set[object]:
    return {t.object for document in documents for t in document.triples if t.predicate.value == str(SKOS.exactMatch)}


def _sources(documents: Sequence[Document]) -> set[object]:
    source = NamedNode(str(KG.Source))
    return {t.subject for document in documents for t in document.triples if t.object == source}


def builtin_reference() -> Reference | None:
    """Return the identifier tables named by ``$KG_REFERENCE``, else the built-in ones."""
    path = os.environ.get("KG_REFERENCE")
    return load_reference(Path(path) if path else None)


def read_files(
    paths: Sequence[Path], progress: Progress | None = None, model: Model | None = None, *, recover: bool = False
) -> list[Document]:
    """Return the documents of files and folders, named by their path below the folder they were found in.

    With ``recover``, what cannot be read is kept in each document's ``syntax`` instead of raised.
    """
    documents: list[Document] = []
    files = [(file, path) for path in paths for file in files_under([path])]
    with no_collection():
        for done, (file, root) in enumerate(files):
            name = file.relative_to(root).as_posix() if root.is_dir() else file.name
            documents += [_named(part, recover) for part in read_parts(file, name, model, recover=recover)]
            if progress:
                progress("reading", done + 1, len(files))
    return documents


def _named(document: Document, recover: bool) -> Document:
    try:
        return name_nodes(document)
    except SyntaxProblem as error:
        if not recover:
            raise
        return replace(document, triples=[], syntax=[*document.syntax, error])


OTHER_SCHEMA = "Does --schema name the schema that this data was loaded under?"


def seed_changes(loaded: Mapping[str, str], seeds: Path) -> list[SeedChange]:
    """Return the seed files that are new, changed or missing since they were loaded, from what ``Store.sources`` says."""
    now = {
        file.relative_to(seeds).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files_under([seeds])
    }
    changes = [
        SeedChange(name, "changed" if name in loaded else "new")
        for name, digest in now.items()
        if loaded.get(name) != digest
    ]
    changes += [SeedChange(name, "missing") for name in loaded if name not in now]
    return sorted(changes, key=lambda change: change.name)


def seeds_of(model: Model, seeds: Path | None = None) -> Path | None:
    """Return the folder of seeds: the given one, or those that came with the installation if they are of that schema.

    Raises BadInput where the given one is no folder.
    """
    if seeds is not None and not seeds.is_dir():
        raise BadInput(f"There is no folder {seeds} to read seeds from.")
    return seeds or (data_folder("seeds") if model.iri == load_model().iri else None)


def open_service(
    data: Path | None = None,
    schema: Path | None = None,
    seeds: Path | None = None,
    publish: Publish = "some",
    tally_bytes: int = MOST_BYTES,
) -> GraphService:
    """Open the graph in a data folder; an empty folder is first filled from the seeds (``seeds_of``), if there are any.

    Snapshots are published beside the store, as ``publish`` says, which makes the next start short; with each up to
    ``tally_bytes`` of what its p-values took.
    Raises StoreLocked, StoreDamaged or SchemaError where that is not possible, CheckFailed for bad seeds.
    """
    store = Store(data or default_data_folder())
    try:
        model = load_model(schema)
        published = Published(store.folder / FOLDER, model, tally_bytes)
        service = GraphService(store, model, published, publish)
        folder = seeds_of(model, seeds)
        if store.version == 0 and folder is not None:
            service.load(read_files([folder]), message=f"first load of {folder.name}", author="kg")
        service.snapshot  # noqa: B018 - made now, so that the first reader need not wait
    except BaseException:
        store.close()
        raise
    return service


def open_graph(
    data: Path | str | None = None, *, schema: Path | str | None = None, seeds: Path | str | None = None
) -> Graph:
    """Return the graph in a data folder as a snapshot, for use in Python.

    With no data folder the seeds (those that came with the installation by default, for their own schema) are
    read into memory and nothing is written. While a service has the folder open, a copy of its files is read.
    ``snapshot.nx`` is the networkx graph. Raises BadInput for a folder that holds no store, and for neither data
    nor seeds with another schema.
    """
    model = load_model(Path(schema) if schema else None)
    if data is not None:
        with opened(Path(data)) as store:
            return GraphService.reading(store, model, Path(data)).snapshot
    folder = seeds_of(model, Path(seeds) if seeds else None)
    if folder is None:
        raise BadInput(f"Name the data folder, or the seeds, that go with the schema in {schema}.")
    documents = read_files([folder])
    triples = {triple for document in documents for triple in document.triples}
    return Graph(model, project(sorted(triples, key=str), model), Version(0, "memory"))
