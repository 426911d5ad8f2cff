"""Graphs of any size with Hetionet's degree shapes, as columns, as a published snapshot, or as a whole data folder.

Smaller ones keep an equal part of every relation's edges and the nodes that still have one. Larger ones are copies of
the nodes: each edge of each copy leads from its subject's copy to a random copy of its object, so every node keeps the
out-degree it has in Hetionet, and its in-degree in expectation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pyoxigraph import RdfFormat

from kg.changes import ChangeSet, Delta, entry, pack
from kg.columns import Columns, EntitySpecs, EvidenceColumns, Numbers, names_of, numbered, starts_of
from kg.disk import Head, write_head
from kg.evidence import confidence_value
from kg.exploration import Graph
from kg.model import Model
from kg.packed import Packed
from kg.published import FOLDER, Published
from kg.snapshot import Version
from kg.store import Store, source_graph
from kg.vocabulary import ASSERTION
from tests.benchmarks.hetionet import importer
from tests.benchmarks.hetionet.importer import SEED, Node, Row

FILE = "hetionet.nt"


@dataclass(frozen=True)
class Edges:
    """Nodes, and the edges between them by number."""

    nodes: tuple[Node, ...]
    relations: tuple[str, ...]
    subjects: Numbers
    objects: Numbers
    names: Numbers

    def __len__(self) -> int:
        return len(self.subjects)

    def rows(self) -> Iterator[Row]:
        """Yield the edges as the importer does."""
        for subject, name, object_ in zip(
            *(c.tolist() for c in (self.subjects, self.names, self.objects)), strict=True
        ):
            yield Row(self.nodes[subject], self.relations[name], self.nodes[object_])


def hetionet(files: Path = importer.FILES) -> Edges:
    """Return Hetionet itself."""
    nodes = [node for of_kind in importer.nodes(files).values() for node in of_kind.values()]
    number = {node.curie: i for i, node in enumerate(nodes)}
    relations = tuple(importer.RELATIONS.values())
    name = {relation: i for i, relation in enumerate(relations)}
    found = np.array(
        [(number[r.subject.curie], number[r.object.curie], name[r.relation]) for r in importer.edges(files)], np.int32
    )
    return Edges(tuple(nodes), relations, *(np.ascontiguousarray(found[:, i]) for i in range(3)))


def grown(whole: Edges, size: int) -> Edges:
    """Return a graph of about so many edges with the same degree shapes; the same every time."""
    rng = np.random.default_rng(SEED)
    copies = -(-size // len(whole))
    nodes = [node for copy in range(copies) for node in (whole.nodes if copy == 0 else map(_copier(copy), whole.nodes))]
    count, many = len(whole.nodes), len(whole) * copies
    subjects = np.concatenate([whole.subjects + copy * count for copy in range(copies)]).astype(np.int32)
    objects = (np.tile(whole.objects, copies) + rng.integers(0, copies, many) * count).astype(np.int32)
    names = np.tile(whole.names, copies)
    keep = np.ones(many, np.bool_) if size >= many else rng.random(many) < size / many
    edges = np.unique(np.stack([subjects, objects, names])[:, keep & (subjects != objects)], axis=1)
    used = np.unique(edges[:2])
    moved = np.zeros(len(nodes), np.int32)
    moved[used] = np.arange(len(used))
    left = tuple(nodes[i] for i in used.tolist())
    return Edges(left, whole.relations, moved[edges[0]], moved[edges[1]], edges[2].astype(np.int32))


def _copier(copy: int) -> Callable[[Node], Node]:
    return lambda node: replace(
        node, curie=f"{node.curie}.{copy}", iri=f"{node.iri}.{copy}", label=f"{node.label} {copy}"
    )


def columns(edges: Edges, model: Model) -> Columns:
    """Return the columns that a snapshot of the edges has."""
    order = sorted(range(len(edges.nodes)), key=lambda i: importer.place(edges.nodes[i]))
    moved = np.empty(len(order), np.int32)
    moved[order] = np.arange(len(order))
    nodes = [edges.nodes[i] for i in order]
    relation = numbered(model.relations)
    subjects, objects = moved[edges.subjects], moved[edges.objects]
    relations = np.array([relation[name] for name in edges.relations], np.int16)[edges.names]
    by_curie = np.argsort(np.argsort(np.array([node.curie for node in nodes])))
    by_name = np.argsort(np.argsort(np.array([r.name for r in model.relations])))
    sorting = np.lexsort((by_curie[objects], by_name[relations], by_curie[subjects]))
    subjects, relations, objects = subjects[sorting], relations[sorting], objects[sorting]
    digests = [
        Row(nodes[s], model.relations[r].name, nodes[o]).iri[len(ASSERTION) :]
        for s, r, o in zip(subjects.tolist(), relations.tolist(), objects.tolist(), strict=True)
    ]
    return _assembled(model, nodes, digests, subjects, relations, objects)


def _assembled(
    model: Model, nodes: list[Node], digests: list[str], subjects: Numbers, relations: Numbers, objects: Numbers
) -> Columns:
    """Return columns in which every assertion has one piece of evidence, as the importer gives it."""
    count = len(digests)
    one = importer.evidence_of("0", model)
    zeros = np.zeros(count, np.int32)
    evidence = EvidenceColumns(
        names_of(f"evidence:{digest}" for digest in digests),
        zeros,
        np.full(count, numbered(model.levels)[one.level.name], np.int16),
        np.full(count, numbered(model.directions)[one.direction], np.int8),
        zeros - 1,
        zeros + one.known_on.toordinal(),
        zeros,
    )
    ids = names_of(f"assertion:{digest}" for digest in digests)
    said = (one.date, one.sample_size, one.count, one.total, one.grade, one.comment, one.verification)
    return Columns(
        model,
        EntitySpecs(importer.specs(model, nodes)),
        (one.source,),
        (),
        Packed.of([said]),
        evidence,
        ids,
        np.arange(count, dtype=np.int32),
        subjects,
        relations.astype(np.int16),
        objects,
        np.full(count, confidence_value((one,)), np.float64),
        starts_of(np.ones(count, np.int64)),
        np.arange(count, dtype=np.int32),
        np.argsort(ids, kind="stable").astype(np.int32),
    )


def publish(edges: Edges, folder: Path, version: Version | None = None) -> Graph:
    """Publish a snapshot of the edges in a folder and return it."""
    model = importer.hetionet_model()
    graph = Graph(model, columns(edges, model), version or Version(1, f"hetionet{len(edges)}"))
    Published(folder, model).publish(graph)
    return graph


def fill(edges: Edges, data: Path) -> Graph:
    """Make a data folder that holds the edges as if one file of them had been loaded, by ``bulk_load``; return the graph.

    What history has besides, the packed difference from nothing, is left empty: it is for measuring changes, not for
    undoing the first one.
    """
    data.mkdir(parents=True)
    file = data.with_suffix(".nt")
    importer.write_rows(file, edges.nodes, edges.rows())
    with Store(data) as store:
        store._inner.bulk_load(path=str(file), format=RdfFormat.N_TRIPLES, to_graph=source_graph(FILE))
        made = ChangeSet(1, datetime.now(UTC).replace(microsecond=0), "benchmark", "all of it", 0, 0, {FILE: "0" * 64})
        store._inner.extend(entry(made, pack(Delta((), ())), store.store_id))
        store._inner.flush()
        store._inner.optimize()  # as after loading in bulk
        version = Version(1, store.store_id, made.time, made.author, made.message)
        write_head(data, Head(1, store.store_id))
    file.unlink()
    return publish(edges, data / FOLDER, version)
