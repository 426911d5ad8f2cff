"""Paths that differ in mechanism, instead of many variants through one hub.

Maximal marginal relevance (Carbonell & Goldstein 1998, SIGIR): each place goes to the path with the most

    BALANCE · (its rank's relevance) - (1 - BALANCE) · (its greatest likeness to a path already shown)

among a pool of the best paths; what the pool has not been asked for follows in plain order. Relevance is
exp(-(cost - least cost)), the score over the best score. Likeness is the share of nodes between the ends
that two paths have in common (Jaccard), or half of the likeness of their relations, whichever is more, so
that two paths of one metapath through different cells are alike, but less than two through one cell.
"""

from __future__ import annotations

import math

from kg.adjacency import COST_UNIT
from kg.budget import Budget
from kg.paths.ranking import Found, Ranking

POOL = 500
BALANCE = 0.4


class Diverse:
    """The paths of a ranking, rearranged so that those shown early differ; deterministic, and nothing is left out."""

    def __init__(self, ranking: Ranking) -> None:
        self.ranking = ranking
        self._codes = ranking.core.ground.adjacency.codes
        self._pool: list[Found] = []
        self._filled = False
        self._best = 0
        self._likeness: list[float] = []

    @property
    def complete(self) -> bool:
        """Whether every path has been returned."""
        return self.ranking.complete and not self._pool

    def next(self, budget: Budget) -> Found | None:
        """Return the path that adds most, or None: the ranking says why."""
        if not self._filled:
            self._fill(budget)
        if not self._pool:
            return self.ranking.next(budget)
        chosen = max(range(len(self._pool)), key=lambda i: (self._gain(i), -i))
        found = self._pool.pop(chosen)
        self._likeness.pop(chosen)
        budget.spend(len(self._pool))
        for i, other in enumerate(self._pool):
            self._likeness[i] = max(self._likeness[i], self._alike(found, other))
        return found

    def _fill(self, budget: Budget) -> None:
        while len(self._pool) < POOL and (found := self.ranking.next(budget)) is not None:
            self._pool.append(found)
        self._likeness = [0.0] * len(self._pool)
        self._best = min((found.cost for found in self._pool), default=0)
        self._filled = True

    def _gain(self, i: int) -> float:
        relevance = math.exp(-(self._pool[i].cost - self._best) / COST_UNIT)
        return BALANCE * relevance - (1.0 - BALANCE) * self._likeness[i]

    def _alike(self, one: Found, two: Found) -> float:
        between, others = set(one.nodes[1:-1]), set(two.nodes[1:-1])
        nodes = len(between & others) / len(between | others) if between | others else 1.0
        codes, other_codes = ([step % self._codes for step in found.key[3][1:]] for found in (one, two))
        same = sum(a == b for a, b in zip(codes, other_codes, strict=False)) / max(len(codes), len(other_codes))
        return max(nodes, same / 2)
