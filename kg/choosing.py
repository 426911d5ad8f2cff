"""Choosing, ordering and counting assertions by their columns, without making a record of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kg.assertions import Assertions, Chosen
from kg.columns import Bools, Column, Columns, Ints
from kg.records import Entity
from kg.selection import Condition
from kg.snapshot import Snapshot

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class About:
    """Conditions on an assertion, all of which must hold; None asks for nothing.

    Ends are CURIEs, and sources are named by CURIE, IRI, DOI or PubMed identifier.
    """

    subjects: Names | None = None
    objects: Names | None = None
    subject_kinds: Names | None = None
    object_kinds: Names | None = None
    relations: Names | None = None
    min_confidence: float | None = None
    levels: Names | None = None
    directions: Names | None = None
    sources: Names | None = None
    studies: Names | None = None
    supported: bool | None = None
    disputed: bool | None = None

    def fulfilled(self, columns: Columns) -> Bools | None:
        """Return whether each assertion fulfils the conditions, or None where there are none."""
        masks = [*self._of_claims(columns), *self._of_evidence(columns)]
        return np.logical_and.reduce(masks) if masks else None

    def _of_claims(self, columns: Columns) -> Iterator[Bools]:
        for column, ends, kinds in (
            (columns.subjects, self.subjects, self.subject_kinds),
            (columns.objects, self.objects, self.object_kinds),
        ):
            if ends is not None:
                yield np.isin(column, [columns.number[curie] for curie in ends])
            if kinds is not None:
                yield _listed(columns.model.kinds, kinds)[_kinds(columns)[column]]
        if self.relations is not None:
            yield _listed(columns.model.relations, self.relations)[columns.relations]
        if self.min_confidence is not None:
            yield columns.confidences >= self.min_confidence
        if self.supported is not None:
            yield columns.supported == self.supported
        if self.disputed is not None:
            yield (columns.supported & columns.pointing("CONTRADICTS")) == self.disputed

    def _of_evidence(self, columns: Columns) -> Iterator[Bools]:
        model, evidence, rows = columns.model, columns.evidence, columns.rows
        if self.levels is not None:
            yield columns.having(_listed(model.levels, self.levels)[evidence.levels[rows]])
        if self.directions is not None:
            yield columns.having(_listed(model.directions, self.directions)[evidence.directions[rows]])
        if self.sources is not None:
            wanted = (bool({s.id, s.iri, s.doi, s.pmid} & self.sources) for s in columns.sources)
            yield columns.having(np.fromiter(wanted, np.bool_)[evidence.sources[rows]])
        if self.studies is not None:
            named = np.array([*(s.id in self.studies for s in columns.studies), False])  # the last is of no study
            yield columns.having(named[evidence.studies[rows]])


def _listed(things: Iterable[Any], names: Names) -> Bools:
    return np.array([thing.name in names for thing in things], np.bool_)


def _kinds(columns: Columns) -> Ints:
    """Return the number of the kind of each entity."""
    kinds = np.zeros(len(columns.entities), np.int64)
    for number, kind in enumerate(columns.model.kinds):
        of_kind = columns.entities.of_kind.get(kind.name, range(0))
        kinds[of_kind.start : of_kind.stop] = number
    return kinds


# ---------------------------------------------------------------- ordering
def _alphabetical(names: Sequence[str]) -> Ints:
    """Return the place of each name among them in any case; like ones have the same."""
    folded = [name.casefold() for name in names]
    place = {name: i for i, name in enumerate(sorted(set(folded)))}
    return np.array([place[name] for name in folded], np.int64)


def _by_label(columns: Columns, ends: Column) -> Ints:
    return _alphabetical([spec.values["label"] for spec in columns.entities])[ends]


ORDERS: Mapping[str, Callable[[Columns], Column]] = {
    "CONFIDENCE": lambda columns: columns.confidences,
    "LATEST_EVIDENCE": lambda columns: columns.latest,
    "EVIDENCE_COUNT": lambda columns: np.diff(columns.starts),
    "SUBJECT": lambda columns: _by_label(columns, columns.subjects),
    "RELATION": lambda columns: _alphabetical([r.name for r in columns.model.relations])[columns.relations],
    "OBJECT": lambda columns: _by_label(columns, columns.objects),
}


def chosen(assertions: Assertions, about: About, orders: Sequence[tuple[str, bool]] = ()) -> Assertions | Chosen:
    """Return the assertions that fulfil conditions, in the order of (name in ``ORDERS``, descending) keys.

    Those that tie keep the order they had.
    """
    columns = assertions.columns
    fulfilled = about.fulfilled(columns)
    if fulfilled is None and not orders:
        return assertions
    positions = np.arange(len(columns)) if fulfilled is None else np.flatnonzero(fulfilled)
    if orders:
        keys = [(-1 if descending else 1) * ORDERS[name](columns)[positions] for name, descending in orders]
        positions = positions[np.lexsort(keys[::-1])]
    return Chosen(assertions, positions)


# ---------------------------------------------------------------- counting
def counts(items: Assertions | Chosen, field: str) -> Mapping[str, int]:
    """Return how many of some assertions have each value of a field, one of ``COUNTED``; evidence counts once an assertion."""
    columns = items.columns
    positions = np.arange(len(columns)) if isinstance(items, Assertions) else items.positions
    things, found = COUNTED[field](columns, positions)
    return {thing.name: count for thing, count in zip(things, found, strict=True) if count}


def _numbers(things: Sequence[Any], numbers: Column) -> tuple[Sequence[Any], list[int]]:
    return things, np.bincount(numbers, minlength=len(things)).tolist()


def _evidence(
    columns: Columns, positions: Ints, things: Sequence[Any], values: Column
) -> tuple[Sequence[Any], list[int]]:
    masks = (columns.having(values[columns.rows] == number) for number in range(len(things)))
    return things, [int(np.count_nonzero(mask[positions])) for mask in masks]


COUNTED: Mapping[str, Callable[[Columns, Ints], tuple[Sequence[Any], list[int]]]] = {
    "relation": lambda columns, at: _numbers(columns.model.relations, columns.relations[at]),
    "subjectKind": lambda columns, at: _numbers(columns.model.kinds, _kinds(columns)[columns.subjects[at]]),
    "objectKind": lambda columns, at: _numbers(columns.model.kinds, _kinds(columns)[columns.objects[at]]),
    "evidenceLevel": lambda columns, at: _evidence(columns, at, columns.model.levels, columns.evidence.levels),
    "evidenceDirection": lambda columns, at: _evidence(
        columns, at, columns.model.directions, columns.evidence.directions
    ),
}


# ---------------------------------------------------------------- entities by their edges
class Linked:
    """The condition that an entity has an edge under a name that fulfils some conditions, with an entity at its other end
    that fulfils another; that one is looked at once, however many edges lead there. It is for one request.
    """

    def __init__(self, name: str, about: About, other: Condition | None) -> None:
        self._name, self._about, self._other = name, about, other
        self._graph: Snapshot | None = None

    def __call__(self, entity: Entity) -> bool:
        """Return whether the condition holds for an entity."""
        if entity.graph is not self._graph:
            self._look_at(entity.graph)
        number = self._number[entity.curie]
        start, stop = self._ends.starts[number], self._ends.starts[number + 1]
        others = self._ends.others[start:stop]
        if self._fulfilled is not None:
            others = others[self._fulfilled[self._ends.positions[start:stop]]]
        return len(others) > 0 if self._other is None else any(map(self._holds, others.tolist()))

    def _look_at(self, graph: Snapshot) -> None:
        self._graph, self._number, self._entities = graph, graph.columns.number, graph.by_number
        self._ends, self._fulfilled = graph.ends(self._name), self._about.fulfilled(graph.columns)
        self._known: dict[int, bool] = {}

    def _holds(self, number: int) -> bool:
        known = self._known.get(number)
        if known is None and self._other is not None:
            known = self._known[number] = self._other(self._entities.at(number))
        return bool(known)
