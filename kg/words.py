"""Texts by the beginnings of their words, ranked as SQLite's FTS5 ranks them.

FTS5 looks up every word twice, once to count the texts that have it; with few texts found that is most of a search.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

K1, B, LEAST = 1.2, 0.75, 1e-6  # of Okapi BM25, as FTS5 has them
WHOLE = 2  # letters of the longest word that is not taken for a beginning
LAST = chr(0x10FFFF)

Rows = NDArray[np.int32]
Times = NDArray[np.int64]


class Words:
    """An index over the words of texts, each known by its row; safe to use from several threads."""

    def __init__(self, texts: Iterable[str]) -> None:
        rows_of: defaultdict[str, list[int]] = defaultdict(list)  # a row for each time that it has the word
        sizes = []
        for row, text in enumerate(texts):
            words = without_accents(text).split()
            sizes.append(len(words))
            for word in words:
                rows_of[word].append(row)
        self._words = sorted(rows_of)
        rows = np.fromiter(chain.from_iterable(rows_of[word] for word in self._words), np.int32)
        ends = np.cumsum([len(rows_of[word]) for word in self._words], dtype=int)
        first = _is_first(rows)
        first[ends[:-1]] = True
        self._rows = rows[first]
        self._times = np.diff(np.flatnonzero(first), append=len(rows))
        self._starts = [0, *np.cumsum(first)[ends - 1].tolist()]
        self._texts = len(sizes)
        mean = max(1, len(rows)) / max(1, len(sizes))
        self._long = K1 * (1 - B + B * np.array(sizes, float) / mean)

    def find(self, words: Sequence[str], limit: int) -> list[tuple[int, float]]:
        """Return the rows of the texts that have all words or, of words of three letters and more, their beginnings.

        At most ``limit`` of them, best first, each with its rank, which is greater than 0.
        """
        held = [self._with(word) for word in words]
        rows = min((rows for rows, _ in held), key=len)
        for others, _ in held:
            if others is not rows and len(rows):
                places = np.minimum(others.searchsorted(rows), len(others) - 1)
                rows = rows[others[places] == rows]
        if not len(rows):
            return []
        long, ranks = self._long[rows], np.zeros(len(rows))
        for others, times in held:
            often = times[others.searchsorted(rows)]
            rare = math.log((self._texts - len(others) + 0.5) / (len(others) + 0.5))
            ranks += (rare if rare > 0 else LEAST) * (often * (K1 + 1) / (often + long))
        order = np.argsort(-ranks, kind="stable")[:limit]
        return list(zip(rows[order].tolist(), ranks[order].tolist(), strict=True))

    def _with(self, word: str) -> tuple[Rows, Times]:
        """Return the rows, in order, that have a word or one that begins with it, and how often."""
        known = self._words
        first = bisect_left(known, word)
        last = (
            bisect_left(known, f"{word}{LAST}", first)
            if len(word) > WHOLE
            else first + (known[first : first + 1] == [word])
        )
        within = slice(self._starts[first], self._starts[last])
        rows, times = self._rows[within], self._times[within]
        if last - first <= 1:
            return rows, times
        order = rows.argsort(kind="stable")
        rows = rows[order]
        starts = np.flatnonzero(_is_first(rows))
        return rows[starts], np.add.reduceat(times[order], starts)


def _is_first(rows: Rows) -> NDArray[np.bool_]:
    """Return where another row begins; ``np.diff`` takes several times as long for a few."""
    first = np.ones(len(rows), bool)
    np.not_equal(rows[1:], rows[:-1], out=first[1:])
    return first


def without_accents(text: str) -> str:
    """Return a text with Latin letters in place of those with accents."""
    return text if text.isascii() else "".join(map(_plain, text))


@lru_cache(maxsize=10_000)
def _plain(letter: str) -> str:
    first = unicodedata.normalize("NFD", letter)[0]
    return first if first.isascii() else letter
