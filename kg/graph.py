"""Opening a graph: the store on disk, the snapshot in memory, and the seeds that fill an empty folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kg.checking import Diagnostic, check
from kg.errors import CheckFailed
from kg.model import Model, data_folder, load_model
from kg.projection import project
from kg.reading import Document, files_under, name_nodes, read_file
from kg.reference import Reference, load_reference
from kg.snapshot import Snapshot, Version
from kg.store import ChangeSet, Delta, Store, default_author

Progress = Callable[[str, int, int], None]


def default_data_folder() -> Path:
    """Return ``$KG_DATA``, else ``.cartograph`` in the working folder."""
    return Path(os.environ.get("KG_DATA", ".cartograph"))


@dataclass(frozen=True, slots=True)
class SeedChange:
    """A seed file that differs from what was loaded from it: ``state`` is new, changed or missing."""

    name: str
    state: str


class GraphService:
    """A store with its current snapshot; loading makes the next one without disturbing readers of the last."""

    def __init__(self, store: Store, model: Model) -> None:
        self.store = store
        self.model = model
        self.snapshot = self._build()

    def _build(self) -> Snapshot:
        last = self.store.history()[-1] if self.store.history() else None
        version = Version(0, self.store.store_id)
        if last:
            version = Version(last.version, self.store.store_id, last.time, last.author, last.message)
        return Snapshot(self.model, project(self.store.triples(), self.model), version)

    def load(
        self,
        documents: Sequence[Document],
        *,
        message: str,
        author: str | None = None,
        remove: Sequence[str] = (),
        expected_version: int | None = None,
    ) -> ChangeSet | None:
        """Check and load documents as one change set, then swap in the next snapshot.

        Raises CheckFailed, with nothing loaded, where any document has an error.
        """
        problems = self.check(documents, remove)
        if any(problem.severity == "error" for problem in problems):
            raise CheckFailed(problems)
        change = self.store.load(
            documents,
            message=message,
            author=author or default_author(),
            remove=remove,
            expected_version=expected_version,
        )
        if change:
            self.snapshot = self._build()
        return change

    def check(self, documents: Sequence[Document], remove: Sequence[str] = ()) -> list[Diagnostic]:
        """Return every problem of the documents, read as replacing what their files said before."""
        gone = {document.name for document in documents} | set(remove)
        context = self.store.triples_except(gone)
        return check(documents, self.model, builtin_reference(), context)

    def preview(self, documents: Sequence[Document], remove: Sequence[str] = ()) -> Delta:
        """Return what loading would add and remove."""
        return self.store.preview(documents, remove)


def builtin_reference() -> Reference | None:
    """Return the identifier tables named by ``$KG_REFERENCE``, else the built-in ones."""
    path = os.environ.get("KG_REFERENCE")
    return load_reference(Path(path) if path else None)


def read_files(paths: Sequence[Path], progress: Progress | None = None) -> list[Document]:
    """Return the documents of files and folders, named by their path below the folder they were found in."""
    documents = []
    files = [(file, path) for path in paths for file in files_under([path])]
    for done, (file, root) in enumerate(files):
        name = file.relative_to(root).as_posix() if root.is_dir() else file.name
        documents.append(name_nodes(read_file(file, name)))
        if progress:
            progress("read", done + 1, len(files))
    return documents


def seed_changes(store: Store, seeds: Path) -> list[SeedChange]:
    """Return the seed files that are new, changed or missing since they were loaded."""
    loaded = store.sources()
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


def open_service(data: Path | None = None, schema: Path | None = None, seeds: Path | None = None) -> GraphService:
    """Open the graph in a data folder; an empty folder is first filled from the seeds.

    Raises StoreLocked, StoreDamaged or SchemaError where that is not possible, CheckFailed for bad seeds.
    """
    store = Store(data or default_data_folder())
    try:
        service = GraphService(store, load_model(schema))
        folder = seeds or data_folder("seeds")
        if store.version == 0 and folder.is_dir():
            service.load(read_files([folder]), message=f"first load of {folder.name}", author="kg")
    except BaseException:
        store.close()
        raise
    return service


def open_graph(
    data: Path | str | None = None, *, schema: Path | str | None = None, seeds: Path | str | None = None
) -> Snapshot:
    """Return the graph in a data folder as a snapshot, for use in Python.

    With no data folder the seeds (those that came with the installation by default) are read into
    memory and nothing is written. ``snapshot.nx`` is the networkx graph.
    """
    model = load_model(Path(schema) if schema else None)
    if data is not None:
        with Store(Path(data)) as store:
            return GraphService(store, model).snapshot
    documents = read_files([Path(seeds) if seeds else data_folder("seeds")])
    triples = {triple for document in documents for triple in document.triples}
    return Snapshot(model, project(sorted(triples, key=str), model), Version(0, "memory"))
