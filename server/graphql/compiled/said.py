"""What was said of objects that never change, kept as JSON: most of a list is what an earlier answer said."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import orjson

ByFunction = list[dict[object, orjson.Fragment]]
OVERHEAD = 150  # bytes that keeping a text takes besides it


class Said:
    """The texts of all plans about the objects of one graph; they go together, with the graph or once they are too many.

    ``size`` bounds the sum of their bytes.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.used = 0
        self._of: dict[Hashable, ByFunction] = {}

    def of(self, plan: Hashable, count: int) -> Texts:
        """Return the texts of a plan, of which this many functions keep theirs."""
        found = self._of.get(plan)
        if found is None:
            found = self._of.setdefault(plan, [{} for _ in range(count)])
            self.grow(OVERHEAD * (count + 1))
        return Texts(found, self)

    def grow(self, size: int) -> None:
        """Make room for a text of this size; it may take all that was kept."""
        self.used += size
        if self.used > self.size:
            self._of, self.used = {}, 0


class Texts:
    """What the functions of one plan said, by their number and the object; without ``room``, nothing is kept.

    It is made for each answer: were it kept with the texts, these would hold themselves and what they are about.
    """

    __slots__ = ("_room", "by_function")

    def __init__(self, by_function: ByFunction, room: Said | None = None) -> None:
        self.by_function = by_function
        self._room = room

    def keep(self, function: int, thing: object, answer: dict[str, Any]) -> Any:
        """Keep what a function said of an object, and return it as it is to stand in the answer."""
        room = self._room
        if room is None:
            return answer
        try:
            text = orjson.dumps(answer, default=str)
        except (TypeError, ValueError):  # such as lone surrogates, which the whole answer is to deal with
            return answer
        if len(text) > room.size // 10:
            return answer
        fragment = self.by_function[function][thing] = orjson.Fragment(text)
        room.grow(len(text) + OVERHEAD)
        return fragment
