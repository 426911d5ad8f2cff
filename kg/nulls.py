"""What chance gives every pair of two kinds: one set of permuted graphs, tallied for lists of any of them.

On a large graph all pairs cost little more than those of one list (Hetionet, CPU a permutation: 0.5 s to permute,
0.4 s for all 212,624 pairs and 126 metapaths). So all are tallied, once while the version stands, and a list of any
of them reads its own. Permutations are added as budgets allow, each question's to those of the ones before.

Per metapath, null scores are pooled over nodes of equal degrees in its first and its last relation, as het.io does
(Himmelstein et al. 2023, GigaScience 12:giad047, "Gamma-hurdle distribution"). Summed scores are pooled over nodes
that agree in all of these degrees, which few do: while that leaves fewer than ``MIN_DISTINCT`` values, to which no
Gamma should be fitted, p is the (r + 1) / (n + 1) of the pair itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kg.budget import Budget
from kg.matrices import Floats, Ints, Matrices, PathCounter
from kg.metapaths import Metapath
from kg.permutation import EQUAL, MIN_DISTINCT, Shuffles, gamma_hurdle_p, permute, stacked


class PairNulls(Shuffles):
    """Tallies of the scores of all pairs of two kinds on permuted graphs: how many are not 0, their sum, their squares'.

    ``scale`` is what DWPCs are divided by. Safe between threads.
    """

    def __init__(
        self,
        graph: Matrices,
        metapaths: Sequence[Metapath],
        scale: Floats,
        *,
        damping: float,
        weighting: str,
        seed: int,
    ) -> None:
        super().__init__(graph, metapaths)
        self.scale, self.damping, self.weighting, self.seed = scale, damping, weighting, seed
        firsts = np.stack([graph.step(m.steps[0]).row_degree for m in metapaths])
        lasts = np.stack([graph.step(m.steps[-1]).column_degree for m in metapaths])
        self._alike = numbered(firsts), numbered(lasts)
        """Which nodes agree in all degrees."""
        self._of_degree = [(numbered(a[None]), numbered(b[None])) for a, b in zip(firsts, lasts, strict=True)]
        shape = firsts.shape[1], lasts.shape[1]
        self._pooled = [np.zeros((3, a.max() + 1, b.max() + 1)) for a, b in self._of_degree]
        self._sums, self._reached = np.zeros((3, *shape)), np.zeros(shape)
        self._observed: Floats | None = None
        self._lock = threading.Lock()

    def extend(self, count: int, budget: Budget) -> None:
        """Add permutations until there are ``count``, with up to half of the steps and the time that a budget has left.

        Where another thread is at it, that is left to it.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            cost = sum(len(self.graph.edges[key]) for key in self.used) // 10 + 1
            share = budget.share(0.5)
            while self.count < count and share.left >= cost and share.spend(cost):
                self._add()
            budget.spend(share.spent)
        finally:
            self._lock.release()

    def _add(self) -> None:
        if self._observed is None:
            self._observed = np.zeros(self._reached.shape)
            for *_, scores in self._scored(self.graph):
                self._observed[scores.row, scores.col] += scores.data
        seed = self.seed + (self.count << 32)
        batch = {key: permute(self.graph.edges[key], 1, seed, " ".join(key)) for key in self.used}
        edges = {key: stacked(self.graph.edges[key], permuted) for key, permuted in batch.items()}
        sums = np.zeros(self._reached.shape)
        pooled = []
        for (sources, targets), tallies, scores in self._scored(Matrices(self.graph.model, self.graph.sizes, edges)):
            pooled.append(_tallied(sources[scores.row], targets[scores.col], scores.data, tallies.shape[1:]))
            sums[scores.row, scores.col] += scores.data
        for tallies, more in zip(self._pooled, pooled, strict=True):
            tallies += more
        self._sums += np.stack([sums > 0, sums, sums**2])
        self._reached += sums >= self._observed * EQUAL
        self.note({key: permuted.without_ends() for key, permuted in batch.items()})

    def _scored(self, graph: Matrices) -> Iterator[tuple[tuple[Ints, Ints], Floats, Any]]:
        """Yield, metapath by metapath, the groups of nodes, the tallies so far, and the scores of all pairs by cell."""
        counter = PathCounter(graph, damping=self.damping, weighting=self.weighting)
        for groups, tallies, metapath, scale in zip(
            self._of_degree, self._pooled, self.metapaths, self.scale, strict=True
        ):
            dwpc = counter.dwpc(metapath)
            dwpc.data = np.arcsinh(dwpc.data / scale)
            yield groups, tallies, dwpc.tocoo()

    # -------------------------------------------------------------- p-values
    def of_metapath(self, number: int, sources: Ints, targets: Ints, observed: Floats) -> Floats:
        """Return the p-values of some pairs' scores on one metapath."""
        (rows, columns), tallies = self._of_degree[number], self._pooled[number]
        return self._gamma(tallies, (rows, columns), sources, targets, observed)

    def of_pairs(self, sources: Ints, targets: Ints, observed: Floats) -> Floats:
        """Return the p-values of some pairs' summed scores."""
        rows, columns = self._alike
        flat = rows[:, None] * (int(columns.max()) + 1) + columns
        shape = int(rows.max()) + 1, int(columns.max()) + 1
        size = shape[0] * shape[1]
        tallies = np.array([np.bincount(flat.ravel(), tally.ravel(), size) for tally in self._sums], np.float64)
        pooled = self._gamma(tallies.reshape(3, *shape), self._alike, sources, targets, observed)
        values = self.count * np.outer(_sizes(rows)[sources], _sizes(columns)[targets])
        own = (self._reached[np.ix_(sources, targets)] + 1) / (self.count + 1)
        p: Floats = np.where(values >= MIN_DISTINCT, pooled, own)
        return p

    def _gamma(
        self, tallies: Floats, groups: tuple[Ints, Ints], sources: Ints, targets: Ints, observed: Floats
    ) -> Floats:
        rows, columns = groups
        nonzero, total, square = (tally[np.ix_(rows[sources], columns[targets])] for tally in tallies)
        size = self.count * np.outer(_sizes(rows)[sources], _sizes(columns)[targets])
        return gamma_hurdle_p(size.astype(float), nonzero, total, square, observed)


def numbered(profiles: Ints) -> Ints:
    """Number nodes (columns) by their profile of degrees."""
    _, groups = np.unique(profiles, axis=1, return_inverse=True)
    found: Ints = groups.ravel()
    return found


def _sizes(groups: Ints) -> Ints:
    """How many nodes are in each node's group."""
    sizes: Ints = np.bincount(groups)[groups]
    return sizes


def _tallied(rows: Ints, columns: Ints, scores: Floats, shape: tuple[int, ...]) -> Floats:
    flat, size = rows * shape[1] + columns, shape[0] * shape[1]
    tallies = (np.bincount(flat, weights, size) for weights in (None, scores, scores**2))
    return np.stack([tally.reshape(shape) for tally in tallies])
