"""The entities of a snapshot as records, each made of its values when somebody first looks at it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from kg.columns import Columns
from kg.projection import Cited, Reference, StructureSpec
from kg.records import Entity, KindClasses, Source
from kg.sequences import Findable, OnDemand

if TYPE_CHECKING:
    from kg.snapshot import Snapshot

Referred = Callable[[str], Entity | None]


class Entities(OnDemand[Entity]):
    """Entities by number: sorted by kind, label and CURIE. What was made is kept, as in ``Assertions``.

    A change makes a version with all its records anew, and few are looked at: ten assertions changed on Hetionet took
    0.24 s where all 23,036 entities were made, and take 0.12 s.
    """

    def __init__(self, columns: Columns, classes: KindClasses, graph: Snapshot) -> None:
        self.specs = columns.entities
        self._columns, self._classes = columns, classes
        self._graph: Callable[[], Snapshot | None] = lambda: graph
        self._again: Callable[[], Snapshot] = lambda: graph
        self._made: list[Entity | None] = [None] * len(self.specs)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._made)

    def at(self, index: int) -> Entity:
        """Return the entity of a number."""
        return self._made[index] or self._make(range(len(self))[index])

    def part(self, indices: slice) -> Sequence[Entity]:
        """Return some entities; where all were made, without a call for each."""
        found = tuple(self._made[indices])
        return super().part(indices) if None in found else cast("tuple[Entity, ...]", found)

    @property
    def graph(self) -> Snapshot:
        """The graph that the entities belong to."""
        graph = self._graph()
        if graph is None:
            graph = self._again()
            self._graph = weakref.ref(graph)
        return graph

    def let_go(self, again: Callable[[], Snapshot]) -> None:
        """Forget all records, and hold the graph no longer; ``again`` makes it for whoever still asks for entities."""
        self._again, self._graph = again, weakref.ref(self.graph)
        made, self._made = self._made, [None] * len(self._made)
        while made:
            entity = made.pop()
            if entity is not None:
                with suppress(AttributeError):
                    del entity._links

    def _make(self, number: int) -> Entity:
        with self._lock:  # so that the same one is the same object for all threads
            begun: dict[int, Entity] = {}
            found = self._begin(number, begun)
            waiting = [number]

            def referred(curie: str) -> Entity | None:
                other = self.specs.number.get(curie)
                if other is None:
                    return None
                if other not in begun and self._made[other] is None:
                    waiting.append(other)
                return self._begin(other, begun)

            while waiting:  # entities may refer to each other in circles
                self._fill(waiting.pop(), begun, referred)
            for other, entity in begun.items():
                self._made[other] = entity
            return found

    def _begin(self, number: int, begun: dict[int, Entity]) -> Entity:
        """Return an entity that is made, or else one without values, to be filled."""
        made = self._made[number] or begun.get(number)
        if made is None:
            kind = self._classes.entities[self.specs[number].kind]
            made = begun[number] = kind.__new__(kind)
            object.__setattr__(made, "graph", self.graph)
        return made

    def _fill(self, number: int, begun: Mapping[int, Entity], referred: Referred) -> None:
        entity = begun.get(number)
        if entity is not None:
            spec = self.specs[number]
            for name, value in spec.values.items():
                object.__setattr__(entity, name, self._meant(value, referred) if spec.refers else value)

    def _meant(self, value: Any, referred: Referred) -> Any:
        if isinstance(value, tuple):
            found = (self._meant(item, referred) for item in value)
            return tuple(item for item in found if item is not None)
        if isinstance(value, Reference):
            return referred(value.curie)
        if isinstance(value, Cited):
            return self._cited.get(value.id)
        if isinstance(value, StructureSpec):
            meant = {name: self._meant(item, referred) for name, item in value.values.items()}
            return self._classes.structures[value.record].make(meant)
        return value

    @cached_property
    def _cited(self) -> Mapping[str, Source]:
        return {source.id: source for source in self._columns.sources}


class Run(Findable[Entity]):
    """Some entities that follow one another, such as those of one kind."""

    def __init__(self, entities: Entities, numbers: range) -> None:
        self._entities, self.numbers = entities, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, index: int) -> Entity:
        """Return the entity at an index."""
        return self._entities.at(self.numbers[index])

    def place_of(self, id: str) -> int | None:
        """Return the index of the entity with a CURIE, or None."""
        number = self._entities.specs.number.get(id)
        return None if number is None or number not in self.numbers else self.numbers.index(number)

    def part(self, indices: slice) -> Sequence[Entity]:
        """Return some of the entities."""
        numbers = self.numbers[indices]
        return self._entities.part(slice(numbers.start, numbers.stop)) if numbers.step == 1 else super().part(indices)

    def __iter__(self) -> Iterator[Entity]:
        return map(self._entities.at, self.numbers)


class EntitiesByCurie(Mapping[str, Entity]):
    """Entities by CURIE."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._number = entities.specs.number

    def __getitem__(self, curie: str) -> Entity:
        return self._entities.at(self._number[curie])

    def __contains__(self, curie: object) -> bool:
        return curie in self._number

    def __iter__(self) -> Iterator[str]:
        return iter(self._number)

    def __len__(self) -> int:
        return len(self._number)
