"""Many small values in little room: JSON texts end to end, each read where somebody looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from kg.sequences import OnDemand

WORDS = 64  # bits that orjson gives a whole number
BIG = "whole number"  # how a larger one is written


class Packed(OnDemand[Any]):
    """Values by number: strings, numbers, booleans, None, and tuples of them.

    The first lie in ``data``, which may be a mapped file, up to where ``ends`` says; ``more`` holds what came since.
    A value is made anew each time it is read from ``data``.
    """

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64], more: Sequence[Any] = ()) -> None:
        self._data, self._ends, self._more = data, ends, more

    @classmethod
    def of(cls, values: Iterable[Any]) -> Packed:
        """Return values that are packed only when ``bytes_and_ends`` asks for it."""
        return cls(np.zeros(0, np.uint8), np.zeros(0, np.int64), list(values))

    def with_more(self, values: Iterable[Any]) -> Packed:
        """Return these values and some after them; those in ``data`` are shared."""
        return Packed(self._data, self._ends, [*self._more, *values])

    def __len__(self) -> int:
        return len(self._ends) + len(self._more)

    def at(self, index: int) -> Any:
        """Return the value of a number."""
        packed = len(self._ends)
        if index >= packed:
            return self._more[index - packed]
        start = int(self._ends[index - 1]) if index else 0
        return unpacked(self._data[start : int(self._ends[index])].tobytes())

    @classmethod
    def of_texts(cls, texts: Iterable[bytes]) -> Packed:
        """Return values that are packed already, each by ``packed``."""
        texts = list(texts)
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        return cls(np.frombuffer(b"".join(texts), np.uint8), ends)

    def texts(self) -> list[bytes]:
        """Return the values in ``data`` as they are packed; like ones are alike."""
        whole, ends = self._data.tobytes(), self._ends.tolist()
        return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def bytes_and_ends(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return all values as one run of bytes, and where each ends."""
        texts = list(map(packed, self._more))
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64) + len(self._data)
        data = np.frombuffer(b"".join(texts), np.uint8)
        return np.concatenate([self._data, data]), np.concatenate([self._ends, ends])


def packed(value: Any) -> bytes:
    """Return a value in the bytes that it is packed in."""
    try:
        return orjson.dumps(value, default=_spelt_out)
    except TypeError:  # a number that is too large
        return _with_big(value)


def unpacked(text: bytes) -> Any:
    """Return the value that is packed so."""
    return _frozen(orjson.loads(text))


def _spelt_out(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be packed")


def _with_big(value: Any) -> bytes:
    def shown(part: Any) -> Any:
        if isinstance(part, tuple | list):
            return [shown(item) for item in part]
        if isinstance(part, dict):
            return {name: shown(item) for name, item in part.items()}
        return {BIG: str(part)} if isinstance(part, int) and part.bit_length() >= WORDS else part

    return orjson.dumps(shown(value))


def _frozen(value: Any) -> Any:
    """Return a value as it was packed: lists were tuples, and large numbers numbers."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return int(value[BIG]) if value.keys() == {BIG} else {name: _frozen(item) for name, item in value.items()}
    return value
