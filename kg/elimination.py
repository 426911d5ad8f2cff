"""Counting paths rather than walks: repeated nodes taken out exactly, positions summed out one by one.

Walks with repeated nodes are taken out by inclusion and exclusion over the partitions of a metapath's
positions into equal nodes (Möbius inversion on the partition lattice: Rota 1964, Z. Wahrscheinlichkeitstheorie
2:340, §7). Each term is a sum over the graph in which those positions are one node, evaluated by eliminating
one position after another: a position with one neighbour becomes a vector, one with two a sparse matrix
product, two edges between the same positions an element-wise product. For metapaths of up to four steps
that never needs more than matrices. hetmatpy's closed forms (AAA, BAAB, BABA, …) are special cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy  # its parts load where they are first used: most commands never need them

Matrix = Any
"""A scipy CSR array; scipy ships no types."""

PRODUCT = 8  # what a multiplication in a product of two sparse matrices costs, those of a matrix and a vector being 1
MEMO_CELLS = 3_000_000  # products larger than this are not kept for the next metapath


@cache
def partitions(kinds: tuple[str, ...], ends_may_meet: bool = False) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return the ways in which nodes of a walk along these kinds may coincide, with their Möbius weights.

    Each is (weight, block of each position); blocks hold positions of one kind, never neighbours
    (there are no loops), and never both ends unless ``ends_may_meet``.
    """
    found = []
    for blocks in _partitions(kinds, ()):
        if blocks[0] != blocks[-1] or ends_may_meet:
            sizes = np.bincount(blocks)
            weight = math.prod((-1) ** (int(n) - 1) * math.factorial(int(n) - 1) for n in sizes)
            found.append((weight, blocks))
    return tuple(found)


def _partitions(kinds: tuple[str, ...], blocks: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if len(blocks) == len(kinds):
        yield blocks
        return
    here = len(blocks)
    same_kind = {b for position, b in enumerate(blocks) if kinds[position] == kinds[here]}
    for block in sorted(same_kind - ({blocks[-1]} if blocks else set())):
        yield from _partitions(kinds, (*blocks, block))
    yield from _partitions(kinds, (*blocks, max(blocks, default=-1) + 1))


@dataclass(frozen=True, slots=True)
class Factor:
    """A matrix or vector with a name that says how it was made, so that equal ones are made once.

    ``turned`` gives the matrix transposed, where somebody keeps it.
    """

    key: Hashable
    value: Matrix
    turned: Callable[[], Matrix] | None = None

    @property
    def size(self) -> int:
        """Stored cells."""
        return int(self.value.nnz) if scipy.sparse.issparse(self.value) else len(self.value)


class Elimination:
    """Sums a product of matrices over all positions but the kept ones, one position at a time."""

    def __init__(self, memo: dict[Hashable, Factor], kept: Sequence[int]) -> None:
        self.memo, self.kept = memo, frozenset(kept)
        self.pairs: dict[tuple[int, int], Factor] = {}
        self.singles: dict[int, Factor] = {}
        self.scale = 1.0

    def add(self, a: int, b: int, factor: Factor) -> None:
        """Multiply in a matrix over two positions."""
        if a > b:
            a, b, factor = b, a, self._transposed(factor)
        if (a, b) in self.pairs:
            factor = self._both(self.pairs[a, b], factor)
        self.pairs[a, b] = factor

    def run(self) -> None:
        """Sum out every position that is not kept."""
        open_ = ({p for pair in self.pairs for p in pair} | self.singles.keys()) - self.kept
        while open_:
            position = min(open_, key=lambda p: (self._cost(p), p))
            self._eliminate(position)
            open_.discard(position)

    def _around(self, position: int) -> list[tuple[int, int]]:
        return [pair for pair in self.pairs if position in pair]

    def _cost(self, position: int) -> float:
        around = self._around(position)
        if len(around) > 2:
            return math.inf
        sizes = [self.pairs[pair].size for pair in around]
        return PRODUCT * math.prod(sizes) / max(1, self._extent(position)) if len(sizes) == 2 else sum(sizes)

    def _extent(self, position: int) -> int:
        pair = self._around(position)[0]
        return int(self.pairs[pair].value.shape[pair.index(position)])

    def _eliminate(self, position: int) -> None:
        around = self._around(position)
        if not around:
            self.scale *= float(self.singles.pop(position).value.sum())
            return
        sides = [self._towards(position, pair) for pair in around]
        for pair in around:
            del self.pairs[pair]
        single = self.singles.pop(position, None)
        if len(sides) == 1:
            self._to_vector(sides[0], single)
        else:
            self._to_matrix(sides[0], sides[1], single)

    def _towards(self, position: int, pair: tuple[int, int]) -> tuple[int, Factor]:
        """The other position and the matrix from it to this one."""
        other, factor = pair[0] if pair[1] == position else pair[1], self.pairs[pair]
        if pair[0] == position:
            factor = self._transposed(factor)
        return other, factor

    def _to_vector(self, side: tuple[int, Factor], single: Factor | None) -> None:
        other, m = side
        ones = np.ones(m.value.shape[1])
        made = self._made(
            ("sum", m.key, single.key if single else None), lambda: m.value @ (single.value if single else ones)
        )
        self.weigh(other, made)

    def weigh(self, position: int, vector: Factor) -> None:
        """Multiply in a vector over one position."""
        held = self.singles.get(position)
        if held:
            vector = self._made(("and", held.key, vector.key), lambda: held.value * vector.value)
        self.singles[position] = vector

    def _to_matrix(self, left: tuple[int, Factor], right: tuple[int, Factor], single: Factor | None) -> None:
        (a, m), (b, n) = left, right

        def product() -> Matrix:
            weighted = m.value.multiply(single.value[None, :]).tocsr() if single else m.value
            return weighted @ self._transposed(n).value

        self.add(a, b, self._made(("dot", m.key, single.key if single else None, n.key), product))

    def _both(self, one: Factor, other: Factor) -> Factor:
        return self._made(("and", one.key, other.key), lambda: one.value.multiply(other.value).tocsr())

    def _transposed(self, factor: Factor) -> Factor:
        if isinstance(factor.key, tuple) and factor.key[0] == "T" and factor.key[1] in self.memo:
            return self.memo[factor.key[1]]
        return self._made(("T", factor.key), factor.turned or factor.value.T.tocsr)

    def _made(self, key: Hashable, make: Callable[[], Any]) -> Factor:
        found = self.memo.get(key)
        if found is None:
            found = Factor(key, make())
            if found.size <= MEMO_CELLS:
                self.memo[key] = found
        return found
