"""Sequences whose items are made when somebody asks for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

Thing = TypeVar("Thing", covariant=True)


class OnDemand(Sequence[Thing]):
    """A sequence of which a subclass says how long it is and what is at an index."""

    @abstractmethod
    def at(self, index: int) -> Thing:
        """Return the item at an index; raises IndexError where there is none."""

    def part(self, indices: slice) -> Sequence[Thing]:
        """Return the items that a slice asks for."""
        return tuple([self.at(index) for index in range(*indices.indices(len(self)))])

    @overload
    def __getitem__(self, index: int) -> Thing: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Thing]: ...
    def __getitem__(self, index: int | slice) -> Thing | Sequence[Thing]:
        return self.part(index) if isinstance(index, slice) else self.at(index)

    def __iter__(self) -> Iterator[Thing]:
        return map(self.at, range(len(self)))


class Findable(OnDemand[Thing]):
    """One that says where an item is without looking at all of them."""

    @abstractmethod
    def place_of(self, id: str) -> int | None:
        """Return the index of the item with an id, or None where it is not among them."""
