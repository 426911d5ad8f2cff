"""An immutable view of the graph at one version: what every query reads.

A request takes one snapshot and keeps it, so an answer never mixes two versions. ``as_of`` gives the
graph as it was known on a day, by leaving out evidence published later. ``nx`` is the same graph as a
frozen ``networkx.MultiDiGraph``.
"""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from kg.adjacency import Adjacency
from kg.advance import advanced
from kg.assertions import Assertions, AssertionsById
from kg.columns import Columns, Ints
from kg.entities import Entities, EntitiesByCurie, Run
from kg.errors import NotFound
from kg.links import Arcs, Ends, Links
from kg.memory import afterwards, no_collection
from kg.model import Model
from kg.network import network
from kg.projection import Projection
from kg.records import Assertion, Edge, Entity, KindClasses, Source, Study
from kg.search import Hit, SearchIndex
from kg.tallies import Beside

if TYPE_CHECKING:
    import networkx as nx

MOST_HELD = 4  # versions that were let go and are still held, before the collector looks for them
AS_OF_VIEWS, AS_OF_ASSERTIONS = 16, 2_000_000  # kept at most, in all; an assertion of a view takes 130 bytes


@dataclass(frozen=True, slots=True)
class Version:
    """Which graph this is: the number of its last change set, when that was, and the store it is in."""

    number: int
    store: str
    time: datetime | None = None
    author: str | None = None
    message: str | None = None

    @property
    def tag(self) -> str:
        """Short name of this version of this store, for cursors and ETags."""
        return f"{self.store[:8]}-{self.number}"


class Snapshot:
    """The graph at one version, and optionally as it was known on a day."""

    def __init__(
        self,
        model: Model,
        content: Projection | Columns,
        version: Version,
        *,
        known_on: date | None = None,
        classes: KindClasses | None = None,
        whole: Snapshot | None = None,
    ) -> None:
        self.model = model
        self.version = version
        self.known_on = known_on
        self._classes = classes or KindClasses(model)
        self._whole = whole
        self._views: OrderedDict[date, Snapshot] = OrderedDict()
        self._lock = threading.Lock()
        self.beside = Beside()  # its folder, once it is published
        with no_collection():
            self.columns = Columns.of(content, model) if isinstance(content, Projection) else content
            self.sources: tuple[Source, ...] = self.columns.sources
            self.studies: Mapping[str, Study] = {study.id: study for study in self.columns.studies}
        self.by_number = Entities(self.columns, self._classes, self)
        self.entities: Mapping[str, Entity] = EntitiesByCurie(self.by_number)
        self.assertions = Assertions(self.columns, self.by_number)

    def advanced(self, before: Projection, after: Projection, version: Version) -> Self | None:
        """Return the next version, from the projections of what stood around a change before and after it.

        What the change did not touch is shared. Returns None where the graph has to be read anew (``kg.advance``).
        """
        columns = advanced(self.columns, before, after)
        if columns is None:
            return None
        following = type(self)(self.model, columns, version, classes=self._classes)
        following.make_ready(self)
        return following

    def lent(self) -> Self:
        """Return this graph as an object to hand out; once nobody holds that any more, what was made of the graph is let go.

        Records and their graph hold each other. Without this, a version would stay until Python's cyclic collector comes
        by, which stops all threads: for 70 to 180 ms, with Hetionet in memory.
        """
        face = object.__new__(type(self))
        face.__dict__ = self.__dict__
        afterwards.of(face, partial(_let_go, weakref.ref(self)))  # weak: or what is kept in it might hold it for ever
        return face

    def make_ready(self, last: Snapshot) -> None:
        """Make what the last version had made already: its next reader, who may be on the event loop, had not to wait."""
        if self.columns.entities is last.columns.entities and "index" in last.__dict__:
            self.__dict__["index"] = last.index.over(self.by_number)
        if "_links" in last.__dict__:
            _ = self._links

    # -------------------------------------------------------------- links
    @cached_property
    def _links(self) -> Links:
        return Links(self.columns, self.assertions)

    def link(self, entity: Entity) -> Mapping[str, tuple[Edge, ...]]:
        """Assemble and return the links of an entity of this graph; they are kept, so ``entity.links`` is faster."""
        links = self._links
        with self._lock:  # so that all threads see the same edges
            return links.assemble(entity)

    def ends(self, name: str) -> Ends:
        """Return the ends of all edges under a relation's name as seen from there, without making records."""
        return self._links.under(name)

    def degree(self, entity: Entity) -> int:
        """Return the number of edges of an entity of this graph, both directions."""
        return self._links.degree(entity)

    def degrees(self, numbers: Ints) -> Ints:
        """Return the number of edges of each of some entities of this graph, by number, both directions."""
        return self._links.degrees(numbers)

    def edges_among(self, numbers: Ints) -> Ints:
        """Return the positions in ``assertions`` of all edges between two of some entities, by number, without making them."""
        return self._links.among(numbers)

    def arcs_of(self, numbers: Ints) -> Arcs:
        """Return the edges of some entities, by number, as seen from these and without making them."""
        return self._links.of(numbers)

    # -------------------------------------------------------------- reading
    @cached_property
    def by_kind(self) -> Mapping[str, Sequence[Entity]]:
        """Entities of each kind, by label."""
        numbers = self.columns.entities.of_kind
        return {kind.name: Run(self.by_number, numbers.get(kind.name, range(0))) for kind in self.model.kinds}

    @cached_property
    def assertion_by_id(self) -> Mapping[str, Assertion]:
        """Assertions by CURIE."""
        return AssertionsById(self.assertions)

    @cached_property
    def edge_count(self) -> int:
        """Number of assertions that some evidence supports."""
        return int(self.columns.supported.sum())

    @cached_property
    def evidence_count(self) -> int:
        """Number of pieces of evidence."""
        return len(self.columns.rows)

    @cached_property
    def relation_counts(self) -> Mapping[tuple[str, str, str], int]:
        """Number of edges by (subject kind, relation, object kind)."""
        columns, kinds = self.columns, self.adjacency.kinds
        edges = np.flatnonzero(columns.supported)
        ends = kinds[columns.subjects[edges]], columns.relations[edges], kinds[columns.objects[edges]]
        kind, relation = ([thing.name for thing in things] for things in (self.model.kinds, self.model.relations))
        shape = len(kind), len(relation), len(kind)
        counts = np.bincount(np.ravel_multi_index(ends, shape))
        found = np.flatnonzero(counts)
        return {
            (kind[s], relation[r], kind[o]): count
            for s, r, o, count in zip(
                *(each.tolist() for each in (*np.unravel_index(found, shape), counts[found])), strict=True
            )
        }

    @cached_property
    def level_counts(self) -> Mapping[str, int]:
        """Number of pieces of evidence of each level, by its name."""
        counts = np.bincount(self.columns.evidence.levels[self.columns.rows], minlength=len(self.model.levels))
        return {level.name: count for level, count in zip(self.model.levels, counts.tolist(), strict=True)}

    @cached_property
    def unsupported(self) -> tuple[Assertion, ...]:
        """Assertions that no evidence supports: they are no edges, but people ask."""
        return tuple(self.assertions[position] for position in np.flatnonzero(~self.columns.supported).tolist())

    def of_relations(self, names: Collection[str]) -> Iterator[Assertion]:
        """Yield the assertions, edges or not, of some relations."""
        wanted = np.array([relation.name in names for relation in self.model.relations], np.bool_)
        for position in np.flatnonzero(wanted[self.columns.relations]).tolist():
            yield self.assertions[position]

    def newest(self) -> Iterator[Assertion]:
        """Yield the assertions in the order of their newest evidence, newest first; ties by id, last first."""
        rank = np.empty(len(self.columns), np.int64)
        rank[self.columns.by_id] = np.arange(len(self.columns))
        for position in np.lexsort((rank, self.adjacency.dates))[::-1].tolist():
            yield self.assertions[position]

    @cached_property
    def _aliases(self) -> Mapping[str, Entity]:
        """Entities by every other identifier they have, in lower case; the first entity by label wins."""
        aliases: dict[str, Entity] = {}
        fields = {kind.name: [f for f in kind.fields if f.curie_prefix] for kind in self.model.kinds}
        for entity in self.entities.values():
            names = [entity.iri, entity.curie, *entity.xrefs]
            names += [
                f"{f.curie_prefix}:{value}" for f in fields[entity.kind] if (value := getattr(entity, f.attribute))
            ]
            for name in names:
                aliases.setdefault(name.lower(), entity)
        return aliases

    def find(self, name: str) -> Entity | None:
        """Return the entity with this CURIE (any spelling of its prefix), IRI, cross-reference or identifier in a field, if any."""
        if name in self.entities:
            return self.entities[name]
        iri = self.model.prefixes.iri(name)
        canonical = self.model.prefixes.curie(iri) if iri else name
        return (
            self.entities.get(canonical)
            or self._aliases.get(canonical.lower())
            or self._aliases.get(name.strip().lower())
        )

    def entity(self, name: str) -> Entity:
        """Return what ``find`` finds; raises NotFound, with near matches, where that is nothing."""
        entity = self.find(name)
        if entity is None:
            raise NotFound("entity", name, self.index.near(name), "Search by name with `search(text: …)`.")
        return entity

    @cached_property
    def derived(self) -> dict[str, Any]:
        """What others compute from the graph once and keep while it stands; it goes when the snapshot goes."""
        return {}

    @cached_property
    def index(self) -> SearchIndex:
        """The search index over names; built on first use."""
        return SearchIndex(self.by_number, self.model)

    def search(self, text: str, kinds: Iterable[str] | None = None, limit: int = 10) -> list[Hit]:
        """Return the best matches for a text among names, synonyms and identifiers, best first."""
        return self.index.search(text, kinds, limit)

    # -------------------------------------------------------------- other views
    def as_of(self, day: date | None) -> Snapshot:
        """Return the graph as it was known at the end of a day; None is the graph itself."""
        if day is None or day == self.known_on:
            if self.known_on is None:  # not what was lent: what is kept in it must not hold it
                return self.by_number.graph
            return self
        if self._whole is not None:
            return self._whole.as_of(day)
        with self._lock:
            view = self._views.get(day)
            if view is not None:
                self._views.move_to_end(day)
                return view
        return self._keep(day, self._unchanged(day) if day >= self._newest else self._earlier(day))

    @cached_property
    def _newest(self) -> date:
        """The last day on which anything became known."""
        columns = self.columns
        return date.fromordinal(int(columns.evidence.known[columns.rows].max())) if len(columns.rows) else date.min

    def _earlier(self, day: date) -> Snapshot:
        then = self.columns.as_of(day)
        return type(self)(
            self.model, then, self.version, known_on=day, classes=self._classes, whole=self.by_number.graph
        )

    def _unchanged(self, day: date) -> Snapshot:
        """Return this graph under another date; its records, and what was computed from them, are the same ones."""
        _ = self.adjacency, self.index, self.derived, self._links  # not to be made twice
        view = copy.copy(self)
        view.known_on, view._whole = day, self.by_number.graph
        view.__dict__.pop("nx", None)  # bears the date
        return view

    def _keep(self, day: date, view: Snapshot) -> Snapshot:
        with self._lock:
            view = self._views.setdefault(day, view)
            self._views.move_to_end(day)
            while len(self._views) > max(1, min(AS_OF_VIEWS, AS_OF_ASSERTIONS // (len(self.assertions) + 1))):
                self._views.popitem(last=False)
        return view

    @cached_property
    def adjacency(self) -> Adjacency:
        """The edges as compact arrays, for searches; built on first use."""
        return Adjacency(self)

    @cached_property
    def nx(self) -> nx.MultiDiGraph[str]:
        """The graph for networkx, frozen.

        Nodes are CURIEs with the attributes ``kind``, ``label``, ``iri`` and ``entity`` (the record);
        edges have the relation's name as key and the read-only attributes ``relation``, ``confidence``,
        ``evidence`` (a tuple of records), ``assertion`` (its CURIE) and ``weight`` (1 - confidence, a cost).
        """
        with no_collection():
            return network(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.__dict__ is other.__dict__  # see ``lent``

    def __hash__(self) -> int:
        return id(self.__dict__)

    def __repr__(self) -> str:
        known = f" as known on {self.known_on}" if self.known_on else ""
        return (
            f"<Snapshot version {self.version.number}{known}: {len(self.entities)} entities, {self.edge_count} edges>"
        )


_still_held: list[weakref.ref[Columns]] = []


def _let_go(graph: weakref.ref[Snapshot]) -> list[Any]:
    """Cut what a graph that was lent holds in circles; who still uses it finds everything made anew.

    Returns the arrays that are free then, unless the next version shares them.
    """
    lent = graph()
    if lent is None:
        return []
    _still_held[:] = [columns for columns in _still_held if columns() is not None] + [weakref.ref(lent.columns)]
    if len(_still_held) > MOST_HELD:  # whoever it is that holds them, in circles or for long
        gc.collect()
    return _cut(lent)


def _cut(graph: Snapshot) -> list[Any]:
    state, columns = graph.__dict__, graph.columns
    views, state["_views"] = state["_views"], OrderedDict()
    rest = [array for view in views.values() for array in _cut(view)]
    for name in [name for name in state if isinstance(getattr(Snapshot, name, None), cached_property)]:
        value = state.pop(name, None)
        for kept in _things(value) if name == "derived" else (value,):
            if hasattr(kept, "let_go"):  # what is found may hold where it is kept
                kept.let_go()
    again = partial(type(graph), graph.model, columns, graph.version, known_on=graph.known_on)
    graph.by_number.let_go(again)
    graph.assertions.let_go()
    return [*rest, *vars(columns).values(), *vars(columns.evidence).values()]


def _things(kept: Any) -> Iterator[Any]:
    if isinstance(kept, dict):
        for value in list(kept.values()):
            yield from _things(value)
    else:
        yield kept
