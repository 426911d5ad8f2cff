"""The assertions of a snapshot as records, each made of its columns when somebody first looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kg.columns import Bools, Columns, EvidenceReader, Ints
from kg.records import Assertion, Entity
from kg.sequences import Findable, OnDemand
from kg.vocabulary import ASSERTION

PREFIX = "assertion:"


class Assertions(Findable[Assertion]):
    """Assertions by position. What was made is kept, so that the same one is the same object everywhere.

    All of Hetionet's 765,796 take 60 MB as columns with 66 MB for their evidence, and 480 MB as records.
    """

    def __init__(self, columns: Columns, entities: OnDemand[Entity]) -> None:
        self.columns = columns
        self._entities = entities
        self._evidence = EvidenceReader(columns)
        self._relations = [relation.name for relation in columns.model.relations]
        self._made: dict[int, Assertion] = {}

    def __len__(self) -> int:
        return len(self.columns)

    def at(self, index: int) -> Assertion:
        """Return the assertion at a position."""
        made = self._made.get(index)
        if made is None:
            position = range(len(self))[index]  # raises IndexError, and counts from the end
            made = self._made.setdefault(position, self._make(position))  # of two threads, one is right
        return made

    def place_of(self, id: str) -> int | None:
        """Return the position of the assertion with an id, or None."""
        return self.columns.position(id)

    def let_go(self) -> None:
        """Forget all records."""
        made, self._made = self._made, {}
        while made:  # one by one: nothing else runs while many are freed at once
            made.popitem()

    def _make(self, position: int) -> Assertion:
        columns = self.columns
        id_ = columns.id(position)
        return Assertion(
            id_,
            self._iri(id_),
            self._entities.at(columns.subjects[position]),
            self._relations[columns.relations[position]],
            self._entities.at(columns.objects[position]),
            self._evidence.of(position),
            float(columns.confidences[position]),
        )

    def _iri(self, id_: str) -> str:
        if id_.startswith(PREFIX):  # as all are that were loaded; a tenth of what the prefix table takes
            return ASSERTION + id_[len(PREFIX) :]
        return self.columns.model.prefixes.iri(id_) or id_


class Chosen(Findable[Assertion]):
    """Some of the assertions of a graph, by their positions, and perhaps others after them."""

    def __init__(self, assertions: Assertions, positions: Ints, others: Sequence[Assertion] = ()) -> None:
        self._assertions, self.positions, self._others = assertions, positions, others
        self.columns = assertions.columns

    def where(self, keep: Bools, others: Sequence[Assertion]) -> Chosen:
        """Return those of the graph's that are to be kept, with others after them."""
        return Chosen(self._assertions, self.positions[keep], others)

    def place_of(self, id: str) -> int | None:
        """Return the index of the assertion with an id, or None."""
        for place, other in enumerate(self._others, len(self.positions)):
            if other.id == id:
                return place
        position = self.columns.position(id)
        if position is None:
            return None
        found = np.flatnonzero(self.positions == position)
        return int(found[0]) if len(found) else None

    def __len__(self) -> int:
        return len(self.positions) + len(self._others)

    def at(self, index: int) -> Assertion:
        """Return the assertion at an index."""
        own = len(self.positions)
        return self._assertions[int(self.positions[index])] if index < own else self._others[index - own]


class Positions(Mapping[str, int]):
    """Positions of assertions by id."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __getitem__(self, id: str) -> int:
        position = self._columns.position(id)
        if position is None:
            raise KeyError(id)
        return position

    def __iter__(self) -> Iterator[str]:
        return map(self._columns.id, range(len(self)))

    def __len__(self) -> int:
        return len(self._columns)


class AssertionsById(Mapping[str, Assertion]):
    """Assertions by id."""

    def __init__(self, assertions: Assertions) -> None:
        self._assertions = assertions
        self._positions = Positions(assertions.columns)

    def __getitem__(self, id: str) -> Assertion:
        return self._assertions.at(self._positions[id])

    def __contains__(self, id: object) -> bool:
        return id in self._positions

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)
